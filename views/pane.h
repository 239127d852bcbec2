// One pane of the window: a Dear ImGui context, OpenGL state and the panels of a lesson, for any host.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "core/contract/frame.h"
#include "views/geometry.h"
#include "views/theme.h"
#include "views/view.h"

namespace views {

// What a lesson's text says of a panel.
struct PanelTitle {
    std::string title;    // "Discriminator"
    std::string symbol;   // "D(x)", with its unit
    std::string tooltip;  // what to look for
    bool operator==(const PanelTitle&) const = default;
};

enum class Key { escape, enter, space, backspace, remove, tab, left, right, up, down, home, end };

// All calls come from one thread. initialise(), release() and render() need the host's GL context to
// be current; every other call may come at any time, before initialise() too. Throws core::Error.
class Pane {
  public:
    Pane();
    ~Pane();  // call release() first if initialised
    Pane(const Pane&) = delete;
    Pane& operator=(const Pane&) = delete;

    // After the context was made, and again after it was made anew.
    void initialise();
    // While the context that is about to go is current. What was set stays.
    void release();
    bool initialised() const;

    // Logical pixels, and device pixels per logical one.
    void resize(int width, int height, float devicePixelRatio);
    void setTheme(const Theme& theme);
    void setLesson(const std::string& lesson);
    // The same with panels that are in no catalogue.
    void setLesson(const std::string& lesson, std::unique_ptr<View> view);
    void setFrame(core::FramePtr frame);
    // By panel id.
    void setPanelTitles(std::map<std::string, PanelTitle> titles);
    // The panels' own words in another language: English -> translation. What is missing stays English.
    void setPhrases(std::map<std::string, std::string> phrases);
    // Called during render() when the user moves something that the run depends on.
    void setHandle(SetHandle handle);
    // Where the user stands among the frame's samplings, and whom panels ask to go elsewhere.
    void setSamplingPlace(const SamplingPlace& place);
    void setSamplingActions(SamplingActions actions);

    // Events in logical pixels from the top left. They are queued, and each frame takes one
    // transition, so that no press is lost: call render() while wantsFrame(). Left button only.
    void mouseMove(float x, float y);
    void mousePress(float x, float y, bool doubled = false);
    void mouseRelease(float x, float y);
    void mouseLeave();
    void wheel(float steps);
    // True if the pane used it (Escape while a panel is maximised).
    bool key(Key key);
    void text(const std::string& utf8);

    // Draws one frame into that framebuffer object.
    void render(unsigned framebuffer);
    // The next render() writes that panel down as a vector file too, or all of them for "*"; after it,
    // written() is the file, or empty if the panel was not on screen.
    void writeDown(const std::string& panel);
    const std::string& written() const;
    // Events are queued, something moves, or something changed since the last render().
    bool wantsFrame() const;

    // The channels of the panels on screen.
    std::set<std::string> needs() const;

    struct PanelRect {
        std::string id;
        Rect rect;   // with its title, in logical pixels
        Rect title;  // the title line; a double click on it maximises
        Rect body;   // what the panel's draw function was given
    };
    // As laid out by the last render().
    std::vector<PanelRect> panelRects() const;
    // All that the lesson has, whether there is room for them or not.
    std::vector<std::string> panels() const;
    // One panel fills the pane; an empty id brings all of them back.
    void maximise(const std::string& panel);
    const std::string& maximised() const;

  private:
    struct State;
    std::unique_ptr<State> m_state;
};

}  // namespace views
