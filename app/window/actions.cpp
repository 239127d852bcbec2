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
    leaveText = add(w, "leave", nullptr, "Leave the field",
                    "Puts the keyboard back on the picture; leaves the presenter mode.", keys("Esc"));
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
}

void Actions::setRunning(bool running) {
    m_running = running;
    const QColor onAccent = currentTheme().isLight() ? QColor(Qt::white) : QColor(Qt::black);
    run->setText(running ? say("Pause") : say("Run"));
    run->setIcon(icon(running ? "pause" : "run", onAccent));
}

std::vector<QAction*> Actions::all() const {
    std::vector<QAction*> actions;
    for (const Entry& entry : m_entries)
        if (entry.action != leaveText && entry.action != find) actions.push_back(entry.action);
    return actions;
}

}  // namespace app
