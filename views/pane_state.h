// What a pane keeps between frames, shared by its drawing and its public face.
#pragma once

#include <chrono>
#include <deque>
#include <memory>
#include <optional>
#include <tuple>

#include "views/canvas.h"
#include "views/painter.h"
#include "views/pane.h"

struct ImGuiContext;

namespace views {

struct PaneEvent {
    enum Kind { move, press, release, wheel } kind;
    Vec at;
    bool doubled = false;
    float steps = 0;
};

struct Pane::State {
    ImGuiContext* context = nullptr;
    std::unique_ptr<Painter> painter;
    Theme theme;
    int width = 0, height = 0;  // logical
    float ratio = 1;

    std::string lesson;
    std::unique_ptr<View> view;
    core::FramePtr frame;
    std::shared_ptr<core::Frame> blank = std::make_shared<core::Frame>();
    std::vector<Panel> panels;
    std::map<std::string, PanelTitle> titles;
    SetHandle handle;
    SamplingPlace place;
    SamplingActions actions;
    std::string maximised;
    std::string shrinking;  // drawn above the others while it goes back to its place

    std::deque<PaneEvent> events;
    Mouse mouse;  // in device pixels, for the whole pane
    std::string typed;
    CanvasMemory memory;
    std::vector<PanelRect> rects;  // device pixels
    std::string writing;           // the panel that becomes a vector file in this frame
    std::string written;           // that file
    // Trying out layouts takes milliseconds: the last one is kept with what it was made for.
    std::tuple<Rect, std::vector<std::string>, std::vector<float>, std::vector<float>, float> laidOutFor;
    std::vector<Rect> places;  // by panel; of those that stand on the shelf, their button
    size_t shown = 0;          // panels that have room; the others stand on the shelf
    size_t shelfRow = 0;       // the row of buttons that a shelf with room for one shows
    Rect shelfTurn;            // the button that shows the next row; empty where all have room
    int settling = 2;          // frames still to be drawn after the last change
    std::chrono::steady_clock::time_point last = std::chrono::steady_clock::now();

    // Large type for the back row: less stands beside the main panel.
    bool inHall() const { return theme.scale >= 1.5f; }
    // Theme in device pixels.
    Theme deviceTheme() const {
        Theme t = theme;
        t.scale *= ratio;
        return t;
    }
    const core::Frame& shownFrame() const { return frame && frame->lesson == lesson ? *frame : *blank; }
    void changed(int frames = 1) { settling = std::max(settling, frames); }
    void listPanels();
    std::vector<Rect> layOutShelf(size_t first, const Rect& area, const Theme& t);
    void layOut(const Rect& area, const Theme& t);
    void drawShelf(const Rect& area, const Theme& t);
    PanelTitle titleOf(const std::string& panel) const;
    // Whether the panel is on screen as a panel.
    bool isShown(size_t panel) const {
        if (!maximised.empty()) return panels[panel].id == maximised;
        return places.size() != panels.size() || panel < shown;
    }
    void tellSampling() const;
    void takeEvent();
    void rebuildFonts();
    void draw();
    void drawPanel(const Panel& panel, const Rect& where, const Theme& t);
    Rect drawTitle(const Panel& panel, Rect& where, Canvas& canvas);
    void drawTooltip(const Theme& t);
    Mouse mouseFor(const std::string& panel, const Rect& where) const;
    void toggle(const std::string& panel);
};

}  // namespace views
