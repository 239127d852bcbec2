#include "app/window/tool_row.h"

#include <QHBoxLayout>
#include <QToolButton>

#include "app/window/style.h"

namespace app {

ToolRow::ToolRow(const Actions& actions, QWidget* parent) : QWidget(parent) {
    auto* row = new QHBoxLayout(this);
    row->setSpacing(0);
    for (QAction* action : {actions.compare, actions.openData, actions.exportPicture, actions.language,
                            actions.theme, actions.presenter, actions.find}) {
        auto* tool = new QToolButton(this);
        tool->setDefaultAction(action);
        tool->setFocusPolicy(Qt::StrongFocus);
        row->addWidget(tool);
        m_tools.push_back(tool);
    }
    row->addStretch(1);
    dress();
}

void ToolRow::dress() {
    layout()->setContentsMargins(scaled(8), scaled(4), scaled(8), scaled(4));
    for (QToolButton* tool : m_tools) {
        tool->setIconSize({scaled(18), scaled(18)});
        tool->setAccessibleName(tool->defaultAction()->text());
    }
}

}  // namespace app
