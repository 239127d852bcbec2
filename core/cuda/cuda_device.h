// A card as a device: a store's weights are copied there, and plans run on the copy.
#pragma once

#include "core/cuda/plugin.h"
#include "core/graph/executor.h"

namespace core::cuda {

class CudaDevice : public core::Device {
  public:
    // Throws DeviceError with one sentence where there is no card. `exact`: products in FP32 instead of TF32.
    explicit CudaDevice(bool exact) : m_card(Card::open()), m_exact(exact) {}
    std::string name() const override;
    std::unique_ptr<Deployment> deploy(Store& store) override;

  private:
    CardPtr m_card;
    bool m_exact;
};

}  // namespace core::cuda
