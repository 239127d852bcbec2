#include "core/cuda/executor.h"

#include <chrono>

namespace core::cuda {

Executor::Executor(Plan plan, Store& store, std::shared_ptr<DeviceStore> device,
                   const ExecutorOptions& options)
    : core::Executor(std::move(plan)),
      g(*m_plan.graph),
      m_store(store),
      m_device(std::move(device)),
      m_card(m_device->card()),
      m_lowered(m_plan, m_store, m_device, scalars(), options) {}

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
    m_card->upload(m_lowered.clock(), &m_clockThere, sizeof(Clock));
}

bool Executor::run(uint64_t seed, uint64_t step, int steps) {
    forgive();
    m_logged.clear();
    const bool counts = m_lowered.options().counts;
    const float number = counts ? m_store.live.back() : 0;
    for (int done = 0; done < steps;) {
        const int now = steps - done >= together() ? together() : 1;
        if (counts) m_store.live.back() = number + float(done);
        launch(seed, step + uint64_t(done), now);
        done += now;
        if (!finite()) return false;
        const float* const rows = m_lowered.log();
        m_logged.insert(m_logged.end(), rows, rows + (rows ? size_t(now) * scalars().size() : 0));
    }
    if (counts) m_store.live.back() = number + float(steps - 1);
    return true;
}

bool Executor::runMany(uint64_t seed, uint64_t step, int steps) {
    for (int done = 0; done < steps;) {
        const int now = steps - done >= together() ? together() : 1;
        launch(seed, step + uint64_t(done), now);
        done += now;
    }
    return m_lowered.broken() == 0;
}

// Steps that are taken together, or one.
void Executor::launch(uint64_t seed, uint64_t step, int steps) {
    m_device->uploadLive(m_store.live);
    setClock(seed, step);
    const std::vector<int> repeats = repeatsNow();
    const Table& t = m_card->table();
    if (m_lowered.options().captured) {
        m_card->check(t.replay(m_card->device(), recording(repeats, steps)), "step");
    } else {
        const std::vector<Launch> all = m_lowered.steps(repeats, steps).launches;
        m_card->check(
            t.runLaunches(m_card->device(), all.data(), int32_t(all.size()), m_lowered.clock(), steps),
            "step");
    }
    m_clockThere.step += uint64_t(steps);
    if (m_lowered.options().counts) m_device->counted(steps);
}

void Executor::runOne(uint64_t seed, uint64_t step, size_t segment, int repeat) {
    m_device->uploadLive(m_store.live);
    setClock(seed, step);
    m_logged.clear();
    const std::vector<Launch> all = m_lowered.stage(int(segment), repeat).launches;
    m_card->check(
        m_card->table().runLaunches(m_card->device(), all.data(), int32_t(all.size()), m_lowered.clock(), 0),
        "stage");
}

bool Executor::finite() const {
    m_card->wait();
    return m_lowered.broken() == 0;
}

Recording* Executor::recording(const std::vector<int>& repeats, int steps) {
    Recording*& known = m_recordings[{repeats, steps}];
    if (known) return known;
    const Sequence sequence = m_lowered.steps(repeats, steps);
    const std::vector<Launch>& all = sequence.launches;
    const std::vector<std::array<int32_t, 2>> edges = sequence.edges();
    static_assert(sizeof(std::array<int32_t, 2>) == sizeof(int32_t[2]));
    Recorded recorded;
    m_card->check(m_card->table().record(m_card->device(), all.data(), int32_t(all.size()),
                                         reinterpret_cast<const int32_t(*)[2]>(edges.data()),
                                         int32_t(edges.size()), m_lowered.clock(), steps, &known, &recorded),
                  "capture");
    m_recorded = recorded;
    m_recordedSteps = steps;
    m_lowered.countWork(repeats, m_recorded);
    return known;
}

void Executor::get(NodeId channel, float* into) const {
    const auto size = size_t(g.nodes[size_t(channel)].shape.size());
    m_card->download(into, m_lowered.address(channel), size * sizeof(float));
}

void Executor::put(NodeId channel, const float* from) {
    const auto size = size_t(g.nodes[size_t(channel)].shape.size());
    m_card->upload(m_lowered.address(channel), from, size * sizeof(float));
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
    m_card->upload(m_lowered.handle(it->second).data(), values.data(), values.size() * sizeof(float));
}

std::vector<double> Executor::times() {
    constexpr int chain = 40, again = 3;
    const Table& t = m_card->table();
    std::vector<double> out;
    for (const Prepared* p : m_lowered.shown()) {
        const std::vector<Launch> all(chain, p->launch);
        std::vector<std::array<int32_t, 2>> edges;
        for (int32_t i = 1; i < chain; ++i) edges.push_back({i - 1, i});
        Recording* recorded = nullptr;
        Recorded shape;
        m_card->check(
            t.record(m_card->device(), all.data(), chain, reinterpret_cast<const int32_t(*)[2]>(edges.data()),
                     int32_t(edges.size()), m_lowered.clock(), 0, &recorded, &shape),
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
    m_card->fill(m_lowered.arena().data(), 0xff, m_lowered.arena().bytes());
}

}  // namespace core::cuda
