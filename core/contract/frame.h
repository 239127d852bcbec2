// What the trainer publishes and the views draw: an immutable picture of one moment of a run.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/base/own_data.h"
#include "core/base/tensor.h"
#include "core/contract/history.h"
#include "core/contract/parameter.h"
#include "core/contract/sampling.h"

namespace core {

struct Frame {
    std::string lesson;
    int64_t step = 0;   // completed training steps
    std::string stage;  // the stage that comes next in slow mode; empty at a step boundary
    bool running = false;
    int64_t target = -1;         // the step that the run is on its way to, by replaying; -1: none
    bool awaitsFigures = false;  // the costly ones are of an earlier step
    double stepsPerSecond = 0;
    std::string device;         // "CPU, 2 threads, AVX-512"
    std::string problem;        // one sentence, shown where the picture would be; empty when all is well
    bool deviceFailed = false;  // the problem is the device's: another one can go on
    uint64_t seed = 0;
    Settings settings;
    std::map<std::string, std::string> choices;  // the option's name of every choice knob
    std::vector<std::string> idle;               // knobs that change nothing as the others stand
    std::vector<OwnDataPtr> ownData;             // further options of the knob `data`, in their order

    std::map<std::string, Tensor> channels;      // by channel name
    std::map<std::string, History> histories;    // scalar channels over training steps
    std::shared_ptr<const Samplings> samplings;  // runs of the sampler; null before the first

    // The channel, or nullptr if it has not been computed yet.
    const Tensor* find(const std::string& channel) const {
        const auto it = channels.find(channel);
        return it == channels.end() ? nullptr : &it->second;
    }
    // The latest value of a scalar channel, or the fallback.
    float scalar(const std::string& channel, float fallback = 0) const {
        const Tensor* t = find(channel);
        return t && !t->values.empty() ? t->values[0] : fallback;
    }
};

using FramePtr = std::shared_ptr<const Frame>;

}  // namespace core
