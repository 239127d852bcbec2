// Snapshots of a run in bounded memory: many of the recent past, ever fewer further back.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>

#include "core/contract/frame.h"
#include "core/graph/store.h"

namespace core {

struct Snapshot {
    Weights weights;
    Settings settings;
    size_t applied = 0;  // journal entries that had happened
    // Recorded channels that the settings leave as they were: their phase does not run.
    std::map<std::string, Tensor> idle;
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
        m_snapshots[step] = std::move(snapshot);
        const auto& weights = m_snapshots[step].weights;
        const int64_t bytes = 4 * int64_t(3 * weights.parameters.size() + weights.state.size()) + 1024;
        while (m_snapshots.size() > 3 && int64_t(m_snapshots.size()) * bytes > memoryBudget) thin();
    }

    // The latest snapshot at or before the step; there is always one at step 0.
    const Snapshot& before(int64_t step, int64_t& at) const {
        const auto it = std::prev(m_snapshots.upper_bound(step));
        at = it->first;
        return it->second;
    }

    void forgetAfter(int64_t step) { m_snapshots.erase(m_snapshots.upper_bound(step), m_snapshots.end()); }
    void clear() { m_snapshots.clear(); }
    size_t size() const { return m_snapshots.size(); }

  private:
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
        if (victim != m_snapshots.end()) m_snapshots.erase(victim);
    }

    std::map<int64_t, Snapshot> m_snapshots;
};

}  // namespace core
