#include "core/cuda/executor.h"

#include <algorithm>
#include <chrono>

namespace core::cuda {
namespace {

// One segment a phase.
Plan joined(Plan plan) {
    std::vector<Segment> phases;
    for (Segment& segment : plan.segments) {
        if (phases.empty() || phases.back().phase != segment.phase) phases.push_back({segment.phase, -1, {}});
        auto& levels = phases.back().levels;
        levels.insert(levels.end(), segment.levels.begin(), segment.levels.end());
    }
    plan.segments = std::move(phases);
    return plan;
}

}  // namespace

Executor::Executor(Plan plan, Store& store, std::shared_ptr<DeviceStore> device,
                   const ExecutorOptions& options)
    : core::Executor(std::move(plan)),
      g(*m_plan.graph),
      m_store(store),
      m_device(std::move(device)),
      m_card(m_device->card()),
      m_options(options),
      m_whole(joined(m_plan)),
      m_builder(std::make_unique<ClusterBuilder>(m_whole, m_options.exact,
                                                 m_card->table().attention(m_card->device()) != 0)) {
    m_clusters = m_builder->build();
    m_clock = Memory(m_card, sizeof(Clock));
    m_broken = Memory(m_card, sizeof(int32_t), true);
    const auto filled = [&](const std::vector<float>& values) {
        Memory memory(m_card, (values.size() + 16) * sizeof(float));
        m_card->upload(memory.data(), values.data(), values.size() * sizeof(float));
        return memory;
    };
    for (const auto& values : g.handleValues) m_handles.push_back(filled(values));
    for (const auto& values : g.constants) m_constants.push_back(filled(*values));
    m_device->uploadLive(m_store.live);
    placeValues();
    prepare();
    if (m_whole.segments.size() < m_plan.segments.size()) separateStages();
}

// Launches in their order, each in the stage of its earliest node, or in that of the launch before it.
void Executor::separateStages() {
    std::vector<int> segmentOf(g.nodes.size(), 0);
    for (int i = 0; i < int(m_plan.segments.size()); ++i)
        for (const Level& level : m_plan.segments[size_t(i)].levels)
            for (const Group& group : level)
                for (NodeId id : group.nodes) segmentOf[size_t(id)] = i;
    int segment = 0;
    for (Prepared& p : m_launches) {
        int earliest = INT32_MAX;
        const auto meet = [&](int cluster) {
            const Cluster& c = m_clusters.all[size_t(cluster)];
            if (c.anchor >= 0) earliest = std::min(earliest, segmentOf[size_t(c.anchor)]);
            for (NodeId id : c.members) earliest = std::min(earliest, segmentOf[size_t(id)]);
            if (c.assigned >= 0) earliest = std::min(earliest, segmentOf[size_t(c.assigned)]);
        };
        meet(p.cluster);
        for (int32_t i = 0; i < p.launch.chain.count; ++i) meet(m_linkClusters[p.firstLink + size_t(i)]);
        if (earliest != INT32_MAX) segment = std::max(segment, earliest);
        p.segment = segment;
    }
}

Executor::~Executor() {
    for (auto& [key, recording] : m_recordings) m_card->table().forget(m_card->device(), recording);
}

std::vector<int> Executor::repeatsNow() const {
    std::vector<int> out;
    for (const Segment& segment : m_plan.segments)
        out.push_back(std::max(0, g.phases[size_t(segment.phase)].repeats()));
    return out;
}

void Executor::setClock(uint64_t seed, uint64_t step) {
    if (m_clockThere.seed == seed && m_clockThere.step == step) return;
    m_clockThere = {seed, step};
    m_card->upload(m_clock.data(), &m_clockThere, sizeof(Clock));
}

bool Executor::run(uint64_t seed, uint64_t step, int steps) {
    forgive();
    m_logged.clear();
    const float number = m_options.counts ? m_store.live.back() : 0;
    for (int done = 0; done < steps;) {
        const int now = steps - done >= m_options.unroll ? m_options.unroll : 1;
        if (m_options.counts) m_store.live.back() = number + float(done);
        launch(seed, step + uint64_t(done), now);
        done += now;
        if (!finite()) return false;
        const float* const rows = m_log.floats();
        m_logged.insert(m_logged.end(), rows, rows + (rows ? size_t(now) * scalars().size() : 0));
    }
    if (m_options.counts) m_store.live.back() = number + float(steps - 1);
    return true;
}

bool Executor::runMany(uint64_t seed, uint64_t step, int steps) {
    for (int done = 0; done < steps;) {
        const int now = steps - done >= m_options.unroll ? m_options.unroll : 1;
        launch(seed, step + uint64_t(done), now);
        done += now;
    }
    return *static_cast<const volatile int32_t*>(m_broken.data()) == 0;
}

// Steps that are taken together, or one.
void Executor::launch(uint64_t seed, uint64_t step, int steps) {
    m_device->uploadLive(m_store.live);
    setClock(seed, step);
    const std::vector<int> repeats = repeatsNow();
    const Table& t = m_card->table();
    if (m_options.captured) {
        m_card->check(t.replay(m_card->device(), recording(repeats, steps)), "step");
    } else {
        const std::vector<Launch> all = sequence(repeats, steps, nullptr);
        m_card->check(t.runLaunches(m_card->device(), all.data(), int32_t(all.size()),
                                    static_cast<Clock*>(m_clock.data()), steps),
                      "step");
    }
    m_clockThere.step += uint64_t(steps);
    if (m_options.counts) m_device->counted(steps);
}

void Executor::runOne(uint64_t seed, uint64_t step, size_t segment, int repeat) {
    m_device->uploadLive(m_store.live);
    setClock(seed, step);
    m_logged.clear();
    std::vector<Launch> all;
    std::vector<const Prepared*> from;
    append(all, from, int(segment), repeat, 0);
    m_card->check(m_card->table().runLaunches(m_card->device(), all.data(), int32_t(all.size()),
                                              static_cast<Clock*>(m_clock.data()), 0),
                  "stage");
}

bool Executor::finite() const {
    m_card->wait();
    return *static_cast<const volatile int32_t*>(m_broken.data()) == 0;
}

// The launches of one segment, as its `repeat`th time in a step so many steps ahead.
void Executor::append(std::vector<Launch>& out, std::vector<const Prepared*>& from, int segment, int repeat,
                      uint64_t ahead) const {
    for (const Prepared& p : m_launches) {
        if (p.segment != segment) continue;
        Launch l = p.launch;
        l.pass.repeat = l.plain.repeat = uint32_t(repeat);
        l.pass.stepsAhead = l.plain.stepsAhead = ahead;
        out.push_back(l);
        from.push_back(&p);
    }
}

// All launches of some steps, and which of them wait for which.
std::vector<Launch> Executor::sequence(const std::vector<int>& repeats, int steps,
                                       std::vector<std::array<int32_t, 2>>* edges) {
    std::vector<Launch> out;
    std::vector<const Prepared*> from;
    const int count = int(m_plan.segments.size());
    const size_t atEnd = m_counting.size() / size_t(m_options.unroll);
    for (int step = 0; step < steps; ++step) {
        for (int begin = 0, end = 0; begin < count; begin = end) {
            while (end < count && m_plan.segments[size_t(end)].phase == m_plan.segments[size_t(begin)].phase)
                ++end;
            if (const ReadyLoop* loop = loopOf(begin, repeats[size_t(begin)])) {
                for (const Prepared* p : {&loop->first, &loop->second}) {
                    out.push_back(p->launch);
                    out.back().loop.stepsAhead = uint64_t(step);
                    from.push_back(p);
                }
                continue;
            }
            for (int repeat = 0; repeat < repeats[size_t(begin)]; ++repeat)
                for (int segment = begin; segment < end; ++segment)
                    append(out, from, segment, repeat, uint64_t(step));
        }
        for (size_t i = 0; i < atEnd; ++i) {
            const size_t which = size_t(step) * atEnd + i;
            out.push_back(m_counting[which].launch);
            from.push_back(&m_counting[which]);
        }
    }
    if (!edges) return out;

    struct Access {
        Interval range;
        int launch;
        bool write;
    };
    std::vector<Access> active;
    // ancestors[i]: which launches i waits for, directly or not.
    std::vector<std::vector<bool>> ancestors(out.size());
    for (int i = 0; i < int(out.size()); ++i) {
        const Prepared& p = *from[size_t(i)];
        std::vector<int> waits;
        const auto meet = [&](const Interval& range, bool write) {
            for (const Access& a : active)
                if ((write || a.write) && !(range.part >= 0 && range.part == a.range.part) &&
                    a.range.begin < range.end && range.begin < a.range.end)
                    waits.push_back(a.launch);
        };
        for (const Interval& range : p.reads) meet(range, false);
        for (const Interval& range : p.writes) meet(range, true);
        std::sort(waits.rbegin(), waits.rend());
        waits.erase(std::unique(waits.begin(), waits.end()), waits.end());
        ancestors[size_t(i)].assign(size_t(i), false);
        for (int w : waits) {
            if (ancestors[size_t(i)][size_t(w)]) continue;
            edges->push_back({w, i});
            ancestors[size_t(i)][size_t(w)] = true;
            for (int k = 0; k < w; ++k)
                if (ancestors[size_t(w)][size_t(k)]) ancestors[size_t(i)][size_t(k)] = true;
        }
        // What is written whole again hides what was there.
        for (const Interval& range : p.writes)
            if (range.part < 0)
                active.erase(std::remove_if(active.begin(), active.end(),
                                            [&](const Access& a) {
                                                return range.begin <= a.range.begin &&
                                                       a.range.end <= range.end;
                                            }),
                             active.end());
        for (const Interval& range : p.reads) active.push_back({range, i, false});
        for (const Interval& range : p.writes) active.push_back({range, i, true});
    }
    return out;
}

Recording* Executor::recording(const std::vector<int>& repeats, int steps) {
    Recording*& known = m_recordings[{repeats, steps}];
    if (known) return known;
    std::vector<std::array<int32_t, 2>> edges;
    const std::vector<Launch> all = sequence(repeats, steps, &edges);
    static_assert(sizeof(std::array<int32_t, 2>) == sizeof(int32_t[2]));
    Recorded recorded;
    m_card->check(
        m_card->table().record(m_card->device(), all.data(), int32_t(all.size()),
                               reinterpret_cast<const int32_t(*)[2]>(edges.data()), int32_t(edges.size()),
                               static_cast<Clock*>(m_clock.data()), steps, &known, &recorded),
        "capture");
    m_recorded = recorded;
    m_recordedSteps = steps;
    countWork(repeats);
    return known;
}

void Executor::get(NodeId channel, float* into) const {
    const auto size = size_t(g.nodes[size_t(channel)].shape.size());
    m_card->download(into, address(channel), size * sizeof(float));
}

void Executor::put(NodeId channel, const float* from) {
    const auto size = size_t(g.nodes[size_t(channel)].shape.size());
    m_card->upload(address(channel), from, size * sizeof(float));
}

void Executor::readScalars(int step, std::vector<float>& into) const {
    if (m_logged.empty()) return core::Executor::readScalars(step, into);
    const auto row = m_logged.begin() + step * int64_t(scalars().size());
    into.assign(row, row + int64_t(scalars().size()));
}

void Executor::setHandle(const std::string& name, const std::vector<float>& values) {
    const auto it = g.handles.find(name);
    if (it == g.handles.end()) return;
    const int64_t size = g.handleShapes[size_t(it->second)].size();
    CHECK(int64_t(values.size()) == size, "{}: expected {} values, got {}", name, size, values.size());
    m_card->upload(m_handles[size_t(it->second)].data(), values.data(), values.size() * sizeof(float));
}

std::vector<double> Executor::times() {
    constexpr int chain = 40, again = 3;
    const Table& t = m_card->table();
    std::vector<double> out;
    for (const Prepared* p : shown()) {
        const std::vector<Launch> all(chain, p->launch);
        std::vector<std::array<int32_t, 2>> edges;
        for (int32_t i = 1; i < chain; ++i) edges.push_back({i - 1, i});
        Recording* recorded = nullptr;
        Recorded shape;
        m_card->check(
            t.record(m_card->device(), all.data(), chain, reinterpret_cast<const int32_t(*)[2]>(edges.data()),
                     int32_t(edges.size()), static_cast<Clock*>(m_clock.data()), 0, &recorded, &shape),
            "capture");
        double took = 0;
        for (int turn = 0; turn < 2; ++turn) {  // the first warms up
            const auto from = std::chrono::steady_clock::now();
            for (int i = 0; i < again; ++i) m_card->check(t.replay(m_card->device(), recorded), "replay");
            m_card->wait();
            took = std::chrono::duration<double>(std::chrono::steady_clock::now() - from).count();
        }
        out.push_back(1e6 * took / (chain * again));
        t.forget(m_card->device(), recorded);
    }
    return out;
}

void Executor::poison() {
    m_card->fill(m_arena.data(), 0xff, m_arena.bytes());
}

}  // namespace core::cuda
