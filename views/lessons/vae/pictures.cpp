#include "views/lessons/vae/pictures.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace views::vae {

namespace {

Images imagesOf(const core::Tensor* t) {
    const int side = t ? sideOf(size_t(t->shape.columns())) : 0;
    return side > 0 ? Images::of(t, side, side) : Images{};
}

// The columns, of those offered, that show most pictures at whole-number scale, and of these the largest; how
// many fit. Each row is `tall` pictures high, with `between` rows.
struct Columns {
    int columns = 1, shown = 0;
    float scale = 0;
};
Columns bestColumns(const Canvas& canvas, Vec room, int count, int tall, int side, float between,
                    std::initializer_list<int> offered) {
    // The largest scale at which n pictures, two pixels apart, are that long.
    const auto scaleFor = [&](int n, float length) {
        return std::floor((length - float(n - 1) * canvas.px(2)) / float(n * side));
    };
    const auto rowsAt = [&](float scale) {
        const float row = float(tall) * (float(side) * scale + canvas.px(2)) + between;
        return int((room.y + between + canvas.px(2)) / row);
    };
    Columns best{*offered.begin(), count};
    for (int columns : offered) {
        const int rows = (count + columns - 1) / columns;
        float scale = scaleFor(columns, room.x);
        while (scale > 1 && rowsAt(scale) < rows) --scale;
        const Columns found{columns, std::min(count, std::min(rows, rowsAt(scale)) * columns), scale};
        if (scale < 1 || found.shown == 0) continue;
        const bool first = best.scale == 0;
        if (first || found.shown > best.shown || (found.shown == best.shown && scale > best.scale))
            best = found;
    }
    return best;
}

// A square plane that holds every built-in point set, in units of the data.
PlotStyle dataPlane(const core::Frame& frame) {
    double reach = 3;
    if (const core::Tensor* x = frame.find("real_points")) {
        std::vector<float> far;
        for (float v : x->values) far.push_back(std::abs(v));
        const float most = quantile(std::move(far), 0.999);
        if (most > 3 && most < 1e4f) reach = std::ceil(most);
    }
    return {.x = {.low = -reach, .high = reach, .label = "x_1"},
            .y = {.low = -reach, .high = reach, .label = "x_2"},
            .equal = true};
}

void drawPointPairs(Canvas& canvas, const core::Frame& frame) {
    const Series real = Series::columns(frame.find("real")), recon = Series::columns(frame.find("recon"));
    Rect area = canvas.area();
    drawKeyAbove(canvas, area, {{"x", Ink::data}, {"x̂", Ink::generated}});
    Plot plot = canvas.plot("pairs", dataPlane(frame), area);
    plot.segments(real, recon, Stroke(Paint(Ink::faint, 0.6f), 1));
    plot.points(real, Paint(Ink::data, 0.8f), 2.5f);
    plot.points(recon, Paint(Ink::generated, 0.9f), 2.5f);
    if (real.size == 0) canvas.empty("Points and what comes back appear with the first step.", area);
}

void drawHolesOfPoints(Canvas& canvas, const core::Frame& frame, Rect where) {
    drawKeyAbove(canvas, where, {{"x", Ink::data}, {"x(z), q(z) least", Ink::generated}});
    Plot plot = canvas.plot("holes", dataPlane(frame), where);
    plot.points(Series::columns(frame.find("real_points")), Paint(Ink::data, 0.35f), 1.75f);
    plot.points(Series::columns(frame.find("holes")), Ink::generated, 4);
}

// q(z) - p(z) over the plane: what the codes leave empty of the prior is vermillion.
void drawDensities(Canvas& canvas, const core::Frame& frame, Rect where) {
    constexpr int side = AggregateField::side;
    constexpr double reach = AggregateField::reach;
    const double peak = 1 / (2 * M_PI);
    const FieldStyle style = {.map = Map::diverging, .low = -peak, .high = peak};
    const auto end = [&](float t) { return Paint::fixed(canvas.theme().map(Map::diverging, t)); };
    drawKeyAbove(canvas, where, {{"q > p", end(1), LegendEntry::area}, {"q < p", end(0), LegendEntry::area}});
    const Axis axis{.low = -reach, .high = reach, .ticks = false};
    Plot plot = canvas.plot("densities", {.x = axis, .y = axis, .equal = true, .grid = false}, where);
    const core::Tensor* q = frame.find("aggregate_field");
    std::vector<float> difference;
    if (q && q->values.size() >= side * side) {
        difference.resize(side * side);
        for (int j = 0; j < side; ++j)
            for (int i = 0; i < side; ++i) {
                const double x = AggregateField::placeOf(i), y = AggregateField::placeOf(j);
                const auto k = size_t(j * side + i);
                difference[k] = float(double(q->values[k]) - peak * std::exp(-(x * x + y * y) / 2));
            }
        plot.field(AggregateField::gridOf(difference), style);
    }
    for (int k = 1; k <= 3; ++k) plot.ellipse(0, 0, k, k, Stroke(Ink::noise, 1));
    const auto [first, second] = planeOf(frame);
    plot.text(-reach, -reach, fmt::format(" z_{{{}}}, z_{{{}}}", first + 1, second + 1), Ink::faint, {0, 1});
}

// Which of `count` places of the grid are shown, the same on either side of the middle: as many as fill three
// quarters of the room at whole-number scale.
std::vector<int> shownPlaces(int count, int side, float room) {
    const auto filled = [&](int shown) {
        const float length = float(shown * side);
        return std::floor(room / length) * length / room;
    };
    std::vector<int> best = {count / 2};
    for (int stride = 1; stride < count; ++stride)
        for (int first = 0; first < stride; ++first) {
            if ((count - 1 - 2 * first) % stride != 0 || 2 * first >= count - 1) continue;
            std::vector<int> places;
            for (int i = first; i <= count - 1 - first; i += stride) places.push_back(i);
            const float share = filled(int(places.size()));
            if (share >= 0.75f) return places;
            if (share > filled(int(best.size()))) best = places;
        }
    return best;
}

}  // namespace

void drawManifold(Canvas& canvas, const core::Frame& frame, const SetHandle& set, Cursor& cursor) {
    const Images images = imagesOf(frame.find("manifold"));
    const int count = int(std::lround(std::sqrt(double(images.size()))));
    if (count < 2) return canvas.empty("A grid over the prior appears here, decoded.");
    const std::vector<int> places =
        shownPlaces(count, images.width, std::min(canvas.area().width(), canvas.area().height()));
    const int shown = int(places.size());
    const auto pixels = size_t(images.width * images.height);
    std::vector<float> some;
    for (int row : places)
        for (int column : places) {
            const auto from = images.values.begin() + std::ptrdiff_t(size_t(row * count + column) * pixels);
            some.insert(some.end(), from, from + std::ptrdiff_t(pixels));
        }
    const auto placeOf = [&](int cell) {
        return manifoldPlace(places[size_t(cell / shown)], places[size_t(cell % shown)], count);
    };
    SheetStyle style{.columns = shown, .gap = 0};
    // The picture whose place is nearest to the point that another panel's mouse is at.
    if (cursor.z.size() == 2 && cursor.panel != canvas.id()) {
        float nearest = 1e9f;
        for (int i = 0; i < shown * shown; ++i) {
            const Vec place = placeOf(i);
            const float away = std::hypot(place.x - cursor.z[0], place.y - cursor.z[1]);
            if (away < nearest) {
                nearest = away;
                style.selected = i;
            }
        }
    }
    const Sheet sheet = canvas.sheet("manifold", {some, images.width, images.height}, style);
    if (sheet.hovered >= 0) {
        cursor.point(canvas.id(), placeOf(sheet.hovered), {0, 1}, 2, set);
    } else {
        cursor.leave(canvas.id());
    }
}

void drawReconstructions(Canvas& canvas, const core::Frame& frame) {
    if (situationOf(frame).kind == Kind::points) return drawPointPairs(canvas, frame);
    const Images inputs = imagesOf(frame.find("inputs")), back = imagesOf(frame.find("reconstructed"));
    const int count = std::min(inputs.size(), back.size()), side = inputs.width;
    if (count == 0) return canvas.empty("Test pictures and what comes back appear here.");
    const float labels = canvas.measure("x̂", Size::small).x + canvas.px(8);
    const Vec room = {canvas.area().width() - labels, canvas.area().height()};
    const Columns fitting = bestColumns(canvas, room, count, 2, side, canvas.px(12), {8, 16, 4});
    const int columns = fitting.columns, pairs = (fitting.shown + columns - 1) / columns;
    const auto pixels = size_t(side * side);
    Rect area = canvas.area();
    const float share = (area.height() - canvas.px(12) * float(pairs - 1)) / float(pairs);
    for (int p = 0; p < pairs; ++p) {
        const int first = p * columns, n = std::min(columns, fitting.shown - first);
        std::vector<float> rows(2 * size_t(columns) * pixels, 0.f);
        const auto copy = [&](const Images& from, size_t row) {
            std::copy_n(from.values.begin() + std::ptrdiff_t(size_t(first) * pixels), size_t(n) * pixels,
                        rows.begin() + std::ptrdiff_t(row * size_t(columns) * pixels));
        };
        copy(inputs, 0);
        copy(back, 1);
        const Rect where = {area.x0, area.y0, area.x1, area.y0 + share};
        const Sheet sheet = canvas.sheet("pairs" + std::to_string(p), {rows, side, side},
                                         {.columns = columns, .rowLabels = {"x", "x̂"}}, where);
        if (!sheet.cells.empty()) area.y0 = sheet.cells.back().y1 + canvas.px(12);
    }
}

void drawSamples(Canvas& canvas, const core::Frame& frame, const Cursor& cursor) {
    const core::Tensor* samples = frame.find("prior_samples");
    if (situationOf(frame).kind == Kind::images) {
        const Images images = imagesOf(samples);
        if (images.size() == 0) return canvas.empty("Pictures decoded from the prior appear here.");
        canvas.sheet("samples", images, {.gap = 1, .fewer = true});
        return;
    }
    Rect area = canvas.area();
    drawKeyAbove(canvas, area, {{"x", Ink::data}, {"x(z), z ∼ p(z)", Ink::generated}});
    Plot plot = canvas.plot("samples", dataPlane(frame), area);
    plot.points(Series::columns(frame.find("real_points")), Paint(Ink::data, 0.7f), 2);
    plot.points(Series::columns(samples), Paint(Ink::generated, 0.6f), 1.75f);
    if (const auto x = rowOf(frame.find("decoded_point")); x.size() == 2 && allFinite(x) && !cursor.z.empty())
        plot.ring(x[0], x[1], Ink::selection, 7, 2.5f);
    if (!samples) canvas.empty("Points decoded from the prior appear here.", plot.rect());
}

void Path::draw(Canvas& canvas, const core::Frame& frame, const SetHandle& set) {
    const core::Tensor* inputs = frame.find("inputs");
    const Images offered = imagesOf(inputs);
    const Images straight = imagesOf(frame.find("path_lerp")), arc = imagesOf(frame.find("path_slerp"));
    if (offered.size() == 0) return canvas.empty("A walk between two test pictures appears here.");
    Rect area = canvas.area();
    const int side = offered.width;
    const float labels = canvas.px(44);
    Rect picker = area;
    picker.y1 = picker.centre().y;
    picker.cutLeft(labels);
    const auto [columns, choices, scale] =
        bestColumns(canvas, {picker.width(), picker.height()}, offered.size(), 1, side, 0, {16, 8, 4});
    const auto pixels = size_t(side * side);
    const Sheet sheet = canvas.sheet("ends", {offered.values.first(size_t(choices) * pixels), side, side},
                                     {.columns = columns}, picker);
    if (!sheet.cells.empty()) area.y0 = sheet.cells.back().y1 + canvas.px(12);
    const Rect hint = area.cutBottom(canvas.lineHeight(Size::small) + canvas.px(4));
    for (size_t end = 0; end < m_ends.size(); ++end) {
        if (m_ends[end] < 0 || size_t(m_ends[end]) >= sheet.cells.size()) continue;
        const Rect cell = sheet.cells[size_t(m_ends[end])];
        canvas.outline(cell.inset(-1), Stroke(Ink::selection, 2));
        const Rect tag = {cell.x0, cell.y0, cell.x0 + canvas.px(14), cell.y0 + canvas.px(14)};
        canvas.fill(tag, Ink::selection);
        canvas.text(tag.centre(), end ? "B" : "A",
                    {.paint = Ink::background, .size = Size::small, .anchor = {0.5f, 0.5f}});
    }
    if (sheet.clicked >= 0) {
        m_ends[size_t(m_next)] = sheet.clicked;
        m_next = 1 - m_next;
        std::vector<float> both;
        for (int end : m_ends) {
            const auto row = rowOf(inputs, end);
            both.insert(both.end(), row.begin(), row.end());
        }
        if (both.size() == 2 * rowOf(inputs).size()) set("path_ends", both);
    }

    const std::string words = "Two clicks on pictures choose the ends.";
    const float across = canvas.measure(words, Size::small).x;
    const float indent = std::clamp(hint.width() - across, 0.f, labels);
    if (across <= hint.width())
        canvas.text({hint.x0 + indent, hint.y1}, words,
                    {.paint = Ink::faint, .size = Size::small, .anchor = {0, 1}});
    if (straight.size() == 0) return canvas.empty("The walk between the two appears here.", area);
    std::vector<float> both(straight.values.begin(), straight.values.end());
    both.insert(both.end(), arc.values.begin(), arc.values.end());
    const Walk walk =
        walkThatFits({both, side, side}, straight.size(), 2, {area.width() - labels, area.height()});
    canvas.sheet("walks", {walk.values, side, side},
                 {.columns = walk.steps, .gap = 0, .rowLabels = {"lerp", "slerp"}}, area);
}

void drawHoles(Canvas& canvas, const core::Frame& frame) {
    Rect area = canvas.area();
    const Rect numbers = area.cutTop(canvas.px(20));
    if (const float gap = frame.scalar("prior_gap", NAN); std::isfinite(gap))
        canvas.text({numbers.x0, numbers.y0}, "KL(q(z) ‖ p(z)) = " + figure(gap) + " " + canvas.words("nats"),
                    {.paint = Ink::text});
    const float gap = canvas.px(12);
    const bool beside = area.width() > area.height();
    const Rect left = beside ? area.cutLeft(std::min(area.height(), (area.width() - gap) / 2))
                             : area.cutTop((area.height() - gap) / 2);
    beside ? area.cutLeft(gap) : area.cutTop(gap);
    drawDensities(canvas, frame, left);
    if (situationOf(frame).kind == Kind::points) return drawHolesOfPoints(canvas, frame, area);

    const core::Tensor* density = frame.find("hole_density");
    const Images images = imagesOf(frame.find("holes"));
    if (images.size() == 0) return canvas.empty("Pictures from where codes are rare appear here.", area);
    std::vector<std::string> captions;
    if (density)
        for (float log : density->values) captions.push_back(figure(log, 2));
    canvas.text({area.x0, area.y0}, "log q(z), least", {.paint = Ink::faint, .size = Size::small});
    area.cutTop(canvas.lineHeight(Size::small) + canvas.px(2));
    canvas.sheet("holes", images, {.gap = 4, .captions = captions, .fewer = true}, area);
}

}  // namespace views::vae
