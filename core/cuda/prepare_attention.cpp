// What the launches of attention and of its gradient are told.
#include "core/cuda/lowering.h"

namespace core::cuda {

void Lowering::prepareAttention(const Cluster& c, Prepared& p) {
    const HeadNodes& h = c.heads;
    const bool gradient = c.kind == Kind::attentionGradient;
    const Node& weights = g.nodes[size_t(h.weights)];
    const Node& scores = g.nodes[size_t(weights.inputs[0])];
    Attention& a = p.launch.attention;
    a.samples = weights.shape[0], a.heads = weights.shape[1];
    a.queries = weights.shape[2], a.keys = weights.shape[3];
    a.width = g.nodes[size_t(scores.inputs[0])].shape.channels() / a.heads;
    a.scale = scores.a, a.causal = weights.causal;
    a.scaleQ = h.scaleQ, a.scaleK = h.scaleK;
    a.wide = a.width % 4 == 0;
    const auto aligned = [](const void* at) { return (reinterpret_cast<uintptr_t>(at) & 15) == 0; };
    const auto operand = [&](NodeId id) {
        const View v = m_builder->view(id);
        const Shape& shape = g.nodes[size_t(id)].shape;
        const AttentionOperand out{at(v), int32_t(shape[1]), int32_t(v.step ? v.step : shape.channels())};
        a.wide = a.wide && aligned(out.data) && out.step % 4 == 0;
        reads(p, id);
        return out;
    };
    const auto written = [&](NodeId id) -> float* {
        if (id < 0) return nullptr;
        writes(p, address(id), g.nodes[size_t(id)].shape.size());
        return address(id);
    };
    a.q = operand(h.q), a.k = operand(h.k), a.v = operand(h.v);
    if (gradient) {
        a.dOut = operand(h.dOut);
        reads(p, h.weights);
        a.weights = address(h.weights);
    } else {
        const auto wanted = [&](NodeId id) { return m_clusters.kept[size_t(id)] ? id : -1; };
        a.scores = written(wanted(h.scores));
        a.weights = written(wanted(h.weights));
    }
    a.out = written(h.out), a.dQ = written(h.dQ), a.dK = written(h.dK), a.dV = written(h.dV);
    for (const float* to : {a.out, a.dQ, a.dK, a.dV}) a.wide = a.wide && aligned(to);
}

}  // namespace core::cuda
