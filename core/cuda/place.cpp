// Where values live on the card, and what of them a launch reads and writes.
#include <algorithm>
#include <utility>

#include "core/cuda/lowering.h"

namespace core::cuda {
namespace {

int64_t padded(int64_t size) {
    return (size + 31) / 32 * 32;
}

// Values share memory only in plans larger than this: what shares memory must wait for each other.
constexpr int64_t roomForAll = int64_t(256) << 20;  // floats

}  // namespace

float* Lowering::address(NodeId id) const {
    const NodeId from = m_builder->origin(id);
    if (m_offsets[size_t(from)] >= 0) return m_arena.floats() + m_offsets[size_t(from)];
    if (const auto inside = m_clusters.inside.find(from); inside != m_clusters.inside.end())
        return address(inside->second.first) + inside->second.second;
    const View v = m_builder->view(from);
    if (v.node != from) return address(v.node) + v.offset;
    const auto instead = m_clusters.placeOf.find(from);
    const Place& place = m_plan.places[size_t(instead == m_clusters.placeOf.end() ? from : instead->second)];
    switch (place.memory) {
        case Place::parameters:
            return m_device->parameters() + place.offset;
        case Place::gradients:
            return m_device->gradients() + place.offset;
        case Place::state:
            return m_device->state() + place.offset;
        case Place::live:
            return m_device->live() + place.offset;
        case Place::handle:
            return m_inputs.floats() + m_handles[size_t(place.offset)];
        case Place::constant:
            return m_constantMemory.floats() + m_constants[size_t(place.offset)];
        default:
            throw Error(
                fmt::format("{}: expected a value in memory, found none", g.nodes[size_t(from)].name));
    }
}

void Lowering::placeInputs() {
    int64_t end = padded(int64_t(sizeof(Clock) / sizeof(float)));
    // Single numbers close together, as they are sent together.
    const auto place = [&](const std::vector<float>& values) {
        return std::exchange(end, end + (int64_t(values.size()) + 3) / 4 * 4);
    };
    for (const auto& values : g.handleValues) m_handles.push_back(place(values));
    m_inputs = Memory(m_card, size_t(end + 16) * sizeof(float));
    end = 0;
    for (const auto& values : g.constants) m_constants.push_back(place(*values));
    std::vector<float> all(size_t(end + 16));
    for (size_t i = 0; i < g.constants.size(); ++i)
        std::copy(g.constants[i]->begin(), g.constants[i]->end(), all.begin() + m_constants[i]);
    m_constantMemory = Memory(m_card, all.size() * sizeof(float));
    m_card->upload(m_constantMemory.data(), all.data(), all.size() * sizeof(float));
}

void Lowering::placeValues() {
    m_offsets.assign(g.nodes.size(), -1);
    std::vector<Value> values(g.nodes.size());
    std::vector<int> firstOf(m_plan.segments.size(), INT32_MAX), lastOf(m_plan.segments.size(), -1);
    const int count = int(m_clusters.all.size());
    std::vector<int> home(g.nodes.size(), -1);
    const auto touch = [&](NodeId id, int cluster) {
        NodeId node = m_builder->origin(id);
        if (const auto inside = m_clusters.inside.find(node); inside != m_clusters.inside.end())
            node = inside->second.first;
        Value& v = values[size_t(node)];
        v.first = std::min(v.first, cluster);
        v.last = std::max(v.last, cluster);
        int& segment = home[size_t(node)];
        const int here = m_clusters.all[size_t(cluster)].segment;
        if (segment >= 0 && segment != here) v.alone = true;
        segment = here;
    };
    for (int i = 0; i < count; ++i) {
        const Cluster& c = m_clusters.all[size_t(i)];
        for (const Source& s : c.program.sources) touch(s.node, i);
        for (const Sink& s : c.program.sinks) touch(s.node, i);
        const HeadNodes& h = c.heads;
        for (NodeId id : {h.q, h.k, h.v, h.dOut})
            if (id >= 0) touch(m_builder->view(id).node, i);
        for (NodeId id : {h.scores, h.weights, h.out, h.dQ, h.dK, h.dV})
            if (id >= 0) touch(id, i);
        for (NodeId sums : {c.columnSums, c.scaleSums, c.shiftSums, c.lastSums})
            if (sums >= 0) touch(sums, i);
        if (c.anchor < 0) continue;
        touch(c.anchor, i);
        if (c.kind != Kind::sum)
            for (NodeId input : g.nodes[size_t(c.anchor)].inputs) touch(m_builder->view(input).node, i);
    }
    std::vector<bool> channel(g.nodes.size(), false);
    for (const auto& [name, id] : g.probes)
        if (m_plan.alive[size_t(id)]) channel[size_t(m_builder->origin(id))] = true;
    int64_t all = 0;
    std::vector<NodeId> order;
    for (NodeId id = 0; id < NodeId(g.nodes.size()); ++id) {
        const Op op = g.nodes[size_t(id)].op;
        const auto instead = m_clusters.placeOf.find(id);
        const NodeId placed = instead == m_clusters.placeOf.end() ? id : instead->second;
        const bool own = m_clusters.kept[size_t(id)] && values[size_t(id)].last >= 0 && op > Op::constant &&
                         op != Op::reshape && op != Op::update && op != Op::assign &&
                         m_plan.places[size_t(placed)].memory != Place::gradients;
        if (!own) continue;
        order.push_back(id);
        all += padded(g.nodes[size_t(id)].shape.size());
    }
    const bool share = all > roomForAll;
    std::stable_sort(order.begin(), order.end(), [&](NodeId x, NodeId y) {
        return g.nodes[size_t(x)].shape.size() > g.nodes[size_t(y)].shape.size();
    });
    // All channels can be read at once.
    const auto others =
        std::stable_partition(order.begin(), order.end(), [&](NodeId id) { return channel[size_t(id)]; });
    for (auto id = order.begin(); id != others; ++id) {
        values[size_t(*id)].alone = true;
        m_channelFloats += padded(g.nodes[size_t(*id)].shape.size());
    }
    struct Placed {
        int64_t begin, end;
        int first, last;
    };
    std::vector<Placed> placed;  // by begin
    int64_t total = 0;
    for (NodeId id : order) {
        const int64_t size = padded(g.nodes[size_t(id)].shape.size());
        const Value& v = values[size_t(id)];
        const bool alone = v.alone || !share;
        const int first = alone ? 0 : v.first, last = alone ? INT32_MAX : v.last;
        int64_t offset = 0;
        if (!share) {
            offset = total;
        } else {
            for (const Placed& p : placed) {
                if (p.first > last || p.last < first) continue;
                if (offset + size <= p.begin) break;
                offset = std::max(offset, p.end);
            }
            const Placed mine{offset, offset + size, first, last};
            placed.insert(
                std::upper_bound(placed.begin(), placed.end(), mine,
                                 [](const Placed& x, const Placed& y) { return x.begin < y.begin; }),
                mine);
        }
        m_offsets[size_t(id)] = offset;
        total = std::max(total, offset + size);
    }
    m_arena = Memory(m_card, size_t(total + 64) * sizeof(float));
}

void Lowering::reads(Prepared& p, NodeId id, int64_t parts) const {
    const NodeId node = m_builder->view(id).node;
    const float* const from = address(node);
    const int64_t size = g.nodes[size_t(node)].shape.size();
    p.reads.push_back(
        {reinterpret_cast<const char*>(from), reinterpret_cast<const char*>(from + size), -1, parts});
}

void Lowering::writes(Prepared& p, const float* at, int64_t floats, int64_t parts) const {
    p.writes.push_back(
        {reinterpret_cast<const char*>(at), reinterpret_cast<const char*>(at + floats), -1, parts});
}

// Of how many equal parts of `size` elements each reads only its own part of the operand.
int64_t Lowering::partsOf(const Source& source, int64_t size) const {
    const Operand& o = source.shape;
    const int64_t whole = g.nodes[size_t(source.node)].shape.size();
    if (o.kind == Operand::full) return source.offset == 0 && whole == size ? size : 1;
    if (o.kind != Operand::strided && o.kind != Operand::window) return 1;
    const int64_t samples = size / (int64_t(o.channels.divisor) * o.positions.divisor);
    return o.sampleStep > 0 && samples * o.sampleStep == whole && source.offset < o.sampleStep ? samples : 1;
}

float* Lowering::workspace(int64_t floats) {
    m_workspaces.emplace_back(m_card, size_t(floats) * sizeof(float));
    return m_workspaces.back().floats();
}

uint32_t* Lowering::tickets(int64_t count) {
    m_workspaces.emplace_back(m_card, size_t(count) * sizeof(uint32_t));
    return static_cast<uint32_t*>(m_workspaces.back().data());
}

}  // namespace core::cuda
