// What to run, from the start.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "core/base/own_data.h"

namespace core {

struct RunRequest {
    std::string lesson = "gan";
    std::string preset;                                         // empty: the lesson's first
    std::vector<std::pair<std::string, std::string>> settings;  // knob, value as text; over the preset
    std::vector<OwnDataPtr> ownData;  // options of the knob `data` besides the built-in sets
    uint64_t seed = 1;
    int threads = 0;  // 0: one core is left to the window
    std::string device = "cpu";
    bool exact = false;  // cuda: products in FP32 instead of TF32
};

}  // namespace core
