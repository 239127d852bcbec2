#include "app/window/control_row.h"

#include <QComboBox>
#include <QHBoxLayout>
#include <QSignalBlocker>
#include <QToolButton>
#include <algorithm>

#include "app/window/interface_words.h"
#include "app/window/style.h"

namespace app {

ControlRow::ControlRow(const Actions& actions, QWidget* parent)
    : QWidget(parent), m_actions(actions), m_row(new QHBoxLayout(this)) {}

QToolButton* ControlRow::add(QAction* action, Qt::ToolButtonStyle style) {
    auto* button = new QToolButton(this);
    button->setDefaultAction(action);
    button->setFocusPolicy(Qt::StrongFocus);
    button->setAutoRaise(true);
    button->setToolButtonStyle(style);
    m_buttons.push_back(button);
    m_row->addWidget(button);
    return button;
}

void ControlRow::addMain(QAction* action, const char* name) {
    m_main = add(action, Qt::ToolButtonTextBesideIcon);
    m_main->setObjectName(name);
}

void ControlRow::addButton(QAction* action) {
    add(action, Qt::ToolButtonIconOnly);
}

void ControlRow::addGap() {
    m_row->addSpacing(8);
}

QComboBox* ControlRow::addSpeeds(const char* name, std::vector<const char*> words) {
    m_speed = new QComboBox(this);
    m_speed->setObjectName(name);
    m_speeds = std::move(words);
    for (const char* speed : m_speeds) m_speed->addItem(say(speed));
    m_row->addWidget(m_speed);
    return m_speed;
}

bool ControlRow::presenting() {
    return currentTheme().scale > 1.3f;
}

void ControlRow::dressRow(int above, std::initializer_list<const QAction*> seldom) {
    m_row->setContentsMargins(scaled(16), scaled(above), scaled(16), scaled(4));
    m_row->setSpacing(scaled(4));
    for (QToolButton* button : m_buttons) {
        const QAction* const action = button->defaultAction();
        button->setIconSize({scaled(20), scaled(20)});
        button->setAccessibleName(action->text());
        button->setVisible(!presenting() || std::find(seldom.begin(), seldom.end(), action) == seldom.end());
    }
    m_main->setMinimumWidth(scaled(104));
    const QSignalBlocker quiet(m_speed);
    for (int i = 0; i < m_speed->count(); ++i) m_speed->setItemText(i, say(m_speeds[size_t(i)]));
}

}  // namespace app
