// The numbers of a run: parameters, their moments and the rest that a step changes, each one flat
// aligned buffer laid out by a Layout.
#pragma once

#include <cstdint>
#include <vector>

#include "core/base/buffer.h"
#include "core/graph/layout.h"

namespace core {

// How far one optimizer has come; the powers are beta^steps.
struct StepCounter {
    int64_t steps = 0;
    double beta1Power = 1, beta2Power = 1;
};

// What a snapshot keeps and the parameter hash covers.
struct Weights {
    Buffer parameters, first, second, state;
    std::vector<StepCounter> counters;
};

struct Store {
    Weights weights;
    Buffer gradients;
    std::vector<float> live;  // one float a knob

    // Sizes every buffer for the layout and fills it from the seed (PyTorch's defaults where lessons say so).
    void initialise(const Layout& layout, int updates, uint64_t seed);
    // Copies every entry that `from` has under the same name and shape, with its moments.
    void adopt(const Layout& layout, const Store& from, const Layout& fromLayout);
    // FNV-1a over the bits of parameters, moments, state and counters.
    uint64_t hash() const;
};

}  // namespace core
