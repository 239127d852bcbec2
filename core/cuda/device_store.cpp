#include "core/cuda/device_store.h"

#include <cstring>

namespace core::cuda {
namespace {

static_assert(sizeof(Counter) == sizeof(StepCounter));

Memory sized(const CardPtr& card, size_t floats) {
    // Room for reads of four at the end.
    return Memory(card, (floats + 16) * sizeof(float));
}

}  // namespace

DeviceStore::DeviceStore(CardPtr card, const Store& store) : m_card(std::move(card)) {
    const Weights& w = store.weights;
    m_parameters = sized(m_card, w.parameters.size());
    m_gradients = sized(m_card, w.parameters.size());
    m_first = sized(m_card, w.first.size());
    m_second = sized(m_card, w.second.size());
    m_state = sized(m_card, w.state.size());
    m_live = sized(m_card, store.live.size());
    m_counters = Memory(m_card, (w.counters.size() + 1) * sizeof(Counter));
    upload(store);
    uploadLive(store.live);
}

void DeviceStore::upload(const Store& store) {
    const Weights& w = store.weights;
    const auto put = [&](const Memory& to, const Buffer& from) {
        if (!from.empty()) m_card->upload(to.data(), from.data(), from.size() * sizeof(float));
    };
    put(m_parameters, w.parameters);
    put(m_first, w.first);
    put(m_second, w.second);
    put(m_state, w.state);
    if (!w.counters.empty())
        m_card->upload(m_counters.data(), w.counters.data(), w.counters.size() * sizeof(Counter));
}

void DeviceStore::download(Store& store) const {
    Weights& w = store.weights;
    const auto get = [&](Buffer& to, const Memory& from) {
        if (!to.empty()) m_card->download(to.data(), from.data(), to.size() * sizeof(float));
    };
    get(w.parameters, m_parameters);
    get(w.first, m_first);
    get(w.second, m_second);
    get(w.state, m_state);
    if (!w.counters.empty())
        m_card->download(w.counters.data(), m_counters.data(), w.counters.size() * sizeof(Counter));
}

void DeviceStore::downloadGradients(Store& store) const {
    if (!store.gradients.empty())
        m_card->download(store.gradients.data(), m_gradients.data(), store.gradients.size() * sizeof(float));
}

void DeviceStore::uploadLive(const std::vector<float>& live) {
    if (live == m_liveThere || live.empty()) return;
    CHECK(live.size() * sizeof(float) <= m_live.bytes(), "knobs: expected at most {}, got {}",
          m_live.bytes() / sizeof(float), live.size());
    m_card->upload(m_live.data(), live.data(), live.size() * sizeof(float));
    m_liveThere = live;
}

const void* DeviceStore::table(const TablePtr& table) {
    auto& [kept, memory] = m_tables[table.get()];
    if (!kept) {
        const bool bytes = !table->bytes.empty();
        const size_t size = bytes ? table->bytes.size() : table->values.size() * sizeof(float);
        memory = Memory(m_card, size);
        m_card->upload(memory.data(),
                       bytes ? static_cast<const void*>(table->bytes.data())
                             : static_cast<const void*>(table->values.data()),
                       size);
        kept = table;
    }
    return memory.data();
}

}  // namespace core::cuda
