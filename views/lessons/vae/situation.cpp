#include "views/lessons/vae/situation.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

namespace views::vae {

Situation situationOf(const core::Frame& frame) {
    Situation s;
    s.zDim = std::max(1, int(std::lround(setting(frame, "z_dim", 2))));
    const std::string data = choiceOf(frame, "data", "fashion");
    if (data == "linear-gaussian") {
        s.kind = Kind::exact;
    } else if (const core::Tensor* x = frame.find("real") ? frame.find("real") : frame.find("inputs")) {
        s.kind = sideOf(size_t(x->shape.columns())) > 0 ? Kind::images : Kind::points;
    } else {
        s.kind = data == "fashion" || data == "shapes" ? Kind::images : Kind::points;
    }
    return s;
}

std::array<int, 2> planeOf(const core::Frame& frame) {
    const auto axes = rowOf(frame.find("plane_axes"));
    if (axes.size() != 2 || !allFinite(axes)) return {0, 1};
    const auto known = [&](float axis) { return axis >= 0 && axis < float(situationOf(frame).zDim); };
    return known(axes[0]) && known(axes[1]) ? std::array{int(axes[0]), int(axes[1])} : std::array{0, 1};
}

void drawDatum(Canvas& canvas, const std::string& id, std::span<const float> x, Rect where, Paint paint) {
    const float length = std::min(where.width(), where.height());
    const Vec c = where.centre();
    const Rect square = {c.x - length / 2, c.y - length / 2, c.x + length / 2, c.y + length / 2};
    if (const int side = sideOf(x.size())) {
        canvas.image(x, side, side, square);
        return;
    }
    if (x.empty() || !allFinite(x)) {
        canvas.outline(square, Stroke(Ink::grid, 1));
        return;
    }
    if (x.size() == 2) {
        Plot plane = canvas.plot(id,
                                 {.x = {.low = -3, .high = 3, .ticks = false},
                                  .y = {.low = -3, .high = 3, .ticks = false},
                                  .equal = true,
                                  .grid = false},
                                 square);
        plane.horizontal(0, Stroke(Ink::grid, 1));
        plane.vertical(0, Stroke(Ink::grid, 1));
        plane.points({&x[0], &x[1], 1, 1, 1}, paint, 4);
        return;
    }
    float reach = 1;
    for (float v : x) reach = std::max(reach, std::abs(v));
    const float bar = square.width() / float(x.size());
    for (size_t i = 0; i < x.size(); ++i) {
        const float top = c.y - x[i] / reach * length / 2, left = square.x0 + float(i) * bar;
        canvas.fill({left + 1, std::min(top, c.y), left + bar - 1, std::max(top, c.y)}, paint);
    }
    canvas.line({square.x0, c.y}, {square.x1, c.y}, Stroke(Ink::faint, 1));
}

Grid AggregateField::gridOf(std::span<const float> values) {
    if (values.size() < size_t(side * side)) return {};
    const double edge = reach + cell / 2;
    return {values, side, side, -edge, edge, -edge, edge};
}

double normalQuantile(double u) {
    constexpr double a[] = {-3.969683028665376e+01, 2.209460984245205e+02,  -2.759285104469687e+02,
                            1.383577518672690e+02,  -3.066479806614716e+01, 2.506628277459239e+00};
    constexpr double b[] = {-5.447609879822406e+01, 1.615858368580409e+02, -1.556989798598866e+02,
                            6.680131188771972e+01, -1.328068155288572e+01};
    constexpr double c[] = {-7.784894002430293e-03, -3.223964580411365e-01, -2.400758277161838e+00,
                            -2.549732539343734e+00, 4.374664141464968e+00,  2.938163982698783e+00};
    constexpr double d[] = {7.784695709041462e-03, 3.224671290700398e-01, 2.445134137142996e+00,
                            3.754408661907416e+00};
    const double p = std::clamp(u, 1e-9, 1 - 1e-9);
    if (p > 1 - 0.02425) return -normalQuantile(1 - p);
    if (p < 0.02425) {
        const double q = std::sqrt(-2 * std::log(p));
        return (((((c[0] * q + c[1]) * q + c[2]) * q + c[3]) * q + c[4]) * q + c[5]) /
               ((((d[0] * q + d[1]) * q + d[2]) * q + d[3]) * q + 1);
    }
    const double q = p - 0.5, r = q * q;
    return (((((a[0] * r + a[1]) * r + a[2]) * r + a[3]) * r + a[4]) * r + a[5]) * q /
           (((((b[0] * r + b[1]) * r + b[2]) * r + b[3]) * r + b[4]) * r + 1);
}

Vec manifoldPlace(int row, int column, int count) {
    const auto at = [count](int i) { return float(normalQuantile((double(i) + 0.5) / double(count))); };
    return {at(column), at(count - 1 - row)};
}

Paired paired(const core::History* a, const core::History* b) {
    Paired out;
    if (!a || !b) return out;
    // Both are sorted by step; a bucket of one belongs to the first bucket of the other that reaches it.
    size_t j = 0;
    for (const auto& bucket : a->buckets()) {
        while (j < b->buckets().size() && b->buckets()[j].step < bucket.step) ++j;
        if (j == b->buckets().size()) break;
        if (!std::isfinite(bucket.mean) || !std::isfinite(b->buckets()[j].mean)) continue;
        out.step.push_back(float(bucket.step));
        out.a.push_back(bucket.mean);
        out.b.push_back(b->buckets()[j].mean);
    }
    return out;
}

std::vector<float> smooth(const std::vector<float>& values) {
    const auto n = std::ptrdiff_t(values.size()), half = n / 100;
    std::vector<float> out;
    out.reserve(values.size());
    for (std::ptrdiff_t i = 0; i < n; ++i) {
        // As far back as forth, so that a falling curve is not drawn aside; at its end there is only the
        // past.
        const std::ptrdiff_t reach = std::min(half, i);
        const std::ptrdiff_t from = i - reach, to = std::min(n - 1, i + reach);
        double sum = 0;
        for (std::ptrdiff_t j = from; j <= to; ++j) sum += values[size_t(j)];
        out.push_back(float(sum / double(to - from + 1)));
    }
    return out;
}

void Cursor::point(const std::string& from, Vec at, std::array<int, 2> axes, int zDim, const SetHandle& set) {
    std::vector<float> next(size_t(zDim), 0.f);
    for (size_t i : {0, 1})
        if (axes[i] < zDim) next[size_t(axes[i])] = i ? at.y : at.x;
    if (panel == from && next == z) return;
    panel = from;
    z = std::move(next);
    set("latent_point", z);
}

void Cursor::leave(const std::string& from) {
    if (panel != from) return;
    panel.clear();
    z.clear();
}

}  // namespace views::vae
