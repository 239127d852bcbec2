#include "views/lessons/ddpm/race.h"

#include <algorithm>
#include <cmath>

namespace views::ddpm {

namespace {

using core::Trajectory;

// By options of the knob `sampler`; the first one throws dice and follows no path. Without dice DDIM's step
// is Euler's in x / signal over noise / signal, number for number: one curve for both.
struct Sampler {
    const char* name;
    int option;
    bool random;
};
constexpr Sampler samplers[] = {
    {"DDPM", 0, true}, {"DDIM = Euler", 1, false}, {"Heun", 3, false}, {"DPM++ 2M", 4, false}};
constexpr int samplerCount = 4;

double rms(std::span<const float> a, std::span<const float> b) {
    double sum = 0;
    const size_t n = std::min(a.size(), b.size());
    for (size_t i = 0; i < n; ++i) sum += std::pow(double(a[i]) - double(b[i]), 2);
    return n ? std::sqrt(sum / double(n)) : NAN;
}

double figureOf(const Trajectory& run, const std::string& name) {
    const auto it = run.figures.find(name);
    return it == run.figures.end() ? NAN : it->second;
}

}  // namespace

void Race::start(const core::Frame& frame, const SamplingActions& actions) {
    if (!actions.sample || !actions.discard) return;
    for (const Entry& entry : m_entries)
        if (entry.run) actions.discard(entry.run);
    if (m_reference) actions.discard(m_reference);
    m_entries.clear();
    m_exact.clear();
    m_trainingStep = frame.step;
    const bool points = kindOf(frame) == Kind::points;
    const int count = points ? 0 : 4, finest = points ? 250 : 60;
    const auto ask = [&](int option, int steps) {
        core::SamplingRequest request{.seed = 1, .count = count};
        request.changes = {
            {"sampler", double(option)}, {"sampler_steps", double(steps)}, {"eta", 0}, {"added_noise", 1}};
        return actions.sample(request);
    };
    m_reference = ask(3, finest);
    for (int steps = 4; steps <= (points ? 64 : 32); steps *= 2)
        for (int i = 0; i < samplerCount; ++i)
            m_entries.push_back({.sampler = i, .steps = steps, .run = ask(samplers[i].option, steps)});
}

void Race::collect(const core::Frame& frame, const SamplingActions& actions) {
    const core::TrajectoryPtr reference = runOf(frame, m_reference);
    if (m_reference && reference && reference->complete()) {
        m_exact = reference->values(Trajectory::state, int(reference->steps.size()));
        actions.discard(m_reference);
        m_reference = 0;
    }
    if (m_exact.empty()) return;
    for (Entry& entry : m_entries) {
        const core::TrajectoryPtr run = runOf(frame, entry.run);
        if (!entry.run || !run || !run->complete()) continue;
        const auto end = run->values(Trajectory::state, int(run->steps.size()));
        entry.error = rms(end, m_exact);
        entry.distance = figureOf(*run, "w2");
        if (const double baseline = figureOf(*run, "w2_baseline"); std::isfinite(baseline)) {
            m_baseline = baseline;
            m_judged = figureOf(*run, "w2_count");
        }
        entry.evaluations = run->evaluations();
        entry.known = true;
        actions.discard(entry.run);
        entry.run = 0;
    }
}

void Race::drawCurves(Canvas& canvas, Rect where) const {
    double low = 1e300, high = 0, most = 100;
    const auto valueOf = [this](const Entry& entry) { return m_distances ? entry.distance : entry.error; };
    const auto drawn = [&](const Entry& entry) {
        return entry.known && (m_distances || !samplers[entry.sampler].random) && valueOf(entry) > 0 &&
               std::isfinite(valueOf(entry));
    };
    for (const Entry& entry : m_entries) {
        if (!drawn(entry)) continue;
        low = std::min(low, valueOf(entry));
        high = std::max(high, valueOf(entry));
        most = std::max(most, entry.evaluations);
    }
    if (high <= 0) low = 1e-3, high = 1;
    if (m_distances && m_baseline > 0) low = std::min(low, m_baseline);
    PlotStyle style =
        axes({.low = 3, .high = most * 1.1, .label = "evaluations", .log = true},
             axisOver(low, high,
                      m_distances ? distanceLabel(canvas, m_judged) : "distance from the exact end", true));
    for (const Sampler& sampler : samplers) style.ends.push_back(sampler.name);
    Plot plot = canvas.plot("race", style, where);
    if (m_distances && m_baseline > 0)
        plot.horizontal(m_baseline, Stroke(Ink::exact, 1.5f, Dash::dashed), "real");
    for (int i = 0; i < samplerCount; ++i) {
        std::vector<float> x, value;
        for (const Entry& entry : m_entries) {
            if (entry.sampler != i || !drawn(entry)) continue;
            x.push_back(float(entry.evaluations));
            value.push_back(float(valueOf(entry)));
        }
        if (x.empty()) continue;
        const Paint paint = Paint::ofClass(i);
        plot.line(Series::of(x, value), Stroke(paint, 2, samplers[i].random ? Dash::dotted : Dash::solid));
        plot.points(Series::of(x, value), paint, 3);
        plot.endLabel(double(value.back()), samplers[i].name, paint);
    }
    if (m_entries.empty()) canvas.empty("All samplers, from the same noise: press Start.", plot.rect());
}

void Race::draw(Canvas& canvas, const core::Frame& frame, const SamplingActions& actions) {
    Rect area = canvas.area();
    collect(frame, actions);
    Rect head = area.cutTop(canvas.px(22));
    area.cutTop(canvas.px(4));
    const auto button = [&](const std::string& id, const std::string& label) {
        const float width = canvas.measure(canvas.words(label), Size::small).x + canvas.px(20);
        const Rect where = head.cutLeft(width);
        head.cutLeft(canvas.px(8));
        return canvas.button(id, where, canvas.words(label));
    };
    if (button("start", "Start")) start(frame, actions);
    if (kindOf(frame) == Kind::points && button("measure", m_distances ? "exact path" : "data"))
        m_distances = !m_distances;
    const auto over =
        std::count_if(m_entries.begin(), m_entries.end(), [](const Entry& e) { return e.known; });
    std::string told;
    if (over < std::ptrdiff_t(m_entries.size()))
        told = std::to_string(over) + " / " + std::to_string(m_entries.size());
    else if (!m_entries.empty())
        told = canvas.words("training step") + " " + count(m_trainingStep);
    canvas.pushClip(head);
    canvas.text({head.x0, head.centre().y}, told,
                {.paint = Ink::faint, .size = Size::small, .anchor = {0, 0.5f}});
    canvas.popClip();
    drawCurves(canvas, area);
}

}  // namespace views::ddpm
