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
    // Run becomes Pause, and back.
    void setRunning(bool running);
    bool running() const { return m_running; }
    // The same of playing a sampling run.
    void setPlaying(int direction);
    // Whether the lesson samples; the keys of sampling do nothing where it does not.
    void setSampling(bool samples);
    // Those that a person may look for, in the order of a menu.
    std::vector<QAction*> all() const;
    // All of them, by what they move.
    struct Group {
        const char* title;
        std::vector<QAction*> actions;
    };
    std::vector<Group> groups() const;

    QAction *run, *step, *stage, *back, *first, *last, *reset, *newSeed;
    // With Ctrl, the keys that move the training run move the sampling run.
    QAction *sample, *otherDice, *play, *playBack, *sampleStep, *sampleBack, *sampleStage, *sampleStageBack,
        *sampleFirst, *sampleLast, *goToTime, *loop, *fork, *forkWith, *dropFork, *keepUp;
    QAction *compare, *presenter, *openData, *exportPicture, *shareRun, *pasteRun, *device, *theme, *language,
        *find, *keyboard, *leaveText, *quit;

  private:
    struct Entry {
        QAction* action;
        const char* icon;  // or null
        const char* words;
        const char* explanation;
    };
    QAction* add(QWidget* window, const char* name, const char* icon, const char* words,
                 const char* explanation, const QList<QKeySequence>& keys);

    std::vector<QAction*> sampling() const;

    std::vector<Entry> m_entries;
    bool m_running = false;
    int m_playing = 0;
};

}  // namespace app
