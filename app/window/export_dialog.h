// Asks what to export, as what, and where to: a picture, a run, the curves, or a channel's numbers.
#pragma once

#include <QDialog>
#include <string>

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
    void offerFormats();
    void proposeName();
    void browse();
    void save();
    void saveRun(const std::string& panel);

    MainWindow& m_window;
    RunColumn& m_column;
    QComboBox *m_what, *m_format;
    QLineEdit* m_path;
    QLabel* m_fault;
};

}  // namespace app
