// Everything that the window can be told to do, each with its key; the same in every lesson.
#pragma once

#include <QAction>
#include <QObject>
#include <QString>
#include <vector>

namespace app {

struct Actions {
    // The actions belong to `window` and work whichever of its widgets has the focus.
    explicit Actions(QWidget* window);

    // Words in the window's language, icons in the theme's colours.
    void dress();
    // Run becomes Pause.
    void setRunning(bool running);
    // Those that a person may look for, in the order of a menu.
    std::vector<QAction*> all() const;

    QAction *run, *step, *stage, *back, *first, *last, *reset, *newSeed;
    QAction *compare, *presenter, *openData, *exportPicture, *shareRun, *pasteRun, *device, *theme, *language,
        *find, *leaveText, *quit;

  private:
    struct Entry {
        QAction* action;
        const char* icon;  // or null
        const char* words;
        const char* explanation;
    };
    QAction* add(QWidget* window, const char* name, const char* icon, const char* words,
                 const char* explanation, const QList<QKeySequence>& keys);

    std::vector<Entry> m_entries;
    bool m_running = false;
};

}  // namespace app
