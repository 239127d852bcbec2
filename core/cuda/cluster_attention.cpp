// Which nodes are attention of short sequences, or its gradient, and become one launch.
#include <algorithm>

#include "core/cuda/cluster.h"

namespace core::cuda {

// The softmax of scores that `mix` reads, where nothing else needs its values earlier.
bool ClusterBuilder::matchAttention(NodeId mix, HeadNodes& out) const {
    const Node& m = node(mix);
    const NodeId weights = m.inputs[0];
    const Node& p = node(weights);
    if (p.op != Op::softmax || node(p.inputs[0]).op != Op::headScores) return false;
    const NodeId scores = p.inputs[0];
    const Node& s = node(scores);
    const int width = node(s.inputs[0]).shape.channels() / s.parts, keys = p.shape.channels();
    if (s.parts != m.parts || node(m.inputs[1]).shape.channels() != width * m.parts) return false;
    if (width > Attention::widest || keys > Attention::longest || (keys > 128 && width > 32)) return false;
    if (m_users[size_t(scores)].size() != 1 || m_insideHeads[size_t(scores)]) return false;
    for (NodeId user : m_users[size_t(weights)])
        if (user < mix) return false;
    for (NodeId id : {scores, weights})
        if (m_segmentOf[size_t(id)] != m_segmentOf[size_t(mix)] || g.gradientEntry.count(id)) return false;
    for (NodeId id : {s.inputs[0], s.inputs[1]}) {  // what may change between the scores and the mix
        NodeId from = origin(id);
        while (isView(node(from).op)) from = origin(node(from).inputs[0]);
        if (node(from).op == Op::parameter || node(from).op == Op::state) return false;
    }
    out.q = s.inputs[0], out.k = s.inputs[1], out.v = m.inputs[1];
    out.scores = scores, out.weights = weights, out.out = mix;
    out.inside = {scores, weights, mix};
    return true;
}

bool ClusterBuilder::matchAttentionGradient(NodeId gradient, HeadNodes& out) const {
    const Node& n = node(gradient);
    const NodeId dWeights = n.inputs[0], weights = n.inputs[1];
    const Node &d = node(dWeights), &p = node(weights);
    if (d.op != Op::headScores || d.a != 1 || p.op != Op::softmax || node(p.inputs[0]).op != Op::headScores)
        return false;
    const Node& s = node(p.inputs[0]);
    const int width = node(d.inputs[0]).shape.channels() / d.parts;
    if (d.parts != s.parts || width > Attention::widest) return false;
    if (std::max(p.shape[2], p.shape[3]) > Attention::longestOfGradient) return false;
    const std::vector<NodeId>& users = m_users[size_t(gradient)];
    if (m_users[size_t(dWeights)].size() != 1 || users.size() != 2) return false;
    if (m_probed[size_t(dWeights)] || m_probed[size_t(gradient)]) return false;
    out.v = d.inputs[1], out.dOut = d.inputs[0], out.weights = weights;
    out.inside = {dWeights, gradient};
    for (NodeId user : users) {
        const Node& u = node(user);
        if (u.inputs[0] != gradient || u.parts != d.parts) return false;
        const bool ofQ = u.op == Op::headMix;
        if (!ofQ && u.op != Op::headMixTransposed) return false;
        NodeId &to = ofQ ? out.dQ : out.dK, &other = ofQ ? out.k : out.q;
        if (to >= 0 || origin(u.inputs[1]) != origin(s.inputs[ofQ ? 1 : 0])) return false;
        to = user, other = u.inputs[1];
        out.inside.push_back(user);
        // Its scale comes with it.
        const std::vector<NodeId>& readers = m_users[size_t(user)];
        const Node& scale = node(readers.empty() ? user : readers[0]);
        if (readers.size() != 1 || m_probed[size_t(user)] || scale.op != Op::affine || scale.b != 0) continue;
        if (scale.inputs[0] != user || g.gradientEntry.count(user)) continue;
        to = readers[0];
        (ofQ ? out.scaleQ : out.scaleK) = scale.a;
        out.inside.push_back(to);
    }
    for (NodeId user : m_users[size_t(weights)]) {
        const Node& u = node(user);
        if (u.op != Op::headMixTransposed || u.inputs[0] != weights || u.parts != d.parts || out.dV >= 0 ||
            origin(u.inputs[1]) != origin(out.dOut))
            continue;
        out.dV = user;
        out.inside.push_back(user);
    }
    for (NodeId id : out.inside)
        if (m_segmentOf[size_t(id)] != m_segmentOf[size_t(gradient)] || m_insideHeads[size_t(id)])
            return false;
    return true;
}

void ClusterBuilder::markAttention() {
    m_insideHeads.assign(g.nodes.size(), false);
    if (!m_attends) return;
    for (NodeId id = 0; id < NodeId(g.nodes.size()); ++id) {
        const Op op = node(id).op;
        HeadNodes found;
        if (!m_plan.alive[size_t(id)] || (op != Op::headMix && op != Op::softmaxGradient)) continue;
        if (op == Op::headMix ? !matchAttention(id, found) : !matchAttentionGradient(id, found)) continue;
        for (NodeId of : found.inside) m_insideHeads[size_t(of)] = true;
        // The first of a gradient's nodes has all that the others need.
        const auto first = std::min_element(found.inside.begin(), found.inside.end());
        m_heads[op == Op::headMix ? id : *first] = found;
    }
}

void ClusterBuilder::takeAttention(NodeId id) {
    Cluster c;
    c.heads = m_heads.at(id);
    const HeadNodes& h = c.heads;
    c.kind = h.dOut >= 0 ? Kind::attentionGradient : Kind::attention;
    c.anchor = h.dOut >= 0 ? h.dQ : h.out;
    for (NodeId operand : {h.q, h.k, h.v, h.dOut})
        if (operand >= 0) need(view(operand).node);
    if (h.dOut >= 0) need(h.weights);
    for (NodeId out : {h.out, h.dQ, h.dK, h.dV})
        if (out >= 0) m_out.kept[size_t(out)] = true;
    const std::vector<NodeId> inside = h.inside;
    const int index = add(std::move(c));
    for (NodeId of : inside) m_out.clusterOf[size_t(of)] = index;
}

}  // namespace core::cuda
