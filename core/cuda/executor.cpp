#include "core/cuda/executor.h"

#include <chrono>
#include <cstring>

namespace core::cuda {

Executor::Executor(Plan plan, Store& store, std::shared_ptr<DeviceStore> device,
                   const ExecutorOptions& options)
    : core::Executor(std::move(plan)),
      g(*m_plan.graph),
      m_store(store),
      m_device(std::move(device)),
      m_card(m_device->card()),
      m_lowered(m_plan, m_store, m_device, scalars(), options),
      m_inputs(m_lowered.inputs().bytes() / sizeof(float)),
      m_newTo(int64_t(m_inputs.size())) {
    for (size_t i = 0; i < g.handleValues.size(); ++i)
        std::copy(g.handleValues[i].begin(), g.handleValues[i].end(),
                  m_inputs.begin() + m_lowered.handleAt(int(i)));
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
    const Clock clock{seed, step};
    setInput(0, &clock, sizeof clock);
}

// What is there already is not sent again.
void Executor::setInput(int64_t at, const void* values, size_t bytes) {
    if (std::memcmp(&m_inputs[size_t(at)], values, bytes) == 0) return;
    std::memcpy(&m_inputs[size_t(at)], values, bytes);
    const int64_t end = at + int64_t((bytes + sizeof(float) - 1) / sizeof(float));
    m_newFrom = m_newFrom < m_newTo ? std::min(m_newFrom, at) : at;
    m_newTo = std::max(m_newTo, end);
}

void Executor::sendInputs() {
    if (m_newFrom < m_newTo)
        m_card->upload(m_lowered.inputs().floats() + m_newFrom, &m_inputs[size_t(m_newFrom)],
                       size_t(m_newTo - m_newFrom) * sizeof(float));
    m_newFrom = m_newTo = 0;
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
    sendInputs();
    m_channelsThere = false;
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
    const Clock next{seed, step + uint64_t(steps)};  // the card has counted on
    std::memcpy(m_inputs.data(), &next, sizeof next);
    if (m_lowered.options().counts) m_device->counted(steps);
}

void Executor::runOne(uint64_t seed, uint64_t step, size_t segment, int repeat) {
    m_device->uploadLive(m_store.live);
    setClock(seed, step);
    sendInputs();
    m_channelsThere = false;
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

// Who reads one channel reads others too, and asking the card takes longer than some more numbers do.
void Executor::get(NodeId channel, float* into) const {
    constexpr int64_t mostAtOnce = int64_t(1) << 17;  // floats
    const auto size = size_t(g.nodes[size_t(channel)].shape.size());
    const float* const from = m_lowered.address(channel);
    const float* const begin = m_lowered.arena().floats();
    const int64_t all = m_lowered.channelFloats();
    if (from < begin || from >= begin + all || all > mostAtOnce)
        return m_card->download(into, from, size * sizeof(float));
    if (!m_channels.data()) m_channels = Memory(m_card, size_t(all) * sizeof(float), true);
    if (!m_channelsThere) {
        m_card->copy(m_channels.data(), begin, size_t(all) * sizeof(float));
        m_card->wait();
        m_channelsThere = true;
    }
    std::copy_n(m_channels.floats() + (from - begin), size, into);
}

void Executor::put(NodeId channel, const float* from) {
    m_channelsThere = false;
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
    setInput(m_lowered.handleAt(it->second), values.data(), values.size() * sizeof(float));
}

std::vector<double> Executor::times() {
    m_channelsThere = false;
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
    m_channelsThere = false;
    m_card->fill(m_lowered.arena().data(), 0xff, m_lowered.arena().bytes());
}

}  // namespace core::cuda
