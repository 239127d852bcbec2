#include "core/cuda/cuda_device.h"

#include "core/cuda/executor.h"

namespace core::cuda {
namespace {

class OnCard : public Deployment {
  public:
    OnCard(Store& store, const CardPtr& card, bool exact)
        : m_store(store), m_there(std::make_shared<DeviceStore>(card, store)), m_exact(exact) {}
    std::unique_ptr<core::Executor> prepare(Plan plan) override {
        ExecutorOptions options{.exact = m_exact};
        // A training step: the others change no weights and are run now and then.
        if (!plan.graph->updates.empty()) options.unroll = 0, options.counts = true;
        return std::make_unique<Executor>(std::move(plan), m_store, m_there, options);
    }
    void upload() override { m_there->upload(m_store); }
    void download() override { m_there->download(m_store); }

  private:
    Store& m_store;
    std::shared_ptr<DeviceStore> m_there;
    bool m_exact;
};

}  // namespace

std::string CudaDevice::name() const {
    return fmt::format("{}, {}", m_card->name(), m_exact ? "FP32" : "TF32");
}

std::unique_ptr<Deployment> CudaDevice::deploy(Store& store) {
    return std::make_unique<OnCard>(store, m_card, m_exact);
}

}  // namespace core::cuda
