#include "core/session/sampling_run.h"

#include <algorithm>
#include <cmath>

#include "core/base/finite.h"
#include "core/base/philox.h"
#include "core/graph/ops.h"

namespace core {
namespace {

// The exact state is kept before every step whose number this divides; a fork repeats the steps from there.
constexpr int exactEvery = 16;

// Names of what the platform adds to the lesson's recording.
constexpr const char *xHandle = "sampling/x", *yHandle = "sampling/y", *tHandle = "sampling/t";
constexpr const char* scaleHandles[] = {"sampling/signal", "sampling/noise", "sampling/clip"};
constexpr const char* weightHandles[] = {"sampling/keep", "sampling/clean", "sampling/before",
                                         "sampling/sigma"};
constexpr const char *epsProbe = "sampling/eps", *rawProbe = "sampling/raw", *usedProbe = "sampling/used",
                     *nextProbe = "sampling/next";
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

std::shared_ptr<const Graph> record(Lesson& lesson, Layout& layout, const SamplingSetup& setup, int count) {
    Recorder r(layout, Recorder::Access::view);
    const Shape shape = batchOf(setup.sample, count);
    const std::vector<float> zeros(size_t(shape.size()), 0);
    const Var x = r.handle(xHandle, shape, zeros), y = r.handle(yHandle, shape, zeros);
    const auto number = [&](const char* name, float value) { return r.handle(name, {1}, {value}); };
    const Var signal = number(scaleHandles[0], 1), noise = number(scaleHandles[1], 1),
              limit = number(scaleHandles[2], anyMagnitude);
    const Denoised d =
        lesson.denoise(r, {.x = x, .t = r.handle(tHandle, {1, 1}, {1}), .signal = signal, .noise = noise});
    r.probe(rawProbe, d.clean);
    r.probe(epsProbe, d.noise);
    const Var used = r.probe(usedProbe, clamped(d.clean, limit));
    Var next = number(weightHandles[0], 0) * x + number(weightHandles[1], 0) * used;
    next = next + number(weightHandles[2], 0) * y;
    r.probe(nextProbe, next + number(weightHandles[3], 0) * r.normal("sampling/noise", shape));
    return std::make_shared<const Graph>(r.take());
}

double settingOf(const Settings& settings, const std::string& name, double otherwise) {
    const auto found = settings.find(name);
    return found == settings.end() ? otherwise : found->second;
}

int64_t bytesOf(const KeptStep& step) {
    int64_t bytes = int64_t(sizeof step) + step.estimate.bytes() + step.after.bytes();
    for (const auto& [channel, extra] : step.extras) bytes += extra.bytes();
    return bytes;
}

}  // namespace

// ---- SampledNetwork

SampledNetwork::SampledNetwork(Lesson& lesson, const Layout& from, const Store& store, int samples,
                               int64_t step, const std::string& weights)
    : layout(from), count(samples), trainingStep(step), weightsFrom(weights) {
    setup = *lesson.sampling();
    path = lesson.samplingPath();
    graph = record(lesson, layout, setup, count);
    parameters = averages = store.weights.parameters;
    state = store.weights.state;
    live = {store.live.begin(), store.live.end()};
    for (const Layout::Entry& e : layout.entries()) {
        const int average = e.trained ? layout.find("ema." + e.name) : -1;
        if (average < 0) continue;
        const int64_t at = layout.entries()[size_t(average)].offset;
        std::copy_n(state.begin() + at, e.shape.size(), averages.begin() + e.offset);
    }
    for (const Knob* knob : lesson.knobs())
        if (knob->parameter().change == Change::sampling) liveSlots[knob->parameter().name] = knob->slot();
}

// ---- SamplingRun

struct SamplingRun::Machine {
    Store store;
    std::unique_ptr<Deployment> deployment;
    std::unique_ptr<Executor> executor;
    Tensor next, used;

    Machine(const Leg& leg, Device& device)
        : store(storeOf(leg)),
          deployment(device.deploy(store)),
          executor(deployment->prepare(compile(leg.network->graph, leg.network->layout, {}))) {}

    static Store storeOf(const Leg& leg) {
        const SampledNetwork& n = *leg.network;
        Store store;
        store.weights.parameters = leg.useAverages ? n.averages : n.parameters;
        store.weights.state = n.state;
        store.live.assign(n.live.begin(), n.live.end());
        for (const auto& [knob, slot] : n.liveSlots)
            store.live[size_t(slot)] = float(settingOf(leg.settings, knob, double(store.live[size_t(slot)])));
        return store;
    }
};

SamplingRun::~SamplingRun() = default;

void SamplingRun::begin(const Lesson& lesson, const Settings& settings, Leg& leg) const {
    leg.settings = settings;
    leg.clip = 0;
    leg.useAverages = true;
    const bool inverts = samplerOptions(lesson, settings).kind == "inversion";
    for (const Knob* knob : lesson.knobs()) {
        const Parameter& p = knob->parameter();
        if (p.change != Change::sampling || p.options.empty()) continue;
        const bool on = p.options[size_t(settingOf(settings, p.name, knob->value()))] == "on";
        if (p.name == "use_ema") leg.useAverages = on;
        // What is clipped does not lead back.
        if (p.name == "clip" && on && !inverts) leg.clip = leg.network->setup.clip;
    }
}

SamplingRun::SamplingRun(const Lesson& lesson, int64_t id, SampledNetworkPtr network,
                         const Settings& settings, uint64_t seed, int64_t halvesBeyondBytes) {
    auto leg = std::make_shared<Leg>(Leg{.from = 0, .network = std::move(network)});
    begin(lesson, settings, *leg);
    const SampledNetwork& n = *leg->network;
    const SamplerOptions options = samplerOptions(lesson, settings);
    const std::vector<PathPoint> points = pointsOf(n.path, options);
    leg->plan = planSampler(points, options, seed);

    m_end = int(points.size()) - 1;
    m_trajectory = {.id = id, .count = n.count, .sample = n.setup.sample, .total = m_end};
    describe(lesson, *leg, seed);
    const int64_t numbers = n.count * n.setup.sample.size();
    m_trajectory.halves = 8 * numbers * m_end > halvesBeyondBytes;
    if (options.kind == "inversion") {
        m_x = lesson.realSamples(n.count, seed);
    } else {
        m_x.resize(size_t(numbers));
        const philox::Position at{.seed = seed, .stream = philox::streamOf(Trajectory::startStream)};
        for (size_t e = 0; e < m_x.size(); ++e) m_x[e] = philox::normalAt(at, e);
    }
    m_trajectory.start = std::make_shared<Kept>(m_x, m_trajectory.halves);
    m_lastClean.assign(m_x.size(), 0);
    m_legs = {leg};
    m_current = leg;
}

// What the trajectory says of how it came about.
void SamplingRun::describe(const Lesson& lesson, const Leg& leg, uint64_t seed) {
    m_trajectory.trainingStep = leg.network->trainingStep;
    m_trajectory.weights = leg.network->weightsFrom;
    m_trajectory.seed = seed;
    m_trajectory.clip = leg.clip;
    m_trajectory.settings = leg.settings;
    for (const Knob* knob : lesson.knobs())
        if (const Parameter& p = knob->parameter(); p.change == Change::sampling && !p.options.empty())
            m_trajectory.choices[p.name] = p.options[size_t(settingOf(leg.settings, p.name, knob->value()))];
}

SamplingRun::SamplingRun(const Lesson& lesson, int64_t id, const SamplingRun& parent, int step,
                         SampledNetworkPtr network, const Settings& settings, uint64_t seed,
                         int64_t halvesBeyondBytes) {
    const Trajectory& old = parent.m_trajectory;
    CHECK(step >= 0 && step < int(old.steps.size()), "fork: expected a step below {} of run {}, got {}",
          old.steps.size(), old.id, step);
    CHECK(network->setup.sample == old.sample && network->count == old.count,
          "fork: expected a network of samples {}, the present one makes {}", old.sample.text(),
          network->setup.sample.text());
    for (const auto& leg : parent.m_legs)
        if (leg->from <= step) m_legs.push_back(leg);
    const SamplerStep& here = old.steps[size_t(step)]->step;
    const int evaluations = step == 0 ? 0 : old.steps[size_t(step - 1)]->step.evaluations;

    auto leg = std::make_shared<Leg>(Leg{.from = step, .network = std::move(network)});
    begin(lesson, settings, *leg);
    const SamplerOptions options = samplerOptions(lesson, settings);
    const Settings& before = m_legs.back()->settings;
    const auto same = [&](const char* knob) {
        return settingOf(settings, knob, 0) == settingOf(before, knob, 0);
    };
    std::vector<PathPoint> points;
    if (same("sampler_steps") && same("spacing")) {
        int at = m_legs.back()->from;
        for (const PlannedEvaluation& e : m_legs.back()->plan)
            if (e.completes && at++ >= step) points.push_back({e.step.t, e.step.signal, e.step.noise});
        points.push_back(leg->network->path.points.back());
    } else {
        SamplingPath rest = leg->network->path;
        std::erase_if(rest.points, [&](const PathPoint& p) { return p.noise >= here.noise; });
        rest.points.insert(rest.points.begin(), {here.t, here.signal, here.noise});
        const double share = double(rest.points.size() - 1) / double(leg->network->path.points.size() - 1);
        points = spacedPoints(rest, options.spacing, std::max(1, int(std::lround(options.steps * share))));
        points.front() = rest.points.front();
    }
    leg->plan = planSampler(points, options, seed, evaluations);

    m_end = step + int(points.size()) - 1;
    m_trajectory = {.id = id,
                    .parent = old.id,
                    .forkStep = step,
                    .count = old.count,
                    .sample = old.sample,
                    .total = m_end,
                    .start = old.start};
    m_trajectory.steps.assign(old.steps.begin(), old.steps.begin() + step);
    m_trajectory.halves = 8 * old.count * old.width() * m_end > halvesBeyondBytes;
    describe(lesson, *leg, seed);

    for (const auto& [at, exact] : parent.m_exact)
        if (at <= step) m_exact[at] = exact;
    // From the last exact state before the fork, as the parent did it.
    const auto& [at, exact] = *m_exact.rbegin();
    m_x = exact->x;
    m_lastClean = exact->lastClean;
    m_keepFrom = step;
    const std::shared_ptr<const Leg> repeated = m_legs.back();
    m_legs.push_back(leg);
    enter(at == step ? leg : repeated, at);
}

// Step `step` is done next, by this leg.
void SamplingRun::enter(std::shared_ptr<const Leg> leg, int step) {
    m_current = std::move(leg);
    m_machine.reset();
    m_step = step;
    m_next = 0;
    for (int at = m_current->from; at < step; ++m_next)
        if (m_current->plan[m_next].completes) ++at;
}

bool SamplingRun::advance(Device& device) {
    if (m_done) return false;
    m_bytesOfLastStep = 0;
    if (!m_machine) m_machine = std::make_unique<Machine>(*m_current, device);
    const PlannedEvaluation& e = m_current->plan[m_next];
    const bool firstOfStep = m_next == 0 || m_current->plan[m_next - 1].completes;
    if (firstOfStep) {
        if (!m_exact.count(m_step) && (m_step % exactEvery == 0 || m_step == m_keepFrom))
            m_exact[m_step] = std::make_shared<const Exact>(Exact{m_x, m_lastClean});
        m_stepStart = m_x;
    }

    Executor& executor = *m_machine->executor;
    executor.setHandle(xHandle, m_x);
    if (e.y != PlannedEvaluation::nothing)
        executor.setHandle(yHandle, e.y == PlannedEvaluation::lastClean ? m_lastClean : m_stepStart);
    executor.setHandle(tHandle, {float(e.t)});
    const double scales[] = {e.signal, e.noise, m_current->clip > 0 ? m_current->clip : double(anyMagnitude)};
    for (size_t i = 0; i < 3; ++i) executor.setHandle(scaleHandles[i], {float(scales[i])});
    const double weights[] = {e.keep, e.clean, e.before, e.sigma};
    for (size_t i = 0; i < 4; ++i) executor.setHandle(weightHandles[i], {float(weights[i])});
    executor.run(e.step.seed, uint64_t(m_step));

    executor.read(nextProbe, m_machine->next);
    executor.read(usedProbe, m_machine->used);
    if (firstOfStep && m_step >= m_keepFrom) keep(e);
    if (firstOfStep) m_lastClean.swap(m_machine->used.values);
    m_x.swap(m_machine->next.values);
    ++m_next;
    if (!e.completes) return true;

    if (m_step < m_keepFrom) {
        if (++m_step == m_keepFrom) enter(m_legs.back(), m_step);
        return true;
    }
    m_doing.after = Kept(m_x, m_trajectory.halves);
    m_bytesOfLastStep = bytesOf(m_doing);
    m_trajectory.steps.push_back(std::make_shared<const KeptStep>(std::move(m_doing)));
    m_published = nullptr;
    m_done = ++m_step == m_end;
    if (!allFinite(m_x)) fail(fmt::format("step {} of the sampler gave a number that is not finite", m_step));
    if (m_done) m_machine.reset();
    return true;
}

void SamplingRun::keep(const PlannedEvaluation& e) {
    Machine& m = *m_machine;
    const bool halves = m_trajectory.halves;
    m_doing = {.step = e.step, .ofClean = e.signal < e.noise};
    m_doing.estimate = Kept(m.executor->read(m_doing.ofClean ? rawProbe : epsProbe).values, halves);
    for (const auto& [channel, id] : m_current->network->graph->probes) {
        if (channel.starts_with("sampling/")) continue;
        m_doing.extras[channel] = Kept(m.executor->read(channel).values, halves);
    }
}

TrajectoryPtr SamplingRun::trajectory() {
    if (!m_published) m_published = std::make_shared<const Trajectory>(m_trajectory);
    return m_published;
}

void SamplingRun::setFigures(const std::map<std::string, double>& figures) {
    m_trajectory.figures = figures;
    m_published = nullptr;
}

void SamplingRun::leaveDevice() {
    m_machine.reset();
}

void SamplingRun::fail(const std::string& problem) {
    m_trajectory.problem = problem;
    m_done = true;
    m_published = nullptr;
    m_machine.reset();
}

void SamplingRun::addBytes(std::map<const void*, int64_t>& pieces) const {
    pieces[m_trajectory.start.get()] = m_trajectory.start->bytes();
    for (const auto& step : m_trajectory.steps) pieces[step.get()] = bytesOf(*step);
    for (const auto& [step, exact] : m_exact)
        pieces[exact.get()] = 4 * int64_t(exact->x.size() + exact->lastClean.size());
    for (const auto& leg : m_legs) pieces[leg->network.get()] = leg->network->bytes();
}

}  // namespace core
