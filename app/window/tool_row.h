// A row of small buttons for what is done to the window itself: compare, export, language, theme.
#pragma once

#include <QWidget>
#include <vector>

#include "app/window/actions.h"

class QToolButton;

namespace app {

class ToolRow : public QWidget {
    Q_OBJECT

  public:
    explicit ToolRow(const Actions& actions, QWidget* parent = nullptr);

    // Words and sizes anew: another language, theme or scale.
    void dress();

  private:
    std::vector<QToolButton*> m_tools;
};

}  // namespace app
