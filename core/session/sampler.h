// What a sampler does, as numbers: where the network is asked and how its answers are weighed.
#pragma once

#include <string>
#include <vector>

#include "core/contract/sampling.h"
#include "core/lessons/lesson.h"

namespace core {

struct SamplerOptions {
    std::string kind = "ddpm";         // ddpm, ddim, euler, heun, dpm++, inversion
    std::string spacing = "trailing";  // trailing, leading, linear, karras
    int steps = 50;
    double eta = 0;             // ddim
    bool wideVariance = false;  // ddpm: sigma^2 = beta, not beta-tilde
    double addedNoise = 1;      // the share of sigma that is added back
};

// Reads the sampling knobs that the lesson has; the others keep the values above.
SamplerOptions samplerOptions(const Lesson& lesson, const Settings& settings);

// One evaluation of the network at t, and the state after it, x_0 being the network's estimate, clipped:
// keep x + clean x_0 + before y + sigma z.
struct PlannedEvaluation {
    double t, signal, noise;
    double keep = 0, clean = 0, before = 0, sigma = 0;
    enum Before { nothing, lastClean, stepStart } y = nothing;  // of the previous evaluation; of the step
    bool completes = true;                                      // a step; else its second evaluation follows
    SamplerStep step;                                           // the one that it belongs to
};

// The points of the path where a sampler with so many steps stands, the clean end included. The names are
// those of Lin et al. 2023, table 2; karras: Karras et al. 2022, eq. 5 with rho = 7.
std::vector<PathPoint> spacedPoints(const SamplingPath& path, const std::string& spacing, int steps);

// Where a sampler with these options stands: as above; an inversion begins with data, at the point before the
// clean end, goes up to the noise and comes back.
std::vector<PathPoint> pointsOf(const SamplingPath& path, const SamplerOptions& options);

// The whole way over these points. `before` steps have been done already, in `evaluations`: the numbers go
// on.
std::vector<PlannedEvaluation> planSampler(const std::vector<PathPoint>& points,
                                           const SamplerOptions& options, uint64_t seed, int evaluations = 0);

}  // namespace core
