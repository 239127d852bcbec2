#include "core/graph/plan.h"

#include <algorithm>
#include <numeric>

namespace core {
namespace {

bool isLeaf(Op op) {
    return op <= Op::constant;
}
bool isEffect(Op op) {
    return op == Op::update || op == Op::assign;
}

// Does every row of the node depend on all rows of this operand?
bool readsWhole(const Node& n, int which) {
    switch (n.op) {
        case Op::matmul:
            return which == 1 || n.transposed;
        case Op::convolution:
        case Op::convolutionTransposed:
        case Op::nearestRow:
            return which == 1;
        case Op::gatherRows:
            return which == 0;
        case Op::transpose:
        case Op::convolutionWeight:
        case Op::scatterRows:
        case Op::sliceRows:
        case Op::padRows:
        case Op::update:
        case Op::assign:
            return true;
        default:
            return false;
    }
}

// Does row i of the node depend only on row i of this operand? A convolution's weight gradient is computed by
// workers who share all rows, each some input channels of every tap.
bool rowLocal(const Graph& g, const Node& n, int which) {
    const Node& from = g.nodes[n.inputs[which]];
    return from.shape.rows() == n.shape.rows() && !readsWhole(n, which) && from.op != Op::convolutionWeight;
}

// Is a row of it, or of what it is computed from, more than one position? Few such samples fit a slab; what
// has one position a sample is computed apart, many samples at a time.
bool isWide(const Graph& g, NodeId id) {
    const auto wide = [&](NodeId value) { return g.nodes[value].shape.extents().positions() > 1; };
    const Node& n = g.nodes[id];
    return wide(id) || std::any_of(n.inputs.begin(), n.inputs.end(), wide);
}

// The node that a chain of reshapes stands for.
NodeId origin(const Graph& g, NodeId id) {
    while (g.nodes[id].op == Op::reshape) id = g.nodes[id].inputs[0];
    return id;
}

class Compiler {
  public:
    Compiler(std::shared_ptr<const Graph> graph, const Layout& layout, const PlanOptions& options)
        : g(*graph),
          m_layout(layout),
          m_options(options),
          m_level(g.nodes.size(), -1),
          m_group(g.nodes.size(), -1) {
        m_plan.graph = std::move(graph);
    }

    Plan compile() {
        markAlive();
        for (const Range& range : ranges()) schedule(range);
        findBiases();
        place();
        return std::move(m_plan);
    }

  private:
    struct Range {
        int phase, stage;
        std::vector<NodeId> nodes;
    };

    void need(NodeId id) {
        if (m_plan.alive[id]) return;
        m_plan.alive[id] = true;
        for (NodeId input : g.nodes[id].inputs) need(input);
    }

    void markAlive() {
        m_plan.alive.assign(g.nodes.size(), false);
        m_pinned.assign(g.nodes.size(), false);
        for (const std::string& channel : m_options.channels)
            CHECK(g.probes.count(channel), "plan: expected a recorded channel, got '{}'", channel);
        for (const auto& [channel, id] : g.probes) {
            if (!m_options.everyChannel && !m_options.channels.count(channel)) continue;
            need(id);
            m_pinned[origin(g, id)] = true;
        }
        for (NodeId id = 0; id < NodeId(g.nodes.size()); ++id)
            if (isEffect(g.nodes[id].op)) need(id);
    }

    // The computed nodes of each phase (or stage of it) in program order.
    std::vector<Range> ranges() const {
        std::vector<Range> out;
        for (NodeId id = 0; id < NodeId(g.nodes.size()); ++id) {
            const Node& n = g.nodes[id];
            if (!m_plan.alive[id] || isLeaf(n.op)) continue;
            const bool fresh = out.empty() || out.back().phase != n.phase ||
                               (m_options.byStage && out.back().stage != n.stage);
            if (fresh) out.push_back({n.phase, m_options.byStage ? n.stage : -1, {}});
            out.back().nodes.push_back(id);
        }
        return out;
    }

    // The earliest level at which the node can run, given those of its inputs and the effects so far.
    int earliest(NodeId id, const std::map<int, int>& written, const std::map<int, int>& read) const {
        const Node& n = g.nodes[id];
        int level = m_firstLevel;
        for (int which = 0; which < int(n.inputs.size()); ++which) {
            const NodeId from = n.inputs[which];
            if (m_level[from] < m_firstLevel) continue;  // a leaf, or computed in an earlier segment
            const bool together = rowLocal(g, n, which) && isWide(g, id) == isWide(g, from);
            level = std::max(level, m_level[from] + (together ? 0 : 1));
        }
        for (int entry : reads(n))
            if (const auto w = written.find(entry); w != written.end())
                level = std::max(level, w->second + 1);
        for (int entry : writes(n))
            if (const auto r = read.find(entry); r != read.end()) level = std::max(level, r->second + 1);
        return level;
    }

    // The layout's entries that it reads as they are in memory.
    std::vector<int> reads(const Node& n) const {
        std::vector<int> entries;
        for (NodeId input : n.inputs) {
            const Node& leaf = g.nodes[origin(g, input)];
            if (leaf.op == Op::parameter || leaf.op == Op::state) entries.push_back(leaf.slot);
        }
        return entries;
    }

    std::vector<int> writes(const Node& n) const {
        if (n.op == Op::assign) return {n.slot};
        if (n.op == Op::update) {
            std::vector<int> all = g.updates[n.slot].entries;
            for (const Update::Average& average : g.updates[n.slot].averages) all.push_back(average.entry);
            return all;
        }
        return {};
    }

    void schedule(const Range& range) {
        std::map<int, int> written, read;  // layout entry -> level
        int last = m_firstLevel;
        for (NodeId id : range.nodes) {
            const int level = earliest(id, written, read);
            m_level[id] = level;
            last = std::max(last, level);
            for (int entry : reads(g.nodes[id]))
                read[entry] = std::max(read.count(entry) ? read[entry] : level, level);
            for (int entry : writes(g.nodes[id])) written[entry] = level;
        }
        postpone(range);
        Segment segment{range.phase, range.stage, {}};
        for (int level = m_firstLevel; level <= last; ++level) {
            Level groups = group(range, level);
            if (!groups.empty()) segment.levels.push_back(std::move(groups));
        }
        m_plan.segments.push_back(std::move(segment));
        m_segmentEnd.push_back({range.phase, m_firstLevel, last});
        m_firstLevel = last + 1;
    }

    // What could run early, but is read by one later group alone and row by row, runs in that group: its
    // value then stays in the worker's slab.
    void postpone(const Range& range) {
        std::map<NodeId, std::vector<NodeId>> readers;
        for (NodeId id : range.nodes)
            for (NodeId input : g.nodes[id].inputs) readers[input].push_back(id);
        for (auto it = range.nodes.rbegin(); it != range.nodes.rend(); ++it) {
            const NodeId id = *it;
            const Node& n = g.nodes[id];
            if (isEffect(n.op) || m_pinned[origin(g, id)] || readers[id].empty()) continue;
            const int later = m_level[readers[id].front()];
            if (later == m_level[id]) continue;
            const bool together = std::all_of(readers[id].begin(), readers[id].end(), [&](NodeId reader) {
                const std::vector<NodeId>& inputs = g.nodes[reader].inputs;
                for (int which = 0; which < int(inputs.size()); ++which)
                    if (inputs[which] == id && !rowLocal(g, g.nodes[reader], which)) return false;
                return m_level[reader] == later && isWide(g, reader) == isWide(g, id);
            });
            // What it reads itself is kept for longer: no more than what it gives.
            const bool grows = std::all_of(n.inputs.begin(), n.inputs.end(), [&](NodeId input) {
                return isLeaf(g.nodes[origin(g, input)].op) ||
                       g.nodes[input].shape.rows() != n.shape.rows() ||
                       g.nodes[input].shape.columns() <= n.shape.columns();
            });
            const std::vector<int> entries = reads(n);
            const bool unchanged = std::none_of(entries.begin(), entries.end(), [&](int entry) {
                return writtenBetween(range, entry, m_level[id], later);
            });
            if (together && grows && unchanged) m_level[id] = later;
        }
    }

    bool writtenBetween(const Range& range, int entry, int first, int last) const {
        return std::any_of(range.nodes.begin(), range.nodes.end(), [&](NodeId id) {
            if (m_level[id] < first || m_level[id] > last || !isEffect(g.nodes[id].op)) return false;
            const std::vector<int> entries = writes(g.nodes[id]);
            return std::find(entries.begin(), entries.end(), entry) != entries.end();
        });
    }

    // Nodes of one level that depend on each other, row by row, belong to one group.
    Level group(const Range& range, int level) {
        std::vector<NodeId> nodes;
        for (NodeId id : range.nodes)
            if (m_level[id] == level) nodes.push_back(id);
        std::map<NodeId, NodeId> leader;
        for (NodeId id : nodes) leader[id] = id;
        const auto find = [&](NodeId id) {
            while (leader[id] != id) id = leader[id];
            return id;
        };
        for (NodeId id : nodes)
            for (NodeId input : g.nodes[id].inputs)
                if (m_level[input] == level && leader.count(input)) leader[find(id)] = find(input);
        std::map<NodeId, Group> groups;
        for (NodeId id : nodes) {
            m_group[id] = find(id);
            if (g.nodes[id].op == Op::reshape) continue;  // no arithmetic
            Group& group = groups[find(id)];
            group.rows = g.nodes[id].shape.rows();
            group.nodes.push_back(id);
        }
        Level out;
        for (auto& [id, group] : groups) {
            const Node& first = g.nodes[group.nodes[0]];
            group.readsWhole =
                first.op == Op::convolutionWeight || (first.op == Op::matmul && first.transposed);
            group.slab = group.readsWhole ? group.rows : slabRows(group);
            out.push_back(std::move(group));
        }
        return out;
    }

    // As many rows as keep the widest value in a core's own cache: whole register tiles of 12 rows, or
    // single samples where those are images.
    int64_t slabRows(const Group& group) const {
        constexpr int64_t room = 24 * 1024, tile = 12, most = 96;  // floats, rows, rows
        int64_t widest = 1;
        for (NodeId id : group.nodes) widest = std::max(widest, g.nodes[id].shape.columns());
        const int64_t rows = std::clamp<int64_t>(room / widest, 1, most);
        return rows >= tile ? rows / tile * tile : rows;
    }

    // A bias is the same for every row, and known before the product begins.
    bool isBias(NodeId id, NodeId sum) const {
        const Extents e = g.nodes[id].shape.extents();
        const bool known = isLeaf(g.nodes[origin(g, id)].op) || m_level[id] < m_level[sum];
        return known && e.samples == 1 && e.positions() == 1 && e.channels == g.nodes[sum].shape.channels();
    }

    void findBiases() {
        m_plan.biased.assign(g.nodes.size(), -1);
        if (!m_options.reuse) return;
        std::vector<int> uses(g.nodes.size(), 0);
        for (NodeId id = 0; id < NodeId(g.nodes.size()); ++id)
            if (m_plan.alive[id])
                for (NodeId input : g.nodes[id].inputs) ++uses[input];
        for (NodeId id = 0; id < NodeId(g.nodes.size()); ++id) {
            const Node& sum = g.nodes[id];
            if (!m_plan.alive[id] || sum.op != Op::add) continue;
            for (int which : {0, 1}) {
                const NodeId product = sum.inputs[which], bias = sum.inputs[1 - which];
                const Node& p = g.nodes[product];
                const bool own = uses[product] == 1 && !m_pinned[product] && !g.gradientEntry.count(product);
                if (p.op == Op::matmul && !p.transposed && own && p.shape == sum.shape &&
                    m_group[product] == m_group[id] && isBias(bias, id)) {
                    m_plan.biased[product] = id;
                    break;
                }
            }
        }
    }

    // ---- memory

    struct Lifetime {
        NodeId id;
        int first, last;
        int64_t size, offset;
    };

    // A value that a phase reads from outside must live to that phase's end: the phase may repeat.
    int lastUse(int level) const {
        for (const auto& [phase, first, last] : m_segmentEnd)
            if (level >= first && level <= last) {
                int end = last;
                for (const auto& other : m_segmentEnd)
                    if (other.phase == phase) end = std::max(end, other.last);
                return end;
            }
        return level;
    }

    void place() {
        m_plan.places.resize(g.nodes.size());
        m_leaves.assign(g.nodes.size(), false);
        std::vector<int> last(g.nodes.size(), -1);
        for (NodeId id = 0; id < NodeId(g.nodes.size()); ++id) {
            if (!m_plan.alive[id] || isLeaf(g.nodes[id].op)) continue;
            for (NodeId input : g.nodes[id].inputs) {
                const NodeId from = origin(g, input);
                const bool crosses = g.nodes[from].phase != g.nodes[id].phase;
                last[from] = std::max(last[from], crosses ? lastUse(m_level[id]) : m_level[id]);
                if (m_group[from] != m_group[id]) m_leaves[from] = true;
            }
        }
        std::vector<Lifetime> lifetimes;
        for (NodeId id = 0; id < NodeId(g.nodes.size()); ++id) {
            if (!m_plan.alive[id] || placeFixed(id) || m_plan.biased[id] >= 0) continue;
            // A pinned value has its place for itself: it must survive a phase that is skipped.
            const bool alone = m_pinned[id] || !m_options.reuse;
            if (!alone && !m_leaves[id]) continue;  // of its group alone
            const int first = alone ? 0 : m_level[id];
            const int end = alone ? INT32_MAX : std::max(last[id], m_level[id]);
            lifetimes.push_back({id, first, end, padded(g.nodes[id].shape.size()), 0});
        }
        m_plan.arenaSize = allot(lifetimes);
        for (const Lifetime& l : lifetimes) m_plan.places[l.id] = {Place::arena, l.offset};
        for (const Segment& segment : m_plan.segments)
            for (const Level& level : segment.levels)
                for (const Group& group : level) placeInSlab(group);
        // Views were passed over before their origin was placed.
        for (NodeId id = 0; id < NodeId(g.nodes.size()); ++id)
            if (m_plan.alive[id] && g.nodes[id].op == Op::reshape)
                m_plan.places[id] = m_plan.places[g.nodes[id].inputs[0]];
    }

    static int64_t padded(int64_t size) { return (size + 15) / 16 * 16; }

    // Places what is not for the planner to choose; says whether it was such.
    bool placeFixed(NodeId id) {
        const Node& n = g.nodes[id];
        Place& place = m_plan.places[id];
        switch (n.op) {
            case Op::parameter:
                place = {Place::parameters, m_layout.entries()[n.slot].offset};
                return true;
            case Op::state:
                place = {Place::state, m_layout.entries()[n.slot].offset};
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
        place = {Place::gradients, m_layout.entries()[gradient->second].offset};
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
            const NodeId value = m_plan.biased[id] >= 0 ? m_plan.biased[id] : id;  // what is written here
            if (m_plan.places[value].memory != Place::none || isEffect(g.nodes[id].op)) continue;
            if (const auto known = index.find(value); known != index.end()) {
                lifetimes[size_t(known->second)].last = at;
                continue;
            }
            index[value] = int(lifetimes.size());
            lifetimes.push_back({value, at, at, padded(group.slab * g.nodes[id].shape.columns()), 0});
        }
        m_plan.slabSize = std::max(m_plan.slabSize, allot(lifetimes));
        for (const Lifetime& l : lifetimes) m_plan.places[l.id] = {Place::slab, l.offset};
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

    struct Span {
        int phase, first, last;
    };

    const Graph& g;
    const Layout& m_layout;
    const PlanOptions& m_options;
    Plan m_plan;
    std::vector<int> m_level;     // by node; -1 for leaves
    std::vector<NodeId> m_group;  // by node; the number of its group, which is one of its nodes
    std::vector<bool> m_pinned;   // kept until the next step
    std::vector<bool> m_leaves;   // read outside of its group
    std::vector<Span> m_segmentEnd;
    int m_firstLevel = 0;  // of the segment being scheduled
};

}  // namespace

int Plan::levelCount() const {
    int count = 0;
    for (const Segment& segment : segments) count += int(segment.levels.size());
    return count;
}

Plan compile(std::shared_ptr<const Graph> graph, const Layout& layout, const PlanOptions& options) {
    return Compiler(std::move(graph), layout, options).compile();
}

}  // namespace core
