#include "views/lessons/vae/bound.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace views::vae {

namespace {

// Steps of 1, 2 and 5: the smallest that holds the value.
double roundUp(double value) {
    if (!(value > 0) || !std::isfinite(value)) return 1;
    const double ten = std::pow(10, std::floor(std::log10(value)));
    for (double step : {1., 2., 5., 10.})
        if (value <= step * ten * (1 + 1e-9)) return step * ten;
    return 10 * ten;
}

double lastStep(const core::Frame& frame) {
    return std::max<double>(10, double(frame.step));
}

Series over(const std::vector<float>& x, const std::vector<float>& y) {
    return Series::of(std::span<const float>(x), std::span<const float>(y));
}

std::vector<float> meansOf(const core::History* history) {
    std::vector<float> means;
    if (history)
        for (const auto& bucket : history->buckets()) means.push_back(bucket.mean);
    return means;
}

std::string barLabel(const std::string& label, double value) {
    return "  " + label + "  " + figure(value, 4);
}

// The bars of the identity and of the ladder: they end at their value, and begin at the left.
void drawBar(Plot& plot, double row, double low, double value, Paint paint, const std::string& label,
             double labelAt = 0.5) {
    if (!std::isfinite(value)) return;
    plot.box(low, row + 0.12, value, row + 0.88, paint);
    plot.text(low, row + labelAt, barLabel(label, value), Ink::text, {0, 0.5f});
}

void drawLadder(Canvas& canvas, const core::Frame& frame, Rect where) {
    where.cutLeft(canvas.px(16));
    const double k1 = frame.scalar("iwae_1", NAN), k8 = frame.scalar("iwae_8", NAN),
                 k64 = frame.scalar("iwae_64", NAN);
    const double best = std::isfinite(k64) ? k64 : 0, first = std::isfinite(k1) ? k1 : best - 1;
    const double span = roundUp(std::max(1e-3, 1.6 * std::abs(best - first)));
    const double tick = span / 5, high = std::ceil(best / tick + 0.5) * tick, low = high - 1.2 * span;
    Plot plot = canvas.plot("ladder",
                            {.x = {.low = low, .high = high, .label = "nats"},
                             .y = {.low = 0, .high = 3, .ticks = false},
                             .grid = true},
                            where);
    drawBar(plot, 2, low, k1, Paint(Ink::learned, 0.55f), "K = 1, ELBO");
    drawBar(plot, 1, low, k8, Paint(Ink::learned, 0.7f), "K = 8");
    drawBar(plot, 0, low, k64, Paint(Ink::learned, 0.9f), "K = 64");
    if (std::isfinite(k64)) {
        plot.vertical(k64, Stroke(Ink::exact, 2, Dash::dashed));
        plot.text(k64, 2.94, " ≤ log p(x)", Ink::exact, {0, 0});
    } else {
        canvas.empty("Bounds with 1, 8 and 64 draws appear here.", plot.rect());
    }
}

void drawExactIdentity(Canvas& canvas, const core::Frame& frame, Rect where) {
    where.cutLeft(canvas.px(16));
    // The bound of the same data as log p: the scalar `elbo` belongs to the training batch.
    const double logP = frame.scalar("log_p", NAN), gap = frame.scalar("gap", NAN), elbo = logP - gap;
    const double span = roundUp(std::max(0.05, 1.6 * (std::isfinite(gap) ? std::abs(gap) : 1)));
    const double top = std::isfinite(logP) ? logP : 0, tick = span / 5;
    const double high = std::ceil(top / tick + 0.5) * tick, low = high - 1.2 * span;
    Plot plot = canvas.plot("identity",
                            {.x = {.low = low, .high = high, .label = "nats"},
                             .y = {.low = 0, .high = 2, .ticks = false},
                             .grid = true},
                            where);
    drawBar(plot, 1, low, logP, Paint(Ink::exact, 0.6f), "log p(x)");
    const std::string missing = canvas.words("gap") + " " + figure(gap) + " ";
    // The one above the other where they do not fit side by side.
    const float room = plot.place(logP, 0).x - plot.rect().x0;
    const bool beside =
        canvas.measure(barLabel("ELBO", elbo) + missing, Size::small).x + canvas.px(12) < room;
    drawBar(plot, 0, low, elbo, Paint(Ink::learned, 0.75f), "ELBO", beside ? 0.5 : 0.28);
    if (std::isfinite(logP) && std::isfinite(elbo)) {
        plot.box(elbo, 0.12, logP, 0.88, Paint(Ink::selection, 0.55f));
        plot.vertical(logP, Stroke(Ink::exact, 2, Dash::dashed));
        plot.text(logP, beside ? 0.5 : 0.72, missing, Ink::text, {1, 0.5f});
    } else {
        canvas.empty("Log-likelihood, bound and gap appear here.", plot.rect());
    }
}

}  // namespace

void drawCollapseAlarm(Canvas& canvas, const core::Frame& frame, Rect& area) {
    // The codes of an encoder that has not learned yet say nothing either.
    constexpr int firstSteps = 100;
    if (!(frame.scalar("collapse_alarm") >= 0.5f) || frame.step < firstSteps) return;
    const Rect strip = area.cutTop(canvas.lineHeight() + canvas.px(8));
    area.cutTop(canvas.px(4));
    canvas.fill(strip, Paint(Ink::alarm, 0.18f), 4);
    canvas.outline(strip, Stroke(Ink::alarm, 1.5f), 4);
    canvas.text({strip.x0 + canvas.px(8), strip.centre().y}, "Collapse: the codes say nothing",
                {.paint = Ink::alarm, .anchor = {0, 0.5f}});
}

namespace {

// Two strokes across the foot of the vertical axis: it does not begin at zero.
void markBroken(Canvas& canvas, const Plot& plot) {
    const Rect& r = plot.rect();
    const float half = canvas.px(5), rise = canvas.px(2.5f), foot = r.y1 - canvas.px(12);
    canvas.fill({r.x0, foot - canvas.px(2), r.x0 + 2 * half, foot + canvas.px(2)}, Ink::background);
    for (const float y : {foot - canvas.px(2), foot + canvas.px(2)})
        canvas.line({r.x0, y + rise}, {r.x0 + 2 * half, y - rise}, Stroke(Ink::faint, 1.5f));
}

}  // namespace

void drawElbo(Canvas& canvas, const core::Frame& frame) {
    Rect area = canvas.area();
    drawCollapseAlarm(canvas, frame, area);
    const auto value = [&](const char* channel) { return figure(frame.scalar(channel, NAN), 4); };
    drawNumbers(canvas, area.cutTop(canvas.px(numbersHeight)),
                {{"ELBO", value("elbo")},
                 {"KL", value("kl"), Ink::learned},
                 {"reconstruction", value("reconstruction"), Ink::generated},
                 {"ELBO, test", value("elbo_test")}});
    area.cutTop(canvas.px(4));

    Paired both = paired(historyOf(frame, "reconstruction"), historyOf(frame, "kl"));
    both.a = smooth(both.a);
    both.b = smooth(both.b);
    std::vector<float> total, base;
    for (size_t i = 0; i < both.a.size(); ++i) total.push_back(both.a[i] + both.b[i]);
    // The early steps come from far above. The axis begins at zero, unless the tax could not be seen then on
    // top of a cost that is many times larger.
    const auto late = std::ptrdiff_t(both.a.size() / 10);
    const double least = quantile({both.a.begin() + late, both.a.end()}, 0.01);
    const double most = quantile({total.begin() + late, total.end()}, 0.98);
    const double tax = quantile({both.b.begin() + late, both.b.end()}, 0.5);
    const bool whole = least >= 0 && tax > 0.15 * most;
    const double low = whole ? 0 : least - 0.25 * (most - least);
    const Axis y = std::isfinite(low) && most > low ? axisOver(low, most + 0.05 * (most - low), "nats")
                                                    : Axis{.low = 0, .high = 600, .label = "nats"};
    const Axis x{.low = 0, .high = lastStep(frame), .label = "step"};
    Plot plot = canvas.plot("elbo", {.x = x, .y = y}, area);
    if (both.empty()) return canvas.empty("Reconstruction and KL appear with the first steps.", plot.rect());
    // An area stands for what it measures from zero: without one only the tax is filled.
    if (y.low == 0) {
        plot.area(over(both.step, both.a), 0, Paint(Ink::generated, 0.35f));
    } else {
        markBroken(canvas, plot);
    }
    plot.area(over(both.step, total), over(both.step, both.a), Paint(Ink::learned, 0.75f));
    plot.line(over(both.step, both.a), Stroke(Ink::generated, 1.75f));
    if (const core::History* test = historyOf(frame, "elbo_test")) {
        std::vector<float> step, loss;
        for (const auto& bucket : test->buckets()) {
            step.push_back(float(bucket.step));
            loss.push_back(-bucket.mean);
        }
        plot.line(over(step, loss), Stroke(Ink::text, 1.5f, Dash::dashed));
        if (!step.empty()) plot.text(step.back(), loss.back(), "test ", Ink::text, {1, 1.2f});
    }
}

void drawKlDimensions(Canvas& canvas, const core::Frame& frame) {
    Rect area = canvas.area();
    drawCollapseAlarm(canvas, frame, area);
    const auto kl = rowOf(frame.find("kl_dims"));
    const int n = kl.empty() ? situationOf(frame).zDim : int(kl.size());
    const float active = frame.scalar("active_units", NAN);
    const bool counted = std::isfinite(active) && active >= 0 && active <= float(n);
    drawNumbers(canvas, area.cutTop(canvas.px(numbersHeight)),
                {{"active codes", counted ? count(std::lround(active)) : "–", Ink::learned},
                 {"silent", counted ? count(n - std::lround(active)) : "–", Ink::noise},
                 {"KL, nats", figure(frame.scalar("kl", NAN))}});
    area.cutTop(canvas.px(4));

    // Burda et al. 2016: a code is active when the variance of its mean over the data exceeds 0.01.
    const core::Tensor* codes = frame.find("codes");
    const auto silent = [&](int k) {
        if (!codes || codes->shape.columns() != n) return kl[size_t(k)] < 0.01f;
        double sum = 0, squares = 0, count = 0;
        for (size_t i = size_t(k); i < codes->values.size(); i += size_t(n)) {
            const double mu = codes->values[i];
            if (!std::isfinite(mu)) continue;
            sum += mu, squares += mu * mu, count += 1;
        }
        return count < 2 || squares / count - sum / count * (sum / count) <= 0.01;
    };
    float most = 1;
    for (float v : kl)
        if (std::isfinite(v)) most = std::max(most, v);
    const double freeBits = setting(frame, "free_bits", 0);
    const Axis y = axisOver(0, std::max(double(most), freeBits) * 1.2, "nats");
    const Axis x{.low = 0.5, .high = n + 0.5, .label = n > 4 ? "k" : "", .ticks = n > 4};
    if (n <= 4) area.cutBottom(canvas.px(6));  // half a tick label
    Plot plot = canvas.plot("kl", {.x = x, .y = y}, area);
    if (kl.empty()) return canvas.empty("The divergence of every code appears here.", plot.rect());
    for (int k = 0; k < n; ++k) {
        const float v = kl[size_t(k)];
        if (!std::isfinite(v)) continue;
        plot.box(k + 0.65, 0, k + 1.35, std::max(v, 0.f), silent(k) ? Ink::noise : Ink::learned);
        if (n > 4) continue;
        plot.text(k + 1, std::max(v, 0.f), figure(v), Ink::text, {0.5f, 1});
        plot.text(k + 1, 0, fmt::format("z_{}", k + 1), Ink::text, {0.5f, 1.1f});
    }
    if (freeBits > 0) plot.horizontal(freeBits, Stroke(Ink::selection, 1.5f, Dash::dashed), "λ");
    plot.horizontal(0.01, Stroke(Ink::exact, 1, Dash::dashed));
}

void drawIdentity(Canvas& canvas, const core::Frame& frame) {
    Rect area = canvas.area();
    const bool exact = situationOf(frame).kind == Kind::exact;
    const bool room = area.height() > canvas.px(220);
    const Rect bars =
        room ? area.cutTop(std::clamp(area.height() * 0.45f, canvas.px(110), canvas.px(170))) : area;
    exact ? drawExactIdentity(canvas, frame, bars) : drawLadder(canvas, frame, bars);
    if (!room) return;
    area.cutTop(canvas.px(8));

    std::vector<Curve> curves;
    std::vector<float> values;
    const auto add = [&](Curve curve) {
        const std::vector<float> means = meansOf(curve.history);
        // The first steps are far below, and would flatten everything after them.
        values.insert(values.end(), means.begin() + std::ptrdiff_t(means.size() / 5), means.end());
        curves.push_back(std::move(curve));
    };
    core::History elbo;
    if (exact) {
        const Paired both = paired(historyOf(frame, "log_p"), historyOf(frame, "gap"));
        for (size_t i = 0; i < both.step.size(); ++i) elbo.add(int64_t(both.step[i]), both.a[i] - both.b[i]);
        add(curveOf(frame, "log_p", "log p(x)", Stroke(Ink::exact, 1.75f, Dash::dashed)));
        add({&elbo, "ELBO", Ink::learned});
    } else {
        add(curveOf(frame, "iwae_64", "K 64", Ink::learned));
        add(curveOf(frame, "iwae_8", "K 8", Paint(Ink::learned, 0.75f)));
        add(curveOf(frame, "iwae_1", "K 1", Paint(Ink::learned, 0.5f)));
    }
    PlotStyle style{.x = {.label = "step"}, .y = {.label = "nats"}};
    if (const float low = quantile(values, 0.02); std::isfinite(low))
        style.y = axisOver(low, std::max(low + 1e-3f, quantile(values, 1)), "nats");
    canvas.history("bounds", curves, style, area);
}

void drawRateDistortion(Canvas& canvas, const core::Frame& frame) {
    Paired trail = paired(historyOf(frame, "rate"), historyOf(frame, "distortion"));
    trail.a = smooth(trail.a);
    trail.b = smooth(trail.b);
    // The end of the trail, not the last batch alone: the point would tremble.
    const double rate = trail.empty() ? NAN : trail.a.back(),
                 distortion = trail.empty() ? NAN : trail.b.back();
    const double beta = frame.scalar("beta_now", float(setting(frame, "beta", 1)));
    Axis x{.low = 0, .high = 20, .label = "R, nats"}, y{.low = 200, .high = 400, .label = "D, nats"};
    if (trail.step.size() > 1) {
        // The first tenth comes from far away.
        const auto late = std::ptrdiff_t(trail.step.size() / 10);
        const std::vector<float> r(trail.a.begin() + late, trail.a.end()),
            d(trail.b.begin() + late, trail.b.end());
        const double most = quantile(r, 1), low = quantile(d, 0), high = quantile(d, 1);
        const double air = std::max(0.15 * (high - low), 0.5);
        x = axisOver(0, std::max(1., most * 1.2), "R, nats");
        y = axisOver(low - air, high + air, "D, nats");
    }
    Rect area = canvas.area();
    drawKeyAbove(canvas, area,
                 {{"R, D", Ink::learned, LegendEntry::line}, {"D + β R", Ink::exact, LegendEntry::dashed}});
    Plot plot = canvas.plot("plane", {.x = x, .y = y}, area);
    if (!std::isfinite(rate) || !std::isfinite(distortion))
        return canvas.empty("Rate and distortion appear with the first step.", plot.rect());
    plot.line(over(trail.a, trail.b), Stroke(Paint(Ink::learned, 0.55f), 1.5f));

    // Where beta stayed for a while, the end of that while is a point of the curve.
    const Paired betas = paired(historyOf(frame, "rate"), historyOf(frame, "beta_now"));
    const size_t n = std::min(betas.step.size(), trail.step.size());
    for (size_t i = 4, since = 0; i < n; ++i) {
        if (betas.b[i] == betas.b[i - 1]) continue;
        if (i - since > 4) {
            plot.points({&trail.a[i - 1], &trail.b[i - 1], 1, 1, 1}, Ink::learned, 4);
            plot.text(trail.a[i - 1], trail.b[i - 1], " β " + figure(betas.b[i - 1], 2), Ink::faint, {0, 1});
        }
        since = i;
    }

    // D + beta R is the loss: its level through the point; training moves the point below it.
    const double across = x.high - x.low;
    plot.line(Series::of(std::array{float(rate - across), float(rate + across)},
                         std::array{float(distortion + beta * across), float(distortion - beta * across)}),
              Stroke(Ink::exact, 1.25f, Dash::dashed));
    const float here[] = {float(rate), float(distortion)};
    plot.points({&here[0], &here[1], 1, 1, 1}, Ink::learned, 4);
    plot.ring(rate, distortion, Ink::selection, 8, 2.5f);
    const bool right = rate > x.low + 0.6 * (x.high - x.low);
    const std::string label = fmt::format("β = {}", figure(beta));
    plot.text(rate, distortion, right ? label + "    " : "    " + label, Ink::text,
              {right ? 1.f : 0.f, 1.1f});
}

}  // namespace views::vae
