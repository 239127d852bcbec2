#include "core/session/flops.h"

#include <algorithm>

namespace core {
namespace {

double flopsOf(const Graph& g, const Node& n) {
    const auto shape = [&](size_t which) -> const Shape& { return g.nodes[size_t(n.inputs[which])].shape; };
    const double out = double(n.shape.size()), taps = double(n.window) * n.window;
    switch (n.op) {
        case Op::matmul:  // A^T B sums over all rows of A
            return 2 * out *
                   double(n.transposed ? shape(0).size() / shape(0).channels() : shape(0).channels());
        case Op::convolution:
            return 2 * out * taps * shape(0).channels();
        case Op::convolutionTransposed:
            return 2 * double(shape(0).size()) * taps * n.shape.channels();
        case Op::convolutionWeight:
            return 2 * double(shape(1).size()) * taps * shape(0).channels();
        case Op::headScores:
            return 2 * out * shape(0).channels() / n.parts;
        case Op::headMix:
        case Op::headMixTransposed:
            return 2 * double(shape(0).size()) * shape(1).channels() / n.parts;
        case Op::nearestRow:
            return 2 * out * double(shape(1).size());
        default:
            return 0;
    }
}

}  // namespace

double productFlops(const Plan& plan) {
    double total = 0;
    const Graph& g = *plan.graph;
    for (const Segment& segment : plan.segments) {
        const int repeats = g.phases[size_t(segment.phase)].repeats();
        for (const Level& level : segment.levels)
            for (const Group& group : level)
                for (const NodeId id : group.nodes)
                    total +=
                        flopsOf(g, g.nodes[size_t(id)]) * (group.steady ? std::min(repeats, 1) : repeats);
    }
    return total;
}

}  // namespace core
