// How sums, and operands side by side, find the launches that write them.
#include <algorithm>

#include "core/cuda/cluster.h"

namespace core::cuda {
namespace {

// Can the gradient of normalised lines, `of`, also sum `outer` groups of them?
bool sumsLines(const Cluster& c, const Node& of, int outer) {
    const int channels = of.shape.channels();
    const bool grouped = c.scaleSums >= 0 || c.shiftSums >= 0 || c.lastSums >= 0;
    return c.kind == Kind::normaliseGradient && of.parts == 0 && channels % 4 == 0 &&
           channels <= LineGradient::longest && (!grouped || c.outer == outer) &&
           c.size / channels % outer == 0;
}

}  // namespace

// Can sums that a product makes on the way be written straight to their place in a line of such?
bool ClusterBuilder::goesInside(NodeId sum, NodeId line) const {
    const Node& n = node(line);
    int64_t covered = 0;
    for (NodeId input : n.inputs) covered += node(input).shape.channels();
    return n.op == Op::padColumns && covered == n.shape.channels() && covered == n.shape.size() &&
           m_users[size_t(sum)].size() == 1 && !m_probed[size_t(sum)] &&
           m_segmentOf[size_t(line)] == m_segment;
}

// The product that reads what is summed over all rows as its right operand, if the sum can wait for it.
NodeId ClusterBuilder::productOverRows(NodeId sum, NodeId operand) const {
    const NodeId x = origin(operand);
    for (NodeId user : m_users[size_t(x)]) {
        const Node& u = node(user);
        const bool over = (u.op == Op::matmul && u.transposed) || u.op == Op::convolutionWeight;
        if (!over || user < sum || origin(u.inputs[1]) != x || m_sumOf[size_t(user)] >= 0) continue;
        if (node(u.inputs[1]).shape.channels() != node(operand).shape.channels()) continue;
        if (m_segmentOf[size_t(user)] != m_segment || origin(u.inputs[0]) == x) continue;
        const auto later = [&](NodeId of) {
            const std::vector<NodeId>& readers = m_users[size_t(of)];
            return std::all_of(readers.begin(), readers.end(), [&](NodeId r) { return r > user; });
        };
        // Put side by side with others in between, it can still go straight to its place there.
        const std::vector<NodeId>& readers = m_users[size_t(sum)];
        const bool placed = readers.size() == 1 && goesInside(sum, readers[0]) && later(readers[0]);
        if (later(sum) || placed) return user;
    }
    return -1;
}

// The launch of the gradient of normalised lines whose groups can be summed on the way.
Cluster* ClusterBuilder::gradientOfLines(NodeId dy, NodeId x, int outer) {
    if (m_exact) return nullptr;
    for (NodeId user : m_users[size_t(origin(dy))]) {
        const Node& u = node(user);
        const int home = m_out.clusterOf[size_t(user)];
        if (u.op != Op::normaliseGradient || home < 0 || origin(u.inputs[0]) != origin(dy)) continue;
        if (x >= 0 && origin(u.inputs[1]) != origin(x)) continue;
        if (Cluster& k = m_out.all[size_t(home)]; sumsLines(k, u, outer) && k.segment == m_segment) return &k;
    }
    return nullptr;
}

// Sums of dy, or of the elements of `of`, a gradient of the norm's scale, made by the norm's gradient.
bool ClusterBuilder::sumLines(NodeId id, NodeId of, int outer) {
    const Node& n = node(of);
    const bool scales = n.op == Op::normaliseScaleGradient;
    if (scales && n.parts > 0) return false;
    Cluster* const k = gradientOfLines(scales ? n.inputs[0] : of, scales ? n.inputs[1] : -1, outer);
    if (!k) return false;
    NodeId& place = scales ? k->scaleSums : k->shiftSums;
    if (place >= 0) return false;
    place = id;
    k->outer = outer, k->length = int(k->size / node(k->anchor).shape.channels() / outer);
    m_out.kept[size_t(id)] = true;
    m_out.clusterOf[size_t(id)] = int(k - m_out.all.data());
    return true;
}

// Sums of what the program of the norm's gradient can compute as its last.
bool ClusterBuilder::sumProgram(NodeId id, NodeId of, const Cluster& sum) {
    const NodeId x = origin(of);
    if (m_exact || !m_waiting[size_t(x)] || !isPointwise(x) || node(x).op == Op::sliceColumns) return false;
    needOperands(x);
    const int home = latest(x);
    if (home < 0) return false;
    Cluster& k = m_out.all[size_t(home)];
    if (k.kind != Kind::normaliseGradient || k.summed >= 0 || k.size != sum.size || k.segment != m_segment ||
        k.epoch != m_epoch)
        return false;
    const Node& anchor = node(k.anchor);
    if (sum.inner != anchor.shape.channels() || !sumsLines(k, anchor, sum.outer) || !reaches(home, x))
        return false;
    const Cluster before = k;
    k.summed = of, k.lastSums = id, k.outer = sum.outer, k.length = sum.length;
    Code code;
    if (!CodeWriter(*this, k).write(code, nullptr)) {
        k = before;
        return false;
    }
    m_out.kept[size_t(id)] = true;
    m_out.clusterOf[size_t(id)] = home;
    return true;
}

// Lets the gradient of normalised groups make a sum over all positions on its way: of dy, or of `ofScale`,
// its share of the scale's gradient.
bool ClusterBuilder::gradientSums(NodeId sum, NodeId dy, NodeId ofScale) {
    const auto sameInputs = [&](const Node& u) {
        for (size_t i = 0; ofScale >= 0 && i < 3; ++i)
            if (origin(u.inputs[i]) != origin(node(ofScale).inputs[i])) return false;
        return origin(u.inputs[0]) == origin(dy);
    };
    if (m_exact) return false;
    for (NodeId user : m_users[size_t(origin(dy))]) {
        const Node& u = node(user);
        if (u.op != Op::normaliseGradient || !sameInputs(u) || m_segmentOf[size_t(user)] != m_segment)
            continue;
        const Extents x = u.shape.extents();
        if (node(dy).shape.channels() != u.shape.channels() ||
            groupsOf(x.positions(), x.channels, u.parts).channels == 0)
            continue;
        const int home = m_out.clusterOf[size_t(user)];
        if (home >= 0) {
            Cluster& c = m_out.all[size_t(home)];
            NodeId& place = ofScale >= 0 ? c.scaleSums : c.shiftSums;
            if (place >= 0 || c.segment != m_segment || c.epoch != m_epoch) continue;
            place = sum;
            m_out.clusterOf[size_t(sum)] = home;
            return true;
        }
        NodeId& place = (ofScale >= 0 ? m_scaleSumOf : m_shiftSumOf)[size_t(user)];
        const std::vector<NodeId>& readers = m_users[size_t(sum)];
        if (place >= 0 || user < sum ||
            !std::all_of(readers.begin(), readers.end(), [&](NodeId r) { return r > user; }))
            continue;
        place = sum;
        return true;
    }
    return false;
}

void ClusterBuilder::takeSum(NodeId id) {
    const Node& n = node(id);
    Cluster c;
    c.kind = Kind::sum;
    c.anchor = id;
    if (n.op == Op::normaliseScaleGradient) {
        const Extents x = node(n.inputs[0]).shape.extents();
        for (NodeId input : n.inputs) need(input);
        if (sumLines(id, id, int(x.samples))) return;
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
        if (gradientSums(id, node(x).inputs[0], x) || sumLines(id, x, 1)) return;
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
        if (gradientSums(id, operand, -1)) return;
    }
    if (c.inner > 1 && c.inner == C) {
        if (!m_waiting[size_t(x)] && sumLines(id, operand, c.outer)) return;
        if (sumProgram(id, operand, c)) return;
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
        if (std::find(m_sumOf.begin(), m_sumOf.end(), from) != m_sumOf.end() && goesInside(from, id)) {
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
    m_out.clusterOf[size_t(id)] = std::max(last, m_out.clusterOf[size_t(id)]);
}

}  // namespace core::cuda
