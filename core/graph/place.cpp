#include <algorithm>
#include <numeric>

#include "core/graph/compiling.h"

namespace core {
namespace {

class Placer {
  public:
    explicit Placer(Compiling& c) : g(c.graph), m_c(c) {}

    void place() {
        m_c.plan.places.resize(g.nodes.size());
        m_leaves.assign(g.nodes.size(), false);
        std::vector<int> last(g.nodes.size(), -1);
        for (NodeId id = 0; id < NodeId(g.nodes.size()); ++id) {
            if (!m_c.plan.alive[id] || isLeaf(g.nodes[id].op)) continue;
            for (NodeId input : g.nodes[id].inputs) {
                const NodeId from = origin(g, input);
                // What a phase reads from outside must live to that phase's end: the phase may repeat.
                const bool crosses = g.nodes[from].phase != g.nodes[id].phase;
                last[from] = std::max(last[from], crosses ? wholePhase(m_c.level[id]).last : m_c.level[id]);
                if (m_c.group[from] != m_c.group[id]) m_leaves[from] = true;
            }
        }
        std::vector<Lifetime> lifetimes;
        for (NodeId id = 0; id < NodeId(g.nodes.size()); ++id) {
            if (!m_c.plan.alive[id] || placeFixed(id) || m_c.plan.biased[id] >= 0) continue;
            // A pinned value has its place for itself: it must survive a phase that is skipped.
            const bool alone = m_c.pinned[id] || !m_c.options.reuse;
            if (!alone && !m_leaves[id]) continue;  // of its group alone
            int first = alone ? 0 : m_c.level[id];
            int end = alone ? INT32_MAX : std::max(last[id], m_c.level[id]);
            if (!alone && isSteady(m_c, id)) {  // computed in the first repetition alone
                const Compiling::Span span = wholePhase(m_c.level[id]);
                first = span.first;
                end = std::max(end, span.last);
            }
            lifetimes.push_back({id, first, end, padded(g.nodes[id].shape.size()), 0});
        }
        m_c.plan.arenaSize = allot(lifetimes);
        for (const Lifetime& l : lifetimes) m_c.plan.places[l.id] = {Place::arena, l.offset};
        for (const Segment& segment : m_c.plan.segments)
            for (const Level& level : segment.levels)
                for (const Group& group : level) placeInSlab(group);
        // Views were passed over before their origin was placed.
        for (NodeId id = 0; id < NodeId(g.nodes.size()); ++id)
            if (m_c.plan.alive[id] && g.nodes[id].op == Op::reshape)
                m_c.plan.places[id] = m_c.plan.places[g.nodes[id].inputs[0]];
    }

  private:
    struct Lifetime {
        NodeId id;
        int first, last;
        int64_t size, offset;
    };

    // All levels of the phase that this one belongs to.
    Compiling::Span wholePhase(int level) const {
        Compiling::Span out{-1, level, level};
        for (const Compiling::Span& span : m_c.spans)
            if (level >= span.first && level <= span.last) out.phase = span.phase;
        for (const Compiling::Span& span : m_c.spans)
            if (span.phase == out.phase) {
                out.first = std::min(out.first, span.first);
                out.last = std::max(out.last, span.last);
            }
        return out;
    }

    static int64_t padded(int64_t size) { return (size + 15) / 16 * 16; }

    // Places what is not for the planner to choose; says whether it was such.
    bool placeFixed(NodeId id) {
        const Node& n = g.nodes[id];
        Place& place = m_c.plan.places[id];
        switch (n.op) {
            case Op::parameter:
                place = {Place::parameters, m_c.layout.entries()[n.slot].offset};
                return true;
            case Op::state:
                place = {Place::state, m_c.layout.entries()[n.slot].offset};
                return true;
            case Op::live:
                place = {Place::live, n.slot};
                return true;
            case Op::handle:
                place = {Place::handle, n.slot};
                return true;
            case Op::constant:
                place = {Place::constant, n.slot};
                return true;
            case Op::reshape:
            case Op::update:
            case Op::assign:
                return true;
            default:
                break;
        }
        const auto gradient = g.gradientEntry.find(id);
        if (gradient == g.gradientEntry.end()) return false;
        place = {Place::gradients, m_c.layout.entries()[gradient->second].offset};
        return true;
    }

    // The values that only the group reads, by their lifetimes within one slab.
    void placeInSlab(const Group& group) {
        std::map<NodeId, int> index;  // of values without a place, into lifetimes
        std::vector<Lifetime> lifetimes;
        for (int at = 0; at < int(group.nodes.size()); ++at) {
            const NodeId id = group.nodes[size_t(at)];
            for (NodeId input : g.nodes[id].inputs)
                if (const auto known = index.find(origin(g, input)); known != index.end())
                    lifetimes[size_t(known->second)].last = at;
            const NodeId value = m_c.plan.biased[id] >= 0 ? m_c.plan.biased[id] : id;  // what is written here
            if (m_c.plan.places[value].memory != Place::none || isEffect(g.nodes[id].op)) continue;
            if (const auto known = index.find(value); known != index.end()) {
                lifetimes[size_t(known->second)].last = at;
                continue;
            }
            index[value] = int(lifetimes.size());
            lifetimes.push_back({value, at, at, padded(group.slab * g.nodes[id].shape.columns()), 0});
        }
        m_c.plan.slabSize = std::max(m_c.plan.slabSize, allot(lifetimes));
        for (const Lifetime& l : lifetimes) m_c.plan.places[l.id] = {Place::slab, l.offset};
    }

    // Best fit by size: the largest value first, at the lowest offset that is free through its lifetime.
    // Returns the floats that all of them need.
    static int64_t allot(std::vector<Lifetime>& lifetimes) {
        int64_t total = 0;
        std::vector<size_t> order(lifetimes.size());
        std::iota(order.begin(), order.end(), size_t(0));
        std::stable_sort(order.begin(), order.end(),
                         [&](size_t x, size_t y) { return lifetimes[x].size > lifetimes[y].size; });
        std::vector<const Lifetime*> placed;  // by offset
        for (size_t index : order) {
            Lifetime& l = lifetimes[index];
            int64_t offset = 0;
            for (const Lifetime* other : placed) {
                if (other->first > l.last || other->last < l.first) continue;
                if (offset + l.size <= other->offset) break;
                offset = std::max(offset, other->offset + other->size);
            }
            l.offset = offset;
            total = std::max(total, offset + l.size);
            placed.insert(
                std::upper_bound(placed.begin(), placed.end(), &l,
                                 [](const Lifetime* x, const Lifetime* y) { return x->offset < y->offset; }),
                &l);
        }
        return total;
    }

    const Graph& g;
    Compiling& m_c;
    std::vector<bool> m_leaves;  // read outside of its group
};

}  // namespace

void placeValues(Compiling& c) {
    Placer(c).place();
}

}  // namespace core
