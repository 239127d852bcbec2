// What the window is made of: layout, what is connected to what, language and theme.
#include <QApplication>
#include <QClipboard>
#include <QHBoxLayout>
#include <QLabel>
#include <QPushButton>
#include <QScreen>
#include <QSettings>
#include <QSplitter>
#include <QTabBar>
#include <QTabWidget>
#include <QVBoxLayout>

#include "app/text/algorithm_view.h"
#include "app/text/lesson_view.h"
#include "app/window/command_palette.h"
#include "app/window/device_switch.h"
#include "app/window/export_dialog.h"
#include "app/window/figure_label.h"
#include "app/window/interface_words.h"
#include "app/window/keyboard_sheet.h"
#include "app/window/knob_panel.h"
#include "app/window/lesson_list.h"
#include "app/window/main_window.h"
#include "app/window/pane_widget.h"
#include "app/window/phrases.h"
#include "app/window/preset_header.h"
#include "app/window/run_column.h"
#include "app/window/sampling_bar.h"
#include "app/window/style.h"
#include "app/window/timeline_bar.h"
#include "app/window/tool_row.h"
#include "app/window/transport.h"

namespace app {

void MainWindow::buildLayout() {
    setMinimumSize(960, 640);
    setAcceptDrops(true);
    auto* root = new QWidget(this);
    auto* rows = new QVBoxLayout(root);
    rows->setContentsMargins(0, 0, 0, 0);
    rows->setSpacing(0);

    m_split = new QSplitter(Qt::Horizontal, root);
    m_split->setChildrenCollapsible(false);
    m_course = new QWidget(m_split);
    auto* courseRows = new QVBoxLayout(m_course);
    courseRows->setContentsMargins(0, 0, 0, 0);
    courseRows->setSpacing(0);
    m_lessons = new LessonList(m_course);
    m_tools = new ToolRow(*m_actions, m_course);
    courseRows->addWidget(m_lessons, 1);
    courseRows->addWidget(m_tools);
    auto* centre = new QWidget(m_split);
    auto* centreRows = new QVBoxLayout(centre);
    centreRows->setContentsMargins(0, 0, 0, 0);
    centreRows->setSpacing(0);
    m_header = new PresetHeader(centre);
    centreRows->addWidget(m_header);
    m_panes = new QWidget(centre);
    auto* paneRow = new QHBoxLayout(m_panes);
    paneRow->setContentsMargins(0, 0, 0, 0);
    paneRow->setSpacing(8);
    m_columns.push_back(new RunColumn(m_panes));
    m_columnPresets.emplace_back();
    paneRow->addWidget(m_columns[0]);
    centreRows->addWidget(m_panes, 1);

    m_side = new QWidget(m_split);
    auto* sideRows = new QVBoxLayout(m_side);
    sideRows->setContentsMargins(0, 0, 0, 0);
    m_sides = new QTabBar(m_side);
    m_sides->setExpanding(false);
    m_sides->addTab("A");
    m_sides->addTab("B");
    m_sides->hide();
    sideRows->addWidget(m_sides);
    m_sideSplit = new QSplitter(Qt::Vertical, m_side);
    m_sideSplit->setChildrenCollapsible(false);
    m_knobs = new KnobPanel(m_sideSplit);
    m_words = new QTabWidget(m_sideSplit);
    m_lessonView = new LessonView(m_words);
    m_algorithm = new AlgorithmView(m_words);
    m_lessonView->setFrameStyle(QFrame::NoFrame);
    m_algorithm->setFrameStyle(QFrame::NoFrame);
    // Text lies on the window itself, not on a card.
    m_lessonView->viewport()->setAutoFillBackground(false);
    m_algorithm->viewport()->setAutoFillBackground(false);
    m_words->addTab(m_lessonView, QString());
    m_words->addTab(m_algorithm, QString());
    m_sideSplit->addWidget(m_knobs);
    m_sideSplit->addWidget(m_words);
    sideRows->addWidget(m_sideSplit, 1);

    m_split->addWidget(m_course);
    m_split->addWidget(centre);
    m_split->addWidget(m_side);
    m_split->setStretchFactor(1, 1);
    rows->addWidget(m_split, 1);
    m_transport = new Transport(*m_actions, root);
    rows->addWidget(m_transport);
    m_samplingBar = new SamplingBar(*m_actions, root);
    rows->addWidget(m_samplingBar);

    auto* status = new QWidget(root);
    auto* statusRow = new QHBoxLayout(status);
    statusRow->setContentsMargins(16, 0, 16, 8);
    m_state = new QLabel(status);
    m_state->setSizePolicy(QSizePolicy::Ignored, QSizePolicy::Preferred);
    m_state->setWordWrap(true);
    m_state->setTextInteractionFlags(Qt::TextSelectableByMouse);
    m_rate = new FigureLabel("100 000 steps a second", status);
    m_goOn = new QPushButton(status);
    m_goOn->hide();
    m_scratch = new QPushButton(status);
    m_scratch->setObjectName("scratch");
    m_scratch->hide();
    m_device = new DeviceSwitch(status);
    statusRow->addWidget(m_state, 1);
    statusRow->addWidget(m_goOn);
    statusRow->addWidget(m_scratch);
    statusRow->addWidget(m_rate);
    statusRow->addSpacing(16);
    statusRow->addWidget(m_device);
    rows->addWidget(status);
    setCentralWidget(root);
}

void MainWindow::connectActions() {
    const Actions& a = *m_actions;
    a.compare->setCheckable(true);
    a.presenter->setCheckable(true);
    const auto on = [this](QAction* action, auto slot) { connect(action, &QAction::triggered, this, slot); };
    // The run stands still afterwards, wherever it goes.
    const auto move = [this](const std::function<void(RunColumn&)>& act) {
        m_running = false;
        m_slowTimer.stop();
        m_actions->setRunning(false);
        forEachColumn([&](RunColumn& column) {
            act(column);
            column.hurry();
        });
    };
    on(a.run, [this] { setRunning(!m_running && !onTheWay()); });
    on(a.step, [=] { move([](RunColumn& c) { c.trainer().stepOnce(); }); });
    on(a.stage, [=, this] {
        move([](RunColumn& c) {
            if (c.frame().running) c.trainer().pause();
        });
        showAlgorithm();
        stageOnce();
    });
    on(a.back, [=] { move([](RunColumn& c) { c.trainer().back(); }); });
    on(a.first, [=] { move([](RunColumn& c) { c.trainer().goTo(0); }); });
    on(a.last, [=] { move([](RunColumn& c) { c.trainer().goTo(c.furthest()); }); });
    on(a.reset, [this] {
        forEachColumn([](RunColumn& c) {
            c.trainer().reset();
            c.startOver();
        });
        startOver();
    });
    on(a.newSeed, [this] {
        const uint64_t seed = m_columns[0]->frame().seed + 1;
        forEachColumn([&](RunColumn& c) {
            c.trainer().newSeed(seed);
            c.startOver();
        });
        startOver();
    });
    on(a.compare, [this](bool checked) { setComparing(checked); });
    on(a.presenter, [this](bool checked) { setPresenting(checked); });
    on(a.openData, [this] { chooseFile(); });
    on(a.exportPicture, [this] { openExport(); });
    on(a.shareRun,
       [this] { QApplication::clipboard()->setText(QString::fromStdString(selected().trainer().share())); });
    on(a.pasteRun, [this] { pasteRun(); });
    on(a.theme, [this] {
        views::Theme theme = currentTheme();
        theme.palette = views::Palette((int(theme.palette) + 1) % 3);
        setTheme(theme);
    });
    on(a.language, [this] { setLanguage(interfaceLanguage() == "en" ? "zh" : "en"); });
    on(a.find, [this] { openPalette(); });
    on(a.keyboard, [this] { KeyboardSheet(*m_actions, this).exec(); });
    on(a.device, [this] { useOtherDevice(); });
    on(a.leaveText, [this] { leave(); });
    on(a.quit, [this] { close(); });
    connect(&m_slowTimer, &QTimer::timeout, this, [this] { stageOnce(); });
}

void MainWindow::connectControls() {
    connect(&m_timer, &QTimer::timeout, this, &MainWindow::tick);
    connect(m_lessons, &LessonList::chosen, this, [this](const QString& lesson) {
        if (lesson != m_text.id) changeLesson(lesson);
    });
    connect(m_header, &PresetHeader::chosen, this, &MainWindow::choosePreset);
    connect(m_device, &DeviceSwitch::chosen, this, &MainWindow::useDevice);
    connect(m_goOn, &QPushButton::clicked, this, [this] { useDevice("cpu", false); });
    connect(m_scratch, &QPushButton::clicked, this, &MainWindow::trainFromScratch);
    connect(m_knobs, &KnobPanel::changed, this, &MainWindow::turnKnob);
    connect(m_sides, &QTabBar::currentChanged, this,
            [this](int index) { select(size_t(std::max(0, index))); });
    connect(m_transport, &Transport::speedChosen, this, [this](double stepsPerSecond, bool slow) {
        m_slow = slow;
        forEachColumn([&](RunColumn& c) {
            c.trainer().setStepsPerSecond(stepsPerSecond);
            if (slow) c.trainer().pause();
        });
        setRunning(m_running);
    });
    connect(m_transport->timeline(), &TimelineBar::scrubbed, this, [this](qint64 step) {
        m_running = false;
        m_slowTimer.stop();
        m_actions->setRunning(false);
        forEachColumn([&](RunColumn& c) {
            c.trainer().goTo(step);
            c.hurry();
        });
    });
}

// ---- language and theme

void MainWindow::setTheme(const views::Theme& theme) {
    applyStyle(theme);
    dress();
}

void MainWindow::setLanguage(const QString& language) {
    setInterfaceLanguage(language);
    m_text = loadLessonText(m_text.id, language);
    m_lessons->retranslate();
    dress();
}

void MainWindow::dress() {
    setWindowTitle(m_text.title.isEmpty() ? "Genscope" : m_text.title + " – Genscope");
    m_actions->dress();
    m_header->setLesson(m_presets, m_text);
    m_transport->dress();
    m_samplingBar->dress();
    m_tools->dress();
    if (!m_parameters.empty()) {
        m_knobs->setLesson(m_parameters, m_text);
        m_knobs->follow(selected().frame());
        const QString shown = m_text.id + "." + m_text.language;
        if (shown != m_shownText) {
            m_lessonView->setLesson(m_text);
            m_algorithm->setLesson(m_text);
        }
        m_shownText = shown;
    }
    m_words->setTabText(0, say("Lesson"));
    m_words->setTabText(1, say("Algorithm"));
    m_words->setTabToolTip(0, say("What it is about, with the numbers of this moment."));
    m_words->setTabToolTip(1, say("The pseudo-code; the line that comes next is lit."));
    m_words->tabBar()->setAccessibleName(say("Lesson and algorithm"));
    m_words->tabBar()->setToolTip(say("Lesson and algorithm"));
    m_lessonView->setAccessibleName(say("Lesson"));
    m_lessonView->setToolTip(say("What it is about, with the numbers of this moment."));
    m_algorithm->setAccessibleName(say("Algorithm"));
    m_algorithm->setToolTip(say("The pseudo-code; the line that comes next is lit."));
    m_sides->setAccessibleName(say("Knobs of A or B"));
    m_sides->setToolTip(say("Whose knobs these are."));
    m_state->setAccessibleName(say("Problem"));
    m_rate->setAccessibleName(say("Steps a second"));
    m_rate->setProportion(1, false);
    m_device->dress();
    m_goOn->setText(say("Go on with the CPU"));
    m_goOn->setToolTip(say("The run is kept; the CPU takes over from its latest numbers."));
    m_scratch->setToolTip(say("This network came with the program already trained. Train your own instead."));
    forEachColumn([this](RunColumn& column) { dressColumn(column); });
    showStatus();
}

void MainWindow::dressColumn(RunColumn& column) {
    std::map<std::string, views::PanelTitle> titles;
    for (const PanelWords& panel : m_text.panels)
        titles[panel.id.toStdString()] = {panel.title.toStdString(), panel.symbol.toStdString(),
                                          panel.hint.toStdString()};
    column.setTheme(currentTheme());
    column.setPanelTitles(titles);
    column.setPhrases(panelPhrases(interfaceLanguage()));
    std::set<std::string> named;
    for (const QString& channel : m_text.liveChannels()) named.insert(channel.toStdString());
    column.setAlsoWatched(named);
}

// ---- windows of the window

void MainWindow::openExport() {
    ExportDialog dialog(*this, selected());
    dialog.exec();
}

void MainWindow::openPalette() {
    std::vector<CommandPalette::Command> commands;
    for (QAction* action : m_actions->all())
        commands.push_back({action->text(), action->shortcut().toString(QKeySequence::NativeText),
                            [action] { action->trigger(); }});
    for (const core::Preset& preset : m_presets) {
        const QString name = QString::fromStdString(preset.name);
        const PresetWords* words = m_text.preset(name);
        commands.push_back({say("Preset") + ": " + (words ? words->title : name), QString(), [this, name] {
                                m_header->setPreset(name);
                                choosePreset(name);
                            }});
    }
    CommandPalette palette(std::move(commands), this);
    palette.exec();
}

// Which lights the stage that comes next.
void MainWindow::showAlgorithm() {
    m_words->setCurrentWidget(m_algorithm);
}

// ---- what is remembered

void MainWindow::restore(const WindowOptions& options) {
    resize(1600, 1000);
    m_split->setSizes({208, 984, 400});
    m_sideSplit->setSizes({480, 400});
    if (!options.remembers) return;
    resize(size().boundedTo(screen()->availableSize()));  // a projector's screen is smaller
    const QSettings settings("genscope", "genscope");
    restoreGeometry(settings.value("geometry").toByteArray());
    if (const QByteArray state = settings.value("columns").toByteArray(); !state.isEmpty())
        m_split->restoreState(state);
    if (const QByteArray state = settings.value("side").toByteArray(); !state.isEmpty())
        m_sideSplit->restoreState(state);
}

void MainWindow::remember() {
    if (!m_remembers) return;
    QSettings settings("genscope", "genscope");
    if (!m_presenting) {
        settings.setValue("geometry", saveGeometry());
        settings.setValue("columns", m_split->saveState());
        settings.setValue("side", m_sideSplit->saveState());
    }
    settings.setValue("theme", nameOf(currentTheme().palette));
    settings.setValue("language", interfaceLanguage());
}

}  // namespace app
