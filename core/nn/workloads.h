// The training steps that the speed table times: networks, batches, draws and optimizer as in the
// PyTorch peer (tests/peer), recorded with the ordinary engine.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "core/graph/recorder.h"

namespace core {

struct Workload {
    std::string name;
    std::function<void(Recorder&)> record;  // one training step, or one whole run of a sampler
};

const std::vector<Workload>& workloads();

}  // namespace core
