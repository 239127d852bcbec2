#include "core/graph/plan.h"

#include <algorithm>

#include "core/graph/compiling.h"

namespace core {
namespace {

void need(Compiling& c, NodeId id) {
    if (c.plan.alive[size_t(id)]) return;
    c.plan.alive[size_t(id)] = true;
    for (NodeId input : c.graph.nodes[size_t(id)].inputs) need(c, input);
}

void markAlive(Compiling& c) {
    const Graph& g = c.graph;
    c.plan.alive.assign(g.nodes.size(), false);
    c.pinned.assign(g.nodes.size(), false);
    for (const std::string& channel : c.options.channels)
        CHECK(g.probes.count(channel), "plan: expected a recorded channel, got '{}'", channel);
    for (const auto& [channel, id] : g.probes) {
        if (!c.options.everyChannel && !c.options.channels.count(channel)) continue;
        need(c, id);
        c.pinned[size_t(origin(g, id))] = true;
    }
    for (NodeId id = 0; id < NodeId(g.nodes.size()); ++id)
        if (isEffect(g.nodes[size_t(id)].op)) need(c, id);
}

// A bias is the same for every row, and known before the product begins.
bool isBias(const Compiling& c, NodeId id, NodeId sum) {
    const Graph& g = c.graph;
    const Extents e = g.nodes[size_t(id)].shape.extents();
    const bool known =
        isLeaf(g.nodes[size_t(origin(g, id))].op) || c.level[size_t(id)] < c.level[size_t(sum)];
    return known && e.samples == 1 && e.positions() == 1 &&
           e.channels == g.nodes[size_t(sum)].shape.channels();
}

// Lets products add their biases.
void findBiases(Compiling& c) {
    const Graph& g = c.graph;
    c.plan.biased.assign(g.nodes.size(), -1);
    if (!c.options.reuse) return;
    std::vector<int> uses(g.nodes.size(), 0);
    for (size_t id = 0; id < g.nodes.size(); ++id)
        if (c.plan.alive[id])
            for (NodeId input : g.nodes[id].inputs) ++uses[size_t(input)];
    for (NodeId id = 0; id < NodeId(g.nodes.size()); ++id) {
        const Node& sum = g.nodes[size_t(id)];
        if (!c.plan.alive[size_t(id)] || sum.op != Op::add) continue;
        for (size_t which : {0, 1}) {
            const NodeId product = sum.inputs[which], bias = sum.inputs[1 - which];
            const auto at = size_t(product);
            const Node& p = g.nodes[at];
            const bool own = uses[at] == 1 && !c.pinned[at] && !g.gradientEntry.count(product);
            if (p.op == Op::matmul && !p.transposed && own && p.shape == sum.shape &&
                c.group[at] == c.group[size_t(id)] && isBias(c, bias, id)) {
                c.plan.biased[at] = id;
                break;
            }
        }
    }
}

}  // namespace

int Plan::levelCount() const {
    int count = 0;
    for (const Segment& segment : segments) count += int(segment.levels.size());
    return count;
}

Plan compile(std::shared_ptr<const Graph> graph, const Layout& layout, const PlanOptions& options) {
    const Graph& g = *graph;
    Compiling c{.graph = g, .layout = layout, .options = options};
    c.plan.graph = std::move(graph);
    markAlive(c);
    findSteady(c);
    schedule(c);
    findBiases(c);
    placeValues(c);
    return std::move(c.plan);
}

}  // namespace core
