#include "core/session/sampling_machine.h"

#include <algorithm>

#include "core/graph/ops.h"

namespace core {
namespace {

constexpr float anyMagnitude = 1e30f;

Shape batchOf(const Shape& sample, int count) {
    switch (sample.rank()) {
        case 1:
            return {count, sample[0]};
        case 2:
            return {count, sample[0], sample[1]};
        default:
            return {count, sample[0], sample[1], sample[2]};
    }
}

// Into [-limit, limit]; exactly x where it is inside.
Var clamped(Var x, Var limit) {
    const Var low = x - relu(x - limit);
    return low + relu(-low - limit);
}

std::shared_ptr<const Graph> record(Lesson& lesson, Layout& layout, const Shape& shape) {
    Recorder r(layout, Recorder::Access::view);
    const std::vector<float> zeros(size_t(shape.size()), 0);
    const Var x = r.handle(sampling::x, shape, zeros), y = r.handle(sampling::y, shape, zeros);
    const auto number = [&](const char* name, float value) { return r.handle(name, {1}, {value}); };
    const Var signal = number(sampling::signal, 1), noise = number(sampling::noise, 1),
              limit = number(sampling::clip, anyMagnitude);
    const Denoised d = lesson.denoise(
        r, {.x = x, .t = r.handle(sampling::t, {1, 1}, {1}), .signal = signal, .noise = noise});
    r.probe(sampling::estimate,
            number(sampling::ofClean, 0) * d.clean + number(sampling::ofNoise, 1) * d.noise);
    const Var used = clamped(d.clean, limit);
    r.carry(y, r.probe(sampling::last,
                       number(sampling::lastClean, 1) * used + number(sampling::lastState, 0) * x));
    Var next = number(sampling::keep, 0) * x + number(sampling::clean, 0) * used;
    next = next + number(sampling::before, 0) * y;
    next = next + number(sampling::sigma, 0) * r.normal("sampling/noise", shape);
    r.carry(x, r.probe(sampling::next, next));
    return std::make_shared<const Graph>(r.take());
}

}  // namespace

SamplingRecording::SamplingRecording(Lesson& lesson, const Layout& from, int samples)
    : layout(from), count(samples), setup(*lesson.sampling()) {
    graph = record(lesson, layout, batchOf(setup.sample, count));
    for (const auto& [channel, id] : graph->probes)
        if (!sampling::isOurs(channel)) extras.push_back(channel);
}

int64_t SamplingRecording::widthOf(const std::vector<std::string>& channels) const {
    int64_t width = 0;
    for (const std::string& channel : channels)
        width += graph->nodes[size_t(graph->probes.at(channel))].shape.size();
    return width;
}

Series SamplingRecording::series(const std::vector<PlannedEvaluation>& plan, size_t first, int runs,
                                 double clip) const {
    using namespace sampling;
    const bool last = needsLast(plan);
    Series out{
        .runs = runs,
        .handles = {t, signal, noise, sampling::clip, keep, clean, before, sigma, sampling::ofClean, ofNoise},
        .kept = {next, estimate}};
    if (last) {
        out.handles.insert(out.handles.end(), {lastClean, lastState});
        out.kept.emplace_back(sampling::last);
    }
    out.kept.insert(out.kept.end(), extras.begin(), extras.end());
    for (size_t i = first; i < first + size_t(runs); ++i) {
        const PlannedEvaluation& e = plan[i];
        const auto give = [&](std::initializer_list<double> numbers) {
            for (double number : numbers) out.numbers.push_back(float(number));
        };
        const bool isClean = core::ofClean(e);
        give({e.t, e.signal, e.noise, clip > 0 ? clip : double(anyMagnitude), e.keep, e.clean, e.before,
              e.sigma, isClean ? 1.0 : 0.0, isClean ? 0.0 : 1.0});
        const bool wantsStart = i + 1 < plan.size() && plan[i + 1].y == PlannedEvaluation::stepStart;
        if (last) give({wantsStart ? 0.0 : 1.0, wantsStart ? 1.0 : 0.0});
    }
    return out;
}

PlanOptions SamplingRecording::wanted(bool needsLast) const {
    PlanOptions options{.channels = {sampling::next, sampling::estimate}, .everyChannel = false};
    if (needsLast) options.channels.insert(sampling::last);
    options.channels.insert(extras.begin(), extras.end());
    return options;
}

bool needsLast(const std::vector<PlannedEvaluation>& plan) {
    return std::any_of(plan.begin(), plan.end(),
                       [](const PlannedEvaluation& e) { return e.y != PlannedEvaluation::nothing; });
}

SampledNetwork::SampledNetwork(Lesson& lesson, SamplingRecordingPtr recorded, const Store& store,
                               int64_t step, const std::string& weights)
    : recording(std::move(recorded)), trainingStep(step), weightsFrom(weights) {
    path = lesson.samplingPath();
    parameters = averages = store.weights.parameters;
    state = store.weights.state;
    live = {store.live.begin(), store.live.end()};
    const Layout& layout = recording->layout;
    for (const Layout::Entry& e : layout.entries()) {
        const int average = e.trained ? layout.find("ema." + e.name) : -1;
        if (average < 0) continue;
        const int64_t at = layout.entries()[size_t(average)].offset;
        std::copy_n(state.begin() + at, e.shape.size(), averages.begin() + e.offset);
    }
    for (const Knob* knob : lesson.knobs())
        if (knob->parameter().change == Change::sampling) liveSlots[knob->parameter().name] = knob->slot();
}

SamplingMachine::SamplingMachine(SamplingRecordingPtr recording, Device& device,
                                 const SampledNetwork& network)
    : m_recording(std::move(recording)), m_device(device) {
    m_store.weights.parameters = network.parameters;
    m_store.weights.state = network.state;
    m_store.live.assign(network.live.begin(), network.live.end());
    m_deployment = m_device.deploy(m_store);
}

void SamplingMachine::load(const SampledNetwork& network, const Settings& settings, bool useAverages) {
    const auto copy = [](const Buffer& from, Buffer& to) { std::copy(from.begin(), from.end(), to.begin()); };
    copy(useAverages ? network.averages : network.parameters, m_store.weights.parameters);
    copy(network.state, m_store.weights.state);
    std::copy(network.live.begin(), network.live.end(), m_store.live.begin());
    for (const auto& [knob, slot] : network.liveSlots)
        if (const auto set = settings.find(knob); set != settings.end())
            m_store.live[size_t(slot)] = float(set->second);
    m_deployment->upload();
}

Executor& SamplingMachine::executor(bool needsLast) {
    std::unique_ptr<Executor>& executor = m_executors[needsLast ? 1 : 0];
    if (!executor)
        executor = m_deployment->prepare(
            compile(m_recording->graph, m_recording->layout, m_recording->wanted(needsLast)));
    return *executor;
}

}  // namespace core
