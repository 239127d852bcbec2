#include "app/window/main_window.h"

#include <QAbstractButton>
#include <QApplication>
#include <QCloseEvent>
#include <QComboBox>
#include <QDateTime>
#include <QKeyEvent>
#include <QLabel>
#include <QLayout>
#include <QPushButton>
#include <QTabBar>

#include "app/text/algorithm_view.h"
#include "app/text/lesson_view.h"
#include "app/window/device_switch.h"
#include "app/window/figure_label.h"
#include "app/window/interface_words.h"
#include "app/window/knob_panel.h"
#include "app/window/pane_widget.h"
#include "app/window/preset_header.h"
#include "app/window/run_column.h"
#include "app/window/style.h"
#include "app/window/timeline_bar.h"
#include "app/window/transport.h"

namespace app {
namespace {

// Presenting, the base size of 13 pixels becomes 24.
constexpr float presenterScale = 1.85f;
constexpr int pollMs = 16, statusMs = 250, slowStageMs = 1000;

}  // namespace

MainWindow::MainWindow(const core::RunRequest& request, const WindowOptions& options)
    : m_presenting(false), m_remembers(options.remembers) {
    m_onDevice.device = request.device;
    m_onDevice.exact = request.exact;
    setInterfaceLanguage(options.language);
    applyStyle(options.theme);
    m_actions = std::make_unique<Actions>(this);
    buildLayout();
    connectActions();
    connectControls();
    connectSampling();
    restore(options);
    askForCard();
    openLesson(request);
    if (options.presenting) setPresenting(true);
    if (selected().pane()) selected().pane()->setFocus();
    qApp->installEventFilter(this);
    m_timer.start(pollMs);
}

MainWindow::~MainWindow() {
    qApp->removeEventFilter(this);
}

void MainWindow::forEachColumn(const std::function<void(RunColumn&)>& act) {
    for (RunColumn* column : m_columns) act(*column);
}

// The file that the run trains on, or null where it is a built-in set: the last options are the files.
core::OwnDataPtr MainWindow::ownDataOf(const core::Frame& frame) const {
    const auto data = frame.settings.find("data");
    if (data == frame.settings.end() || frame.ownData.empty()) return nullptr;
    for (const core::Parameter& parameter : m_parameters) {
        if (parameter.name != "data") continue;
        const auto builtIn = int64_t(parameter.options.size()) - int64_t(m_ownData.size());
        const int64_t file = int64_t(data->second) - builtIn;
        return file >= 0 && file < int64_t(frame.ownData.size()) ? frame.ownData[size_t(file)] : nullptr;
    }
    return nullptr;
}

// Of A and B the one that is behind: their steps may have different numbers of stages.
void MainWindow::stageOnce() {
    int64_t least = selected().frame().step;
    forEachColumn([&](const RunColumn& column) { least = std::min(least, column.frame().step); });
    forEachColumn([&](RunColumn& column) {
        if (column.frame().step > least) return;
        column.trainer().stageOnce();
        column.hurry();
    });
}

void MainWindow::setRunning(bool running) {
    m_running = running;
    m_slowTimer.stop();
    if (running && m_slow) {
        m_slowTimer.start(slowStageMs);
    } else {
        // Neither of A and B begins before it is known that the other one will.
        for (int side = 0; running && m_pace && side < 2; ++side) m_pace->release(side);
        forEachColumn(
            [&](RunColumn& column) { running ? column.trainer().run() : column.trainer().pause(); });
    }
    forEachColumn([](RunColumn& column) { column.hurry(); });
    m_actions->setRunning(running);
}

// Does a run train again up to a step that was gone to?
bool MainWindow::onTheWay() const {
    return std::any_of(m_columns.begin(), m_columns.end(),
                       [](const RunColumn* column) { return column->frame().target >= 0; });
}

// ---- A and B

void MainWindow::setComparing(bool comparing) {
    if (comparing == (m_columns.size() > 1)) return;
    m_actions->compare->setChecked(comparing);
    if (comparing) {
        RunColumn& a = *m_columns[0];
        auto* b = new RunColumn(m_panes);
        m_panes->layout()->addWidget(b);
        m_columns.push_back(b);
        m_columnPresets.push_back(m_columnPresets[0]);
        dressColumn(*b);
        prepareSampling(*b);
        m_pace = std::make_shared<core::Lockstep>();
        for (size_t i = 0; i < 2; ++i) m_columns[i]->trainer().keepPace(m_pace, int(i));
        b->trainer().setStepsPerSecond(m_transport->stepsPerSecond());
        openBeside(a, *b);
        b->setMarkers(a.markers());
        setRunning(m_running);
        select(1);
    } else {
        select(0);
        m_columns[0]->trainer().keepPace(nullptr, 0);
        m_pace.reset();
        m_panes->layout()->removeWidget(m_columns[1]);
        m_columns[1]->deleteLater();
        m_columns.pop_back();
        m_columnPresets.pop_back();
        m_columns[0]->setHeading({});
    }
    m_sides->setVisible(comparing);
}

// B stands where A stands, and both go on from there.
void MainWindow::openBeside(RunColumn& a, RunColumn& b) {
    if (m_running) a.trainer().pause();
    core::RunRequest request;
    request.lesson = m_text.id.toStdString();
    request.preset = m_columnPresets[0].toStdString();
    request.ownData = a.frame().ownData;
    request.device = m_onDevice.device;
    request.exact = m_onDevice.exact;
    if (const std::shared_ptr<const core::Moment> moment = a.trainer().moment()) {
        b.openAt(moment, request);
    } else {
        b.open(request);  // it refuses as A has refused
    }
    forEachColumn([](RunColumn& column) { column.hurry(); });
}

void MainWindow::select(size_t column) {
    m_selected = std::min(column, m_columns.size() - 1);
    m_sides->setCurrentIndex(int(m_selected));
    m_header->setPreset(m_columnPresets[m_selected]);
    m_transport->timeline()->setMarkers(selected().markers());
    m_knobs->follow(selected().frame());
    showSampling();
}

// Above each pane what only this run has.
void MainWindow::showDifferences() {
    if (m_columns.size() < 2) return;
    const core::Settings &a = m_columns[0]->frame().settings, &b = m_columns[1]->frame().settings;
    QStringList words[2];
    for (const core::Parameter& parameter : m_parameters) {
        const auto inA = a.find(parameter.name), inB = b.find(parameter.name);
        if (inA == a.end() || inB == b.end() || inA->second == inB->second) continue;
        words[0] << m_knobs->describe(parameter.name, inA->second);
        words[1] << m_knobs->describe(parameter.name, inB->second);
    }
    const QString faint = colour(currentTheme(), views::Ink::faint).name();
    for (size_t i = 0; i < 2; ++i) {
        const QString difference = !words[i].isEmpty() ? words[i].join(" · ")
                                   : m_presenting      ? say("the same settings")
                                                       : say("the same settings; turn a knob of A or B");
        m_columns[i]->setHeading(QStringLiteral("<b>%1</b>&nbsp; %2&nbsp; <span style='color:%3'>%4</span>")
                                     .arg(i == 0 ? "A" : "B", difference.toHtmlEscaped(), faint,
                                          say("step %1").arg(thousands(m_columns[i]->frame().step))));
    }
}

// ---- looking

void MainWindow::tick() {
    bool another = false;
    if (m_columns.size() > 1) {
        another = pollPair();
    } else {
        another = selected().poll();
    }
    if (another) showFrame();
    const qint64 now = QDateTime::currentMSecsSinceEpoch();
    if (another && now - m_statusShown > statusMs) {
        m_statusShown = now;
        showStatus();
    }
}

// While A and B run, both show the same step: until the second of two frames is there the first waits.
bool MainWindow::pollPair() {
    constexpr int patienceMs = 250;  // where one cannot follow, as after a change that takes long
    RunColumn &a = *m_columns[0], &b = *m_columns[1];
    bool another = false;
    if (a.due() && b.due()) {
        const core::FramePtr ofA = a.newest(), ofB = b.newest();
        const bool apart = ofA->running && ofB->running && ofA->step != ofB->step;
        if (!apart || !m_sincePair.isValid() || m_sincePair.elapsed() > patienceMs) {
            const bool newA = a.take(ofA), newB = b.take(ofB);
            another = newA || newB;
            m_sincePair.start();
        }
    }
    forEachColumn([](RunColumn& column) { column.refresh(); });
    return another;
}

void MainWindow::showFrame() {
    const core::Frame& frame = selected().frame();
    followData(frame);
    // The trainer stops on its own where something went wrong.
    forEachColumn([this](const RunColumn& column) {
        if (m_running && !m_slow && !column.frame().running && !column.frame().problem.empty())
            setRunning(false);
    });
    if (const bool works = m_running || onTheWay(); works != m_actions->running())
        m_actions->setRunning(works);
    m_transport->setStep(frame.step, QString::fromStdString(frame.stage));
    m_transport->timeline()->setRun(frame.step, selected().furthest(), planned());
    m_knobs->follow(frame);
    m_header->setOwnData(ownDataOf(frame));
    m_lessonView->setFrame(frame);
    m_algorithm->setStage(QString::fromStdString(frame.stage));
    showDifferences();
    showSampling();
    if (!frame.running) showStatus();
}

void MainWindow::showStatus() {
    const core::Frame& frame = selected().frame();
    const bool fault = !problem().isEmpty();
    QPalette palette = m_state->palette();
    palette.setColor(QPalette::WindowText,
                     colour(currentTheme(), fault ? views::Ink::alarm : views::Ink::faint));
    m_state->setPalette(palette);
    const bool praised = !fault && m_notice.isEmpty() && m_shipped;
    m_state->setText(fault ? problem() : praised ? qualityOfShipped() : m_notice);
    m_state->setToolTip(praised ? howShippedWasJudged() : QString());
    m_rate->setText(
        m_running && frame.running
            ? say("%1 steps a second").arg(frame.stepsPerSecond, 0, 'f', frame.stepsPerSecond < 10 ? 1 : 0)
        : m_running         ? say("running")
        : frame.target >= 0 ? say("on the way to step %1").arg(frame.target)
                            : say("paused"));
    m_goOn->setVisible(frame.deviceFailed);
    // Presenting, the line is there when something has to be said, and the picture has its room else.
    m_state->parentWidget()->setVisible(!m_presenting || frame.deviceFailed || !m_state->text().isEmpty());
    m_scratch->setVisible(m_shipped && frame.step > 0);
    if (m_shipped) {
        const std::optional<double> seconds = m_estimate.seconds();
        m_scratch->setText(seconds && !m_presenting ? say("Train from scratch (about %1 min here)")
                                                          .arg(std::max(1, int(std::lround(*seconds / 60))))
                                                    : say("Train from scratch"));
    }
    m_device->setDevice(QString::fromStdString(frame.device), frame.seed);
    for (const ChannelWords& channel : m_text.channels) {
        const auto history = frame.histories.find(channel.name.toStdString());
        if (history == frame.histories.end() || history->second.empty()) continue;
        m_transport->timeline()->setCurve(history->second, channel.label);
        break;
    }
}

QString MainWindow::qualityOfShipped() const {
    if (!m_shippedFigures) return {};
    return say("Already trained: Fréchet distance %1, of training pictures %2")
        .arg(m_shippedFigures->frechet, 0, 'f', 2)
        .arg(m_shippedFigures->baseline, 0, 'f', 2);
}

QString MainWindow::howShippedWasJudged() const {
    if (!m_shippedFigures) return {};
    return say("To the test set, by the features of a small classifier: %1 samples, drawn by %2 in %3 steps.")
        .arg(m_shippedFigures->count)
        .arg(m_text.optionLabel("sampler", QString::fromStdString(m_shippedFigures->sampler)))
        .arg(m_shippedFigures->steps);
}

QString MainWindow::problem() const {
    const RunColumn& column = *m_columns[m_selected];
    if (!m_notice.isEmpty() && m_noticeIsFault) return m_notice;
    if (!column.frame().problem.empty()) return QString::fromStdString(column.frame().problem);
    return column.pane() ? column.pane()->problem() : QString();
}

void MainWindow::setPresenting(bool presenting) {
    if (presenting == m_presenting) return;
    m_presenting = presenting;
    m_actions->presenter->setChecked(presenting);
    m_course->setVisible(!presenting);
    m_side->setVisible(!presenting);
    m_header->setPresenting(presenting);
    m_device->setVisible(!presenting);
    // A window that filled the screen before fills it again.
    if (isVisible()) setWindowState(windowState().setFlag(Qt::WindowFullScreen, presenting));
    views::Theme theme = currentTheme();
    theme.scale = presenting ? presenterScale : 1;
    setTheme(theme);
    if (selected().pane()) selected().pane()->setFocus();
}

// ---- keys and closing

void MainWindow::leave() {
    if (onTheWay()) return setRunning(false);
    PaneWidget* pane = selected().pane();
    if (pane && pane->pane().key(views::Key::escape)) return pane->refresh();
    if (m_presenting && (!pane || pane->hasFocus())) return setPresenting(false);
    if (pane) pane->setFocus();
}

// Space is the run's in the whole window, so Enter presses what has the focus.
bool MainWindow::eventFilter(QObject* watched, QEvent* event) {
    if (event->type() == QEvent::KeyPress && watched == QApplication::focusWidget() && isActiveWindow()) {
        const int key = static_cast<QKeyEvent*>(event)->key();
        if (key == Qt::Key_Return || key == Qt::Key_Enter) {
            if (auto* button = qobject_cast<QAbstractButton*>(watched); button && button->window() == this) {
                button->click();
                return true;
            }
            if (auto* combo = qobject_cast<QComboBox*>(watched); combo && combo->window() == this) {
                combo->showPopup();
                return true;
            }
        }
    }
    return QMainWindow::eventFilter(watched, event);
}

void MainWindow::closeEvent(QCloseEvent* event) {
    m_timer.stop();
    remember();
    QMainWindow::closeEvent(event);
}

}  // namespace app
