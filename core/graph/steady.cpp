#include <algorithm>
#include <set>

#include "core/graph/compiling.h"

namespace core {
namespace {

// Is the value the same whenever this phase reads it within one step? Knobs and handles may turn in between
// where a step is taken stage by stage.
bool isSteadyIn(const Compiling& c, int phase, const std::set<int>& written, NodeId value) {
    const NodeId id = origin(c.graph, value);
    const Node& n = c.graph.nodes[size_t(id)];
    switch (n.op) {
        case Op::constant:
            return true;
        case Op::parameter:
        case Op::state:
            return written.count(n.slot) == 0;
        case Op::live:
        case Op::handle:
            return false;
        default:
            return n.phase != phase || isSteady(c, id);
    }
}

}  // namespace

std::vector<int> entriesRead(const Graph& g, const Node& n) {
    std::vector<int> entries;
    for (NodeId input : n.inputs) {
        const Node& leaf = g.nodes[size_t(origin(g, input))];
        if (leaf.op == Op::parameter || leaf.op == Op::state) entries.push_back(leaf.slot);
    }
    return entries;
}

std::vector<int> entriesWritten(const Graph& g, const Node& n) {
    if (n.op == Op::assign) return {n.slot};
    if (n.op != Op::update) return {};
    const Update& update = g.updates[size_t(n.slot)];
    std::vector<int> all = update.entries;
    for (const Update::Average& average : update.averages) all.push_back(average.entry);
    return all;
}

bool isSteady(const Compiling& c, NodeId id) {
    const Node& n = c.graph.nodes[size_t(id)];
    return c.graph.phases[size_t(n.phase)].mayRepeat && !isRandom(n.op) && !isEffect(n.op) &&
           c.plan.steady[size_t(id)] == (1 << n.inputs.size()) - 1;
}

void findSteady(Compiling& c) {
    const Graph& g = c.graph;
    std::vector<std::set<int>> written(g.phases.size());
    for (const Node& n : g.nodes)
        for (int entry : entriesWritten(g, n)) written[size_t(n.phase)].insert(entry);
    c.plan.steady.assign(g.nodes.size(), 0);
    for (size_t id = 0; id < g.nodes.size(); ++id) {
        const Node& n = g.nodes[id];
        if (!c.plan.alive[id] || isLeaf(n.op) || isEffect(n.op) || !g.phases[size_t(n.phase)].mayRepeat)
            continue;
        for (size_t i = 0; i < n.inputs.size(); ++i)
            if (isSteadyIn(c, n.phase, written[size_t(n.phase)], n.inputs[i]))
                c.plan.steady[id] |= uint8_t(1 << i);
    }
}

}  // namespace core
