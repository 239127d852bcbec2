#include "core/session/devices.h"

#include "core/cpu/cpu_device.h"
#include "core/cuda/cuda_device.h"

namespace core {

const DeviceAnswer& askForCard() {
    static const DeviceAnswer answer = [] {
        const cuda::Availability found = cuda::availability();
        return DeviceAnswer{found.there, found.text};
    }();
    return answer;
}

DevicePtr openDevice(const RunRequest& request) {
    if (request.device == "cuda") return std::make_shared<cuda::CudaDevice>(request.exact);
    CHECK(request.device == "cpu", "device: expected cpu or cuda, got '{}'", request.device);
    return std::make_shared<cpu::CpuDevice>(request.threads);
}

}  // namespace core
