// Optimizer steps as passes over the flat buffers.
#include <algorithm>

#include "core/cuda/lowering.h"

namespace core::cuda {

void Lowering::prepareUpdate(const Cluster& c) {
    const Node& n = g.nodes[size_t(c.anchor)];
    const Update& u = g.updates[size_t(n.slot)];
    UpdatePass pass;
    const auto number = [&](const Scalar& s) {
        Number out{s.value, nullptr};
        if (s.slot >= 0) out.at = m_device->live() + s.slot;
        return out;
    };
    const auto input = [&](int which) {
        return which >= 0 ? Number{0, address(n.inputs[size_t(which)])} : Number{};
    };
    pass.optimizer = u.optimizer;
    pass.rate = number(u.rate), pass.beta1 = number(u.beta1), pass.beta2 = number(u.beta2);
    pass.decay = number(u.decay), pass.clip = number(u.clip);
    pass.norm = input(u.normInput), pass.keep = input(u.keepInput);
    pass.epsilon = u.epsilon;
    pass.counter = m_device->counters() + u.counter;
    pass.ticket = tickets(1);
    pass.broken = static_cast<int32_t*>(m_broken.data());
    pass.parameters = m_device->parameters(), pass.gradients = m_device->gradients();
    pass.first = m_device->first(), pass.second = m_device->second(), pass.state = m_device->state();
    pass.averaged = !u.averages.empty();

    std::vector<UpdatePass::Range> ranges;
    for (size_t i = 0; i < u.entries.size(); ++i) {
        const NodeId gradient = n.inputs[i];
        const int64_t size = (g.nodes[size_t(gradient)].shape.size() + 15) / 16 * 16;
        UpdatePass::Range r;
        r.begin = int32_t(m_plan.places[size_t(gradient)].offset);
        r.count = int32_t(size);
        r.average = pass.averaged ? int32_t(u.averages[i].offset) : 0;
        ranges.push_back(r);
    }
    std::sort(ranges.begin(), ranges.end(), [](const auto& x, const auto& y) { return x.begin < y.begin; });
    std::vector<UpdatePass::Range> merged;
    for (const UpdatePass::Range& r : ranges) {
        if (!merged.empty()) {
            UpdatePass::Range& back = merged.back();
            const bool averages = !pass.averaged || back.average + back.count == r.average;
            if (back.begin + back.count == r.begin && averages) {
                back.count += r.count;
                continue;
            }
        }
        merged.push_back(r);
    }
    for (size_t first = 0; first < merged.size(); first += UpdatePass::maxRanges) {
        Prepared p;
        p.launch.kind = Kind::update;
        p.cluster = int(&c - m_clusters.all.data());
        p.segment = c.segment;
        pass.ranges = int32_t(std::min(merged.size() - first, size_t(UpdatePass::maxRanges)));
        std::copy_n(merged.begin() + int64_t(first), pass.ranges, pass.range);
        pass.advances = first + UpdatePass::maxRanges >= merged.size();
        for (int32_t i = 0; i < pass.ranges; ++i) {
            const UpdatePass::Range& r = pass.range[i];
            for (float* buffer : {pass.parameters, pass.first, pass.second})
                writes(p, buffer + r.begin, r.count);
            if (pass.averaged) writes(p, pass.state + r.average, r.count);
            const float* const gradients = pass.gradients + r.begin;
            p.reads.push_back({reinterpret_cast<const char*>(gradients),
                               reinterpret_cast<const char*>(gradients + r.count)});
        }
        for (int which : {u.normInput, u.keepInput})
            if (which >= 0) reads(p, n.inputs[size_t(which)]);
        const Interval counter{reinterpret_cast<const char*>(pass.counter),
                               reinterpret_cast<const char*>(pass.counter + 1)};
        (pass.advances ? p.writes : p.reads).push_back(counter);
        p.launch.update = pass;
        m_launches.push_back(std::move(p));
    }
}

}  // namespace core::cuda
