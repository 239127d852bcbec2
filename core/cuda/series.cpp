// Series of runs: the card goes on from one to the next by itself, writes what is kept into the host's
// memory, and is waited for once.
#include <algorithm>
#include <cstring>

#include "core/cuda/executor.h"

namespace core::cuda {
namespace {

constexpr int runsOfLoop = 1024, runsOneByOne = 4;  // in one series
constexpr int64_t mostGiven = 4096;                 // floats of a run

}  // namespace

bool Lowering::hasSeries() const {
    return std::any_of(m_loops.begin(), m_loops.end(), [](const LoopPlan& plan) { return plan.series; });
}

std::vector<Launch> Lowering::series(int runs, float* given, const std::vector<NodeId>& kept, float* rows) {
    const auto plan =
        std::find_if(m_loops.begin(), m_loops.end(), [](const LoopPlan& of) { return of.series; });
    if (plan == m_loops.end()) return {};
    Loop loop = plan->loop;
    loop.repeats = runs;
    for (NodeId id : kept) {
        const auto end = loop.states + loop.stateCount;
        const auto state =
            std::find_if(loop.states, end, [&](const Loop::State& s) { return s.home == address(id); });
        if (state == end) return {};
        state->kept = rows + loop.keptWidth;
        loop.keptWidth += int64_t(loop.rows) * state->width;
    }
    int64_t floats = 0;
    for (int32_t i = 0; i < loop.valueCount; ++i)
        floats += loop.values[i].given ? 0 : int64_t(loop.values[i].size) * (runs + 1);
    if (m_seriesTables.bytes() < size_t(floats) * sizeof(float))
        m_seriesTables = Memory(m_card, size_t(floats) * sizeof(float));
    float* table = m_seriesTables.floats();
    for (int32_t i = 0; i < loop.valueCount; ++i) {
        Loop::Value& v = loop.values[i];
        v.table = v.given ? given : table;
        table += v.given ? 0 : int64_t(v.size) * (runs + 1);
    }
    std::vector<Launch> out = {plan->first.launch, plan->second.launch};
    for (Launch& l : out) l.loop = loop;
    return out;
}

int Executor::runsTogether() const {
    return m_lowered.hasSeries() ? runsOfLoop : runsOneByOne;
}

// What the inputs are in each run, from the first that is given to the last, goes to the card; false where
// that is too much.
bool Executor::giveRows(const Series& series, int64_t& from, int64_t& width) {
    int64_t to = 0;
    from = int64_t(m_inputs.size());
    for (const auto& [name, slot] : g.handles) {
        if (g.carried.count(name)) continue;
        from = std::min(from, m_lowered.handleAt(slot));
        to = std::max(to, m_lowered.handleAt(slot) + g.handleShapes[size_t(slot)].size());
    }
    width = to - from;
    const bool apart = std::none_of(g.carried.begin(), g.carried.end(), [&](const auto& carried) {
        const int64_t at = m_lowered.handleAt(g.handles.at(carried.first));
        return at >= from && at < to;
    });
    if (!apart || width > mostGiven) return false;
    std::vector<float> rows;
    rows.reserve(size_t(series.runs * width));
    auto number = series.numbers.begin();
    for (int i = 0; i < series.runs; ++i) {
        for (const std::string& name : series.handles) {
            const int slot = g.handles.at(name);
            const int64_t size = g.handleShapes[size_t(slot)].size();
            std::copy_n(number, size, m_inputs.begin() + m_lowered.handleAt(slot));
            number += size;
        }
        rows.insert(rows.end(), m_inputs.begin() + from, m_inputs.begin() + to);
    }
    const size_t bytes = rows.size() * sizeof(float);
    if (m_given.bytes() < bytes) m_given = Memory(m_card, bytes);
    m_card->upload(m_given.data(), rows.data(), bytes);
    return true;
}

void Executor::runOneByOne(const Series& series, int64_t from, int64_t width, float* rows) {
    const std::vector<int> repeats = repeatsNow();
    const Table& t = m_card->table();
    const std::vector<Launch> launches =
        m_lowered.options().captured ? std::vector<Launch>{} : m_lowered.steps(repeats, 1).launches;
    for (int i = 0; i < series.runs; ++i) {
        m_card->copy(m_lowered.inputs().floats() + from, m_given.floats() + i * width,
                     size_t(width) * sizeof(float));
        m_card->check(m_lowered.options().captured
                          ? t.replay(m_card->device(), recording(repeats, 1))
                          : t.runLaunches(m_card->device(), launches.data(), int32_t(launches.size()),
                                          m_lowered.clock(), 1),
                      "series");
        for (const std::string& channel : series.kept) {
            const NodeId id = channelOf(channel);
            m_card->copy(rows, m_lowered.address(id), size_t(sizeOf(id)) * sizeof(float));
            rows += sizeOf(id);
        }
        for (const auto& [name, id] : g.carried)
            if (m_plan.alive[size_t(id)])
                m_card->copy(m_lowered.inputs().floats() + m_lowered.handleAt(g.handles.at(name)),
                             m_lowered.address(id), size_t(sizeOf(id)) * sizeof(float));
    }
}

// The inputs as the card has them: `last` is the row of the last run.
void Executor::takeCarried(const Series& series, const float* last) {
    for (const auto& [name, id] : g.carried) {
        if (!m_plan.alive[size_t(id)]) continue;
        float* const to = m_inputs.data() + m_lowered.handleAt(g.handles.at(name));
        const float* from = last;
        auto channel = series.kept.begin();
        while (channel != series.kept.end() && channelOf(*channel) != id)
            from += sizeOf(channelOf(*channel++));
        if (channel != series.kept.end())
            std::copy_n(from, sizeOf(id), to);
        else
            m_card->download(to, m_lowered.address(id), size_t(sizeOf(id)) * sizeof(float));
    }
}

SeriesRows Executor::runSeries(uint64_t seed, uint64_t step, const Series& series) {
    givenWidth(series);
    const int64_t kept = keptWidth(series);
    int64_t from = 0, width = 0;
    setClock(seed, step);
    if (m_lowered.options().counts || !giveRows(series, from, width))
        return core::Executor::runSeries(seed, step, series);
    forgive();
    m_logged.clear();
    m_device->uploadLive(m_store.live);
    sendInputs();
    m_channelsThere = false;
    const std::shared_ptr<float> rows = m_card->lend(size_t(series.runs * kept));
    std::vector<NodeId> channels;
    for (const std::string& channel : series.kept) channels.push_back(channelOf(channel));
    const std::vector<Launch> loop = m_lowered.series(series.runs, m_given.floats(), channels, rows.get());
    if (loop.empty()) {
        runOneByOne(series, from, width, rows.get());
    } else {
        m_card->check(m_card->table().runLaunches(m_card->device(), loop.data(), int32_t(loop.size()),
                                                  m_lowered.clock(), series.runs),
                      "series");
        m_card->copy(m_lowered.inputs().floats() + from, m_given.floats() + (series.runs - 1) * width,
                     size_t(width) * sizeof(float));
    }
    m_card->wait();
    const Clock next{seed, step + uint64_t(series.runs)};  // the card has counted on
    std::memcpy(m_inputs.data(), &next, sizeof next);
    takeCarried(series, rows.get() + (series.runs - 1) * kept);
    return rows;
}

}  // namespace core::cuda
