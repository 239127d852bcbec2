// A data rectangle with axes inside a panel, and everything that can be drawn in data coordinates.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "views/geometry.h"
#include "views/series.h"
#include "views/theme.h"

namespace views {

class Canvas;

// A colour by meaning, by class or as it is, with an opacity; the theme resolves it when it is drawn.
struct Paint {
    Paint(Ink ink, float alpha = 1) : ink(ink), alpha(alpha) {}
    static Paint ofClass(int index, float alpha = 1);
    static Paint fixed(Rgba colour);

    Ink ink;
    float alpha = 1;
    int classIndex = -1;
    std::optional<Rgba> colour;
};

enum class Dash { solid, dashed, dotted };

struct Stroke {
    Stroke(Ink ink, float width = 1.75f, Dash dash = Dash::solid) : paint(ink), width(width), dash(dash) {}
    Stroke(Paint paint, float width = 1.75f, Dash dash = Dash::solid)
        : paint(paint), width(width), dash(dash) {}
    Paint paint;
    float width;  // logical pixels at scale 1
    Dash dash;
};

struct Axis {
    double low = 0, high = 1;
    std::string label;   // quantity and unit: "x", "step", "nats"
    bool log = false;    // low and high are positive, ticks at powers of ten
    bool ticks = true;   // numbers at round values
    bool whole = false;  // at whole numbers only: counts, indices
};

// An axis that holds all the values with a little room, its ends at round numbers.
Axis axisOver(double low, double high, std::string label = {}, bool log = false);

struct PlotStyle {
    Axis x, y;
    bool equal = false;  // one unit is equally long on both axes: the rectangle shrinks, at the top
    bool grid = true;    // faint lines at the ticks
    std::vector<std::string> ends;  // what endLabel() will write: room is kept for it on the right
    bool endValues = false;         // those labels carry a value
    bool bar = false;               // room for colourBar() on the right
};

struct FieldStyle {
    Map map = Map::viridis;
    double low = 0, high = 1;       // the ends of the colour map; a diverging map's neutral is in the middle
    std::optional<double> contour;  // an iso-line in the text's colour
    float opacity = 1;
    std::optional<Paint> veil;  // instead of the map: one colour whose opacity grows from 0 to the paint's
    bool smooth = true;         // bilinear between cell centres; otherwise flat cells
};

struct LegendEntry {
    std::string label;
    Paint paint;
    enum Mark { dot, line, dashed, dotted, ring, area, arrow } mark = dot;
};

enum class Corner { topLeft, topRight, bottomLeft, bottomRight };

// One curve over training steps.
struct Curve {
    const core::History* history = nullptr;
    std::string label;
    Stroke stroke = Ink::learned;
};

// Made by Canvas::plot(). Axes are drawn on construction, end labels on destruction; in between
// everything is clipped to the data rectangle. Later calls draw above earlier ones.
class Plot {
  public:
    Plot(Canvas& canvas, std::string id, Rect where, PlotStyle style);
    ~Plot();
    Plot(const Plot&) = delete;
    Plot& operator=(const Plot&) = delete;

    // The data rectangle, in logical pixels.
    const Rect& rect() const { return m_rect; }
    Vec place(double x, double y) const;  // data -> screen
    double xAt(float screenX) const;      // screen -> data
    double yAt(float screenY) const;
    const PlotStyle& style() const { return m_style; }

    // ---- marks
    // Dots of `radius` logical pixels; above 50000 they are binned into a density.
    void points(const Series& series, Paint paint, float radius = 2.25f);
    // Dots coloured by class; labels are rounded, the rest of the series beyond them is left out.
    void pointsByClass(const Series& series, std::span<const float> labels, float radius = 2.25f,
                       float alpha = 1);
    void ring(double x, double y, Paint paint = Ink::selection, float radius = 6, float width = 2);
    void line(const Series& series, const Stroke& stroke);
    // n separate lines, from[i] to to[i].
    void segments(const Series& from, const Series& to, const Stroke& stroke);
    // Between two curves over the same x, or between a curve and a level.
    void area(const Series& upper, const Series& lower, Paint paint);
    void area(const Series& series, double level, Paint paint);
    // The rectangle between two corners in data coordinates: bars, histograms, marked ranges.
    void box(double x0, double y0, double x1, double y1, Paint paint);
    // Bars of `width` data units around each x, from `base` to y.
    void bars(const Series& series, double width, Paint paint, double base = 0);
    void vertical(double x, const Stroke& stroke, const std::string& label = {});
    void horizontal(double y, const Stroke& stroke, const std::string& label = {});
    // Arrows at `from` along the vectors `by` (data units, times `factor`); a long one is cut at
    // `maxLength` logical pixels, one shorter than a pixel is left out.
    void arrows(const Series& from, const Series& by, double factor, Paint paint, float maxLength = 40);
    // An ellipse with half axes in data units, turned by `angle` radians counter-clockwise.
    void ellipse(double x, double y, double halfX, double halfY, const Stroke& stroke, double angle = 0,
                 float fillAlpha = 0);
    void field(const Grid& grid, const FieldStyle& style);
    // A bent grid of rows x columns points; each cell takes the colour of the mean of its corners'
    // values, and its edges are drawn in the background's.
    void mesh(const Series& points, int rows, int columns, std::span<const float> values,
              const FieldStyle& style);
    // A picture in the rectangle between two corners in data coordinates.
    void image(std::span<const float> values, int width, int height, double x0, double y0, double x1,
               double y1);

    // ---- words
    // `anchor` is the part of the text that stands at the place: (0,0) its top left, (0.5,1) the middle
    // of its bottom edge. The text has a halo in the surface's colour.
    void text(double x, double y, const std::string& text, Paint paint = Ink::text,
              Vec anchor = {0.5f, 0.5f});
    // At the right edge, level with y; labels that would overlap move apart. `value` stands beside it.
    void endLabel(double y, const std::string& text, Paint paint, std::optional<double> value = {});
    void legend(const std::vector<LegendEntry>& entries, Corner corner = Corner::topRight);
    // Beside the plot; PlotStyle::bar keeps the room.
    void colourBar(const FieldStyle& style, const std::string& label);

    // ---- the mouse
    // Where the mouse is over the data rectangle, in data coordinates.
    std::optional<Vec> hover() const;
    // Held down since a press inside the data rectangle: where it is, clamped to the extent.
    std::optional<Vec> drag();
    // The index of the point nearest to the mouse within `within` logical pixels, or -1.
    int nearest(const Series& series, float within = 12) const;
    // A point that the mouse can take and move; true while it is held and has moved.
    bool draggable(const std::string& id, double& x, double& y, Paint paint = Ink::selection,
                   float radius = 7);

  private:
    struct EndLabel {
        float y;
        std::string text;
        Paint paint;
        std::optional<double> value;
    };
    void layOut(Rect where);
    void drawAxes();
    void drawEndLabels();
    std::string key(const std::string& part) const { return m_id + "/" + part; }

    Canvas& m_canvas;
    std::string m_id;
    PlotStyle m_style;
    Rect m_where;
    Rect m_rect;
    Rect m_bar;
    float m_endWidth = 0;
    std::vector<EndLabel> m_endLabels;
};

}  // namespace views
