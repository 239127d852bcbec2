// GAN: densities, plane and map; the game's value; losses; coverage; pictures.
#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <numeric>

#include "views/canvas.h"
#include "views/lessons/gan_panels.h"
#include "views/parts.h"
#include "views/view.h"

namespace views {

namespace {

using core::Frame;
using core::Tensor;

// The same plane for real points, fakes, fields and the map, so that nothing jumps.
constexpr double extent = 3.5;
constexpr int fieldSide = 96, warpSide = 33;
// Data units that an arrow is long for a gradient of 1.
constexpr double arrowScale = 0.25;

enum class Kind { line, plane, images };

Kind kindOf(const Frame& frame) {
    if (const Tensor* real = frame.find("real_rows")) {
        const auto columns = real->shape.columns();
        return columns == 1 ? Kind::line : columns == 2 ? Kind::plane : Kind::images;
    }
    const auto data = frame.choices.find("data");
    if (data == frame.choices.end()) return Kind::plane;
    for (const char* onTheLine : {"gaussian", "bimodal", "trimodal"}) {
        if (data->second == onTheLine) return Kind::line;
    }
    return data->second == "fashion" ? Kind::images : Kind::plane;
}

Grid planeGrid(const Tensor* t) {
    return t ? Grid{t->values, fieldSide, fieldSide, -extent, extent, -extent, extent} : Grid{};
}

FieldStyle probabilityStyle() {
    return {.map = Map::diverging, .low = 0, .high = 1, .contour = 0.5};
}

Axis planeAxis(const char* label) {
    return {-extent, extent, label};
}

// ---- 1-D: the paper's figure 1, alive

double highest(const Tensor* t) {
    double high = 0;
    for (float v : t ? std::span<const float>(t->values) : std::span<const float>()) {
        if (std::isfinite(v)) high = std::max(high, double(v));
    }
    return high;
}

// The lines that carry each z (below) to its x (above); x shares the plot's axis.
void drawNoiseLines(Canvas& canvas, const Plot& above, const Frame& frame, Rect where) {
    const Tensor* lines = frame.find("z_lines");
    const Rect& data = above.rect();
    const float top = where.y0 + canvas.px(4),
                bottom = where.y1 - canvas.lineHeight(Size::small) - canvas.px(6);
    canvas.line({data.x0, top}, {data.x1, top}, Stroke(Ink::faint, 1));
    canvas.line({data.x0, bottom}, {data.x1, bottom}, Stroke(Ink::faint, 1));
    canvas.text({data.x1 + canvas.px(8), top}, "x = G(z)", {Ink::generated, Size::base, {0, 0.5f}});
    canvas.text({data.x1 + canvas.px(8), bottom}, "z", {Ink::noise, Size::base, {0, 0.5f}});
    const auto prior = frame.choices.find("prior");
    const double reach = prior != frame.choices.end() && prior->second == "gaussian" ? 2.5 : 1;
    for (double z : {-reach, 0.0, reach}) {
        const float x = data.centre().x + float(z / reach / 2) * data.width();
        canvas.text({x, bottom + canvas.px(4)}, figure(z, 2), {Ink::faint, Size::small, {0.5f, 0}});
    }
    const Series series = Series::columns(lines);
    for (size_t i = 0; i < series.size; ++i) {
        if (!series.finite(i)) continue;
        const float from = data.centre().x + float(double(series.xAt(i)) / reach / 2) * data.width();
        const float to = above.place(double(series.yAt(i)), 0).x;
        if (from < data.x0 - 1 || from > data.x1 + 1 || to < data.x0 || to > data.x1) continue;
        canvas.line({from, bottom}, {to, top}, Stroke(Paint(Ink::noise, 0.55f), 1));
        canvas.dot({to, top}, 1.75f, Ink::generated);
    }
}

void drawFigure1(Canvas& canvas, const Frame& frame) {
    Rect lines = canvas.area().cutBottom(std::max(canvas.px(72), canvas.area().height() * 0.24f));
    const Tensor* x = frame.find("grid_x");
    const double high =
        std::max({1.0, highest(frame.find("p_data")), std::min(highest(frame.find("p_g")), 4.0)});
    Axis y{0, high <= 1 ? 1.05 : std::ceil(high * 2) / 2, ""};
    PlotStyle style;
    style.x = {-extent, extent, "x"};
    style.y = y;
    style.ends = {"D(x)", "D*(x)", "p_data", "p_g", "x = G(z)"};
    Plot plot = canvas.plot("figure1", style);
    const auto curve = [&](const char* channel) { return Series::of(x, frame.find(channel)); };
    const auto end = [&](const char* channel, const char* label, Paint paint) {
        const Tensor* t = frame.find(channel);
        if (t && !t->values.empty()) plot.endLabel(double(t->values.back()), label, paint);
    };
    plot.horizontal(0.5, Stroke(Paint(Ink::faint, 0.5f), 1, Dash::dotted));
    plot.area(curve("p_g"), 0, Paint(Ink::generated, 0.14f));
    plot.line(curve("d_star"), Stroke(Ink::exact, 2, Dash::dashed));
    plot.line(curve("p_data"), Stroke(Ink::data, 2.75f, Dash::dotted));
    plot.line(curve("p_g"), Stroke(Ink::generated, 2.25f));
    plot.line(curve("d_line"), Stroke(Ink::learned, 2.25f));
    end("d_line", "D(x)", Ink::learned);
    end("d_star", "D*(x)", Ink::exact);
    end("p_data", "p_data", Ink::data);
    end("p_g", "p_g", Ink::generated);
    if (!frame.find("d_line")) {
        canvas.empty("The densities of data and fakes, and D between them, appear here.", plot.rect());
    }
    drawNoiseLines(canvas, plot, frame, lines);
    if (const auto at = plot.hover(); at && x) {
        plot.vertical(double(at->x), Stroke(Ink::selection, 1));
        const auto nearest = std::lower_bound(x->values.begin(), x->values.end(), at->x) - x->values.begin();
        std::string tip = "x  " + figure(double(at->x));
        for (const char* channel : {"d_line", "d_star", "p_data", "p_g"}) {
            const Tensor* t = frame.find(channel);
            const size_t i = std::min(size_t(nearest), t && !t->values.empty() ? t->values.size() - 1 : 0);
            const char* name = channel == std::string("d_line")   ? "D"
                               : channel == std::string("d_star") ? "D*"
                                                                  : channel;
            if (t && !t->values.empty())
                tip += "\n" + std::string(name) + "  " + figure(double(t->values[i]));
        }
        canvas.tooltip(tip);
    }
}

// ---- 2-D

Series firstOf(Series series, size_t most) {
    series.size = std::min(series.size, most);
    return series;
}

// Cuts the place of the legend from the area: below, or beside a plane that is larger without it.
Rect cutLegend(Canvas& canvas, const std::vector<LegendEntry>& entries, bool& beside) {
    Rect& area = canvas.area();
    float width = 0;
    for (const LegendEntry& entry : entries) width = std::max(width, widthOf(canvas, entry) + canvas.px(16));
    const float small = canvas.lineHeight(Size::small),
                lines = keyHeight(canvas, area.width(), entries) + canvas.px(4);
    const float across = area.width() - canvas.measure("−0.00 0.00", Size::small).x - canvas.px(38),
                down = area.height() - 2 * small - canvas.px(10);
    beside = std::min(across - width, down) > std::min(across, down - lines) + canvas.px(8);
    if (!beside) return area.cutBottom(lines);
    Rect right = area;
    right.x0 = area.x1 -= width;
    return right;
}

// Below the tick labels, under the plane or as far as it takes.
void drawLegendBelow(Canvas& canvas, const Rect& key, const Rect& plane,
                     const std::vector<LegendEntry>& entries) {
    Rect row = key;
    row.y0 = std::min(key.y0 + canvas.px(4), plane.y1 + canvas.lineHeight(Size::small) + canvas.px(14));
    row.x0 = std::max(key.x0, std::min(plane.x0, key.x1 - keyWidth(canvas, entries)));
    drawKey(canvas, row, entries);
}

void drawPlane(Canvas& canvas, const Frame& frame) {
    const std::vector<LegendEntry> entries = {{"data", Ink::data},
                                              {"generated", Ink::generated},
                                              {"−∇_x L_G", Ink::text, LegendEntry::arrow},
                                              {"D = ½", Ink::text, LegendEntry::line}};
    bool beside = false;
    const Rect key = cutLegend(canvas, entries, beside);
    Plot plot =
        canvas.plot("plane", {.x = planeAxis("x_1"), .y = planeAxis("x_2"), .equal = true, .bar = true});
    const FieldStyle style = probabilityStyle();
    plot.field(planeGrid(frame.find("d_field")), style);
    plot.colourBar(style, "D(x)");
    const Series samples = firstOf(Series::columns(frame.find("samples")), 1024);
    const float radius = std::clamp(plot.rect().width() / canvas.px(220), 1.5f, 2.75f);
    plot.points(Series::columns(frame.find("real_rows")), Paint(Ink::data, 0.85f), radius);
    plot.points(samples, Paint(Ink::generated, 0.95f), radius);
    const Tensor* arrows = frame.find("arrows");
    plot.arrows(firstOf(Series::columns(arrows, 0, 1), 128), Series::columns(arrows, 2, 3), arrowScale,
                Paint(Ink::text, 0.8f), 28);
    if (!frame.find("samples")) canvas.empty("Real and generated points, and the field of D.", plot.rect());

    if (beside) {
        // Right of the colour bar's numbers.
        const float bar = canvas.px(30 + 16) + canvas.measure("−0.00", Size::small).x;
        canvas.legend({std::min(key.x0, plot.rect().x1 + bar), plot.rect().y0, key.x1, key.y1}, entries);
    } else {
        drawLegendBelow(canvas, key, plot.rect(), entries);
    }
    if (const auto at = plot.hover()) {
        const Grid field = planeGrid(frame.find("d_field"));
        std::string tip = "x  " + figure(double(at->x)) + ", " + figure(double(at->y));
        if (!field.empty()) {
            const auto cell = [](float v) {
                return std::clamp(int((double(v) + extent) / (2 * extent) * fieldSide), 0, fieldSide - 1);
            };
            tip += "\nD  " + figure(double(field.values[size_t(cell(at->y) * fieldSide + cell(at->x))]));
        }
        canvas.tooltip(tip);
    }
}

// With one number of noise the map is a curve: the samples in the order of their z.
void drawCurveOfSamples(Plot& plot, const Frame& frame) {
    const Series samples = Series::columns(frame.find("samples"));
    const Tensor* z = frame.find("samples_z");
    if (!z || z->shape.columns() != 1) return;
    std::vector<size_t> order(std::min(samples.size, z->values.size()));
    std::iota(order.begin(), order.end(), size_t(0));
    std::sort(order.begin(), order.end(), [&](size_t a, size_t b) { return z->values[a] < z->values[b]; });
    std::vector<float> x, y;
    for (size_t i : order) {
        x.push_back(samples.xAt(i));
        y.push_back(samples.yAt(i));
    }
    plot.line(Series::of(x, y), Stroke(Ink::generated, 1.5f));
}

// The grid's lines where its cells have hardly an area: there the generator folds the plane into curves.
void drawFolds(Plot& plot, const Tensor& warp, std::span<const float> logArea) {
    constexpr float flat = -1.5f;
    const Series points = Series::columns(&warp);
    if (points.size != size_t(warpSide) * warpSide || logArea.size() < points.size) return;
    std::vector<float> x, y, nextX, nextY;
    const auto join = [&](int from, int to) {
        x.push_back(points.xAt(size_t(from)));
        y.push_back(points.yAt(size_t(from)));
        nextX.push_back(points.xAt(size_t(to)));
        nextY.push_back(points.yAt(size_t(to)));
    };
    for (int row = 0; row < warpSide; ++row)
        for (int column = 0; column < warpSide; ++column) {
            const int at = row * warpSide + column;
            if (!(logArea[size_t(at)] < flat)) continue;
            if (column + 1 < warpSide) join(at, at + 1);
            if (row + 1 < warpSide) join(at, at + warpSide);
        }
    plot.segments(Series::of(x, y), Series::of(nextX, nextY), Stroke(Ink::generated, 1));
}

void drawGeneratorGrid(Canvas& canvas, const Frame& frame) {
    Plot plot = canvas.plot("generator_grid",
                            {.x = planeAxis("x_1"), .y = planeAxis("x_2"), .equal = true, .bar = true});
    const Tensor* warp = frame.find("warp");
    const Tensor* det = frame.find("warp_det");
    const auto zDim = frame.settings.find("z_dim");
    if (zDim != frame.settings.end() && zDim->second != 2) {
        if (zDim->second == 1) return drawCurveOfSamples(plot, frame);
        return canvas.empty("The grid can be seen when the noise has two numbers.", plot.rect());
    }
    std::vector<float> area;
    if (det)
        for (const float d : det->values)
            area.push_back(std::isfinite(d) ? std::log10(std::max(std::abs(d), 1e-6f)) : d);
    // The same decades in every run: in the first steps G squeezes all noise into a speck, and what it spans
    // between modes in the end are cells hundreds of times larger than where they came from.
    const FieldStyle style{.map = Map::viridis, .low = -3, .high = 3};
    plot.colourBar(style, "log_10 |det J|");
    if (!warp || !det) return canvas.empty("A grid of noise, bent by G.", plot.rect());
    plot.mesh(Series::columns(warp), warpSide, warpSide, area, style);
    drawFolds(plot, *warp, area);
}

// ---- D beside its optimum

void drawOptimumLine(Canvas& canvas, const Frame& frame) {
    PlotStyle style{.x = {-extent, extent, "x"}, .y = {0, 1, ""}};
    style.ends = {"D(x)", "D*(x)"};
    Plot plot = canvas.plot("optimum", style);
    const Tensor* x = frame.find("grid_x");
    const Tensor* d = frame.find("d_line");
    const Tensor* star = frame.find("d_star");
    if (!d || !star || d->values.empty() || star->values.empty()) {
        return canvas.empty("D and the best answer to this generator.", plot.rect());
    }
    plot.area(Series::of(x, d), Series::of(x, star), Paint(Ink::learned, 0.18f));
    plot.line(Series::of(x, star), Stroke(Ink::exact, 2, Dash::dashed));
    plot.line(Series::of(x, d), Stroke(Ink::learned, 2));
    plot.endLabel(double(d->values.back()), "D(x)", Ink::learned);
    plot.endLabel(double(star->values.back()), "D*(x)", Ink::exact);
}

void drawOptimumPlane(Canvas& canvas, const Frame& frame) {
    const float line = canvas.lineHeight() + canvas.px(2), gap = canvas.px(12);
    const Rect area = canvas.area();
    const float side = std::min((area.width() - gap) / 2, area.height() - line);
    canvas.area().y0 = area.y0 + line + side;
    const char* channels[] = {"d_field", "d_star_field"};
    const char* labels[] = {"D(x)", "D*(x)"};
    const Ink inks[] = {Ink::learned, Ink::exact};
    for (int i = 0; i < 2; ++i) {
        const float left = area.x0 + float(i) * (side + gap);
        canvas.text({left, area.y0}, labels[i], {inks[i]});
        Axis axis = planeAxis("");
        axis.ticks = false;
        Plot plot = canvas.plot(channels[i], {.x = axis, .y = axis, .equal = true},
                                {left, area.y0 + line - canvas.px(2), left + side, area.y0 + line + side});
        plot.field(planeGrid(frame.find(channels[i])), probabilityStyle());
        if (!frame.find(channels[i])) canvas.outline(plot.rect(), Stroke(Ink::grid, 1));
    }
}

// E |D - D*| as a number, and as a curve where there is room.
void drawGap(Canvas& canvas, const Frame& frame) {
    Rect& area = canvas.area();
    area.cutTop(canvas.px(6));
    if (area.height() > canvas.px(96)) {
        return canvas.history("gap", {curveOf(frame, "d_gap", "E|D−D*|", Ink::learned)}, {});
    }
    const Vec size = canvas.text({area.x0, area.y0}, "E |D − D*|", {Ink::faint});
    canvas.text({area.x0 + size.x + canvas.px(10), area.y0},
                frame.find("d_gap") ? figure(double(frame.scalar("d_gap"))) : "–", {Ink::text});
}

void drawOptimum(Canvas& canvas, const Frame& frame) {
    const float line = canvas.lineHeight() + canvas.px(8);
    Rect foot = canvas.area().cutBottom(line);
    if (kindOf(frame) == Kind::line) {
        drawOptimumLine(canvas, frame);
        canvas.area() = foot;
        return drawGap(canvas, frame);
    }
    const Rect fields = canvas.area();
    drawOptimumPlane(canvas, frame);
    if (frame.find("d_field") && !frame.find("d_star_field")) {
        const float title = canvas.lineHeight() + canvas.px(2);
        canvas.empty("The optimum is known where the data's density is.",
                     {fields.centre().x, fields.y0 + title, fields.x1, canvas.area().y0});
    }
    canvas.area().y1 = foot.y1;
    drawGap(canvas, frame);
}

class GanView : public View {
  public:
    std::vector<Panel> panels(const Frame& frame) override {
        const Kind kind = kindOf(frame);
        std::vector<Panel> all;
        const auto add = [&all](const char* id, std::vector<std::string> needs, float weight, auto draw) {
            all.push_back({id, std::move(needs), weight,
                           [draw](Canvas& canvas, const Frame& f, const SetHandle&) { draw(canvas, f); }});
        };
        if (kind == Kind::line) {
            add("figure1", figure1Needs(), 2, drawFigure1);
            add("optimum", {"real_rows", "grid_x", "d_line", "d_star", "d_gap"}, 1, drawOptimum);
        } else if (kind == Kind::plane) {
            add("plane", {"real_rows", "samples", "d_field", "arrows"}, 2, drawPlane);
            add("generator_grid", {"warp", "warp_det", "samples", "samples_z"}, 1, drawGeneratorGrid);
            add("optimum", {"real_rows", "d_field", "d_star_field", "d_gap"}, 1, drawOptimum);
            // Modes are what the plane is about: in a small window, too.
            add("coverage", gan::coverageNeeds(), 1, gan::drawCoverage);
        } else {
            add("samples", {"real_rows", "sheet"}, 2, gan::drawSamples);
            add("interpolation", {"lerp"}, 1, gan::drawInterpolation);
            add("nearest", {"nearest_query", "nearest_image", "nearest_distance"}, 1, gan::drawNearest);
        }
        add("value", gan::valueNeeds(), 1, gan::drawValue);
        add("loss_shapes", gan::lossShapeNeeds(), 1, gan::drawLossShapes);
        if (kind != Kind::plane) add("coverage", gan::coverageNeeds(), 1, gan::drawCoverage);
        add("losses", gan::lossNeeds(), 1, gan::drawLosses);
        return all;
    }

    std::vector<std::string> needs() const override {
        std::vector<std::string> all;
        for (const char* data : {"gaussian", "ring8", "fashion"}) {
            Frame frame;
            frame.choices["data"] = data;
            for (const Panel& panel : GanView().panels(frame)) {
                all.insert(all.end(), panel.needs.begin(), panel.needs.end());
            }
        }
        std::sort(all.begin(), all.end());
        all.erase(std::unique(all.begin(), all.end()), all.end());
        return all;
    }

  private:
    static std::vector<std::string> figure1Needs() {
        return {"real_rows", "grid_x", "d_line", "d_star", "p_data", "p_g", "z_lines"};
    }
};

}  // namespace

namespace lessons {

std::unique_ptr<View> gan() {
    return std::make_unique<GanView>();
}

}  // namespace lessons

}  // namespace views
