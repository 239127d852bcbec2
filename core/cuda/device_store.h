// A run's numbers on a card: the same flat buffers as in a Store, and the tables that plans draw from.
#pragma once

#include <map>

#include "core/base/table.h"
#include "core/cuda/plugin.h"
#include "core/graph/store.h"

namespace core::cuda {

class DeviceStore {
  public:
    // Buffers as large as the store's, with its numbers.
    DeviceStore(CardPtr card, const Store& store);

    void upload(const Store& store);
    // Parameters, moments, state and counters; waits for what runs.
    void download(Store& store) const;
    void downloadGradients(Store& store) const;
    // The knobs, where they have changed.
    void uploadLive(const std::vector<float>& live);
    // The card itself has counted the last of them on.
    void counted(int steps) { m_liveThere.back() += float(steps); }

    const CardPtr& card() const { return m_card; }
    float* parameters() const { return m_parameters.floats(); }
    float* gradients() const { return m_gradients.floats(); }
    float* first() const { return m_first.floats(); }
    float* second() const { return m_second.floats(); }
    float* state() const { return m_state.floats(); }
    float* live() const { return m_live.floats(); }
    Counter* counters() const { return static_cast<Counter*>(m_counters.data()); }
    // The table's rows on the card, put there when first asked for.
    const void* table(const TablePtr& table);

  private:
    CardPtr m_card;
    Memory m_parameters, m_gradients, m_first, m_second, m_state, m_live, m_counters;
    std::vector<float> m_liveThere;
    std::map<const core::Table*, std::pair<TablePtr, Memory>> m_tables;
};

}  // namespace core::cuda
