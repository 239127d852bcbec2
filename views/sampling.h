// Where the user stands in a run of the sampler, and what panels ask of such runs.
#pragma once

#include <cstdint>
#include <functional>

#include "core/contract/sampling.h"

namespace views {

// A place in a run, and the branch that is shown beside it at the same time.
struct SamplingPlace {
    int64_t run = 0;     // its id; 0: none
    int64_t branch = 0;  // forked off it; 0: none
    int step = 0;        // state `step`; the last is the result
    int stage = -1;      // how many stages of this step are done, in slow mode; -1: all that belongs to it
    bool playing = false;

    bool operator==(const SamplingPlace&) const = default;
};

// The last step of the run that begins at time t or later than it (nearer to the noise): where a branch with
// other steps stands when the run stands at t. Of an inversion, on its way back.
inline int stepAt(const core::Trajectory& run, double t) {
    int step = int(run.steps.size());
    while (step > 0 && run.steps[size_t(step - 1)]->step.tNext < t - 1e-9) --step;
    return step;
}

// Each may be empty: a pane without a run has nobody to ask.
struct SamplingActions {
    std::function<void(double t)> goTo;  // the step nearest to that time
    std::function<void(int steps)> move;
    // The id of the run that begins.
    std::function<int64_t(const core::SamplingRequest&)> sample;
    std::function<void(int64_t run)> discard;
};

}  // namespace views
