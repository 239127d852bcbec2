#include "views/lessons/ddpm/forward.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace views::ddpm {

namespace {

constexpr int bins = 40;

double below(double x, double mean, double width) {
    return width > 0 ? 0.5 * std::erfc((mean - x) / (width * std::numbers::sqrt2)) : x >= mean ? 1 : 0;
}

// The sampler's points or pictures at the time nearest to t.
std::vector<float> reverseAt(const core::Frame& frame, const SamplingPlace& place, double t) {
    const core::TrajectoryPtr run = runOf(frame, place.run);
    if (!run || run->steps.empty()) return {};
    return run->values(core::Trajectory::state, stepAt(*run, t));
}

}  // namespace

std::vector<float> histogram(std::span<const float> values, int stride, int bins, double reach) {
    std::vector<float> shares(size_t(bins), 0.f);
    size_t n = 0;
    for (size_t i = 0; i < values.size(); i += size_t(stride), ++n) {
        const double at = (double(values[i]) + reach) / (2 * reach) * bins;
        if (at >= 0 && at < bins) shares[size_t(at)] += 1;
    }
    for (float& share : shares) share /= float(std::max<size_t>(1, n));
    return shares;
}

std::vector<float> closedFormHistogram(std::span<const float> x0, int stride, double signal, double noise,
                                       int bins, double reach) {
    std::vector<double> shares(size_t(bins), 0.0);
    size_t n = 0;
    for (size_t i = 0; i < x0.size(); i += size_t(stride), ++n) {
        double before = below(-reach, signal * double(x0[i]), noise);
        for (int b = 0; b < bins; ++b) {
            const double edge = below(-reach + 2 * reach * (b + 1) / bins, signal * double(x0[i]), noise);
            shares[size_t(b)] += edge - before;
            before = edge;
        }
    }
    std::vector<float> out;
    for (const double share : shares) out.push_back(float(share / double(std::max<size_t>(1, n))));
    return out;
}

// Shares at x as bars, the closed form as a dashed line, N(0, 1) as a dotted one.
void Forward::drawHistogram(Canvas& canvas, const core::Frame& frame, std::span<const float> reverse,
                            Rect where) const {
    const core::Tensor *chain = frame.find("chain_xt"), *x0 = frame.find("forward_x0");
    const double reach = extent, t = std::max(1.0, m_t);
    const Moment moment = momentAt(frame, t);
    const int stride = kindOf(frame) == Kind::points ? 2 : 1;
    const std::vector<float> bars =
        chain ? histogram(chain->values, stride, bins, reach) : std::vector<float>();
    std::vector<float> curve;
    if (x0 && frame.find("schedule")) {
        // Of what the chain began with; some two thousand numbers are enough for a curve.
        const std::span<const float> known(x0->values);
        const auto all = chain ? known.first(std::min(known.size(), chain->values.size())) : known;
        const auto every = std::max<size_t>(1, all.size() / size_t(stride) / 2000);
        curve = closedFormHistogram(all, stride * int(every), std::sqrt(moment.abar),
                                    std::sqrt(1 - moment.abar), bins, reach);
    }
    const std::vector<float> back = histogram(reverse, stride, bins, reach);
    std::vector<float> middle, normal;
    float highest = 0.05f;
    for (int b = 0; b < bins; ++b) {
        const double low = -reach + 2 * reach * b / bins, high = low + 2 * reach / bins;
        middle.push_back(float((low + high) / 2));
        normal.push_back(float(below(high, 0, 1) - below(low, 0, 1)));
        if (!curve.empty()) highest = std::max(highest, curve[size_t(b)]);
        if (!bars.empty()) highest = std::max(highest, bars[size_t(b)]);
    }
    Plot plot = canvas.plot("histogram",
                            {.x = {.low = -reach, .high = reach, .label = stride == 2 ? "x_1" : "x"},
                             .y = {.low = 0, .high = double(highest) * 1.1, .ticks = false}},
                            where);
    plot.bars(Series::of(middle, bars), 2 * reach / bins, Paint(Ink::noise, 0.55f));
    if (!reverse.empty()) plot.line(Series::of(middle, back), Stroke(Ink::generated, 1.5f));
    plot.line(Series::of(middle, normal), Stroke(Ink::faint, 1.25f, Dash::dotted));
    plot.line(Series::of(middle, curve), Stroke(Ink::exact, 2, Dash::dashed));
    plot.text(reach, double(highest) * 1.1, "··· N(0, 1)", Ink::faint, {1, 0});
}

void Forward::draw(Canvas& canvas, const core::Frame& frame, const SamplingPlace& place, SharedTime& time,
                   const SamplingActions& actions) {
    Rect area = canvas.area();
    m_t = time.t();
    const float small = canvas.lineHeight(Size::small);
    time.ruler(canvas, "time", area.cutBottom(canvas.px(30)), frame, actions);
    const Rect words = area.cutTop(small + canvas.px(2));
    std::string told = "t = " + count(std::llround(std::max(1.0, m_t)));
    const float ks = frame.scalar("chain_ks", NAN), limit = frame.scalar("chain_ks_limit", NAN);
    std::string agreement;
    if (std::isfinite(ks) && std::isfinite(limit))
        agreement =
            " · KS " + figure(double(ks), 2) + (ks < limit ? " < " : " > ") + figure(double(limit), 2);
    const std::string signal = " · ᾱ = " + figure(momentAt(frame, m_t).abar);
    const auto fits = [&](const std::string& more) {
        return canvas.measure(told + more, Size::small).x <= words.width();
    };
    if (fits(signal + agreement)) told += signal;
    if (fits(agreement)) told += agreement;
    canvas.text({words.x0, words.y0}, told, {.paint = Ink::text, .size = Size::small});

    const std::vector<float> reverse = reverseAt(frame, place, m_t);
    const core::Tensor *chain = frame.find("chain_xt"), *closed = frame.find("forward_xt");
    const bool points = kindOf(frame) == Kind::points;
    // Beside another run there is room for the clouds or the histogram. Pictures want a little more of it, so
    // that twice their size fits where the window is small.
    const bool low = area.height() < canvas.px(110);
    // Their titles are the legend of the histogram.
    const auto clouds = squares(canvas, area,
                                {{"chain", Ink::noise, LegendEntry::area},
                                 {"closed form", Ink::exact, LegendEntry::dashed},
                                 {"sampler", Ink::generated, LegendEntry::line}},
                                area.height() * (low      ? 1
                                                 : points ? 0.5f
                                                          : 0.55f),
                                true);
    const std::span<const float> shown[] = {
        chain ? std::span<const float>(chain->values) : std::span<const float>(),
        closed ? std::span<const float>(closed->values) : std::span<const float>(), reverse};
    const Paint paints[] = {Ink::noise, Ink::exact, Ink::generated};
    for (size_t i = 0; i < 3; ++i) {
        if (points) {
            const Axis axis = planeAxis({}, false);
            Plot plot = canvas.plot("cloud" + std::to_string(i),
                                    {.x = axis, .y = axis, .equal = true, .grid = false}, clouds[i]);
            const auto n = std::min<size_t>(shown[i].size() / 2, 500);
            plot.points({shown[i].data(), shown[i].data() + 1, n, 2, 2}, paints[i], 1.25f);
            if (const auto* data = frame.find("forward_x0"); i == 1 && data && !closed)
                plot.points(Series::columns(data), Paint(Ink::data, 0.5f), 1.25f);
        } else if (closed) {
            const int side = sideOf(size_t(closed->shape.columns()));
            if (side > 0 && shown[i].size() >= size_t(side * side))
                canvas.image(dataPictures(shown[i].first(size_t(side * side)), side), clouds[i]);
        }
        canvas.outline(clouds[i], Stroke(Ink::grid, 1));
    }
    if (low) return;
    area.cutTop(canvas.px(4));
    if (!closed) return canvas.empty("Data and what the chain makes of it appear here.", area);
    drawHistogram(canvas, frame, reverse, area);
}

}  // namespace views::ddpm
