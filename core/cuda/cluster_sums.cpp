// How sums, and operands side by side, find the launches that write them.
#include <algorithm>

#include "core/cuda/cluster.h"

namespace core::cuda {

// The product that reads what is summed over all rows as its right operand, if the sum can wait for it.
NodeId ClusterBuilder::productOverRows(NodeId sum, NodeId operand) const {
    const NodeId x = origin(operand);
    for (NodeId user : m_users[size_t(x)]) {
        const Node& u = node(user);
        const bool over = (u.op == Op::matmul && u.transposed) || u.op == Op::convolutionWeight;
        if (!over || user < sum || origin(u.inputs[1]) != x || m_sumOf[size_t(user)] >= 0) continue;
        if (node(u.inputs[1]).shape.channels() != node(operand).shape.channels()) continue;
        if (m_segmentOf[size_t(user)] != m_segment || origin(u.inputs[0]) == x) continue;
        const std::vector<NodeId>& readers = m_users[size_t(sum)];
        if (std::all_of(readers.begin(), readers.end(), [&](NodeId r) { return r > user; })) return user;
    }
    return -1;
}

void ClusterBuilder::takeSum(NodeId id) {
    const Node& n = node(id);
    Cluster c;
    c.kind = Kind::sum;
    c.anchor = id;
    if (n.op == Op::normaliseScaleGradient) {
        const Extents x = node(n.inputs[0]).shape.extents();
        for (NodeId input : n.inputs) need(input);
        c.summed = id;
        c.outer = int(x.samples), c.length = int(x.positions()), c.inner = int(x.channels);
        c.size = node(n.inputs[0]).shape.size();
        m_out.clusterOf[size_t(id)] = add(std::move(c));
        m_out.kept[size_t(id)] = true;
        return;
    }
    const NodeId through = summedThrough(id);
    const bool merged = through >= 0 && m_waiting[size_t(through)];
    const NodeId operand = merged ? node(through).inputs[0] : n.inputs[0];
    const NodeId x = origin(operand);
    const Extents from = node(operand).shape.extents(), to = n.shape.extents();
    const int64_t N = from.samples, P = from.positions(), C = from.channels;
    const bool rn = to.samples < N, rp = to.positions() < P, rc = to.channels < C;
    c.size = N * P * C;
    if (n.shape.size() == 1)
        c.length = int(c.size);
    else if (merged)
        c.length = int(N * P), c.inner = int(C);
    else if (rc && !rn && !rp)
        c.outer = int(N * P), c.length = int(C);
    else if (rp && !rn && !rc)
        c.outer = int(N), c.length = int(P), c.inner = int(C);
    else if (rn && !rp && !rc)
        c.length = int(N), c.inner = int(P * C);
    else if (rn && rp && !rc)
        c.length = int(N * P), c.inner = int(C);
    else if (rp && rc && !rn)
        c.outer = int(N), c.length = int(P * C);
    else
        throw Error(fmt::format("{}: expected a sum of neighbouring axes, got {} from {}", n.name,
                                n.shape.text(), node(n.inputs[0]).shape.text()));
    m_out.kept[size_t(id)] = true;
    if (m_waiting[size_t(x)] && node(x).op == Op::normaliseScaleGradient) {
        const Extents all = node(node(x).inputs[0]).shape.extents();
        for (NodeId input : node(x).inputs) need(input);
        c.summed = x;
        c.outer = 1, c.length = int(all.samples * all.positions()), c.inner = int(all.channels);
        c.size = node(node(x).inputs[0]).shape.size();
        m_out.clusterOf[size_t(id)] = add(std::move(c));
        return;
    }
    if (c.outer == 1 && c.inner > 1 && c.inner == C && !m_waiting[size_t(x)]) {
        if (const NodeId product = productOverRows(id, operand); product >= 0) {
            m_sumOf[size_t(product)] = id;
            return;
        }
    }
    c.summed = operand;
    const int home = m_out.clusterOf[size_t(x)];
    if (!m_waiting[size_t(x)] && home >= 0) {
        // Summed by the launch that computes it, if that is a program alone.
        Cluster& k = m_out.all[size_t(home)];
        const bool member = std::find(k.members.begin(), k.members.end(), x) != k.members.end();
        if (k.kind == Kind::pointwise && member && k.assigned < 0 && k.segment == m_segment &&
            k.epoch == m_epoch && k.size == c.size && (c.length >= 32 || c.inner >= 32)) {
            const Cluster before = k;
            k.kind = Kind::sum, k.anchor = id, k.summed = c.summed;
            k.outer = c.outer, k.length = c.length, k.inner = c.inner;
            Code code;
            if (CodeWriter(*this, k).write(code, nullptr)) {
                m_out.clusterOf[size_t(id)] = home;
                return;
            }
            k = before;
        }
        m_out.kept[size_t(x)] = true;
    }
    // What waits is computed on the way.
    if (m_waiting[size_t(x)] && isPointwise(x) && node(x).op != Op::sliceColumns) {
        needOperands(x);
        Code code;
        if (!CodeWriter(*this, c).write(code, nullptr)) need(x);
    } else {
        need(x);
    }
    m_out.clusterOf[size_t(id)] = add(std::move(c));
}

// Operands side by side: each is written to its place by the launch that computes it.
void ClusterBuilder::takeColumns(NodeId id) {
    const Node& n = node(id);
    int64_t covered = 0;
    for (NodeId input : n.inputs) covered += node(input).shape.channels();
    if (covered != n.shape.channels()) {
        for (NodeId input : n.inputs) {
            const NodeId from = origin(input);
            if (m_waiting[size_t(from)] && node(from).op == Op::sliceColumns)
                need(view(from).node);
            else
                need(from);
        }
        return takePointwise(id);
    }
    int last = -1;
    m_out.kept[size_t(id)] = true;
    for (size_t i = 0; i < n.inputs.size(); ++i) {
        const NodeId input = n.inputs[i], from = origin(input);
        Sink to{id, n.offsets[i], int(node(input).shape.channels()), int(n.shape.channels())};
        if (m_turned[size_t(id)])  // rows of the transpose
            to = {id, int64_t(n.offsets[i]) * (n.shape.size() / n.shape.channels()), 1, 0};
        const auto isSum = [&](const Cluster& c) { return c.columnSums == from; };
        if (!m_waiting[size_t(from)] && m_users[size_t(from)].size() == 1 && !m_probed[size_t(from)] &&
            m_out.clusterOf[size_t(from)] >= 0 && n.shape.size() == n.shape.channels() &&
            isSum(m_out.all[size_t(m_out.clusterOf[size_t(from)])]) &&
            m_out.all[size_t(m_out.clusterOf[size_t(from)])].segment == m_segment) {
            // Sums that a product makes on the way go straight to their place.
            m_out.inside[from] = {id, n.offsets[i]};
            m_out.kept[size_t(from)] = false;
            last = std::max(last, m_out.clusterOf[size_t(from)]);
            continue;
        }
        const int home = m_waiting[size_t(from)] ? -1 : m_out.clusterOf[size_t(from)];
        if (home >= 0) {
            Cluster& c = m_out.all[size_t(home)];
            const bool inside = (hasValue(c.kind) && c.anchor == from) ||
                                std::find(c.members.begin(), c.members.end(), from) != c.members.end();
            const bool fits = inside && c.segment == m_segment && c.epoch == m_epoch && c.assigned < 0 &&
                              int(c.members.size() + c.columns.size()) < mostMembers &&
                              (c.kind == Kind::pointwise || c.kind == Kind::sum || c.kind == Kind::moments ||
                               hasValue(c.kind));
            if (fits) {
                c.columns.emplace_back(input, to);
                Code code;
                if (CodeWriter(*this, c).write(code, nullptr)) {
                    last = std::max(last, home);
                    continue;
                }
                c.columns.pop_back();
            }
        }
        if (m_waiting[size_t(from)] && (node(from).op == Op::sliceColumns || node(from).op == Op::sliceRows))
            need(view(from).node);
        else
            need(from);
        Cluster c;
        c.size = node(input).shape.size();
        c.columns.emplace_back(input, to);
        last = std::max(last, add(std::move(c)));
    }
    m_out.clusterOf[size_t(id)] = last;
}

}  // namespace core::cuda
