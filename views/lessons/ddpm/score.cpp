#include "views/lessons/ddpm/score.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace views::ddpm {

namespace {

constexpr int side = 24, marginalSide = 96;

using Point = std::array<double, 2>;

// The unit vector of the field there, between the middles of four cells; none outside or where it vanishes.
bool directionAt(std::span<const float> field, int n, const Point& at, Point& direction) {
    const double cell = 2 * extent / n;
    const double u = (at[0] + extent) / cell - 0.5, v = (at[1] + extent) / cell - 0.5;
    if (!(u >= 0 && v >= 0 && u <= n - 1 && v <= n - 1)) return false;
    const int column = std::min(int(u), n - 2), row = std::min(int(v), n - 2);
    const double a = u - column, b = v - row;
    for (int k = 0; k < 2; ++k) {
        const auto value = [&](int i, int j) {
            return double(field[size_t(2 * ((row + i) * n + column + j) + k)]);
        };
        direction[size_t(k)] = (1 - b) * ((1 - a) * value(0, 0) + a * value(0, 1)) +
                               b * ((1 - a) * value(1, 0) + a * value(1, 1));
    }
    const double length = std::hypot(direction[0], direction[1]);
    if (!(length > 1e-9) || !std::isfinite(length)) return false;
    direction[0] /= length;
    direction[1] /= length;
    return true;
}

// The grid's cells as points, every second one where there is little room.
struct Arrows {
    std::vector<float> x, y, u, v;
    double longest = 1;  // of most of them
};
Arrows arrowsOf(std::span<const float> field, int every) {
    Arrows arrows;
    std::vector<double> lengths;
    for (int row = every / 2; row < side; row += every)
        for (int column = every / 2; column < side; column += every) {
            const auto i = size_t(2 * (row * side + column));
            arrows.x.push_back(float(-extent + 2 * extent * (column + 0.5) / side));
            arrows.y.push_back(float(-extent + 2 * extent * (row + 0.5) / side));
            arrows.u.push_back(field[i]);
            arrows.v.push_back(field[i + 1]);
            const double length = std::hypot(double(field[i]), double(field[i + 1]));
            if (std::isfinite(length)) lengths.push_back(length);
        }
    if (!lengths.empty()) {
        const auto most = lengths.begin() + std::ptrdiff_t(lengths.size() * 9 / 10);
        std::nth_element(lengths.begin(), most, lengths.end());
        arrows.longest = std::max(*most, 1e-6);
    }
    return arrows;
}

void drawField(Canvas& canvas, const core::Frame& frame, const std::string& channel, Paint paint,
               Rect where) {
    const Axis axis = planeAxis({}, false);
    Plot plot = canvas.plot(channel, {.x = axis, .y = axis, .equal = true, .grid = false}, where);
    if (const core::Tensor* marginal = frame.find("marginal"); marginal && !marginal->values.empty()) {
        const float highest = quantile(marginal->values, 0.995);
        plot.field(planeGrid(marginal->values, marginalSide),
                   {.low = 0, .high = std::max(1e-6, double(highest)), .veil = Paint(Ink::data, 0.4f)});
    }
    canvas.outline(plot.rect(), Stroke(Ink::grid, 1));
    const core::Tensor* field = frame.find(channel);
    if (!field || field->values.size() < size_t(2 * side * side)) return;
    const std::span<const float> values(field->values);
    const float width = plot.rect().width();
    if (width > canvas.px(180)) {
        for (int row = 1; row < 8; ++row)
            for (int column = 1; column < 8; ++column) {
                const auto path = streamline(values, side, -extent + 2 * extent * column / 8.0,
                                             -extent + 2 * extent * row / 8.0, 0.06, 24);
                plot.line({path.data(), path.data() + 1, path.size() / 2, 2, 2},
                          Stroke(Paint(paint.ink, 0.4f), 1));
            }
    }
    const int every = width > canvas.px(220) ? 1 : width > canvas.px(130) ? 2 : 3;
    const Arrows arrows = arrowsOf(values, every);
    const double cell = 2 * extent / side * every;
    plot.arrows(Series::of(arrows.x, arrows.y), Series::of(arrows.u, arrows.v), 1.1 * cell / arrows.longest,
                paint, width / float(side) * float(every) * 1.2f / canvas.px(1));
}

}  // namespace

std::vector<float> streamline(std::span<const float> field, int n, double x, double y, double pace,
                              int steps) {
    std::vector<float> path;
    if (field.size() < size_t(2 * n * n)) return path;
    for (const double way : {-1.0, 1.0}) {
        Point at = {x, y}, direction{};
        std::vector<Point> line;
        for (int i = 0; i < steps && directionAt(field, n, at, direction); ++i) {
            // The midpoint rule keeps the line on its curve.
            const Point half = {at[0] + way * pace / 2 * direction[0], at[1] + way * pace / 2 * direction[1]};
            if (!directionAt(field, n, half, direction)) break;
            at = {at[0] + way * pace * direction[0], at[1] + way * pace * direction[1]};
            line.push_back(at);
        }
        if (way < 0) {
            std::reverse(line.begin(), line.end());
            line.push_back({x, y});
        }
        for (const Point& point : line) path.insert(path.end(), {float(point[0]), float(point[1])});
    }
    return path;
}

void drawScore(Canvas& canvas, const core::Frame& frame, const SharedTime& time) {
    Rect area = canvas.area();
    const float small = canvas.lineHeight(Size::small);
    const Rect words = area.cutTop(small + canvas.px(4));
    std::string told = "t = " + count(std::llround(std::max(1.0, time.t())));
    if (const float rmse = frame.scalar("score_rmse", NAN); std::isfinite(rmse))
        told += " · " + canvas.words("error") + " " + figure(double(rmse));
    canvas.text({words.x0, words.y0}, told, {.paint = Ink::text, .size = Size::small});
    if (!frame.find("score_field")) return canvas.empty("The learned score appears here.", area);
    if (!isMixture(frame)) {
        drawField(canvas, frame, "score_field", Ink::learned, area);
        return;
    }
    // Three in a row, or two above one, whichever is larger; the last has a scale beside it.
    const float gap = canvas.px(10), line = small + canvas.px(2);
    const float scale = canvas.px(30) + canvas.measure("−0.00", Size::small).x;
    const float paired = std::min((area.width() - gap) / 2, area.height() / 2 - line);
    const bool tall = paired > (area.width() - 2 * gap - scale) / 3;
    const LegendEntry learned{"learned", Ink::learned}, exact{"exact", Ink::exact},
        difference{"difference", Ink::faint};
    std::vector<Rect> places;
    if (tall) {
        places = squares(canvas, area, {learned, exact}, area.height() / 2);
        area.x1 -= scale;
        places.push_back(squares(canvas, area, {difference}, area.height())[0]);
    } else {
        area.x1 -= scale;
        places = squares(canvas, area, {learned, exact, difference}, area.height());
    }
    places[2].x1 += scale;
    drawField(canvas, frame, "score_field", Ink::learned, places[0]);
    drawField(canvas, frame, "score_exact", Ink::exact, places[1]);
    const core::Tensor* error = frame.find("score_error");
    const Axis axis = planeAxis({}, false);
    Plot plot = canvas.plot("score_error", {.x = axis, .y = axis, .equal = true, .grid = false, .bar = true},
                            places[2]);
    if (error && !error->values.empty()) {
        const FieldStyle style{.low = 0, .high = std::max(1e-3, double(quantile(error->values, 0.95)))};
        plot.field(planeGrid(error->values, side), style);
        plot.colourBar(style, "");
    }
    canvas.outline(plot.rect(), Stroke(Ink::grid, 1));
    if (const auto at = plot.hover(); at && error && error->values.size() >= size_t(side * side)) {
        const auto cell = [](float v) {
            return std::clamp(int((double(v) + extent) / (2 * extent) * side), 0, side - 1);
        };
        canvas.tooltip("|s_θ − s|  " +
                       figure(double(error->values[size_t(cell(at->y) * side + cell(at->x))])));
    }
}

}  // namespace views::ddpm
