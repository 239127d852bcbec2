#include "app/window/run_recorder.h"

#include <QElapsedTimer>
#include <QEventLoop>
#include <QTimer>
#include <algorithm>

#include "app/window/exporter.h"
#include "app/window/gif_writer.h"
#include "app/window/main_window.h"
#include "app/window/pane_widget.h"
#include "app/window/run_column.h"
#include "core/base/error.h"

namespace app {
namespace {

// True when the column shows the step, drawn to its end.
bool arrive(RunColumn& column, int64_t step, const std::function<bool()>& goOn) {
    constexpr int calmMs = 60, longestMs = 1000;
    column.trainer().goTo(step);
    while (column.frame().step != step || column.frame().running || !column.frame().stage.empty()) {
        column.hurry();
        liveOn(10);
        CHECK(column.frame().problem.empty(), "{}", column.frame().problem);
        if (!goOn()) return false;
    }
    QElapsedTimer calm, whole;
    calm.start();
    whole.start();
    size_t channels = 0;
    while (calm.elapsed() < calmMs && whole.elapsed() < longestMs) {
        column.hurry();
        liveOn(10);
        const bool moving = column.pane() && column.pane()->pane().wantsFrame();
        if (moving || column.frame().channels.size() != channels) calm.restart();
        channels = column.frame().channels.size();
    }
    return true;
}

}  // namespace

void liveOn(int ms) {
    QEventLoop loop;
    QTimer::singleShot(ms, &loop, &QEventLoop::quit);
    loop.exec();
}

bool recordRun(MainWindow& window, RunColumn& column, const Recording& recording, const QString& path,
               const std::function<bool(int)>& goOn) {
    const int64_t steps = std::max<int64_t>(0, recording.to - recording.from);
    const auto pictures = int(std::min<int64_t>(recording.pictures, steps + 1));
    GifWriter gif(recording.widest);
    for (int i = 0; i < pictures; ++i) {
        const int64_t step = pictures > 1 ? recording.from + steps * i / (pictures - 1) : recording.to;
        if (!arrive(column, step, [&] { return goOn(i); })) return false;
        gif.add(recording.panel.empty() ? pictureOf(window) : pictureOf(column, recording.panel));
        if (!goOn(i + 1)) return false;
    }
    gif.save(path, recording.perSecond);
    return true;
}

}  // namespace app
