#include "core/graph/layout.h"

namespace core {

int Layout::place(const std::string& name, const Shape& shape, Initial initial, bool trained) {
    if (const int known = find(name); known >= 0) {
        CHECK(m_entries[known].shape == shape, "{}: expected shape {}, got {}", name,
              m_entries[known].shape.text(), shape.text());
        return known;
    }
    if (initial.kind == Initial::given)
        CHECK(initial.values && int64_t(initial.values->size()) == shape.size(),
              "{}: expected {} initial values, got {}", name, shape.size(),
              initial.values ? initial.values->size() : 0);
    // Every entry starts on a 64-byte line.
    constexpr int64_t line = 16;
    int64_t& size = m_sizes[trained];
    m_entries.push_back({name, shape, std::move(initial), trained, size});
    size += (shape.size() + line - 1) / line * line;
    m_index[name] = int(m_entries.size()) - 1;
    return m_index[name];
}

int Layout::find(const std::string& name) const {
    const auto it = m_index.find(name);
    return it == m_index.end() ? -1 : it->second;
}

}  // namespace core
