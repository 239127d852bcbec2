// Asks what to export and where to: a picture, the curves, or a channel's numbers.
#pragma once

#include <QDialog>

class QComboBox;
class QLabel;
class QLineEdit;
class QPushButton;

namespace app {

class MainWindow;
class RunColumn;

class ExportDialog : public QDialog {
    Q_OBJECT

  public:
    ExportDialog(MainWindow& window, RunColumn& column);

  private:
    void proposeName();
    void browse();
    void save();

    MainWindow& m_window;
    RunColumn& m_column;
    QComboBox* m_what;
    QLineEdit* m_path;
    QLabel* m_fault;
};

}  // namespace app
