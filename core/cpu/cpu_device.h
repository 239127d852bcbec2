// The CPU as a device: plans run on the store itself.
#pragma once

#include "core/cpu/pool.h"
#include "core/graph/executor.h"

namespace core::cpu {

class CpuDevice : public Device {
  public:
    // 0 threads: one core is left to the window.
    explicit CpuDevice(int threads) : m_pool(threads) {}
    std::string name() const override;
    std::unique_ptr<Deployment> deploy(Store& store) override;

  private:
    Pool m_pool;
};

}  // namespace core::cpu
