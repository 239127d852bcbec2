// A recording of a test's own, compiled and run: what its channels hold.
#pragma once

#include <functional>

#include "core/cpu/executor.h"
#include "core/graph/ops.h"

namespace support {

class Evaluation {
  public:
    explicit Evaluation(const std::function<void(core::Recorder&)>& record) : m_pool(1) {
        core::Recorder r(m_layout, core::Recorder::Access::train);
        record(r);
        const auto graph = std::make_shared<const core::Graph>(r.take());
        m_store.live.assign(1, 0);
        m_store.initialise(m_layout, int(graph->updates.size()), 7);
        m_executor =
            std::make_unique<core::cpu::Executor>(core::compile(graph, m_layout, {}), m_store, m_pool);
    }

    bool run() { return m_executor->run(7, m_step++); }
    // After the first step at least.
    std::vector<float> values(const std::string& channel) {
        if (m_step == 0) run();
        return m_executor->read(channel).values;
    }
    float value(const std::string& channel) { return values(channel).at(0); }
    core::Layout& layout() { return m_layout; }
    core::Store& store() { return m_store; }
    core::cpu::Executor& executor() { return *m_executor; }

  private:
    core::Layout m_layout;
    core::Store m_store;
    core::cpu::Pool m_pool;
    std::unique_ptr<core::cpu::Executor> m_executor;
    uint64_t m_step = 0;
};

}  // namespace support
