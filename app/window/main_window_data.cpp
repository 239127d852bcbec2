// What comes into the window from outside: data of the user's own, runs that somebody shared, and devices.
#include <QApplication>
#include <QClipboard>
#include <QDragEnterEvent>
#include <QDropEvent>
#include <QFileDialog>
#include <QFileInfo>
#include <QMimeData>
#include <QPointer>
#include <QThreadPool>
#include <QUrl>

#include "app/window/device_switch.h"
#include "app/window/interface_words.h"
#include "app/window/knob_panel.h"
#include "app/window/main_window.h"
#include "app/window/own_file.h"
#include "app/window/preset_header.h"
#include "app/window/run_column.h"
#include "app/window/timeline_bar.h"
#include "app/window/transport.h"
#include "core/lessons/lesson.h"
#include "core/session/run.h"

namespace app {
namespace {

constexpr qsizetype longestRun = 8 << 20;  // characters; a million knobs turned

// Does the work on another thread, then hands its result, or the sentence that says what went wrong, to the
// window if that still is there.
template <class Result>
void aside(MainWindow* window, std::function<Result()> work, std::function<void(Result, QString)> take) {
    QPointer<MainWindow> there(window);
    QThreadPool::globalInstance()->start([=] {
        Result result{};
        QString fault;
        try {
            result = work();
        } catch (const std::exception& error) {
            fault = QString::fromUtf8(error.what());
        }
        QMetaObject::invokeMethod(
            qApp,
            [=] {
                if (there) take(result, fault);
            },
            Qt::QueuedConnection);
    });
}

}  // namespace

void MainWindow::setNotice(const QString& words, bool fault) {
    m_notice = words;
    m_noticeIsFault = fault;
    showStatus();
}

// ---- data

void MainWindow::chooseFile() {
    const QString path = QFileDialog::getOpenFileName(
        this, say("Open data…"), m_dataFolder,
        say("Points, pictures, IDX files") +
            " (*.csv *.tsv *.txt *.png *.jpg *.jpeg *.gif *.bmp *ubyte* *.idx *.gz);;" + say("All files") +
            " (*)");
    if (path.isEmpty()) return;
    m_dataFolder = QFileInfo(path).path();
    openFile(path);
}

void MainWindow::openFile(const QString& path) {
    setNotice(say("Reading %1…").arg(QFileInfo(path).fileName()), false);
    const QString lesson = m_text.id;
    aside<core::OwnDataPtr>(
        this, [=] { return readOwnFile(path); },
        [=, this](const core::OwnDataPtr& own, const QString& fault) {
            if (!own) return setNotice(fault, true);
            setNotice({}, false);
            if (lesson == m_text.id) takeData(own);
        });
}

// A and B share their data.
void MainWindow::takeData(const core::OwnDataPtr& own) {
    forEachColumn([&](RunColumn& column) {
        column.trainer().openData(own);
        column.forgetFuture();
        column.mark(column.frame().step, QString::fromStdString(own->name));
        column.hurry();
    });
    m_transport->timeline()->setMarkers(selected().markers());
}

// The knob `data` has an option for every file that the run has opened.
void MainWindow::followData(const core::Frame& frame) {
    if (frame.ownData == m_ownData || QString::fromStdString(frame.lesson) != m_text.id) return;
    m_ownData = frame.ownData;
    const auto lesson = core::makeLesson(frame.lesson);
    for (const core::OwnDataPtr& own : m_ownData) lesson->offer(own);
    m_parameters.clear();
    for (const core::Knob* knob : lesson->knobs()) m_parameters.push_back(knob->parameter());
    m_knobs->setLesson(m_parameters, m_text);
}

void MainWindow::dragEnterEvent(QDragEnterEvent* event) {
    const QMimeData* dragged = event->mimeData();
    const bool file = dragged->hasUrls() && dragged->urls().front().isLocalFile();
    if (file || (dragged->hasText() && dragged->text().startsWith('{'))) event->acceptProposedAction();
}

void MainWindow::dropEvent(QDropEvent* event) {
    const QMimeData* dropped = event->mimeData();
    event->acceptProposedAction();
    if (dropped->hasUrls() && dropped->urls().front().isLocalFile())
        return openFile(dropped->urls().front().toLocalFile());
    replayRun(dropped->text());
}

// ---- runs

void MainWindow::pasteRun() {
    replayRun(QApplication::clipboard()->text());
}

void MainWindow::replayRun(const QString& line) {
    core::Journal journal;
    try {
        CHECK(line.size() <= longestRun, "expected the line of a run that genscope shared, got {} characters",
              line.size());
        journal = core::Journal::fromLine(line.trimmed().toStdString());
    } catch (const core::Error& error) {
        return setNotice(QString::fromUtf8(error.what()), true);
    }
    if (journal.files.empty()) return takeRun(journal, {});
    setNotice(say("Reading %1…").arg(QString::fromStdString(journal.files.front().path)), false);
    using Files = std::vector<core::OwnDataPtr>;
    aside<Files>(
        this, [=] { return readOwnFiles(journal); },
        [=, this](const Files& files, const QString& fault) {
            fault.isEmpty() ? takeRun(journal, files) : setNotice(fault, true);
        });
}

void MainWindow::takeRun(const core::Journal& journal, const std::vector<core::OwnDataPtr>& files) {
    try {
        (void)core::Run::requestOf(journal, 0, files);  // before anything of the present run is left
    } catch (const core::Error& error) {
        return setNotice(QString::fromUtf8(error.what()), true);
    }
    if (m_columns.size() > 1) setComparing(false);
    m_running = false;
    m_slowTimer.stop();
    m_actions->setRunning(false);
    const QString lesson = QString::fromStdString(journal.lesson);
    if (lesson != m_text.id) loadLesson(lesson);
    m_columnPresets[0] =
        QString::fromStdString(journal.preset.empty() ? m_presets.front().name : journal.preset);
    m_header->setPreset(m_columnPresets[0]);
    selected().replay(journal, files);
    startOver();
    for (const core::Journal::Entry& entry : journal.entries)
        selected().mark(entry.step, m_knobs->describe(entry.knob, entry.value));
    m_transport->timeline()->setMarkers(selected().markers());
    setNotice({}, false);
}

// ---- devices

// A driver may take a second to answer.
void MainWindow::askForCard() {
    aside<core::DeviceAnswer>(
        this, [] { return core::askForCard(); },
        [this](const core::DeviceAnswer& card, const QString&) { m_device->setCard(card); });
}

void MainWindow::useDevice(const QString& device, bool exact) {
    m_onDevice.device = device.toStdString();
    m_onDevice.exact = exact;
    setNotice({}, false);
    forEachColumn([&](RunColumn& column) {
        column.trainer().useDevice(m_onDevice.device, exact);
        column.hurry();
    });
}

void MainWindow::useOtherDevice() {
    if (selected().frame().deviceFailed || !m_device->onCpu()) return useDevice("cpu", false);
    m_device->hasCard() ? useDevice("cuda", false)
                        : setNotice(say("No card: %1").arg(m_device->missing()), true);
}

}  // namespace app
