#include "views/lessons/vae/gradient.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace views::vae {

namespace {

struct Estimator {
    std::string name;
    const char *samples, *variance;
    Ink ink;
};
const Estimator estimators[] = {{"score function", "gradient_score", "variance_score", Ink::noise},
                                {"reparameterised", "gradient_reparam", "variance_reparam", Ink::learned}};

const char* const codeSymbol = "μ, σ";

Size sizeIn(const Canvas& canvas, float radius) {
    return radius < canvas.px(16) ? Size::small : Size::base;
}

// Half of it: a circle, drawn out where two symbols want more room.
float halfWidth(const Canvas& canvas, float radius, const std::string& symbol) {
    return std::max(radius, canvas.measure(symbol, sizeIn(canvas, radius)).x / 2 + canvas.px(5));
}

void node(Canvas& canvas, Vec at, float radius, const std::string& symbol, Ink ink, bool random) {
    const float half = halfWidth(canvas, radius, symbol);
    const Rect box = {at.x - half, at.y - radius, at.x + half, at.y + radius};
    // What is random is a die: square; what is computed is round.
    const float rounding = random ? 4 : radius / canvas.px(1);
    canvas.fill(box, Ink::surface, rounding);
    canvas.fill(box, Paint(ink, 0.22f), rounding);
    canvas.outline(box, Stroke(ink, 1.75f), rounding);
    canvas.text(at, symbol, {.paint = Ink::text, .size = sizeIn(canvas, radius), .anchor = {0.5f, 0.5f}});
}

// mu, sigma -> z -> L, and the gradient's way back beneath. Without the trick z itself is the die, and the
// way ends there; with it the die stands aside.
void drawWay(Canvas& canvas, Rect where, bool reparameterised) {
    const Estimator& e = estimators[reparameterised ? 1 : 0];
    canvas.text({where.centre().x, where.y0}, e.name, {.paint = e.ink, .anchor = {0.5f, 0}});
    where.cutTop(canvas.lineHeight() + canvas.px(4));
    const float radius = std::min(canvas.px(17), (where.height() - canvas.px(20)) / 5.4f);
    const float half = halfWidth(canvas, radius, codeSymbol);
    const float reach = std::min(where.width() / 2 - half, canvas.px(110));
    const float y = where.y1 - canvas.px(20) - radius, middle = where.centre().x;
    const Vec code = {middle - reach, y}, z = {middle, y}, loss = {middle + reach, y};
    const Vec out = {radius + canvas.px(3), 0};
    const Stroke forward(Ink::faint, 1.5f);
    canvas.arrow(code + Vec{half + canvas.px(3), 0}, z - out, forward);
    canvas.arrow(z + out, loss - out, forward);
    if (reparameterised) {
        const Vec die = {middle, std::max(where.y0 + radius, y - 3.2f * radius)};
        const Vec down = {0, radius + canvas.px(3)};
        canvas.arrow(die + down, z - down, forward);
        node(canvas, die, radius, "ε", Ink::noise, true);
    }
    node(canvas, code, radius, codeSymbol, Ink::learned, false);
    node(canvas, z, radius, "z", reparameterised ? Ink::learned : Ink::noise, !reparameterised);
    node(canvas, loss, radius, "L", Ink::generated, false);

    const float back = y + radius + canvas.px(10);
    if (reparameterised) {
        const Stroke way(Ink::learned, 2.5f);
        canvas.arrow({loss.x, back}, {z.x + canvas.px(4), back}, way);
        canvas.arrow({z.x - canvas.px(4), back}, {code.x, back}, way);
        return;
    }
    canvas.arrow({loss.x, back}, {z.x + radius, back}, Stroke(Ink::learned, 2.5f));
    // Stopped at the die.
    const float arm = canvas.px(5);
    const Vec stop = {z.x + radius - canvas.px(8), back};
    canvas.line(stop - Vec{arm, arm}, stop + Vec{arm, arm}, Stroke(Ink::alarm, 2.5f));
    canvas.line(stop - Vec{arm, -arm}, stop + Vec{arm, -arm}, Stroke(Ink::alarm, 2.5f));
    // Around it: L only weighs the score of q.
    const float over = y - 2.1f * radius;
    const Stroke around(Ink::noise, 1.75f, Dash::dashed);
    canvas.polyline({{loss.x, y - radius}, {loss.x, over}, {code.x, over}}, around);
    canvas.arrow({code.x, over}, {code.x, y - radius - canvas.px(2)}, Stroke(Ink::noise, 1.75f));
    canvas.text({middle, over - canvas.px(2)}, "L ∇ log q(z)",
                {.paint = Ink::faint, .size = Size::small, .anchor = {0.5f, 1}});
}

// Both histograms over the same values of the gradient, each as high as its own highest bar.
void drawSpreads(Canvas& canvas, const core::Frame& frame, Rect where) {
    where.cutLeft(canvas.px(12));
    float reach = 0;
    for (const Estimator& e : estimators)
        if (const core::Tensor* t = frame.find(e.samples)) {
            std::vector<float> size;
            for (float v : t->values) size.push_back(std::abs(v));
            if (const float q = quantile(std::move(size), 0.98); q > reach) reach = q;
        }
    const bool known = reach > 0;
    const Axis x = axisOver(known ? -reach : -1, known ? reach : 1, "∂L/∂μ_1");
    const Axis y{.low = 0, .high = 2, .ticks = false};
    Plot plot = canvas.plot("spreads", {.x = x, .y = y, .grid = false}, where);
    constexpr int bins = 61;
    for (int row = 0; row < 2; ++row) {
        const Estimator& e = estimators[row];
        const double base = 1 - row;
        plot.horizontal(base, Stroke(Ink::grid, 1));
        const core::Tensor* t = frame.find(e.samples);
        if (!t) continue;
        std::vector<int> counts(bins, 0);
        double sum = 0, n = 0;
        for (float v : t->values) {
            if (!std::isfinite(v)) continue;
            const double u = (v - x.low) / (x.high - x.low) * bins;
            ++counts[size_t(std::clamp(u, 0., bins - 1.))];
            sum += v, n += 1;
        }
        const int most = std::max(1, *std::max_element(counts.begin(), counts.end()));
        const double width = (x.high - x.low) / bins;
        for (int i = 0; i < bins; ++i)
            if (counts[size_t(i)] > 0)
                plot.box(x.low + i * width, base, x.low + (i + 1) * width,
                         base + 0.85 * counts[size_t(i)] / most, Paint(e.ink, 0.85f));
        if (n > 0)
            plot.line(Series::of(std::array{float(sum / n), float(sum / n)},
                                 std::array{float(base), float(base + 0.95)}),
                      Stroke(Ink::selection, 2));
    }
    if (!known) canvas.empty("Single draws of both estimators appear here.", plot.rect());
}

void drawVariances(Canvas& canvas, const core::Frame& frame, Rect where) {
    double low = INFINITY, high = 0;
    for (const Estimator& e : estimators) {
        const double v = frame.scalar(e.variance, NAN);
        if (!(v > 0) || !std::isfinite(v)) continue;
        low = std::min(low, std::pow(10, std::floor(std::log10(v)) - 1));
        high = std::max(high, std::pow(10, std::ceil(std::log10(v) + 0.1)));
    }
    if (high <= 0) low = 1e-3, high = 1e3;
    Plot plot = canvas.plot("variances",
                            {.x = {.low = low, .high = high, .label = "Var ∇", .log = true},
                             .y = {.low = 0, .high = 2, .ticks = false}},
                            where);
    for (int row = 0; row < 2; ++row) {
        const Estimator& e = estimators[row];
        const double v = frame.scalar(e.variance, NAN);
        if (v > 0 && std::isfinite(v))
            plot.box(low, 1 - row + 0.15, std::clamp(v, low, high), 1 - row + 0.85, Paint(e.ink, 0.85f));
        plot.text(low, 1 - row + 0.5, fmt::format(" {}", figure(v)), Ink::text, {0, 0.5f});
    }
}

}  // namespace

void drawGradientPaths(Canvas& canvas, const core::Frame& frame) {
    Rect area = canvas.area();
    Rect ways = area.cutTop(std::clamp(area.height() * 0.52f, canvas.px(96), canvas.px(170)));
    ways = ways.inset(canvas.px(2));
    drawWay(canvas, ways.column(0, 2, canvas.px(24)), false);
    drawWay(canvas, ways.column(1, 2, canvas.px(24)), true);
    area.cutTop(canvas.px(8));
    Rect spreads = area.cutLeft(area.width() * 0.56f);
    area.cutLeft(canvas.px(24));
    drawSpreads(canvas, frame, spreads);
    drawVariances(canvas, frame, area);
}

}  // namespace views::vae
