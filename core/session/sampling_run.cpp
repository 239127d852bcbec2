#include "core/session/sampling_run.h"

#include <algorithm>
#include <cmath>

#include "core/base/finite.h"
#include "core/base/philox.h"

namespace core {
namespace {

// The exact state is kept before every step whose number this divides; a fork repeats the steps from there.
constexpr int exactEvery = 16;

// A series leaves no more numbers than these in one piece of memory.
constexpr int64_t mostOfSeries = int64_t(1) << 23;

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

const Kept& StartingNoise::of(uint64_t seed, int64_t size) {
    if (m_seed == seed && m_values.size() == size) return m_values;
    std::vector<float> values(static_cast<size_t>(size));
    philox::normals({.seed = seed, .stream = philox::streamOf(Trajectory::startStream)}, uint64_t(size),
                    values.data());
    m_seed = seed;
    return m_values = Kept(std::move(values), false);
}

Kept SamplingRun::kept(const Kept& exact) const {
    return m_trajectory.halves ? Kept(exact.values(), true) : exact;
}

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
        if (p.name == "clip" && on && !inverts) leg.clip = leg.network->recording->setup.clip;
    }
}

SamplingRun::SamplingRun(const Lesson& lesson, int64_t id, SampledNetworkPtr network,
                         const Settings& settings, uint64_t seed, StartingNoise& noise,
                         int64_t halvesBeyondBytes) {
    auto leg = std::make_shared<Leg>(Leg{.from = 0, .network = std::move(network)});
    begin(lesson, settings, *leg);
    const SampledNetwork& n = *leg->network;
    const SamplerOptions options = samplerOptions(lesson, settings);
    const std::vector<PathPoint> points = pointsOf(n.path, options);
    leg->plan = planSampler(points, options, seed);

    m_end = int(points.size()) - 1;
    const int count = n.recording->count;
    m_trajectory = {.id = id, .count = count, .sample = n.recording->setup.sample, .total = m_end};
    describe(lesson, *leg, seed);
    const int64_t numbers = count * m_trajectory.width();
    m_trajectory.halves = 8 * numbers * m_end > halvesBeyondBytes;
    m_state.x =
        options.kind == "inversion" ? Kept(lesson.realSamples(count, seed), false) : noise.of(seed, numbers);
    m_trajectory.start = std::make_shared<Kept>(kept(m_state.x));
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
    const SamplingRecording& recording = *network->recording;
    CHECK(recording.setup.sample == old.sample && recording.count == old.count,
          "fork: expected a network of samples {}, the present one makes {}", old.sample.text(),
          recording.setup.sample.text());
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
    m_state = *exact;
    m_keepFrom = step;
    const std::shared_ptr<const Leg> repeated = m_legs.back();
    m_legs.push_back(leg);
    enter(at == step ? leg : repeated, at);
}

// Step `step` is done next, by this leg.
void SamplingRun::enter(std::shared_ptr<const Leg> leg, int step) {
    m_current = std::move(leg);
    m_entered = false;
    m_step = step;
    m_next = 0;
    for (int at = m_current->from; at < step; ++m_next)
        if (m_current->plan[m_next].completes) ++at;
}

bool SamplingRun::advance(Device& device, SamplingMachinePtr& idle) {
    if (m_done) return false;
    const Leg& leg = *m_current;
    const SampledNetwork& network = *leg.network;
    const bool last = needsLast(leg.plan);
    if (m_machine && !m_machine->is(*network.recording, device)) m_machine.reset(), m_entered = false;
    if (!m_machine && idle && idle->is(*network.recording, device)) m_machine = std::move(idle);
    if (!m_machine) m_machine = std::make_unique<SamplingMachine>(network.recording, device, network);
    if (!m_entered) m_machine->load(network, leg.settings, leg.useAverages);
    Executor& executor = m_machine->executor(last);
    if (!m_entered) {
        executor.setHandle(sampling::x, m_state.x.values());
        if (last)
            executor.setHandle(sampling::y, m_state.y.size() > 0
                                                ? m_state.y.values()
                                                : std::vector<float>(size_t(m_state.x.size()), 0));
        m_entered = true;
    }

    const Series series = planSeries(executor.runsTogether());
    takeIn(series, executor.runSeries(leg.plan[m_next].step.seed, uint64_t(m_step), series));
    if (m_current != m_legs.back() && m_step == m_keepFrom) enter(m_legs.back(), m_step);
    if (m_done) {
        m_state = {};
        idle = std::move(m_machine);
    }
    return true;
}

// The evaluations that come next: at most so many, and not beyond the end of what this leg does.
Series SamplingRun::planSeries(int most) const {
    const Leg& leg = *m_current;
    const SamplingRecording& recording = *leg.network->recording;
    most = std::min(most, int(leg.plan.size() - m_next));
    most = std::min(most, int(std::max<int64_t>(1, mostOfSeries / (3 * m_state.x.size()))));
    int runs = 0;
    for (int step = m_step; runs < most && !(m_step < m_keepFrom && step == m_keepFrom); ++runs)
        if (leg.plan[m_next + size_t(runs)].completes) ++step;
    return recording.series(leg.plan, m_next, runs, leg.clip);
}

// What these evaluations gave.
void SamplingRun::takeIn(const Series& series, const SeriesRows& rows) {
    const SamplingRecording& recording = *m_current->network->recording;
    const int64_t width = recording.widthOf(series.kept);
    const auto numbers = size_t(m_state.x.size());
    // What is not finite stays so. Of all that is kept x comes first.
    const bool finite = allFinite({rows.get() + (series.runs - 1) * width, numbers});
    m_bytesAdded = 0;
    for (int i = 0; i < series.runs && !m_done; ++i, ++m_next) {
        const PlannedEvaluation& e = m_current->plan[m_next];
        const bool begins = m_next == 0 || m_current->plan[m_next - 1].completes;
        if (begins && !m_exact.count(m_step) && (m_step % exactEvery == 0 || m_step == m_keepFrom))
            m_exact[m_step] = std::make_shared<const State>(
                m_trajectory.halves ? State{m_state.x.apart(), m_state.y.apart()} : m_state);
        if (begins) m_doing = {.step = e.step, .ofClean = ofClean(e)};
        const float* at = rows.get() + i * width;
        for (const std::string& channel : series.kept) {
            const Kept values({rows, at}, recording.widthOf({channel}));
            at += values.size();
            if (channel == sampling::next)
                m_state.x = values;
            else if (channel == sampling::last)
                m_state.y = values;
            else if (begins && m_step >= m_keepFrom)
                (channel == sampling::estimate ? m_doing.estimate : m_doing.extras[channel]) = kept(values);
        }
        if (!e.completes) continue;
        if (m_step++ < m_keepFrom) continue;
        m_doing.after = kept(m_state.x);
        m_bytesAdded += bytesOf(m_doing);
        m_trajectory.steps.push_back(std::make_shared<const KeptStep>(std::move(m_doing)));
        m_done = m_step == m_end;
        if (!finite && !allFinite({rows.get() + i * width, numbers}))
            fail(fmt::format("step {} of the sampler gave a number that is not finite", m_step));
    }
    m_published = nullptr;
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
    m_entered = false;
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
    for (const auto& [step, exact] : m_exact) pieces[exact.get()] = exact->x.bytes() + exact->y.bytes();
    for (const auto& leg : m_legs) pieces[leg->network.get()] = leg->network->bytes();
}

}  // namespace core
