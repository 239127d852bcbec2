#include "core/graph/executor.h"

#include "core/base/error.h"

namespace core {

Executor::Executor(Plan plan) : m_plan(std::move(plan)) {
    for (const auto& [channel, id] : m_plan.graph->probes)
        if (m_plan.alive[size_t(id)] && m_plan.graph->nodes[size_t(id)].shape.size() == 1)
            m_scalars.push_back(id);
}

void Executor::skipIdle() {
    const Graph& g = *m_plan.graph;
    const auto phaseOf = [&](size_t segment) { return m_plan.segments[segment].phase; };
    const size_t count = m_plan.segments.size();
    while (m_segment < count && m_repeat == 0 && g.phases[size_t(phaseOf(m_segment))].repeats() <= 0) {
        const int phase = phaseOf(m_segment);
        while (m_segment < count && phaseOf(m_segment) == phase) ++m_segment;
    }
}

bool Executor::runSegment(uint64_t seed, uint64_t step) {
    const size_t count = m_plan.segments.size();
    if (!inStep()) beginStep();
    skipIdle();
    if (m_segment < count) {
        runOne(seed, step, m_segment, m_repeat);
        const int phase = m_plan.segments[m_segment].phase;
        ++m_segment;
        const bool phaseEnds = m_segment == count || m_plan.segments[m_segment].phase != phase;
        if (phaseEnds && ++m_repeat < m_plan.graph->phases[size_t(phase)].repeats()) {
            while (m_segment > 0 && m_plan.segments[m_segment - 1].phase == phase) --m_segment;
        } else if (phaseEnds) {
            m_repeat = 0;
            skipIdle();
        }
    }
    if (m_segment < count) return false;
    m_segment = 0;
    return true;
}

bool Executor::has(const std::string& channel) const {
    const auto it = m_plan.graph->probes.find(channel);
    return it != m_plan.graph->probes.end() && m_plan.alive[size_t(it->second)];
}

NodeId Executor::channelOf(const std::string& channel) const {
    CHECK(has(channel), "read: expected a channel of this plan, got '{}'", channel);
    return m_plan.graph->probes.at(channel);
}

int64_t Executor::givenWidth(const Series& series) const {
    const Graph& g = *m_plan.graph;
    int64_t width = 0;
    for (const std::string& handle : series.handles)
        width += g.handleShapes[size_t(g.handles.at(handle))].size();
    CHECK(int64_t(series.numbers.size()) == series.runs * width,
          "series: expected {} numbers for each of {} runs, got {}", width, series.runs,
          series.numbers.size());
    return width;
}

int64_t Executor::keptWidth(const Series& series) const {
    int64_t width = 0;
    for (const std::string& channel : series.kept) width += sizeOf(channelOf(channel));
    return width;
}

SeriesRows Executor::runSeries(uint64_t seed, uint64_t step, const Series& series) {
    const Graph& g = *m_plan.graph;
    givenWidth(series);
    const std::shared_ptr<float[]> rows(new float[size_t(series.runs * keptWidth(series))]);
    auto given = series.numbers.begin();
    float* kept = rows.get();
    std::vector<float> values;
    for (int i = 0; i < series.runs; ++i) {
        for (const std::string& handle : series.handles) {
            const int64_t size = g.handleShapes[size_t(g.handles.at(handle))].size();
            setHandle(handle, {given, given + size});
            given += size;
        }
        run(seed, step + uint64_t(i));
        for (const std::string& channel : series.kept) {
            const NodeId id = channelOf(channel);
            get(id, kept);
            kept += sizeOf(id);
        }
        for (const auto& [handle, id] : g.carried) {
            if (!m_plan.alive[size_t(id)]) continue;
            values.resize(size_t(sizeOf(id)));
            get(id, values.data());
            setHandle(handle, values);
        }
    }
    return {rows, rows.get()};
}

void Executor::read(const std::string& channel, Tensor& into) const {
    const NodeId id = channelOf(channel);
    into.shape = m_plan.graph->nodes[size_t(id)].shape;
    into.values.resize(size_t(into.shape.size()));
    get(id, into.values.data());
}

void Executor::write(const std::string& channel, const Tensor& values) {
    const NodeId id = channelOf(channel);
    CHECK(m_plan.graph->nodes[size_t(id)].shape == values.shape, "write: expected {} as {}, got {}", channel,
          m_plan.graph->nodes[size_t(id)].shape.text(), values.shape.text());
    put(id, values.values.data());
}

Tensor Executor::read(const std::string& channel) const {
    Tensor out;
    read(channel, out);
    return out;
}

void Executor::readScalars(int, std::vector<float>& into) const {
    into.resize(m_scalars.size());
    for (size_t i = 0; i < m_scalars.size(); ++i) get(m_scalars[i], &into[i]);
}

void Executor::adoptChannels(const Executor& other) {
    Tensor value;
    for (const auto& [channel, id] : m_plan.graph->probes)
        if (m_plan.places[size_t(id)].memory == Place::arena && other.has(channel)) {
            other.read(channel, value);
            put(id, value.values.data());
        }
}

}  // namespace core
