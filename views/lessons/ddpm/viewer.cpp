#include "views/lessons/ddpm/viewer.h"

#include <algorithm>
#include <cmath>

namespace views::ddpm {

namespace {

using core::Trajectory;

constexpr Trajectory::Quantity quantities[] = {Trajectory::state, Trajectory::prediction, Trajectory::clean,
                                               Trajectory::mean, Trajectory::added};
constexpr const char* symbols[] = {"x_t", "ε_θ", "x_0 | x_t", "μ", "σ_t z"};
constexpr const char* names[] = {"the state", "the predicted noise", "the estimate of x_0",
                                 "the mean of the step", "the noise that is added"};
constexpr size_t trailPoints = 24;
constexpr int trailed = 48;

// Noise is signed and looks like noise; the rest is on its way to data.
bool isNoise(Trajectory::Quantity quantity) {
    return quantity == Trajectory::prediction || quantity == Trajectory::added;
}

Paint paintOf(Trajectory::Quantity quantity, Paint ofRun) {
    if (quantity == Trajectory::state || quantity == Trajectory::mean) return ofRun;
    return quantity == Trajectory::added ? Ink::noise : Ink::learned;
}

Images picturesOf(std::span<const float> values, int side, Trajectory::Quantity quantity) {
    return isNoise(quantity) ? noisePictures(values, side) : dataPictures(values, side);
}

// Within a small plane, which has no room around it.
void nameAxes(Canvas& canvas, Plot& plot) {
    canvas.outline(plot.rect(), Stroke(Ink::grid, 1));
    for (const double tick : {-2.0, 0.0, 2.0}) {
        plot.text(tick, -extent, figure(tick, 1), Ink::faint, {0.5f, 1.05f});
        plot.text(-extent, tick, figure(tick, 1), Ink::faint, {-0.25f, 0.5f});
    }
    plot.text(extent, -extent, "x_1", Ink::faint, {1.2f, 1.05f});
    plot.text(-extent, extent, "x_2", Ink::faint, {-0.25f, -0.05f});
}

Paint faded(Paint paint, float alpha) {
    paint.alpha = alpha;
    return paint;
}

}  // namespace

// Stages: the prediction, with it the estimate; the mean; the noise; the step.
bool Viewer::Shown::has(Quantity quantity) const {
    if (quantity == Quantity::state) return true;
    if (run.steps.empty()) return false;
    return done >= (quantity == Quantity::mean ? 2 : quantity == Quantity::added ? 3 : 1);
}

void Viewer::draw(Canvas& canvas, const core::Frame& frame, const SamplingPlace& place,
                  const SamplingActions& actions) {
    Rect area = canvas.area();
    const core::TrajectoryPtr run = runOf(frame, place.run), branch = runOf(frame, place.branch);
    if (canvas.hovered(area) && canvas.mouse().wheel != 0 && actions.move)
        actions.move(canvas.mouse().wheel > 0 ? -1 : 1);
    if (!run) {
        if (kindOf(frame) == Kind::points) {
            Plot plot =
                canvas.plot("plane", {.x = planeAxis("x_1"), .y = planeAxis("x_2"), .equal = true}, area);
            plot.points(Series::columns(frame.find("forward_x0")), Paint(Ink::data, 0.5f), 2);
            return canvas.empty("Samples appear here, from noise to data: press S.", plot.rect());
        }
        return canvas.empty("Samples appear here, from noise to data: press S.", area);
    }
    m_sample = std::clamp(m_sample, 0, std::max(0, run->count - 1));
    const auto shownOf = [&](const Trajectory& of, int step, const char* id, Paint paint) {
        const int n = int(of.steps.size());
        step = std::clamp(step, 0, n);
        const bool slow = place.stage >= 0 && &of == run.get() && step < n;
        return Shown{of, step, std::min(step, std::max(0, n - 1)), slow ? place.stage : 4, id, paint};
    };
    const Shown first = shownOf(*run, place.step, "run", Ink::generated);
    if (!branch || branch->steps.empty())
        return drawColumn(canvas, frame, first, arranged(canvas, {first}, {area})[0]);
    const double t = run->steps.empty() ? 0 : run->timeOf(first.step);
    // The branch stands at the same time as the run, or as far as it has got.
    const int beside = t <= 0 ? int(branch->steps.size()) : stepAt(*branch, t);
    const Shown second = shownOf(*branch, beside, "branch", Paint::fixed(canvas.theme().branch()));
    // Side by side or one below the other, whichever has the larger pictures.
    const float gap = canvas.px(16);
    const auto columns = arranged(canvas, {first, second}, {area.column(0, 2, gap), area.column(1, 2, gap)});
    const auto rows = arranged(canvas, {first, second}, {area.row(0, 2, gap), area.row(1, 2, gap)});
    const auto& places = rows[0].fit.measure > columns[0].fit.measure ? rows : columns;
    drawColumn(canvas, frame, first, places[0]);
    drawColumn(canvas, frame, second, places[1]);
}

void Viewer::drawColumn(Canvas& canvas, const core::Frame& frame, const Shown& shown, const Places& places) {
    // One sample or all.
    const std::string label = m_single ? "all" : "one";
    const Rect& head = places.head;
    const Rect button = {head.x1 - buttonWidth(canvas), head.y0 - canvas.px(3), head.x1,
                         head.y0 + canvas.px(17)};
    drawHead(canvas, shown, head);
    if (canvas.button(shown.id + "/single", button, canvas.words(label))) m_single = !m_single;
    if (canvas.hovered(button)) canvas.tooltip("One sample, or all of them.");
    if (shown.run.width() == 2) {
        drawPlane(canvas, frame, shown, places.picture);
    } else {
        drawSheet(canvas, shown, places);
    }
    drawTiles(canvas, shown, places);
}

// Where the run stands, how it was made, and what the result is worth.
void Viewer::drawHead(Canvas& canvas, const Shown& shown, Rect where) const {
    const Trajectory& run = shown.run;
    std::string place = "t = –";
    if (!run.steps.empty()) {
        const double t = run.timeOf(shown.step);
        place = "t = " + (t == std::round(t) ? count(int64_t(t)) : figure(t, 3));
    }
    canvas.text({where.x0, where.y0}, place, {.paint = shown.paint, .size = Size::base});
    const std::vector<std::string> lines = headLines(canvas, shown, where.width());
    const float small = canvas.lineHeight(Size::small);
    float y = where.y0 + canvas.lineHeight() - small;
    canvas.pushClip(where);
    for (size_t i = 0; i < lines.size(); ++i, y += small)
        canvas.text({i == 0 ? where.x0 + placeWidth(canvas) : where.x0, y}, lines[i],
                    {.paint = run.problem.empty() ? Ink::faint : Ink::alarm, .size = Size::small});
    canvas.popClip();
}

// ---- pictures

void Viewer::drawSheet(Canvas& canvas, const Shown& shown, const Places& places) {
    Rect where = places.picture;
    const int side = sideOf(size_t(shown.run.width()));
    if (side == 0) return;
    const bool known = shown.has(m_quantity);
    const int at = m_quantity == Quantity::state ? shown.step : shown.ofStep;
    const std::string key = shown.id + "/sheet";
    if (m_single) {
        if (known) {
            const auto values = shown.run.values(m_quantity, at, m_sample, 1);
            canvas.image(picturesOf(values, side, m_quantity), where);
        }
        if (canvas.clicked(key, where)) m_single = false;
        return;
    }
    if (!known) return canvas.empty("This stage has not been done yet.", where);
    const auto values = shown.run.values(m_quantity, at, 0, places.fit.count);
    // In the middle of its room.
    where.x0 += std::max(0.f, std::floor((where.width() - places.fit.size.x) / 2));
    where.y0 += std::max(0.f, std::floor((where.height() - places.fit.size.y) / 2));
    const Sheet sheet = canvas.sheet(key, picturesOf(values, side, m_quantity),
                                     {.columns = places.fit.columns, .gap = 1, .selected = m_sample}, where);
    if (sheet.clicked >= 0) m_sample = sheet.clicked;
    if (sheet.hovered >= 0 && canvas.mouse().doubled) m_single = true;
}

// ---- points

const Viewer::Trails& Viewer::trailsOf(const Shown& shown) {
    Trails& trails = m_trails[shown.id];
    const Trajectory& run = shown.run;
    if (trails.run == run.id && trails.steps == run.steps.size() && trails.sample == m_sample) return trails;
    trails = {.run = run.id, .steps = run.steps.size(), .sample = m_sample};
    // The chosen one is the last, so that it is drawn above the others.
    const int others = std::min(trailed, run.count);
    for (int i = 0; i <= others; ++i) {
        const int particle = i < others ? i * run.count / others : m_sample;
        trails.x.push_back(run.path(particle, 0));
        trails.y.push_back(run.path(particle, 1));
    }
    return trails;
}

void Viewer::drawPlane(Canvas& canvas, const core::Frame& frame, const Shown& shown, Rect where) {
    const Trajectory& run = shown.run;
    const bool roomy = where.height() > canvas.px(220);
    const Axis x = planeAxis(roomy ? "x_1" : "", roomy), y = planeAxis(roomy ? "x_2" : "", roomy);
    Plot plot = canvas.plot(shown.id + "/plane", {.x = x, .y = y, .equal = true}, where);
    if (!roomy) nameAxes(canvas, plot);
    plot.points(Series::columns(frame.find("forward_x0")), Paint(Ink::data, 0.3f), 1.5f);
    if (m_quantity == Quantity::state) {
        const Trails& trails = trailsOf(shown);
        // Of the chosen one the whole way, of the others the last sixth of it.
        const size_t upTo = std::min(size_t(shown.step) + 1, trails.steps + 1);
        const size_t recent = std::max<size_t>(6, size_t(run.total) / 6);
        for (size_t i = 0; i < trails.x.size(); ++i) {
            const bool chosen = i + 1 == trails.x.size();
            if (m_single && !chosen) continue;
            const size_t from = chosen || upTo < recent ? 0 : upTo - recent;
            const size_t every =
                std::max<size_t>(1, (upTo - from) / (chosen ? 4 * trailPoints : trailPoints));
            std::vector<float> x, y;
            for (size_t k = from + (upTo - 1 - from) % every; k < upTo; k += every) {
                x.push_back(trails.x[i][k]);
                y.push_back(trails.y[i][k]);
            }
            plot.line(Series::of(x, y), chosen ? Stroke(Paint(Ink::selection, 0.8f), 1.25f)
                                               : Stroke(faded(shown.paint, 0.35f), 1));
        }
    }
    if (!shown.has(m_quantity)) return canvas.empty("This stage has not been done yet.", plot.rect());
    const int at = m_quantity == Quantity::state ? shown.step : shown.ofStep;
    const int first = m_single ? m_sample : 0, number = m_single ? 1 : run.count;
    const auto values = run.values(m_quantity, at, first, number);
    const Series points{values.data(), values.data() + 1, values.size() / 2, 2, 2};
    plot.points(points, paintOf(m_quantity, shown.paint), number == 1 ? 5.f : 2.25f);
    size_t outside = 0;
    for (size_t i = 0; i < points.size; ++i)
        outside += !(std::abs(points.xAt(i)) <= extent && std::abs(points.yAt(i)) <= extent);
    if (outside == points.size && outside > 0) {
        Rect below = plot.rect();
        canvas.empty("All samples lie outside of this plane.", below.cutBottom(below.height() / 5));
    } else if (20 * outside > points.size) {
        plot.text(extent, -extent, canvas.words("outside") + " " + count(int64_t(outside)), Ink::faint,
                  {1.05f, 1.1f});
    }
    if (m_quantity == Quantity::state && shown.step < int(run.steps.size())) drawStep(plot, shown);
    const auto chosen = run.values(m_quantity, at, m_sample, 1);
    plot.ring(double(chosen[0]), double(chosen[1]), Ink::selection, 6);
    const int under = plot.nearest(points);
    if (under >= 0) {
        canvas.tooltip("x  " + figure(double(points.xAt(size_t(under)))) + ", " +
                       figure(double(points.yAt(size_t(under)))));
        if (canvas.clicked(shown.id + "/choose", plot.rect())) m_sample = first + under;
    }
}

// The step that comes next, of the chosen particle: to the mean, then by the noise; and where x_0 is
// expected.
void Viewer::drawStep(Plot& plot, const Shown& shown) const {
    const auto of = [&](Quantity quantity, int step) {
        return shown.run.values(quantity, step, m_sample, 1);
    };
    const auto join = [&](const std::vector<float>& a, const std::vector<float>& b, const Stroke& stroke) {
        plot.segments({&a[0], &a[1], 1, 1, 1}, {&b[0], &b[1], 1, 1, 1}, stroke);
    };
    const auto x = of(Quantity::state, shown.step);
    if (shown.has(Quantity::clean)) {
        const auto clean = of(Quantity::clean, shown.step);
        join(x, clean, Stroke(Ink::learned, 1.5f, Dash::dashed));
        plot.ring(double(clean[0]), double(clean[1]), Ink::learned, 4);
    }
    if (!shown.has(Quantity::mean)) return;
    const auto mean = of(Quantity::mean, shown.step);
    join(x, mean, Stroke(Ink::learned, 2.5f));
    if (shown.has(Quantity::added)) join(mean, of(Quantity::state, shown.step + 1), Stroke(Ink::noise, 2.5f));
}

// ---- the five quantities

void Viewer::drawTiles(Canvas& canvas, const Shown& shown, const Places& places) {
    const float line = canvas.lineHeight(Size::small) + canvas.px(2), gap = canvas.px(6);
    const float side = places.tile;
    const Rect& where = places.tiles;
    // From edge to edge, unless that leaves them far apart.
    const float spread = (where.width() - side) / float(std::max(1, places.columns - 1));
    const float step = std::clamp(spread, side + gap, std::max(side + gap, 1.5f * side));
    for (int i = 0; i < 5; ++i) {
        const int row = i / places.columns, column = i % places.columns;
        const float left = canvas.snap(where.x0 + float(column) * step);
        const float top = canvas.snap(where.y0 + float(row) * (side + line + gap));
        const Rect tile = {left, top, left + side, top + line + side};
        const bool chosen = m_quantity == quantities[i];
        // The longest gives up its condition where the tiles are small.
        const bool fits = canvas.measure(symbols[i], Size::small).x <= step;
        canvas.text({tile.x0, tile.y0}, fits ? symbols[i] : "x_0",
                    {.paint = chosen ? Paint(Ink::text) : Paint(Ink::faint), .size = Size::small});
        const Rect body = {tile.x0, tile.y0 + line, tile.x1, tile.y1};
        drawTile(canvas, shown, quantities[i], body);
        if (chosen) canvas.outline(body.inset(-canvas.px(1)), Stroke(Ink::selection, 1.5f), 2);
        if (canvas.hovered(tile))
            canvas.tooltip(canvas.words(names[i]) + "\n" + canvas.words("A click shows it large."));
        if (canvas.clicked(shown.id + symbols[i], tile)) m_quantity = quantities[i];
    }
}

void Viewer::drawTile(Canvas& canvas, const Shown& shown, Quantity quantity, Rect where) {
    canvas.fill(where, Ink::surface, 2);
    if (!shown.has(quantity)) return canvas.outline(where, Stroke(Ink::grid, 1, Dash::dotted), 2);
    const int at = quantity == Quantity::state ? shown.step : shown.ofStep;
    if (shown.run.width() != 2) {
        const int side = sideOf(size_t(shown.run.width()));
        const auto values = shown.run.values(quantity, at, m_sample, 1);
        if (side > 0) canvas.image(picturesOf(values, side, quantity), where);
        return;
    }
    const auto values = shown.run.values(quantity, at);
    // What is added is smaller than what it is added to.
    const double sigma = shown.run.steps.empty() ? 1 : shown.run.steps[size_t(shown.ofStep)]->step.sigma;
    const double reach = quantity == Quantity::added ? std::max(1e-3, 3.5 * sigma) : extent;
    const Axis axis{.low = -reach, .high = reach, .ticks = false};
    Plot plot = canvas.plot(shown.id + symbols[quantity],
                            {.x = axis, .y = axis, .equal = true, .grid = false}, where);
    const Series points{values.data(), values.data() + 1, std::min<size_t>(values.size() / 2, 400), 2, 2};
    plot.points(points, paintOf(quantity, shown.paint), 1.25f);
    const size_t chosen = 2 * size_t(m_sample);
    if (chosen + 1 < values.size())
        plot.ring(double(values[chosen]), double(values[chosen + 1]), Ink::selection, 3.5f, 1.5f);
}

}  // namespace views::ddpm
