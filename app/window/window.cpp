#include "app/window/window.h"

#include <malloc.h>
#include <QApplication>
#include <QLocale>
#include <QSettings>

#include "app/window/gl_probe.h"
#include "app/window/main_window.h"
#include "app/window/style.h"

namespace app {

int runWindow(const core::RunRequest& request, const std::optional<core::Journal>& journal, int argc,
              char** argv) {
    // Frames are made by the trainer and freed here: without these, glibc keeps what they leave behind.
    mallopt(M_ARENA_MAX, 2);
    mallopt(M_MMAP_THRESHOLD, 1 << 20);
    mallopt(M_TRIM_THRESHOLD, 1 << 20);
    requestGl();
    QApplication application(argc, argv);
    QApplication::setApplicationName("genscope");
    QApplication::setDesktopFileName("genscope");

    const QSettings settings("genscope", "genscope");
    WindowOptions options;
    options.theme.palette = paletteNamed(settings.value("theme").toString());
    const QString system = QLocale::system().language() == QLocale::Chinese ? "zh" : "en";
    const QString language = settings.value("language", system).toString();
    options.language = language == "zh" ? "zh" : "en";
    MainWindow window(request, options);
    window.show();
    if (journal)
        window.replayRun(QString::fromStdString(journal->toLine()));
    else if (!window.showsShipped())
        window.actions().run->trigger();
    return QApplication::exec();
}

}  // namespace app
