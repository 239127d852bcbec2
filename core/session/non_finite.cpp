#include "core/session/non_finite.h"

#include "core/base/finite.h"
#include "core/cpu/executor.h"

namespace core {

std::string firstNonFinite(const std::shared_ptr<const Graph>& graph, const Layout& layout,
                           const Store& before, uint64_t seed, uint64_t step, int threads) {
    Store copy = before;
    cpu::Pool pool(threads);
    cpu::Executor debug(compile(graph, layout, {.reuse = false}), copy, pool);
    debug.run(seed, step);
    for (NodeId id = 0; id < NodeId(graph->nodes.size()); ++id) {
        const Node& n = graph->nodes[size_t(id)];
        if (!debug.plan().alive[size_t(id)] || n.op == Op::update || n.op == Op::assign ||
            n.op == Op::reshape)
            continue;
        // What the step changes is judged by its value before.
        const bool kept = n.op == Op::parameter || n.op == Op::state;
        const Buffer& buffer = n.op == Op::parameter ? before.weights.parameters : before.weights.state;
        const std::span<const float> values =
            kept ? std::span(buffer.data() + debug.plan().places[size_t(id)].offset, size_t(n.shape.size()))
                 : debug.values(id);
        if (allFinite(values)) continue;
        const std::string what = n.op == Op::parameter ? fmt::format("parameter {}", n.name)
                                                       : fmt::format("{} {}", n.name, n.shape.text());
        return n.stage >= 0 ? fmt::format("{} in stage {}", what, graph->stages[size_t(n.stage)]) : what;
    }
    // Finite gradients may still carry a parameter out of range.
    for (const Layout::Entry& e : layout.entries())
        if (e.trained && !allFinite({copy.weights.parameters.data() + e.offset, size_t(e.shape.size())}))
            return fmt::format("the update of {}", e.name);
    return {};
}

}  // namespace core
