#include <algorithm>

#include "core/graph/compiling.h"

namespace core {
namespace {

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

class Scheduler {
  public:
    explicit Scheduler(Compiling& c) : g(c.graph), m_c(c) {}

    void run() {
        m_c.level.assign(g.nodes.size(), -1);
        m_c.group.assign(g.nodes.size(), -1);
        for (const Range& range : ranges()) schedule(range);
    }

  private:
    struct Range {
        int phase, stage;
        std::vector<NodeId> nodes;
    };

    // The computed nodes of each phase (or stage of it) in program order.
    std::vector<Range> ranges() const {
        std::vector<Range> out;
        for (NodeId id = 0; id < NodeId(g.nodes.size()); ++id) {
            const Node& n = g.nodes[id];
            if (!m_c.plan.alive[id] || isLeaf(n.op)) continue;
            const bool fresh = out.empty() || out.back().phase != n.phase ||
                               (m_c.options.byStage && out.back().stage != n.stage);
            if (fresh) out.push_back({n.phase, m_c.options.byStage ? n.stage : -1, {}});
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
            if (m_c.level[from] < m_firstLevel) continue;  // a leaf, or computed in an earlier segment
            const bool together = rowLocal(g, n, which) && isWide(g, id) == isWide(g, from);
            level = std::max(level, m_c.level[from] + (together ? 0 : 1));
        }
        for (int entry : entriesRead(g, n))
            if (const auto w = written.find(entry); w != written.end())
                level = std::max(level, w->second + 1);
        for (int entry : entriesWritten(g, n))
            if (const auto r = read.find(entry); r != read.end()) level = std::max(level, r->second + 1);
        return level;
    }

    void schedule(const Range& range) {
        std::map<int, int> written, read;  // layout entry -> level
        int last = m_firstLevel;
        for (NodeId id : range.nodes) {
            const int level = earliest(id, written, read);
            m_c.level[id] = level;
            last = std::max(last, level);
            for (int entry : entriesRead(g, g.nodes[id]))
                read[entry] = std::max(read.count(entry) ? read[entry] : level, level);
            for (int entry : entriesWritten(g, g.nodes[id])) written[entry] = level;
        }
        postpone(range);
        Segment segment{range.phase, range.stage, {}};
        for (int level = m_firstLevel; level <= last; ++level) {
            Level groups = group(range, level);
            if (!groups.empty()) segment.levels.push_back(std::move(groups));
        }
        m_c.plan.segments.push_back(std::move(segment));
        m_c.spans.push_back({range.phase, m_firstLevel, last});
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
            if (isEffect(n.op) || m_c.pinned[origin(g, id)] || readers[id].empty()) continue;
            if (isSteady(m_c, id)) continue;  // there it might be computed again and again
            const int later = m_c.level[readers[id].front()];
            if (later == m_c.level[id]) continue;
            const bool together = std::all_of(readers[id].begin(), readers[id].end(), [&](NodeId reader) {
                const std::vector<NodeId>& inputs = g.nodes[reader].inputs;
                for (int which = 0; which < int(inputs.size()); ++which)
                    if (inputs[which] == id && !rowLocal(g, g.nodes[reader], which)) return false;
                return m_c.level[reader] == later && isWide(g, reader) == isWide(g, id);
            });
            // What it reads itself is kept for longer: no more than what it gives.
            const bool grows = std::all_of(n.inputs.begin(), n.inputs.end(), [&](NodeId input) {
                return isLeaf(g.nodes[origin(g, input)].op) ||
                       g.nodes[input].shape.rows() != n.shape.rows() ||
                       g.nodes[input].shape.columns() <= n.shape.columns();
            });
            const std::vector<int> entries = entriesRead(g, n);
            const bool unchanged = std::none_of(entries.begin(), entries.end(), [&](int entry) {
                return writtenBetween(range, entry, m_c.level[id], later);
            });
            if (together && grows && unchanged) m_c.level[id] = later;
        }
    }

    bool writtenBetween(const Range& range, int entry, int first, int last) const {
        return std::any_of(range.nodes.begin(), range.nodes.end(), [&](NodeId id) {
            if (m_c.level[id] < first || m_c.level[id] > last || !isEffect(g.nodes[id].op)) return false;
            const std::vector<int> entries = entriesWritten(g, g.nodes[id]);
            return std::find(entries.begin(), entries.end(), entry) != entries.end();
        });
    }

    // Nodes of one level that depend on each other, row by row, belong to one group.
    Level group(const Range& range, int level) {
        std::vector<NodeId> nodes;
        for (NodeId id : range.nodes)
            if (m_c.level[id] == level) nodes.push_back(id);
        std::map<NodeId, NodeId> leader;
        for (NodeId id : nodes) leader[id] = id;
        const auto find = [&](NodeId id) {
            while (leader[id] != id) id = leader[id];
            return id;
        };
        for (NodeId id : nodes)
            for (NodeId input : g.nodes[id].inputs)
                if (m_c.level[input] == level && leader.count(input)) leader[find(id)] = find(input);
        std::map<NodeId, Group> groups;
        for (NodeId id : nodes) {
            m_c.group[id] = find(id);
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
            group.steady = std::all_of(group.nodes.begin(), group.nodes.end(),
                                       [&](NodeId node) { return isSteady(m_c, node); });
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

    const Graph& g;
    Compiling& m_c;
    int m_firstLevel = 0;  // of the segment being scheduled
};

}  // namespace

void schedule(Compiling& c) {
    Scheduler(c).run();
}

}  // namespace core
