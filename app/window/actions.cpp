#include "app/window/actions.h"

#include <QWidget>

#include "app/window/icons.h"
#include "app/window/interface_words.h"
#include "app/window/style.h"

namespace app {

QAction* Actions::add(QWidget* window, const char* name, const char* icon, const char* words,
                      const char* explanation, const QList<QKeySequence>& keys) {
    auto* action = new QAction(window);
    action->setObjectName(name);
    action->setShortcuts(keys);
    action->setShortcutContext(Qt::WindowShortcut);
    window->addAction(action);
    m_entries.push_back({action, icon, words, explanation});
    return action;
}

Actions::Actions(QWidget* w) {
    const auto keys = [](const char* text) {
        return QList<QKeySequence>{QKeySequence(QString::fromUtf8(text))};
    };
    run = add(w, "run", "run", "Run", "Train, and look on. The same key pauses.", keys("Space"));
    step = add(w, "step", "step", "Step", "One training step.", keys("Right"));
    stage = add(w, "stage", "stage", "Stage", "One stage of a step: the next line of the pseudo-code.",
                keys("Shift+Right"));
    back = add(w, "back", "back", "Back", "One training step back.", keys("Left"));
    first = add(w, "first", "first", "To the start", "Back to step 0; the run can be scrubbed forward again.",
                keys("Home"));
    last =
        add(w, "last", "last", "To the end", "Forward to the furthest step that was trained.", keys("End"));
    reset = add(w, "reset", "reset", "Reset", "Step 0 again, with the same seed and the knobs as they are.",
                keys("R"));
    newSeed = add(w, "newSeed", "seed", "New seed", "Step 0 with another initialisation.", keys("N"));
    sample =
        add(w, "sample", "sample", "Sample",
            "Draws samples with the network and the knobs of this moment, and plays how they come about.",
            keys("S"));
    otherDice = add(w, "otherDice", "seed", "Other dice", "The same from another noise.", keys("D"));
    play = add(w, "play", "play", "Play", "Plays the sampling run towards the data. The same key stops.",
               keys("P"));
    playBack = add(w, "playBack", "play_back", "Play backwards", "Plays the sampling run back to the noise.",
                   keys("Shift+P"));
    sampleStep =
        add(w, "sampleStep", "step", "Next sampling step", "One step of the sampler.", keys("Ctrl+Right"));
    sampleBack = add(w, "sampleBack", "back", "Previous sampling step", "One step of the sampler back.",
                     keys("Ctrl+Left"));
    sampleStage =
        add(w, "sampleStage", "stage", "Next sampling stage",
            "One stage of a sampling step: the next line of the pseudo-code.", keys("Ctrl+Shift+Right"));
    sampleStageBack = add(w, "sampleStageBack", nullptr, "Previous sampling stage",
                          "One stage of a sampling step back.", keys("Ctrl+Shift+Left"));
    sampleFirst = add(w, "sampleFirst", "first", "To the noise", "The beginning of the sampling run.",
                      keys("Ctrl+Home"));
    sampleLast =
        add(w, "sampleLast", "last", "To the samples", "The end of the sampling run.", keys("Ctrl+End"));
    goToTime = add(w, "goToTime", nullptr, "Go to t…", "Type the time at which to look.", keys("T"));
    loop = add(w, "loop", "loop", "Loop", "Playing begins again at the end.", keys("L"));
    fork = add(w, "fork", "fork", "Fork",
               "From this step on a second branch with other dice, beside the first.", keys("F"));
    forkWith = add(w, "forkWith", "fork_with", "Fork with…",
                   "A branch from this step on with another sampler, other settings or other weights.",
                   keys("Shift+F"));
    dropFork = add(w, "dropFork", "drop_fork", "Drop the branch", "The first run alone again.", keys("X"));
    keepUp = add(w, "keepUp", "keep_up", "Keep up",
                 "Samples again by itself, from the same noise, when the network or a knob has changed.",
                 keys("K"));
    loop->setCheckable(true);
    keepUp->setCheckable(true);
    keepUp->setChecked(true);
    compare =
        add(w, "compare", "compare", "Compare A and B",
            "Two runs side by side, with the same seed and data; turn the knobs of each.", keys("Ctrl+B"));
    presenter = add(w, "presenter", "presenter", "Presenter mode",
                    "Full screen, large type, nothing but the run.", keys("F11"));
    openData =
        add(w, "openData", "open", "Open data…",
            "Points as CSV, pictures as IDX, or any picture as a density; a file can also be dropped here.",
            keys("Ctrl+O"));
    exportPicture = add(w, "export", "export", "Export…",
                        "A panel as PNG or SVG, the run as GIF, curves and channels as CSV.", keys("Ctrl+E"));
    shareRun = add(w, "share", nullptr, "Copy the run as text",
                   "One line with lesson, settings, seed and every knob turned: enough to replay the run.",
                   keys("Ctrl+Shift+C"));
    pasteRun = add(w, "pasteRun", nullptr, "Paste a run",
                   "Replays a run that was copied as text, up to the step where it was copied.",
                   keys("Ctrl+Shift+V"));
    device = add(w, "device", nullptr, "CPU or card",
                 "Goes on with the other device, the CPU or an NVIDIA card, from the same numbers.",
                 keys("Ctrl+D"));
    theme = add(w, "theme", "theme", "Next theme", "Dark, light, high contrast.", keys("Ctrl+T"));
    language = add(w, "language", "language", "中文 / English",
                   "The window and the lesson in the other language.", keys("Ctrl+L"));
    find = add(w, "find", "search", "Find a command…", "Type a few letters of what you want to do.",
               keys("Ctrl+Shift+P"));
    keyboard = add(w, "keyboard", nullptr, "Keyboard", "Every key and what it does.", keys("F1") + keys("?"));
    leaveText =
        add(w, "leave", nullptr, "Leave the field",
            "Ends the way to another step; puts the keyboard back on the picture; leaves the presenter mode.",
            keys("Esc"));
    quit = add(w, "quit", nullptr, "Quit", "Closes the window.", keys("Ctrl+Q"));
    dress();
}

void Actions::dress() {
    const QColor ink = colour(currentTheme(), views::Ink::text);
    for (const Entry& entry : m_entries) {
        entry.action->setText(say(entry.words));
        const QString key = entry.action->shortcut().toString(QKeySequence::NativeText);
        entry.action->setToolTip(QStringLiteral("<p><b>%1</b> &nbsp;%2<br>%3</p>")
                                     .arg(say(entry.words), key, say(entry.explanation)));
        entry.action->setStatusTip(say(entry.explanation));
        if (entry.icon) entry.action->setIcon(icon(entry.icon, ink));
    }
    setRunning(m_running);
    setPlaying(m_playing);
}

void Actions::setPlaying(int direction) {
    m_playing = direction;
    const QColor ink = colour(currentTheme(), views::Ink::text);
    play->setIcon(icon(direction > 0 ? "pause" : "play", ink));
    playBack->setIcon(icon(direction < 0 ? "pause" : "play_back", ink));
}

std::vector<QAction*> Actions::sampling() const {
    return {sample,      otherDice,  play,     playBack, sampleStep, sampleBack, sampleStage, sampleStageBack,
            sampleFirst, sampleLast, goToTime, loop,     fork,       forkWith,   dropFork,    keepUp};
}

void Actions::setSampling(bool samples) {
    // What branches is for the bar to say, where there is a run.
    for (QAction* action : sampling())
        if (!samples || (action != fork && action != forkWith && action != dropFork))
            action->setEnabled(samples);
}

void Actions::setRunning(bool running) {
    m_running = running;
    const QColor onAccent = currentTheme().isLight() ? QColor(Qt::white) : QColor(Qt::black);
    run->setText(running ? say("Pause") : say("Run"));
    run->setIcon(icon(running ? "pause" : "run", onAccent));
}

std::vector<Actions::Group> Actions::groups() const {
    std::vector<Group> groups;
    for (const Entry& entry : m_entries) {
        if (entry.action == run) groups.push_back({"The training run", {}});
        if (entry.action == sample) groups.push_back({"The sampling run", {}});
        if (entry.action == compare) groups.push_back({"The window", {}});
        groups.back().actions.push_back(entry.action);
    }
    return groups;
}

std::vector<QAction*> Actions::all() const {
    std::vector<QAction*> actions;
    for (const Entry& entry : m_entries)
        if (entry.action->isEnabled() && entry.action != leaveText && entry.action != find)
            actions.push_back(entry.action);
    return actions;
}

}  // namespace app
