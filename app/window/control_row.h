// A row at the bottom of the window: buttons of actions, a choice of speed, a timeline.
#pragma once

#include <QWidget>
#include <initializer_list>
#include <vector>

#include "app/window/actions.h"

class QComboBox;
class QHBoxLayout;
class QToolButton;

namespace app {

class ControlRow : public QWidget {
    Q_OBJECT

  protected:
    ControlRow(const Actions& actions, QWidget* parent);

    // The one that a lecture begins with: wide, with its words.
    void addMain(QAction* action, const char* name);
    void addButton(QAction* action);
    void addGap();
    // The words are those of the interface's dictionary.
    QComboBox* addSpeeds(const char* name, std::vector<const char*> words);
    QHBoxLayout* row() const { return m_row; }
    // Sizes and words anew. Presenting, the timeline needs the room: the buttons of `seldom` go, and their
    // keys work all the same.
    void dressRow(int above, std::initializer_list<const QAction*> seldom);
    static bool presenting();

    const Actions& m_actions;

  private:
    QToolButton* add(QAction* action, Qt::ToolButtonStyle style);

    QHBoxLayout* m_row;
    std::vector<QToolButton*> m_buttons;
    QToolButton* m_main = nullptr;
    QComboBox* m_speed = nullptr;
    std::vector<const char*> m_speeds;
};

}  // namespace app
