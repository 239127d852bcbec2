// A graph deployed on the card with a store of its own, and the count of what held.
#pragma once

#include <cstdio>
#include <cstring>

#include "core/cuda/executor.h"

namespace support {

inline int passed = 0, failed = 0;
inline std::string test, row, onlyRow;  // onlyRow: how the rows begin that are tested

inline void expect(bool holds, const std::string& what) {
    ++(holds ? passed : failed);
    if (!holds) std::printf("FAIL %s, %s: %s\n", test.c_str(), row.c_str(), what.c_str());
    std::fflush(stdout);
}

inline core::cuda::CardPtr& card() {
    static core::cuda::CardPtr opened = core::cuda::Card::open();
    return opened;
}

struct OnCard {
    core::Store store;
    std::shared_ptr<core::cuda::DeviceStore> device;
    std::unique_ptr<core::cuda::Executor> executor;

    OnCard(const std::shared_ptr<const core::Graph>& graph, const core::Layout& layout,
           const core::cuda::ExecutorOptions& options, uint64_t seed = 1,
           const core::PlanOptions& plan = {}) {
        store.initialise(layout, int(graph->updates.size()), seed);
        store.live.assign(1, 0);
        device = std::make_shared<core::cuda::DeviceStore>(card(), store);
        executor =
            std::make_unique<core::cuda::Executor>(compile(graph, layout, plan), store, device, options);
        executor->poison();
    }
    std::map<std::string, std::vector<float>> channels() const {
        std::map<std::string, std::vector<float>> out;
        for (const auto& [name, id] : executor->plan().graph->probes) out[name] = executor->read(name).values;
        return out;
    }
};

// The tests of other files.
void largeProducts();
void transformers();
void images();
void chains();
void loops();

}  // namespace support
