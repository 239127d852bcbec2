// The drawing surface of one panel: areas cut from it, plots, pictures, gauges, words, and the mouse.
//
// A panel's draw function is called once a frame and draws everything anew:
//
//     void drawLosses(Canvas& canvas, const Frame& frame) {
//         canvas.history("losses", {curveOf(frame, "loss", "L", Ink::learned)}, {.y = {.label = "nats"}});
//     }
//     void drawLatent(Canvas& canvas, const Frame& frame) {
//         const Tensor* codes = frame.find("codes");
//         Plot plot = canvas.plot("latent", {.x = {-4, 4, "z_1"}, .y = {-4, 4, "z_2"}, .equal = true});
//         if (!codes) return canvas.empty("Codes of the test images appear with the first step.");
//         plot.pointsByClass(Series::columns(codes), labels);
//         if (const auto at = plot.hover()) set("z", {at->x, at->y});
//     }
//
// Sizes in arguments are logical pixels at scale 1; the canvas multiplies them by the theme's scale.
// Rectangles are in logical pixels as they are. In words, "_" and "^" followed by letters, digits or
// {...} lower or raise them: "p_data(x)", "L_{D}", "10^{−3}".
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "views/geometry.h"
#include "views/plot.h"
#include "views/series.h"
#include "views/theme.h"

struct ImDrawList;

namespace views {

class Painter;    // views/painter.h: what OpenGL draws for a canvas
class SvgWriter;  // views/svg.h: the same as a vector file

enum class Size { small, base, title, big };

struct TextStyle {
    Paint paint = Ink::text;
    Size size = Size::base;
    Vec anchor = {0, 0};  // as in Plot::text
};

// A marked place on a gauge.
struct Mark {
    double value;
    std::string label;
    Paint paint = Ink::faint;
};

struct GaugeStyle {
    std::string label;  // "C(G)"
    double low = 0, high = 1;
    std::string unit;
    Paint paint = Ink::learned;
    std::vector<Mark> marks;  // floor, ceiling, baseline; where labels collide the later one stays
};

struct SheetStyle {
    int columns = 0;                     // 0: as many as give the largest pictures
    int gap = 2;                         // logical pixels between pictures
    std::vector<std::string> captions;   // below each picture; may be shorter than the sheet
    std::vector<std::string> names;      // shown on hover; may be shorter
    int selected = -1;                   // ringed
    std::vector<std::string> rowLabels;  // left of each row
    bool wholeNumber = true;             // scale by whole numbers of device pixels (if at least 1 fits)
    // Leave out up to a third of the pictures if the rest are larger then, and more until their scale is one.
    bool fewer = false;
};

// Where a sheet's pictures were drawn, and what the mouse does there.
struct Sheet {
    int hovered = -1;
    int clicked = -1;
    int columns = 0, rows = 0;
    std::vector<Rect> cells;
};

// The mouse of this frame, as this panel sees it: nothing while another panel holds it.
struct Mouse {
    Vec at;
    bool inside = false;    // over this panel
    bool down = false;      // the left button
    bool pressed = false;   // went down in this frame
    bool released = false;  // went up in this frame
    bool doubled = false;   // second press of a double click
    float wheel = 0;
};

// What a pane keeps between frames for its canvases: who holds the mouse, and what is still moving.
struct CanvasMemory {
    std::string held;  // "panel/item" since the press
    std::map<std::string, float> moving;
    bool stillMoving = false;
    double seconds = 0;                          // since the last frame
    std::string tooltip;                         // drawn last, above all panels
    std::map<std::string, std::string> phrases;  // words of panels in another language
    SvgWriter* svg = nullptr;                    // where this panel is written down too
    std::map<std::string, Axis> axes;            // ranges that only grow or shrink by whole ticks
};

class Canvas {
  public:
    Canvas(std::string id, Rect area, const Theme& theme, Painter& painter, CanvasMemory& memory,
           Mouse mouse);

    const std::string& id() const { return m_id; }
    const Theme& theme() const { return m_theme; }
    float px(float logical) const { return m_theme.px(logical); }
    // What is left of the panel below its title. Cut from it: `Rect bar = canvas.area().cutBottom(...)`.
    Rect& area() { return m_area; }

    // ---- plots
    Plot plot(const std::string& id, PlotStyle style) { return Plot(*this, id, m_area, std::move(style)); }
    Plot plot(const std::string& id, PlotStyle style, Rect where) {
        return Plot(*this, id, where, std::move(style));
    }
    // Curves over training steps: mean with a band from low to high, label and value at the end. The
    // ranges follow the data at round numbers unless style.y says otherwise (low < high other than 0..1).
    void history(const std::string& id, const std::vector<Curve>& curves, PlotStyle style = {});
    void history(const std::string& id, const std::vector<Curve>& curves, PlotStyle style, Rect where);

    // ---- instruments
    // A horizontal bar from low to high with its marks and the value; a value that is not finite
    // draws the scale alone. 52 logical pixels high; in less than 44, label and value stand beside the bar
    // and 32 are enough.
    void gauge(Rect where, const GaugeStyle& style, double value);
    // A label above a large number.
    void readout(Rect where, const std::string& label, const std::string& value, Paint paint = Ink::text);
    Sheet sheet(const std::string& id, const Images& images, const SheetStyle& style, Rect where);
    Sheet sheet(const std::string& id, const Images& images, const SheetStyle& style = {}) {
        return sheet(id, images, style, m_area);
    }
    // One picture as large as whole numbers allow, centred; returns where it is.
    Rect image(const Images& picture, Rect where);
    Rect image(std::span<const float> values, int width, int height, Rect where) {
        return image({.values = values, .width = width, .height = height}, where);
    }
    void legend(Rect where, const std::vector<LegendEntry>& entries);
    // A small button; true in the frame of a click on it.
    bool button(const std::string& id, Rect where, const std::string& label);

    // ---- words
    // Returns the size of what was written.
    Vec text(Vec at, const std::string& text, const TextStyle& style = {});
    Vec measure(const std::string& text, Size size = Size::base) const;
    float lineHeight(Size size = Size::base) const;
    // Broken into lines within the rectangle; returns the height used.
    float paragraph(Rect where, const std::string& text, const TextStyle& style = {});
    float paragraphHeight(float width, const std::string& text, Size size = Size::base) const;
    // One line in the middle that says what will appear; the axes around it may be drawn before.
    void empty(const std::string& text);
    void empty(const std::string& text, Rect where);
    // One sentence saying what is wrong and the way on.
    void problem(const std::string& text);
    // Beside the mouse, above everything; lines are separated by \n.
    void tooltip(const std::string& text);
    // The words in the user's language, if they are known.
    std::string words(const std::string& text) const;

    // ---- shapes
    void line(Vec from, Vec to, const Stroke& stroke);
    void polyline(const std::vector<Vec>& points, const Stroke& stroke, bool closed = false);
    void fill(Rect rect, Paint paint, float rounding = 0);
    void outline(Rect rect, const Stroke& stroke, float rounding = 0);
    void dot(Vec at, float radius, Paint paint);
    void circle(Vec at, float radius, const Stroke& stroke);
    void arrow(Vec from, Vec to, const Stroke& stroke);

    // ---- the mouse
    const Mouse& mouse() const { return m_mouse; }
    bool hovered(const Rect& rect) const;
    // Held down since a press inside the rectangle. `id` is unique within the panel.
    bool holds(const std::string& id, const Rect& rect);
    bool clicked(const std::string& id, const Rect& rect);

    // A value that follows `target` in 150 ms; the first time it is there at once.
    float follow(const std::string& id, float target);

    // ---- for the toolkit's own files
    Rgba resolve(const Paint& paint) const;
    uint32_t packed(const Paint& paint) const { return resolve(paint).packed(); }
    ImDrawList* list() const { return m_list; }
    Painter& painter() const { return m_painter; }
    CanvasMemory& memory() const { return m_memory; }
    SvgWriter* svg() const { return m_memory.svg; }
    // What is drawn is cut off at the rectangle, until popClip().
    void pushClip(const Rect& rect) const;
    void popClip() const;
    // Lines of whole pixels are drawn from Dear ImGui's texture: a third of the triangles.
    float lineWidth(const Stroke& stroke) const { return std::max(1.f, std::round(px(stroke.width))); }
    // Rounded to device pixels.
    float snap(float v) const;

  private:
    float lineStep(Size size) const;

    std::string m_id;
    Rect m_area;
    const Theme& m_theme;
    Painter& m_painter;
    CanvasMemory& m_memory;
    Mouse m_mouse;
    ImDrawList* m_list;
};

// The curve of a scalar channel's history, or an empty one.
Curve curveOf(const core::Frame& frame, const std::string& channel, std::string label, Stroke stroke);

}  // namespace views
