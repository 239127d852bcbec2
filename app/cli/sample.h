// genscope sample: what a trained network makes, as a picture, a film and figures.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "core/session/run_request.h"

namespace app {

struct SampleOptions {
    core::RunRequest request;  // its threads and device
    std::string lesson, from;  // the folder of a saved run; the lesson is checked against it if it is named
    std::vector<std::pair<std::string, std::string>> knobs;  // of the sampler, value as text
    uint64_t seed = 1;
    int count = 0;                // 0: as many as the lesson shows
    std::string out, trajectory;  // .png and .gif
    bool json = false, quiet = false;
};

// Throws core::Error for what is wrong with the command, its folder or a knob. Returns an Exit.
int runSample(const SampleOptions& options);

}  // namespace app
