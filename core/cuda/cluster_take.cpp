// How each node finds the launch that computes it.
#include <algorithm>

#include "core/cuda/cluster.h"

namespace core::cuda {
namespace {

bool isProduct(Op op) {
    return op == Op::matmul || op == Op::convolution || op == Op::convolutionTransposed ||
           op == Op::convolutionWeight || op == Op::headScores || op == Op::headMix ||
           op == Op::headMixTransposed;
}

Kind kindOf(Op op) {
    switch (op) {
        case Op::moments:
            return Kind::moments;
        case Op::normaliseGradient:
            return Kind::normaliseGradient;
        case Op::softmax:
            return Kind::softmax;
        case Op::softmaxGradient:
            return Kind::softmaxGradient;
        case Op::logSumExp:
            return Kind::logSumExp;
        case Op::argmax:
            return Kind::argmax;
        case Op::topK:
            return Kind::topK;
        case Op::transpose:
            return Kind::transpose;
        case Op::turnTaps:
            return Kind::turnTaps;
        case Op::upsample:
            return Kind::upsample;
        case Op::sumPool:
            return Kind::sumPool;
        case Op::depthToSpace:
            return Kind::depthToSpace;
        case Op::spaceToDepth:
            return Kind::spaceToDepth;
        case Op::padImage:
            return Kind::padImage;
        case Op::cropImage:
            return Kind::cropImage;
        case Op::padRows:
            return Kind::padRows;
        case Op::gatherRows:
            return Kind::gatherRows;
        case Op::scatterRows:
            return Kind::scatterRows;
        case Op::pick:
            return Kind::pick;
        case Op::place:
            return Kind::place;
        case Op::nearestRow:
            return Kind::nearestRow;
        case Op::drawRows:
            return Kind::drawRows;
        case Op::update:
            return Kind::update;
        default:
            return Kind::count;
    }
}

}  // namespace

int ClusterBuilder::add(Cluster cluster) {
    cluster.segment = m_segment;
    cluster.epoch = m_epoch;
    m_out.all.push_back(std::move(cluster));
    return int(m_out.all.size()) - 1;
}

// Puts the value into memory that is not yet anywhere.
void ClusterBuilder::need(NodeId id) {
    const NodeId from = origin(id);
    if (isLeaf(from)) return;
    if (!m_waiting[size_t(from)]) {
        m_out.kept[size_t(from)] = true;
        return;
    }
    const Node& n = node(from);
    if (m_scaling[size_t(from)]) return need(view(from).node);
    if (n.op == Op::sliceRows) return need(n.inputs[0]);
    m_waiting[size_t(from)] = false;
    m_out.kept[size_t(from)] = true;
    if (n.op == Op::normaliseScaleGradient || n.op == Op::sum) return takeSum(from);
    if (const Kind kind = kindOf(n.op); kind != Kind::count) return takeAnchor(from, kind);
    takePointwise(from);
}

// What a node of a program reads from memory is put there first.
void ClusterBuilder::needOperands(NodeId id) {
    const Node& n = node(id);
    for (NodeId input : n.inputs) {
        const NodeId from = origin(input);
        if (!m_waiting[size_t(from)] || node(from).op == Op::fill) continue;
        if (node(from).op == Op::sliceColumns || node(from).op == Op::sliceRows || m_scaling[size_t(from)])
            need(view(from).node);
        else if (node(from).shape.size() == n.shape.size() && n.op != Op::padColumns)
            needOperands(from);
        else
            need(from);
    }
}

void ClusterBuilder::takePointwise(NodeId id) {
    const Node& n = node(id);
    needOperands(id);
    const int last = latest(id);
    if (last >= 0 && join(last, id)) return;
    Cluster c;
    c.size = n.shape.size();
    c.members = {id};
    Code code;
    if (!CodeWriter(*this, c).write(code, nullptr)) {
        // Too much for one program: what waits is computed on its own.
        bool changed = false;
        for (NodeId input : n.inputs) {
            const NodeId from = origin(input);
            if (m_waiting[size_t(from)] && node(from).op != Op::fill && node(from).op != Op::sliceRows)
                need(from), changed = true;
        }
        CHECK(changed, "{}: expected operands that a program can reach", n.name);
        return takePointwise(id);
    }
    m_out.clusterOf[size_t(id)] = add(std::move(c));
}

// Can the launch's program compute the node? What of the launch is no element of its program can only be
// read afterwards.
bool ClusterBuilder::reaches(int index, NodeId of) const {
    const Cluster& c = m_out.all[size_t(index)];
    const Node& n = node(of);
    for (size_t i = 2; n.op == Op::normalise && i < n.inputs.size(); ++i)  // read from memory
        if (m_out.clusterOf[size_t(view(n.inputs[i]).node)] == index) return false;
    for (NodeId input : n.inputs) {
        const NodeId from = origin(input);
        if (m_waiting[size_t(from)]) {
            if (!reaches(index, from)) return false;
        } else if (m_out.clusterOf[size_t(from)] == index) {
            const bool inside = (hasValue(c.kind) && from == c.anchor) ||
                                std::find(c.members.begin(), c.members.end(), from) != c.members.end();
            const bool own = c.kind == Kind::moments && node(of).op == Op::normalise && from == c.anchor;
            if (!own && (!inside || node(from).shape.size() != c.size)) return false;
            // Taken as an operand of another shape it would be read from memory.
            if (!own && node(of).shape.size() != c.size) return false;
        }
    }
    return true;
}

// Adds the node to a program that is already there, if it has all it reads.
bool ClusterBuilder::join(int index, NodeId id) {
    Cluster& c = m_out.all[size_t(index)];
    const Node& n = node(id);
    if (c.segment != m_segment || c.epoch != m_epoch || c.size != n.shape.size()) return false;
    if (c.assigned >= 0 || int(c.members.size() + c.columns.size()) >= mostMembers) return false;
    if (c.kind != Kind::pointwise && c.kind != Kind::sum && c.kind != Kind::moments && !hasValue(c.kind))
        return false;
    if (!reaches(index, id)) return false;
    c.members.push_back(id);
    Code code;
    if (!CodeWriter(*this, c).write(code, nullptr)) {
        c.members.pop_back();
        return false;
    }
    m_out.clusterOf[size_t(id)] = index;
    return true;
}

void ClusterBuilder::takeProduct(NodeId id) {
    const Node& n = node(id);
    Cluster c;
    c.kind = Kind::product;
    c.anchor = id;
    c.size = n.shape.size();
    for (NodeId input : n.inputs) {
        View v = view(input);
        // A^T B reads neither operand turned.
        if (v.turned && (n.op == Op::matmul && n.transposed)) {
            need(input);
            v = view(input);
        }
        need(v.node);
    }
    c.columnSums = m_sumOf[size_t(id)];
    const int index = add(std::move(c));
    m_out.clusterOf[size_t(id)] = index;
    if (const NodeId sum = m_sumOf[size_t(id)]; sum >= 0) {
        m_out.clusterOf[size_t(sum)] = index;
        if (const auto place = m_out.inside.find(sum); place != m_out.inside.end())
            m_out.clusterOf[size_t(place->second.first)] = index;
    }
}

void ClusterBuilder::takeAnchor(NodeId id, Kind kind) {
    const Node& n = node(id);
    Cluster c;
    c.kind = kind;
    c.anchor = id;
    for (NodeId input : n.inputs) need(input);
    c.size = hasValue(kind) ? n.shape.size() : 0;
    if (kind == Kind::moments) c.size = node(n.inputs[0]).shape.size();
    if (!hasValue(kind)) m_out.kept[size_t(id)] = true;
    c.shiftSums = m_shiftSumOf[size_t(id)], c.scaleSums = m_scaleSumOf[size_t(id)];
    const NodeId sums[] = {c.shiftSums, c.scaleSums};
    m_out.clusterOf[size_t(id)] = add(std::move(c));
    for (NodeId sum : sums)
        if (sum >= 0) m_out.clusterOf[size_t(sum)] = m_out.clusterOf[size_t(id)];
}

void ClusterBuilder::takeAssign(NodeId id) {
    const Node& n = node(id);
    const NodeId from = origin(n.inputs[0]);
    // A program that reads the state's other elements must not write it on the way.
    const std::function<bool(NodeId)> elementOnly = [&](NodeId of) {
        for (NodeId input : node(of).inputs) {
            const NodeId v = origin(input);
            if (m_waiting[size_t(v)] && node(v).shape.size() == node(of).shape.size() &&
                node(v).op != Op::sliceColumns && node(v).op != Op::sliceRows) {
                if (!elementOnly(v)) return false;
            } else if (node(view(v).node).op == Op::state && node(view(v).node).slot == n.slot) {
                if (node(v).shape.size() != node(of).shape.size() || v != view(v).node) return false;
            }
        }
        return true;
    };
    if (m_waiting[size_t(from)] && node(from).op != Op::fill) {
        if (!elementOnly(from) || !isPointwise(from) || node(from).op == Op::sliceColumns) {
            need(from);
        } else {
            needOperands(from);
        }
    } else if (!m_waiting[size_t(from)]) {
        need(from);
    }
    Cluster c;
    c.assigned = id;
    c.size = n.shape.size();
    Code code;
    if (!CodeWriter(*this, c).write(code, nullptr)) need(from);
    add(std::move(c));
}

// Computes what waits before what it reads is changed, or before another phase.
void ClusterBuilder::settle(bool everything, NodeId at) {
    for (NodeId id = 0; id < at; ++id) {
        if (!m_waiting[size_t(id)] || node(id).op == Op::fill) continue;
        const std::vector<NodeId>& users = m_users[size_t(id)];
        const bool later = std::any_of(users.begin(), users.end(), [&](NodeId u) { return u >= at; });
        if (!later || (!everything && !readsMutable(id))) continue;
        need(isView(node(id).op) ? view(id).node : id);
    }
}

void ClusterBuilder::take(NodeId id) {
    const Node& n = node(id);
    if (m_sameAsOperand[size_t(id)]) return;
    if (m_heads.count(id)) return takeAttention(id);
    if (m_insideHeads[size_t(id)]) return;
    if (n.op == Op::update || n.op == Op::assign) {
        settle(false, id);
        n.op == Op::assign ? takeAssign(id) : takeAnchor(id, Kind::update);
        ++m_epoch;
        return;
    }
    if (waits(id)) {
        m_scaling[size_t(id)] = scalesNorms(id);
        m_waiting[size_t(id)] = true;
        return;
    }
    if (n.op == Op::sum || n.op == Op::normaliseScaleGradient) return takeSum(id);
    if (n.op == Op::padColumns) return takeColumns(id);
    if (isProduct(n.op)) return takeProduct(id);
    if (n.op == Op::fill || n.op == Op::sliceRows || isPointwise(id)) {
        if (n.op == Op::sliceRows || n.op == Op::sliceColumns) need(view(n.inputs[0]).node);
        return takePointwise(id);
    }
    takeAnchor(id, kindOf(n.op));
}

Clusters ClusterBuilder::build() {
    markUses();
    std::vector<std::vector<NodeId>> bySegment;
    for (const Segment& segment : m_plan.segments) {
        auto& nodes = bySegment.emplace_back();
        for (const Level& level : segment.levels)
            for (const Group& group : level)
                nodes.insert(nodes.end(), group.nodes.begin(), group.nodes.end());
        std::sort(nodes.begin(), nodes.end());
        for (NodeId id : nodes) m_segmentOf[size_t(id)] = int(bySegment.size()) - 1;
    }
    markAttention();
    for (m_segment = 0; m_segment < int(bySegment.size()); ++m_segment) {
        for (NodeId id : bySegment[size_t(m_segment)]) take(id);
        if (m_segment + 1 < int(bySegment.size()) && !bySegment[size_t(m_segment) + 1].empty())
            settle(true, bySegment[size_t(m_segment) + 1].front());
    }
    // Programs say what they read from memory; then they are written with what they must store.
    for (Cluster& c : m_out.all) {
        if (c.size == 0) continue;
        Code code;
        CHECK(CodeWriter(*this, c).write(code, nullptr), "device: expected a program that fits");
        for (const Source& s : code.sources)
            if (!isLeaf(s.node)) m_out.kept[size_t(s.node)] = true;
    }
    for (Cluster& c : m_out.all)
        if (c.size > 0)
            CHECK(CodeWriter(*this, c).write(c.program, &m_out.kept), "device: expected a program that fits");
    return std::move(m_out);
}

}  // namespace core::cuda
