// Everything the window can do, found by typing a few of its letters.
#pragma once

#include <QDialog>
#include <functional>
#include <vector>

class QLineEdit;
class QListWidget;

namespace app {

class CommandPalette : public QDialog {
    Q_OBJECT

  public:
    struct Command {
        QString words, key;
        std::function<void()> act;
    };
    CommandPalette(std::vector<Command> commands, QWidget* parent);

  protected:
    bool eventFilter(QObject* watched, QEvent* event) override;

  private:
    void filter();
    void runCurrent();

    std::vector<Command> m_commands;
    QLineEdit* m_line;
    QListWidget* m_list;
};

// Whether the letters occur in the words in that order, whatever their case.
bool letterMatch(const QString& letters, const QString& words);

}  // namespace app
