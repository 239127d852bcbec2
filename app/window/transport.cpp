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

Transport::Transport(const Actions& actions, QWidget* parent) : QWidget(parent), m_actions(actions) {
    auto* row = new QHBoxLayout(this);
    const auto add = [&](QAction* action) { row->addWidget(button(action)); };
    m_run = button(actions.run, true);
    m_run->setObjectName("run");
    row->addWidget(m_run);
    row->addSpacing(8);
    add(actions.first);
    add(actions.back);
    add(actions.step);
    add(actions.stage);
    add(actions.last);
    row->addSpacing(8);
    add(actions.reset);
    add(actions.newSeed);
    row->addSpacing(8);
    m_speed = new QComboBox(this);
    m_speed->setObjectName("speed");
    for (const Speed& speed : speeds) m_speed->addItem(say(speed.words));
    connect(m_speed, &QComboBox::currentIndexChanged, this, [this](int index) {
        if (index >= 0) emit speedChosen(speeds[index].stepsPerSecond, speeds[index].slow);
    });
    row->addWidget(m_speed);
    row->addSpacing(8);
    m_timeline = new TimelineBar(this);
    row->addWidget(m_timeline, 1);
    row->addSpacing(8);
    m_step = new FigureLabel("100 000", this);
    row->addWidget(m_step);
    dress();
}

double Transport::stepsPerSecond() const {
    return speeds[std::max(0, m_speed->currentIndex())].stepsPerSecond;
}

QToolButton* Transport::button(QAction* action, bool wide) {
    auto* button = new QToolButton(this);
    button->setDefaultAction(action);
    button->setFocusPolicy(Qt::StrongFocus);
    button->setAutoRaise(true);
    button->setToolButtonStyle(wide ? Qt::ToolButtonTextBesideIcon : Qt::ToolButtonIconOnly);
    m_buttons.push_back(button);
    return button;
}

void Transport::dress() {
    layout()->setContentsMargins(scaled(16), scaled(4), scaled(16), scaled(4));
    layout()->setSpacing(scaled(4));
    for (QToolButton* button : m_buttons) {
        button->setIconSize({scaled(20), scaled(20)});
        button->setAccessibleName(button->defaultAction()->text());
    }
    m_run->setMinimumWidth(scaled(104));
    // Presenting, the timeline needs the room; the keys of what is left out work all the same.
    const bool few = currentTheme().scale > 1.3f;
    for (QToolButton* button : m_buttons) {
        const QAction* action = button->defaultAction();
        const bool rest = action == m_actions.first || action == m_actions.last ||
                          action == m_actions.reset || action == m_actions.newSeed;
        button->setVisible(!few || !rest);
    }
    const QSignalBlocker quiet(m_speed);
    for (int i = 0; i < m_speed->count(); ++i) m_speed->setItemText(i, say(speeds[i].words));
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
    QString words = QString::number(step);
    for (qsizetype at = words.size() - 3; at > 0; at -= 3) words.insert(at, QChar(0x2009));
    m_step->setText(stage.isEmpty() ? words : words + "+");
}

}  // namespace app
