// Snapshots of a run in bounded memory: many of the recent past, ever fewer further back.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>

#include "core/contract/frame.h"
#include "core/graph/store.h"

namespace core {

struct Snapshot {
    Weights weights;
    Settings settings;
    size_t applied = 0;  // journal entries that had happened
    // Recorded channels that the settings leave as they were: their phase does not run.
    std::map<std::string, Tensor> idle;
    // All recorded channels; without them the step must be done again to be seen as it was.
    std::optional<std::map<std::string, Tensor>> channels;

    int64_t bytes() const {
        int64_t numbers = int64_t(3 * weights.parameters.size() + weights.state.size());
        for (const auto& [name, tensor] : idle) numbers += int64_t(tensor.values.size());
        if (channels)
            for (const auto& [name, tensor] : *channels) numbers += int64_t(tensor.values.size());
        return 4 * numbers + 1024;
    }
};

class Timeline {
  public:
    static constexpr int64_t memoryBudget = 64 << 20;  // bytes

    // The step before which the next snapshot is due, given the size of one. Copying stays far below the
    // time of the steps between: 200 kB of weights a step.
    int64_t nextDue(int64_t bytes) const {
        const int64_t apart = std::max<int64_t>(16, bytes / 200'000);
        return m_snapshots.empty() ? 0 : m_snapshots.rbegin()->first + apart;
    }

    void add(int64_t step, Snapshot snapshot) {
        if (const auto former = m_snapshots.find(step); former != m_snapshots.end()) forget(former);
        m_bytes += snapshot.bytes();
        m_snapshots.emplace(step, std::move(snapshot));
        while (m_snapshots.size() > 3 && m_bytes > memoryBudget) thin();
    }

    // The latest snapshot at or before the step; there is always one at step 0.
    const Snapshot& before(int64_t step, int64_t& at) const {
        const auto it = std::prev(m_snapshots.upper_bound(step));
        at = it->first;
        return it->second;
    }

    void forgetAfter(int64_t step) {
        for (auto it = m_snapshots.upper_bound(step); it != m_snapshots.end();) it = forget(it);
    }
    void clear() { forgetAfter(-1); }
    size_t size() const { return m_snapshots.size(); }

  private:
    std::map<int64_t, Snapshot>::iterator forget(std::map<int64_t, Snapshot>::iterator it) {
        m_bytes -= it->second.bytes();
        return m_snapshots.erase(it);
    }

    // The one goes whose loss leaves the smallest gap for its age: spacing grows with distance in time.
    void thin() {
        const int64_t latest = m_snapshots.rbegin()->first;
        auto victim = m_snapshots.end();
        double least = 0;
        for (auto it = std::next(m_snapshots.begin()); std::next(it) != m_snapshots.end(); ++it) {
            const double gap = double(std::next(it)->first - std::prev(it)->first);
            const double cost = gap / double(latest - it->first + 1);
            if (victim == m_snapshots.end() || cost < least) victim = it, least = cost;
        }
        forget(victim);
    }

    std::map<int64_t, Snapshot> m_snapshots;
    int64_t m_bytes = 0;
};

}  // namespace core
