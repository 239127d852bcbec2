#include "app/cli/shot.h"

#include <QApplication>
#include <QElapsedTimer>
#include <QFileInfo>
#include <algorithm>
#include <charconv>
#include <memory>
#include <vector>

#include "app/cli/command_line.h"
#include "app/cli/display.h"
#include "app/cli/progress.h"
#include "app/window/exporter.h"
#include "app/window/gl_probe.h"
#include "app/window/main_window.h"
#include "app/window/pane_widget.h"
#include "app/window/run_column.h"
#include "app/window/run_recorder.h"
#include "app/window/style.h"
#include "core/base/error.h"

namespace app {
namespace {

std::string suffixOf(const std::string& path) {
    return QFileInfo(QString::fromStdString(path)).suffix().toLower().toStdString();
}

bool samples(const core::Frame& frame) {
    if (!frame.samplings) return false;
    const auto& runs = frame.samplings->runs;
    return std::any_of(runs.begin(), runs.end(), [](const core::TrajectoryPtr& run) {
        return !run->complete() && run->problem.empty();
    });
}

// Trains up to the step, then waits until the figures that take longer are there and nothing moves.
void trainTo(MainWindow& window, int64_t steps, double settle) {
    RunColumn& column = window.column();
    Progress progress("shot", std::max<int64_t>(steps, 1), false);
    // A network that comes with the program is shown as it is.
    const bool shipped = window.showsShipped() && steps == 0;
    if (!shipped) column.trainer().goTo(steps);
    while (column.frame().step < (shipped ? 1 : steps)) {
        column.hurry();
        liveOn(20);
        CHECK(column.frame().problem.empty(), "{}", column.frame().problem);
        if (steps > 0) progress.at(column.frame().step, [] { return std::string(); });
    }
    const auto calmMs = qint64(settle * 1000), longestMs = 10 * calmMs + 1000;
    QElapsedTimer calm, whole;
    calm.start();
    whole.start();
    size_t channels = 0;
    while (calm.elapsed() < calmMs && whole.elapsed() < longestMs) {
        liveOn(20);
        const bool moving = column.pane() && column.pane()->pane().wantsFrame();
        if (samples(column.frame())) whole.restart();
        if (moving || samples(column.frame()) || column.frame().awaitsFigures ||
            column.frame().channels.size() != channels)
            calm.restart();
        channels = column.frame().channels.size();
    }
    CHECK(column.frame().problem.empty(), "{}", column.frame().problem);
}

void save(MainWindow& window, const ShotOptions& options, int64_t steps, const std::string& suffix) {
    RunColumn& column = window.column();
    const QString path = QString::fromStdString(options.out);
    if (suffix == "svg") {
        saveText(svgOf(column, options.panel.empty() ? "*" : options.panel), path);
    } else if (suffix == "gif") {
        const Recording recording{.to = steps,
                                  .pictures = options.frames,
                                  .perSecond = options.framesPerSecond,
                                  .panel = options.panel,
                                  .widest = options.width};
        Progress progress("shot", std::max<int64_t>(steps, 1), false);
        recordRun(window, column, recording, path, [&](int) {
            progress.at(column.frame().step, [] { return std::string(); });
            return true;
        });
    } else {
        savePicture(options.panel.empty() ? pictureOf(window) : pictureOf(column, options.panel),
                    column.frame(), path);
    }
}

}  // namespace

void checkShot(ShotOptions& options) {
    const std::string suffix = suffixOf(options.out);
    CHECK(suffix == "png" || suffix == "svg" || suffix == "gif",
          "--out: expected the name of a file that ends in .png, .svg or .gif, got '{}'", options.out);
    if (options.size.empty()) options.size = suffix == "gif" ? "1200x750" : "1600x1000";
    const std::string& text = options.size;
    const char* end = text.data() + text.size();
    const auto [cross, widthCode] = std::from_chars(text.data(), end, options.width);
    bool good = widthCode == std::errc() && cross != end && *cross == 'x';
    if (good) {
        const auto [last, heightCode] = std::from_chars(cross + 1, end, options.height);
        good = heightCode == std::errc() && last == end;
    }
    good = good && options.width >= 960 && options.width <= 7680 && options.height >= 640 &&
           options.height <= 4320;
    CHECK(good, "--size: expected WIDTHxHEIGHT from 960x640 to 7680x4320, got '{}'", text);
}

int runShot(const ShotOptions& options, int argc, char** argv) {
    // Always on a display of our own where that is possible: no window manager, no other window, one size.
    std::unique_ptr<VirtualDisplay> display;
    if (VirtualDisplay::installed() || !displayAnswers())
        display = std::make_unique<VirtualDisplay>(options.width, options.height);
    requestGl();
    QApplication application(argc, argv);

    WindowOptions window;
    window.theme.palette = paletteNamed(QString::fromStdString(options.theme));
    window.theme.moves = false;
    window.language = QString::fromStdString(options.language);
    window.presenting = options.presenter;
    window.remembers = false;
    MainWindow main(options.request, window);
    main.setWindowFlag(Qt::FramelessWindowHint);
    main.setGeometry(0, 0, options.width, options.height);
    main.show();
    if (options.journal) main.replayRun(QString::fromStdString(options.journal->toLine()));
    const int64_t shared = options.journal ? options.journal->step : 0;
    const int64_t steps = options.steps > 0 ? options.steps : shared;
    const std::string suffix = suffixOf(options.out);
    const std::string& panel = options.panel;
    PaneWidget* const widget = main.column().pane();
    if (!panel.empty() && widget) {
        while (main.column().frame().settings.empty()) liveOn(20);  // the first frame says which there are
        const std::vector<std::string> ids = widget->pane().panels();
        if (std::find(ids.begin(), ids.end(), panel) == ids.end()) {
            fmt::print(stderr, "genscope: --panel: expected one of {}, got '{}'\n", fmt::join(ids, ", "),
                       panel);
            return exitUsage;
        }
    }
    trainTo(main, suffix == "gif" ? 0 : steps, options.settle);

    if (!panel.empty() && widget) {
        views::Pane& pane = widget->pane();
        const auto shown = pane.panelRects();
        if (std::none_of(shown.begin(), shown.end(), [&](const auto& place) { return place.id == panel; })) {
            pane.maximise(panel);  // there was no room for it
            trainTo(main, suffix == "gif" ? 0 : steps, options.settle);
        }
    }
    try {
        save(main, options, steps, suffix);
    } catch (const core::Error& fault) {
        fmt::print(stderr, "genscope: {}\n", fault.what());
        return exitCannotWrite;
    }
    return exitOk;
}

}  // namespace app
