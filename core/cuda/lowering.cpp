#include "core/cuda/lowering.h"

#include <algorithm>

namespace core::cuda {
namespace {

// One segment a phase.
Plan joined(Plan plan) {
    std::vector<Segment> phases;
    for (Segment& segment : plan.segments) {
        if (phases.empty() || phases.back().phase != segment.phase) phases.push_back({segment.phase, -1, {}});
        auto& levels = phases.back().levels;
        levels.insert(levels.end(), segment.levels.begin(), segment.levels.end());
    }
    plan.segments = std::move(phases);
    return plan;
}

}  // namespace

Lowering::Lowering(const Plan& plan, const Store& store, std::shared_ptr<DeviceStore> device,
                   std::vector<NodeId> scalars, const ExecutorOptions& options)
    : m_plan(plan),
      g(*plan.graph),
      m_store(store),
      m_device(std::move(device)),
      m_card(m_device->card()),
      m_scalars(std::move(scalars)),
      m_options(options),
      m_whole(joined(m_plan)),
      m_builder(std::make_unique<ClusterBuilder>(m_whole, m_options.exact,
                                                 m_card->table().attention(m_card->device()) != 0)) {
    m_clusters = m_builder->build();
    m_broken = Memory(m_card, sizeof(int32_t), true);
    placeInputs();
    m_device->uploadLive(m_store.live);
    placeValues();
    prepare();
    if (m_whole.segments.size() < m_plan.segments.size()) separateStages();
}

// Launches in their order, each in the stage of its earliest node, or in that of the launch before it.
void Lowering::separateStages() {
    std::vector<int> segmentOf(g.nodes.size(), 0);
    for (int i = 0; i < int(m_plan.segments.size()); ++i)
        for (const Level& level : m_plan.segments[size_t(i)].levels)
            for (const Group& group : level)
                for (NodeId id : group.nodes) segmentOf[size_t(id)] = i;
    int segment = 0;
    for (Prepared& p : m_launches) {
        int earliest = INT32_MAX;
        const auto meet = [&](int cluster) {
            const Cluster& c = m_clusters.all[size_t(cluster)];
            if (c.anchor >= 0) earliest = std::min(earliest, segmentOf[size_t(c.anchor)]);
            for (NodeId id : c.members) earliest = std::min(earliest, segmentOf[size_t(id)]);
            if (c.assigned >= 0) earliest = std::min(earliest, segmentOf[size_t(c.assigned)]);
        };
        meet(p.cluster);
        for (int32_t i = 0; i < p.launch.chain.count; ++i) meet(m_linkClusters[p.firstLink + size_t(i)]);
        if (earliest != INT32_MAX) segment = std::max(segment, earliest);
        p.segment = segment;
    }
}

}  // namespace core::cuda
