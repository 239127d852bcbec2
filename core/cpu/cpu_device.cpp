#include "core/cpu/cpu_device.h"

#include "core/cpu/executor.h"

namespace core::cpu {
namespace {

class InPlace : public Deployment {
  public:
    InPlace(Store& store, Pool& pool) : m_store(store), m_pool(pool) {}
    std::unique_ptr<core::Executor> prepare(Plan plan) override {
        return std::make_unique<Executor>(std::move(plan), m_store, m_pool);
    }
    void upload() override {}
    void download() override {}

  private:
    Store& m_store;
    Pool& m_pool;
};

}  // namespace

std::string CpuDevice::name() const {
    return fmt::format("CPU, {} thread{}, {}", m_pool.threads(), m_pool.threads() == 1 ? "" : "s",
                       bestKernels().name);
}

std::unique_ptr<Deployment> CpuDevice::deploy(Store& store) {
    return std::make_unique<InPlace>(store, m_pool);
}

}  // namespace core::cpu
