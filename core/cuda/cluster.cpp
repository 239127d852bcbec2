#include "core/cuda/cluster.h"

#include <algorithm>

#include "core/graph/compiling.h"

namespace core::cuda {
namespace {

bool isSlope(Op op) {
    return op == Op::leakyStep || op == Op::sign || op == Op::siluSlope || op == Op::geluSlope ||
           op == Op::erfGeluSlope || op == Op::broadcast;
}
}  // namespace

ClusterBuilder::ClusterBuilder(const Plan& plan, bool exact, bool attends)
    : m_plan(plan), g(*plan.graph), m_exact(exact), m_attends(attends && !exact) {}

NodeId ClusterBuilder::origin(NodeId id) const {
    while (node(id).op == Op::reshape || m_sameAsOperand[size_t(id)]) id = node(id).inputs[0];
    return id;
}

bool ClusterBuilder::isView(Op op) {
    return op == Op::sliceRows || op == Op::sliceColumns || op == Op::transpose || op == Op::turnTaps;
}

bool ClusterBuilder::isPointwise(NodeId id) const {
    const Op op = node(id).op;
    return (op >= Op::affine && op <= Op::divide) || op == Op::uniform || op == Op::normal ||
           op == Op::broadcast || op == Op::sliceColumns || op == Op::padColumns || op == Op::normalise;
}

View ClusterBuilder::view(NodeId id) const {
    const NodeId from = origin(id);
    const Node& n = node(from);
    if (!m_waiting[size_t(from)]) return {from, 0, 0, false};
    switch (n.op) {
        case Op::sliceColumns: {
            View v = view(n.inputs[0]);
            if (v.turned) {  // rows of what is turned
                v.offset += n.offset * node(n.inputs[0]).shape[0];
                return v;
            }
            v.offset += n.offset;
            if (v.step == 0) v.step = node(n.inputs[0]).shape.channels();
            return v;
        }
        case Op::sliceRows: {
            View v = view(n.inputs[0]);
            v.offset += n.offset * n.shape.columns();
            return v;
        }
        case Op::transpose:
        case Op::turnTaps: {
            View v = view(n.inputs[0]);
            v.turned = !v.turned;
            return v;
        }
        case Op::affine: {
            if (!m_scaling[size_t(from)]) return {from, 0, 0, false};
            View v = view(n.inputs[0]);
            v.plus = n.b;
            return v;
        }
        default:
            return {from, 0, 0, false};
    }
}

// What the node's program would read, past nodes that are computed where they are read.
std::vector<NodeId> ClusterBuilder::inputsOf(NodeId id) const {
    std::vector<NodeId> out;
    for (NodeId input : node(id).inputs) {
        const NodeId from = origin(input);
        if (m_waiting[size_t(from)]) {
            const std::vector<NodeId> further = inputsOf(from);
            out.insert(out.end(), further.begin(), further.end());
        } else {
            out.push_back(from);
        }
    }
    return out;
}

int ClusterBuilder::latest(NodeId id) const {
    int last = -1;
    for (NodeId from : inputsOf(id)) last = std::max(last, m_out.clusterOf[size_t(from)]);
    return last;
}

bool ClusterBuilder::readsMutable(NodeId id) const {
    for (NodeId from : inputsOf(id))
        if (node(from).op == Op::parameter || node(from).op == Op::state) return true;
    return false;
}

void ClusterBuilder::markUses() {
    const size_t count = g.nodes.size();
    const auto listUsers = [&] {
        m_users.assign(count, {});
        for (NodeId id = 0; id < NodeId(count); ++id)
            if (m_plan.alive[size_t(id)] && node(id).op != Op::reshape && !m_sameAsOperand[size_t(id)])
                for (NodeId input : node(id).inputs) m_users[size_t(origin(input))].push_back(id);
    };
    m_waiting.assign(count, false);
    m_scaling.assign(count, false);
    m_turned.assign(count, false);
    m_sameAsOperand.assign(count, false);
    m_probed.assign(count, false);
    m_sumOf.assign(count, -1);
    m_scaleSumOf.assign(count, -1);
    m_shiftSumOf.assign(count, -1);
    m_segmentOf.assign(count, -1);
    m_out.kept.assign(count, false);
    m_out.clusterOf.assign(count, -1);
    listUsers();
    // Recorded channels that are computed have memory, whoever else reads them.
    for (const auto& [channel, id] : g.probes)
        if (m_plan.alive[size_t(id)]) m_probed[size_t(origin(id))] = true;
    markTurned();
    listUsers();
    for (NodeId id = 0; id < NodeId(count); ++id) {
        if (!m_plan.alive[size_t(id)]) continue;
        if (m_probed[size_t(id)]) m_out.kept[size_t(origin(id))] = true;
        if (!g.gradientEntry.count(id)) continue;
        m_out.kept[size_t(origin(id))] = true;
        if (origin(id) != id) m_out.placeOf[origin(id)] = id;
    }
}

// Can the value be written as its transpose, `user` being all that reads it?
bool ClusterBuilder::turnable(NodeId id, NodeId user) const {
    const Node& n = node(id);
    const std::vector<NodeId>& users = m_users[size_t(id)];
    if (m_probed[size_t(id)] || g.gradientEntry.count(id) || n.phase != node(user).phase) return false;
    if (std::any_of(users.begin(), users.end(), [&](NodeId u) { return u != user; })) return false;
    if (n.op == Op::matmul) return n.transposed;
    const bool element = n.op == Op::affine || n.op == Op::add || n.op == Op::subtract;
    if (!element && n.op != Op::padColumns) return false;
    int64_t covered = 0;
    for (NodeId input : n.inputs) {
        if (element && !(node(input).shape == n.shape)) return false;
        covered += node(input).shape.channels();
        if (!turnable(input, id)) return false;
    }
    return element || covered == n.shape.channels();
}

void ClusterBuilder::turn(NodeId id) {
    m_turned[size_t(id)] = true;
    if (node(id).op == Op::matmul) return;
    for (NodeId input : node(id).inputs) turn(input);
}

// The transpose of a product A^T B is B^T A: weights' gradients are written as the weights lie.
void ClusterBuilder::markTurned() {
    for (NodeId id = 0; id < NodeId(g.nodes.size()); ++id) {
        if (!m_plan.alive[size_t(id)] || node(id).op != Op::transpose) continue;
        if (!turnable(node(id).inputs[0], id)) continue;
        turn(node(id).inputs[0]);
        m_sameAsOperand[size_t(id)] = true;
    }
}

// Do only products read it, as what stands on the right?
bool ClusterBuilder::onlyRightOperand(NodeId id) const {
    for (NodeId user : m_users[size_t(id)]) {
        const Node& u = node(user);
        if (u.op != Op::matmul || u.transposed || u.inputs[1] != id || origin(u.inputs[0]) == id)
            return false;
        if (node(origin(u.inputs[0])).op == Op::transpose) return false;
    }
    return true;
}

// Can every reader take the slice as columns of the whole?
bool ClusterBuilder::foldsAway(NodeId id) const {
    const Node& n = node(id);
    const bool ofTurned = n.op == Op::sliceColumns && view(n.inputs[0]).turned;
    for (NodeId user : m_users[size_t(id)]) {
        const Node& u = node(user);
        if (n.op == Op::transpose || ofTurned) {
            const bool right = u.op == Op::matmul && !u.transposed && u.inputs[1] == id &&
                               node(origin(u.inputs[0])).op != Op::transpose;
            const bool again =
                u.op == Op::transpose && u.inputs[0] == id && ofTurned && onlyRightOperand(user);
            bool sliced = n.op == Op::transpose && u.op == Op::sliceColumns && u.inputs[0] == id;
            if (sliced)  // as the slice itself will find
                for (NodeId further : m_users[size_t(user)]) {
                    const Node& f = node(further);
                    const bool product = f.op == Op::matmul && !f.transposed && f.inputs[1] == user &&
                                         node(origin(f.inputs[0])).op != Op::transpose;
                    const bool turn =
                        f.op == Op::transpose && f.inputs[0] == user && onlyRightOperand(further);
                    sliced = sliced && (product || turn) && !m_out.kept[size_t(user)];
                }
            if (!right && !again && !sliced) return false;
            continue;
        }
        for (size_t which = 0; which < u.inputs.size(); ++which) {
            const NodeId input = u.inputs[which];
            if (origin(input) != id) continue;
            const bool sameLines = node(input).shape.channels() == n.shape.channels();
            if (n.op == Op::turnTaps) {
                const bool reads = u.op == Op::convolution || u.op == Op::convolutionTransposed;
                if (!reads || which != 1 || input != id) return false;
            } else {  // sliceColumns
                const bool product = u.op == Op::matmul || u.op == Op::headScores || u.op == Op::headMix ||
                                     u.op == Op::headMixTransposed;
                const bool element =
                    isPointwise(user) && (u.op != Op::normalise || which >= 2) && u.op != Op::dropout;
                if (!sameLines || !(product || element)) return false;
            }
        }
    }
    return true;
}

NodeId ClusterBuilder::lastReader(NodeId id) const {
    NodeId last = id;
    for (NodeId user : m_users[size_t(id)])
        last = std::max(last, isView(node(user).op) ? lastReader(user) : user);
    return last;
}

// Are the weights that the view shows changed before they are read through it for the last time?
bool ClusterBuilder::outlivesItsMemory(NodeId id) const {
    NodeId base = origin(id);
    while (isView(node(base).op)) base = origin(node(base).inputs[0]);
    const Node& leaf = node(base);
    if (leaf.op != Op::parameter && leaf.op != Op::state) return false;
    const NodeId last = lastReader(id);
    const int here = node(id).phase;
    for (NodeId write = id + 1; write < NodeId(g.nodes.size()); ++write) {
        const Node& n = node(write);
        if (!isEffect(n.op) || !m_plan.alive[size_t(write)]) continue;
        // A later phase may read, write, and begin again.
        const bool between = write < last || (n.phase != here && n.phase <= node(last).phase);
        const std::vector<int> entries = entriesWritten(g, n);
        if (between && std::find(entries.begin(), entries.end(), leaf.slot) != entries.end()) return true;
    }
    return false;
}

// Is it s + b, which only norms and their gradients read, as their scale, and can make of s themselves?
bool ClusterBuilder::scalesNorms(NodeId id) const {
    const Node& n = node(id);
    if (n.op != Op::affine || n.a != 1 || readsMutable(id)) return false;
    const NodeId s = origin(n.inputs[0]);
    const bool there = !m_waiting[size_t(s)] || node(s).op == Op::sliceColumns || node(s).op == Op::sliceRows;
    if (!there || view(s).turned || !(node(n.inputs[0]).shape == n.shape)) return false;
    for (NodeId user : m_users[size_t(id)]) {
        const Node& u = node(user);
        const int channels = u.shape.channels();
        const bool lines = u.parts == 0 && channels % 4 == 0 && channels <= LineGradient::longest;
        for (size_t which = 0; which < u.inputs.size(); ++which)
            if (origin(u.inputs[which]) == id && !(u.op == Op::normalise && which == 2) &&
                !(u.op == Op::normaliseGradient && which == 3 && lines))
                return false;
    }
    return true;
}

// Is the node computed where it is read instead of here?
bool ClusterBuilder::waits(NodeId id) const {
    const Node& n = node(id);
    const std::vector<NodeId>& users = m_users[size_t(id)];
    if (m_out.kept[size_t(id)] || users.empty()) return false;
    if (isView(n.op) && outlivesItsMemory(id)) return false;
    if (n.op == Op::fill) return true;
    if (n.op == Op::sliceRows) return view(n.inputs[0]).step == 0 && !view(n.inputs[0]).turned;
    if (n.op == Op::sliceColumns || n.op == Op::transpose || n.op == Op::turnTaps) return foldsAway(id);
    if (n.op == Op::normaliseScaleGradient) {
        if (users.size() != 1 || node(users[0]).op != Op::sum) return false;
        const Extents to = node(users[0]).shape.extents();
        return to.samples == 1 && to.channels == n.shape.channels();
    }
    if (n.op == Op::sum) return users.size() == 1 && summedThrough(users[0]) == id;
    if (!isPointwise(id) || n.op == Op::padColumns) return false;
    if (scalesNorms(id)) return true;
    if (users.size() > 1 && !isSlope(n.op)) return false;
    for (NodeId user : users) {
        const Node& u = node(user);
        if (u.op == Op::sum && users.size() == 1) continue;
        if (u.op == Op::assign && users.size() == 1) continue;
        const bool element = isPointwise(user) && u.op != Op::padColumns && u.op != Op::sliceColumns;
        if (!element || u.shape.size() != n.shape.size()) return false;
        // A scalar that is repeated, or the moments' line: from memory.
        if (u.op == Op::normalise && origin(u.inputs[0]) != id) return false;
        if (u.op == Op::dropout && origin(u.inputs[0]) != id) return false;
    }
    return true;
}

// A sum of sums over other axes is one sum: the inner one, or -1.
NodeId ClusterBuilder::summedThrough(NodeId sum) const {
    const Node& n = node(sum);
    const NodeId x = origin(n.inputs[0]);
    if (n.op != Op::sum || node(x).op != Op::sum || m_probed[size_t(x)]) return -1;
    if (m_segmentOf[size_t(x)] != m_segmentOf[size_t(sum)]) return -1;
    if (summedThrough(x) >= 0) return -1;
    if (n.shape.size() == 1) return x;
    const Extents first = node(node(x).inputs[0]).shape.extents(), between = node(x).shape.extents();
    const Extents seen = node(n.inputs[0]).shape.extents(), last = n.shape.extents();
    const bool positions =
        between.samples == first.samples && between.positions() == 1 && between.channels == first.channels;
    const bool samples = seen.samples == first.samples && seen.positions() == 1 &&
                         seen.channels == first.channels && last.samples == 1 &&
                         last.channels == first.channels;
    return positions && samples ? x : -1;
}

}  // namespace core::cuda
