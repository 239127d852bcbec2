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

SamplingBar::SamplingBar(const Actions& actions, QWidget* parent) : ControlRow(actions, parent) {
    addMain(actions.sample, "sample");
    addButton(actions.otherDice);
    addGap();
    addButton(actions.sampleFirst);
    addButton(actions.sampleBack);
    addButton(actions.playBack);
    addButton(actions.play);
    addButton(actions.sampleStep);
    addButton(actions.sampleStage);
    addButton(actions.sampleLast);
    addButton(actions.loop);
    std::vector<const char*> words;
    for (const Speed& speed : speeds) words.push_back(speed.words);
    m_speed = addSpeeds("samplingSpeed", std::move(words));
    connect(m_speed, &QComboBox::currentIndexChanged, this, [this](int index) {
        if (index >= 0) emit speedChosen(speeds[index].stepsPerSecond);
    });
    addGap();
    m_timeline = new SamplingTimeline(this);
    row()->addWidget(m_timeline, 1);
    addGap();
    m_time = new QDoubleSpinBox(this);
    m_time->setObjectName("samplingTime");
    m_time->setPrefix("t = ");
    m_time->setKeyboardTracking(false);
    m_time->setAlignment(Qt::AlignRight);
    m_time->setButtonSymbols(QAbstractSpinBox::NoButtons);
    connect(m_time, &QDoubleSpinBox::valueChanged, this, [this](double t) { emit timeChosen(t); });
    m_time->installEventFilter(this);
    row()->addWidget(m_time);
    addGap();
    addButton(actions.fork);
    addButton(actions.forkWith);
    addButton(actions.dropFork);
    addGap();
    addButton(actions.keepUp);
    dress();
}

void SamplingBar::dress() {
    dressRow(0, {m_actions.otherDice, m_actions.playBack, m_actions.sampleFirst, m_actions.sampleLast,
                 m_actions.loop, m_actions.forkWith, m_actions.keepUp});
    m_speed->setVisible(!presenting());
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
