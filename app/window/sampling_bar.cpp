#include "app/window/sampling_bar.h"

#include <QComboBox>
#include <QDoubleSpinBox>
#include <QHBoxLayout>
#include <QKeyEvent>
#include <QSignalBlocker>
#include <QToolButton>
#include <algorithm>
#include <iterator>

#include "app/window/interface_words.h"
#include "app/window/sampling_player.h"
#include "app/window/sampling_timeline.h"
#include "app/window/style.h"

namespace app {
namespace {

struct Speed {
    const char* words;
    double stepsPerSecond;
};
constexpr Speed speeds[] = {
    {"The run in 6 s", 0},     {"300 steps a second", 300}, {"100 steps a second", 100},
    {"30 steps a second", 30}, {"10 steps a second", 10},   {"3 steps a second", 3},
    {"1 step a second", 1},
};

}  // namespace

SamplingBar::SamplingBar(const Actions& actions, QWidget* parent) : QWidget(parent), m_actions(actions) {
    auto* row = new QHBoxLayout(this);
    const auto add = [&](QAction* action) { row->addWidget(button(action)); };
    m_sample = button(actions.sample, true);
    m_sample->setObjectName("sample");
    row->addWidget(m_sample);
    add(actions.otherDice);
    row->addSpacing(8);
    add(actions.sampleFirst);
    add(actions.sampleBack);
    add(actions.playBack);
    add(actions.play);
    add(actions.sampleStep);
    add(actions.sampleStage);
    add(actions.sampleLast);
    add(actions.loop);
    m_speed = new QComboBox(this);
    m_speed->setObjectName("samplingSpeed");
    for (const Speed& speed : speeds) m_speed->addItem(say(speed.words));
    connect(m_speed, &QComboBox::currentIndexChanged, this, [this](int index) {
        if (index >= 0) emit speedChosen(speeds[index].stepsPerSecond);
    });
    row->addWidget(m_speed);
    row->addSpacing(8);
    m_timeline = new SamplingTimeline(this);
    row->addWidget(m_timeline, 1);
    row->addSpacing(8);
    m_time = new QDoubleSpinBox(this);
    m_time->setObjectName("samplingTime");
    m_time->setPrefix("t = ");
    m_time->setKeyboardTracking(false);
    m_time->setAlignment(Qt::AlignRight);
    m_time->setButtonSymbols(QAbstractSpinBox::NoButtons);
    connect(m_time, &QDoubleSpinBox::valueChanged, this, [this](double t) { emit timeChosen(t); });
    m_time->installEventFilter(this);
    row->addWidget(m_time);
    row->addSpacing(8);
    add(actions.fork);
    add(actions.forkWith);
    add(actions.dropFork);
    row->addSpacing(8);
    add(actions.keepUp);
    dress();
}

QToolButton* SamplingBar::button(QAction* action, bool wide) {
    auto* button = new QToolButton(this);
    button->setDefaultAction(action);
    button->setFocusPolicy(Qt::StrongFocus);
    button->setAutoRaise(true);
    button->setToolButtonStyle(wide ? Qt::ToolButtonTextBesideIcon : Qt::ToolButtonIconOnly);
    m_buttons.push_back(button);
    return button;
}

void SamplingBar::dress() {
    layout()->setContentsMargins(scaled(16), 0, scaled(16), scaled(4));
    layout()->setSpacing(scaled(4));
    for (QToolButton* button : m_buttons) {
        button->setIconSize({scaled(20), scaled(20)});
        button->setAccessibleName(button->defaultAction()->text());
    }
    m_sample->setMinimumWidth(scaled(104));
    // Presenting there is room for what a lecture needs; the keys of the rest work all the same.
    const bool few = currentTheme().scale > 1.3f;
    const QAction* const rest[] = {m_actions.otherDice,  m_actions.playBack, m_actions.sampleFirst,
                                   m_actions.sampleLast, m_actions.loop,     m_actions.forkWith,
                                   m_actions.keepUp};
    for (QToolButton* button : m_buttons)
        button->setVisible(!few || std::find(std::begin(rest), std::end(rest), button->defaultAction()) ==
                                       std::end(rest));
    m_speed->setVisible(!few);
    const QSignalBlocker quiet(m_speed);
    for (int i = 0; i < m_speed->count(); ++i) m_speed->setItemText(i, say(speeds[i].words));
    m_speed->setAccessibleName(say("Speed of playing"));
    m_speed->setToolTip(say("How fast the sampling run is played."));
    m_time->setAccessibleName(say("Time of the sampling run"));
    m_time->setToolTip(say("Where in the run you stand; type a time to go there."));
    m_time->setFixedWidth(scaled(84));
    m_timeline->retranslate();
}

// No time has a letter in it: letters are the window's keys.
bool SamplingBar::eventFilter(QObject* watched, QEvent* event) {
    if (watched == m_time && event->type() == QEvent::ShortcutOverride) {
        const int key = static_cast<QKeyEvent*>(event)->key();
        if (key == Qt::Key_Space || (key >= Qt::Key_A && key <= Qt::Key_Z)) {
            event->ignore();
            return true;
        }
    }
    return QWidget::eventFilter(watched, event);
}

void SamplingBar::show(const SamplingPlayer& player) {
    const core::TrajectoryPtr run = player.run();
    const int step = player.place().step;
    const bool there = run && !run->steps.empty(), inside = there && step < run->total;
    m_timeline->setRuns(run, player.branch());
    m_timeline->setStep(step);
    m_actions.fork->setEnabled(inside);
    m_actions.forkWith->setEnabled(inside);
    m_actions.dropFork->setEnabled(player.place().branch != 0);
    m_time->setEnabled(there);
    if (m_time->hasFocus() && m_time->value() == player.time()) return;  // being typed into
    const QSignalBlocker quiet(m_time);
    // Times that are no whole numbers have two digits more.
    const double latest = there ? run->timeOf(0) : 1;
    m_time->setDecimals(latest > 2 ? 0 : 3);
    m_time->setRange(0, std::max(latest, 0.0));
    m_time->setValue(player.time());
}

}  // namespace app
