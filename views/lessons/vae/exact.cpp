#include "views/lessons/vae/exact.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace views::vae {

namespace {

constexpr int mostPlots = 4;

// The encoder's mean of one hidden number against the true one: learned when all lie on the diagonal.
void drawMeans(Canvas& canvas, const core::Frame& frame, int k, Rect where) {
    const core::Tensor *exact = frame.find("exact_mean"), *encoder = frame.find("encoder_mean");
    const std::string name = "_{" + std::to_string(k + 1) + "}";
    Plot plot = canvas.plot("mean" + name,
                            {.x = {.low = -4, .high = 4, .label = "E[z" + name + "|x]"},
                             .y = {.low = -4, .high = 4, .label = "μ" + name + "(x)"},
                             .equal = true},
                            where);
    const float ends[] = {-4, 4};
    plot.line({ends, ends, 2, 1, 1}, Stroke(Ink::exact, 2, Dash::dashed));
    if (!exact || !encoder || exact->shape.columns() <= k || encoder->shape.columns() <= k) {
        canvas.empty("The encoder's means against the true ones.", plot.rect());
        return;
    }
    const auto a = size_t(exact->shape.columns()), b = size_t(encoder->shape.columns());
    plot.points({exact->values.data() + k, encoder->values.data() + k,
                 std::min(exact->values.size() / a, encoder->values.size() / b), a, b},
                Paint(Ink::learned, 0.8f));
}

// The true posterior's ellipse and the encoder's, both about the origin: the widths alone.
void drawWidths(Canvas& canvas, const core::Frame& frame, Rect where) {
    const auto exact = rowOf(frame.find("exact_sd")), encoder = rowOf(frame.find("encoder_sd"));
    const int n = exact.empty() ? situationOf(frame).zDim : int(exact.size());
    double most = 1;
    for (auto row : {exact, encoder})
        for (float v : row)
            if (std::isfinite(v)) most = std::max(most, double(v));
    where.cutBottom(canvas.px(6));  // half a tick label
    drawKeyAbove(canvas, where,
                 {{"p(z|x)", Ink::exact, LegendEntry::dashed}, {"q(z|x)", Ink::learned, LegendEntry::area}});
    const Axis x{.low = 0.5, .high = n + 0.5, .label = n > 4 ? "k" : "", .ticks = n > 4};
    const Axis y = axisOver(0, most * 1.1, "σ_k");
    Plot plot = canvas.plot("widths", {.x = x, .y = y}, where);
    plot.horizontal(1, Stroke(Ink::noise, 1.25f), "p(z)");
    if (exact.empty() && encoder.empty()) return canvas.empty("The widths of both posteriors.", plot.rect());
    for (int k = 0; k < n; ++k) {
        if (size_t(k) < encoder.size() && std::isfinite(encoder[size_t(k)]))
            plot.box(k + 0.7, 0, k + 1.3, encoder[size_t(k)], Paint(Ink::learned, 0.8f));
        if (size_t(k) < exact.size() && std::isfinite(exact[size_t(k)])) {
            const float y = exact[size_t(k)], x[] = {float(k) + 0.6f, float(k) + 1.4f}, ys[] = {y, y};
            plot.line({x, ys, 2, 1, 1}, Stroke(Ink::exact, 3, Dash::dashed));
        }
    }
    if (n > 4) return;
    for (int k = 0; k < n; ++k) plot.text(k + 1, 0, fmt::format("z_{}", k + 1), Ink::text, {0.5f, 1.1f});
}

}  // namespace

void drawExact(Canvas& canvas, const core::Frame& frame) {
    Rect area = canvas.area();
    const double logP = frame.scalar("log_p", NAN), gap = frame.scalar("gap", NAN);
    drawNumbers(canvas, area.cutTop(canvas.px(numbersHeight)),
                {{"log p(x)", figure(logP, 4), Ink::exact},
                 {"ELBO", figure(logP - gap, 4), Ink::learned},
                 {"gap", figure(gap)},
                 {"error of μ", figure(frame.scalar("posterior_error", NAN))}});
    area.cutTop(canvas.px(8));

    const core::Tensor* exact = frame.find("exact_mean");
    const int dims = exact ? int(exact->shape.columns()) : situationOf(frame).zDim;
    const int plots = std::min(dims, mostPlots);
    const Rect widths = area.width() > area.height() * 1.4f ? area.cutRight(area.width() * 0.28f)
                                                            : area.cutBottom(area.height() * 0.34f);
    area.width() > area.height() * 1.4f ? area.cutRight(canvas.px(8)) : area.cutBottom(canvas.px(8));
    const int columns = plots <= 2 ? plots : 2, rows = (plots + columns - 1) / columns;
    for (int k = 0; k < plots; ++k)
        drawMeans(canvas, frame, k,
                  area.row(k / columns, rows, canvas.px(8)).column(k % columns, columns, canvas.px(8)));
    drawWidths(canvas, frame, widths);
}

}  // namespace views::vae
