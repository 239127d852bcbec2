// Every key of the window on one sheet, read from the actions that have them.
#pragma once

#include <QDialog>

#include "app/window/actions.h"

namespace app {

class KeyboardSheet : public QDialog {
    Q_OBJECT

  public:
    explicit KeyboardSheet(const Actions& actions, QWidget* parent);
};

}  // namespace app
