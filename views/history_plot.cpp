// Curves over training steps.
#include <imgui.h>

#include <cmath>
#include <limits>

#include "views/canvas.h"

namespace views {

namespace {

// A history at the plot's resolution: at most one place a pixel column.
struct Trace {
    std::vector<float> step, mean, low, high;
};

Trace traceOf(const core::History& history, int columns) {
    Trace trace;
    const auto& buckets = history.buckets();
    if (buckets.empty()) return trace;
    const size_t stride = std::max<size_t>(1, (buckets.size() + size_t(columns) - 1) / size_t(columns));
    for (size_t i = 0; i < buckets.size(); i += stride) {
        double sum = 0;
        int count = 0;
        float low = std::numeric_limits<float>::infinity(), high = -low;
        const size_t end = std::min(buckets.size(), i + stride);
        for (size_t k = i; k < end; ++k) {
            if (!std::isfinite(buckets[k].mean)) continue;
            sum += double(buckets[k].mean) * buckets[k].count;
            count += buckets[k].count;
            low = std::min(low, buckets[k].low);
            high = std::max(high, buckets[k].high);
        }
        constexpr float gap = std::numeric_limits<float>::quiet_NaN();
        trace.step.push_back(float(buckets[end - 1].step));
        trace.mean.push_back(count ? float(sum / count) : gap);
        trace.low.push_back(count ? low : gap);
        trace.high.push_back(count ? high : gap);
    }
    return trace;
}

// The values between the 1st and the 99th percentile: one spike does not flatten a curve.
std::pair<double, double> usualRange(std::vector<float> values) {
    std::erase_if(values, [](float v) { return !std::isfinite(v); });
    if (values.empty()) return {1, 0};
    const auto at = [&](double share) {
        const auto k = std::lround(share * double(values.size() - 1));
        std::nth_element(values.begin(), values.begin() + k, values.end());
        return double(values[size_t(k)]);
    };
    return {at(0.01), at(0.99)};
}

// Keeps the range of the last frame while the data fill at least half of it: axes do not tremble.
Axis steady(std::map<std::string, Axis>& remembered, const std::string& key, const Axis& wanted) {
    const auto [it, first] = remembered.try_emplace(key, wanted);
    Axis& kept = it->second;
    const bool fits =
        kept.log == wanted.log && wanted.low >= kept.low - 1e-12 && wanted.high <= kept.high + 1e-12;
    const double keptSpan = kept.log ? std::log(kept.high / kept.low) : kept.high - kept.low;
    const double span = kept.log ? std::log(wanted.high / wanted.low) : wanted.high - wanted.low;
    if (!fits || span < keptSpan / 2) kept = wanted;
    kept.label = wanted.label;
    return kept;
}

}  // namespace

Curve curveOf(const core::Frame& frame, const std::string& channel, std::string label, Stroke stroke) {
    const auto it = frame.histories.find(channel);
    return {it == frame.histories.end() ? nullptr : &it->second, std::move(label), stroke};
}

void Canvas::history(const std::string& id, const std::vector<Curve>& curves, PlotStyle style) {
    history(id, curves, std::move(style), m_area);
}

void Canvas::history(const std::string& id, const std::vector<Curve>& curves, PlotStyle style, Rect where) {
    std::vector<Trace> traces;
    double low = std::numeric_limits<double>::infinity(), high = -low;
    int64_t last = 0;
    for (const Curve& curve : curves) {
        traces.push_back(curve.history ? traceOf(*curve.history, std::max(16, int(where.width() / 1.5f)))
                                       : Trace{});
        std::vector<float> values = traces.back().mean;
        if (style.y.log) std::erase_if(values, [](float v) { return !(v > 0); });
        const auto [from, to] = usualRange(values);
        if (from <= to) {
            low = std::min(low, from);
            high = std::max(high, to);
        }
        const float now = curve.history ? curve.history->last() : NAN;
        if (std::isfinite(now) && (!style.y.log || now > 0) && curve.history && !curve.history->empty()) {
            low = std::min(low, double(now));
            high = std::max(high, double(now));
        }
        if (curve.history && !curve.history->empty()) {
            last = std::max(last, curve.history->buckets().back().step);
        }
        style.ends.push_back(curve.label);
    }
    style.endValues = true;
    const bool given = style.y.low != 0 || style.y.high != 1;
    if (!given) {
        const Axis wanted = axisOver(low, high, style.y.label, style.y.log);
        style.y = steady(m_memory.axes, m_id + "/" + id, wanted);
    }
    if (style.x.label.empty()) style.x.label = "step";
    style.x.low = 0;
    style.x.high = double(std::max<int64_t>(10, last));

    Plot plot(*this, id, where, style);
    bool any = false;
    for (const Trace& trace : traces) any = any || !trace.step.empty();
    if (!any) {
        empty("The curves begin with the first step.", plot.rect());
    }
    for (size_t i = 0; i < curves.size(); ++i) {
        Paint band = curves[i].stroke.paint;
        band.alpha *= 0.2f;
        plot.area(Series::of(traces[i].step, traces[i].high), Series::of(traces[i].step, traces[i].low),
                  band);
    }
    for (size_t i = 0; i < curves.size(); ++i) {
        const Series series = Series::of(traces[i].step, traces[i].mean);
        plot.line(series, curves[i].stroke);
        // What is measured seldom is a few places: each can be seen.
        if (series.size <= 16) plot.points(series, curves[i].stroke.paint, 2.5f);
    }
    for (size_t i = 0; i < curves.size(); ++i) {
        const bool there = curves[i].history && !curves[i].history->empty();
        const double now = there ? double(curves[i].history->last()) : NAN;
        // The label stands at the end of the drawn line, which is calmer than the latest value.
        const double end = traces[i].mean.empty() ? now : double(traces[i].mean.back());
        plot.endLabel(end, curves[i].label, curves[i].stroke.paint, now);
    }

    // The values at the step under the mouse.
    if (const auto at = plot.hover(); at && any) {
        plot.vertical(double(at->x), Stroke(Ink::selection, 1));
        std::string tip = words(style.x.label) + " " + count(std::llround(at->x));
        for (size_t i = 0; i < curves.size(); ++i) {
            const Trace& trace = traces[i];
            const auto found = std::lower_bound(trace.step.begin(), trace.step.end(), at->x);
            if (found == trace.step.end()) continue;
            const auto k = size_t(found - trace.step.begin());
            tip += "\n" + words(curves[i].label) + "  " + figure(double(trace.mean[k]));
        }
        tooltip(tip);
    }
}

}  // namespace views
