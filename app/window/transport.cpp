#include "app/window/transport.h"

#include <QComboBox>
#include <QHBoxLayout>
#include <QToolButton>

#include "app/window/figure_label.h"
#include "app/window/interface_words.h"
#include "app/window/style.h"
#include "app/window/timeline_bar.h"

namespace app {
namespace {

struct Speed {
    const char* words;
    double stepsPerSecond;
    bool slow;
};
constexpr Speed speeds[] = {
    {"Full speed", 0, false},         {"100 steps a second", 100, false}, {"30 steps a second", 30, false},
    {"10 steps a second", 10, false}, {"3 steps a second", 3, false},     {"1 step a second", 1, false},
    {"1 stage a second", 0, true},
};

}  // namespace

Transport::Transport(const Actions& actions, QWidget* parent) : ControlRow(actions, parent) {
    addMain(actions.run, "run");
    addGap();
    addButton(actions.first);
    addButton(actions.back);
    addButton(actions.step);
    addButton(actions.stage);
    addButton(actions.last);
    addGap();
    addButton(actions.reset);
    addButton(actions.newSeed);
    addGap();
    std::vector<const char*> words;
    for (const Speed& speed : speeds) words.push_back(speed.words);
    m_speed = addSpeeds("speed", std::move(words));
    connect(m_speed, &QComboBox::currentIndexChanged, this, [this](int index) {
        if (index >= 0) emit speedChosen(speeds[index].stepsPerSecond, speeds[index].slow);
    });
    addGap();
    m_timeline = new TimelineBar(this);
    row()->addWidget(m_timeline, 1);
    addGap();
    m_step = new FigureLabel("100 000", this);
    row()->addWidget(m_step);
    dress();
}

double Transport::stepsPerSecond() const {
    return speeds[std::max(0, m_speed->currentIndex())].stepsPerSecond;
}

void Transport::dress() {
    dressRow(4, {m_actions.first, m_actions.last, m_actions.reset, m_actions.newSeed});
    m_speed->setAccessibleName(say("Speed"));
    m_speed->setToolTip(say(
        "How fast it trains. Slow enough, and every step can be followed; one stage a second walks through "
        "the pseudo-code."));
    m_timeline->retranslate();
    m_step->setProportion(1.4, true);
    m_step->setAccessibleName(say("Training step"));
    m_step->setToolTip(say("The number of training steps completed."));
}

void Transport::setStep(qint64 step, const QString& stage) {
    m_step->setText(stage.isEmpty() ? thousands(step) : thousands(step) + "+");
}

}  // namespace app
