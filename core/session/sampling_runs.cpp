#include "core/session/sampling_runs.h"

#include <algorithm>

namespace core {

SamplingRun& SamplingRuns::find(int64_t id) {
    for (Entry& e : m_runs)
        if (e.id == id) return *e.run;
    throw Error(fmt::format("sampling: expected a run that is kept, got {}", id));
}

// The sampling knobs as they are now, or as `base` has them, with the changes.
Settings SamplingRuns::resolved(const Lesson& lesson, const Settings& changes, const Settings* base) const {
    Settings settings;
    for (const Knob* knob : lesson.knobs()) {
        const Parameter& p = knob->parameter();
        if (p.change != Change::sampling) continue;
        settings[p.name] = knob->value();
        if (base && base->count(p.name)) settings[p.name] = base->at(p.name);
    }
    for (const auto& [name, value] : changes) {
        const Parameter& p = lesson.knob(name).parameter();
        CHECK(p.change == Change::sampling, "sampling: expected a knob of the sampler, got '{}'", name);
        p.check(value);
        settings[name] = value;
    }
    return settings;
}

// With the weights of this moment.
SampledNetworkPtr SamplingRuns::networkNow(Lesson& lesson, const Layout& layout, int count,
                                           const Store& store, int64_t trainingStep,
                                           const std::string& weightsFrom) {
    if (!m_recording || m_recording->count != count)
        m_recording = std::make_shared<const SamplingRecording>(lesson, layout, count);
    return std::make_shared<const SampledNetwork>(lesson, m_recording, store, trainingStep, weightsFrom);
}

void SamplingRuns::networkChanged() {
    m_recording = nullptr;
    m_idle = nullptr;
}

void SamplingRuns::start(int64_t id, Lesson& lesson, const Layout& layout, const Store& store,
                         int64_t trainingStep, const std::string& weightsFrom,
                         const SamplingRequest& request) {
    const std::optional<SamplingSetup> setup = lesson.sampling();
    CHECK(setup, "sampling: expected a lesson whose network can be sampled, this one has none");
    CHECK(request.count >= 0 && request.count <= 10000, "sampling: expected 1 to 10000 samples, got {}",
          request.count);
    const Settings settings = resolved(lesson, request.changes, nullptr);
    const int count = request.count > 0 ? request.count : setup->count;
    SampledNetworkPtr network = networkNow(lesson, layout, count, store, trainingStep, weightsFrom);
    m_runs.push_back({.id = id,
                      .run = std::make_unique<SamplingRun>(lesson, id, std::move(network), settings,
                                                           request.seed, m_noise, halvesBeyond)});
    recount();
    m_published = nullptr;
}

void SamplingRuns::fork(int64_t id, int64_t parent, int step, Lesson& lesson, const Layout& layout,
                        const Store& store, int64_t trainingStep, const std::string& weightsFrom,
                        const SamplingRequest& request) {
    SamplingRun& old = find(parent);
    const TrajectoryPtr trajectory = old.trajectory();
    const Settings settings = resolved(lesson, request.changes, &trajectory->settings);
    SampledNetworkPtr network = old.network();
    if (request.present) {
        CHECK(lesson.sampling(),
              "sampling: expected a lesson whose network can be sampled, this one has none");
        network = networkNow(lesson, layout, trajectory->count, store, trainingStep, weightsFrom);
    }
    m_runs.push_back({.id = id,
                      .run = std::make_unique<SamplingRun>(lesson, id, old, step, std::move(network),
                                                           settings, request.seed, halvesBeyond)});
    m_published = nullptr;
}

void SamplingRuns::discard(int64_t id) {
    m_runs.remove_if([id](const Entry& e) { return e.id == id; });
    recount();
    m_published = nullptr;
}

void SamplingRuns::discardAll() {
    m_runs.clear();
    m_bytes = 0;
    m_published = nullptr;
}

void SamplingRuns::leaveDevice() {
    for (Entry& e : m_runs) e.run->leaveDevice();
    m_idle = nullptr;
}

bool SamplingRuns::active() const {
    return std::any_of(m_runs.begin(), m_runs.end(),
                       [](const Entry& e) { return !e.run->done() || !e.judged; });
}

bool SamplingRuns::advance(Lesson& lesson, Device& device) {
    Entry* next = nullptr;
    for (Entry& e : m_runs) {
        if (e.run->done()) continue;
        if (!next || (next->id <= m_turn && e.id > m_turn)) next = &e;
    }
    if (!next) return judgeOne(lesson);
    m_turn = next->id;
    SamplingRun& run = *next->run;
    try {
        run.advance(device, m_idle);
    } catch (const Error& e) {
        run.fail(e.what());
    }
    m_bytes += run.bytesAdded();
    keepToBudget();
    m_published = nullptr;
    return true;
}

// Nobody waits for figures: they follow a result that is seen already, the newest first.
bool SamplingRuns::judgeOne(Lesson& lesson) {
    const auto next = std::find_if(m_runs.rbegin(), m_runs.rend(), [](const Entry& e) { return !e.judged; });
    if (next == m_runs.rend()) return false;
    SamplingRun& run = *next->run;
    std::map<std::string, double> figures;
    try {
        if (!next->judging && run.trajectory()->complete() && run.trajectory()->problem.empty())
            next->judging = lesson.judge(*run.trajectory());
        next->judged = !next->judging || next->judging(figures);
    } catch (const Error& e) {
        next->judged = true;
        run.fail(e.what());
    }
    if (!next->judged) return true;
    next->judging = nullptr;
    if (!figures.empty()) run.setFigures(figures);
    m_published = nullptr;
    return true;
}

void SamplingRuns::recount() {
    std::map<const void*, int64_t> pieces;
    for (const Entry& e : m_runs) e.run->addBytes(pieces);
    m_bytes = 0;
    for (const auto& [piece, bytes] : pieces) m_bytes += bytes;
}

// The oldest runs go first, but one under way only where there is nothing else. One that is too long on its
// own ends with what it has.
void SamplingRuns::keepToBudget() {
    while (m_bytes > m_budget) {
        recount();  // exactly: states kept for forks, and steps that runs share
        if (m_bytes <= m_budget) return;
        auto victim =
            std::find_if(m_runs.begin(), m_runs.end(), [](const Entry& e) { return e.run->done(); });
        if (m_runs.size() == 1) {
            if (!m_runs.front().run->done()) m_runs.front().run->fail("there is no memory for more steps");
            return;
        }
        if (victim == m_runs.end()) victim = m_runs.begin();
        m_notice = fmt::format("Run {} of the sampler was dropped: {} MB are kept at most", victim->id,
                               m_budget >> 20);
        m_runs.erase(victim);
        ++m_dropped;
    }
}

std::shared_ptr<const Samplings> SamplingRuns::published() {
    if (!m_published) {
        auto all = std::make_shared<Samplings>();
        for (Entry& e : m_runs) all->runs.push_back(e.run->trajectory());
        all->bytes = m_bytes;
        all->budget = m_budget;
        all->dropped = m_dropped;
        all->notice = m_notice;
        m_published = std::move(all);
    }
    return m_published;
}

}  // namespace core
