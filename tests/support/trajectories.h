// Sampling runs whose every number is known: x goes straight from where it starts to its target.
#pragma once

#include <cmath>
#include <memory>

#include "core/contract/sampling.h"

namespace support {

// What the runs of one frame are, at times T = last ... 0 in equal steps.
struct TrajectoryMaker {
    int steps = 20, done = -1;  // -1: all of them
    int count = 64;
    core::Shape sample = {2};
    double last = 1000, sigma = 0.05;
    float offset = 0;  // of every number at the end
    uint64_t seed = 1;

    // The place of element e of a sample at the start and at the end.
    float from(int64_t i, int64_t e) const {
        return float(2.5 * std::sin(0.7 * double(i + 3 * int64_t(seed)) + 1.9 * double(e)));
    }
    float to(int64_t i, int64_t e) const {
        return sample.size() == 2 ? float(2 * std::cos(double(i % 8) * 0.785398 - 1.570796 * double(e)))
                                  : float(std::cos(0.2 * double(i) + 0.1 * double(e)));
    }
    float at(int64_t i, int64_t e, int step) const {
        const float share = float(step) / float(steps);
        return (1 - share) * from(i, e) + share * (to(i, e) + offset);
    }
    double timeOf(int step) const { return last * (1 - double(step) / steps); }

    core::Trajectory make(int64_t id) const {
        core::Trajectory run{
            .id = id, .trainingStep = 100, .seed = seed, .count = count, .sample = sample, .total = steps};
        run.settings = {{"sampler", 0}, {"sampler_steps", double(steps)}};
        run.choices = {{"sampler", "ddpm"}};
        const auto stateOf = [&](int step) {
            std::vector<float> x;
            for (int64_t i = 0; i < count; ++i)
                for (int64_t e = 0; e < sample.size(); ++e) x.push_back(at(i, e, step));
            return x;
        };
        run.start = std::make_shared<core::Kept>(stateOf(0), true);
        const int until = done < 0 ? steps : done;
        for (int step = 0; step < until; ++step) {
            core::KeptStep kept;
            const double share = double(step) / steps, next = double(step + 1) / steps;
            kept.step = {.t = timeOf(step),
                         .tNext = timeOf(step + 1),
                         .signal = 0.02 + 0.98 * share,
                         .noise = std::sqrt(1 - std::pow(0.02 + 0.98 * share, 2)),
                         .signalNext = 0.02 + 0.98 * next,
                         .noiseNext = std::sqrt(std::max(0.0, 1 - std::pow(0.02 + 0.98 * next, 2))),
                         .sigma = step + 1 < steps ? sigma : 0,
                         .evaluations = step + 1,
                         .seed = seed};
            std::vector<float> eps;
            for (int64_t i = 0; i < count; ++i)
                for (int64_t e = 0; e < sample.size(); ++e) eps.push_back(0.5f * from(i, e));
            kept.estimate = core::Kept(eps, true);
            kept.after = core::Kept(stateOf(step + 1), true);
            run.steps.push_back(std::make_shared<core::KeptStep>(std::move(kept)));
        }
        if (run.complete()) run.figures = {{"w2", 0.21}, {"w2_baseline", 0.1}, {"w2_count", 500}};
        return run;
    }
};

inline std::shared_ptr<const core::Samplings> samplings(const std::vector<core::Trajectory>& runs) {
    auto all = std::make_shared<core::Samplings>();
    all->budget = 1 << 28;
    for (const core::Trajectory& run : runs) all->runs.push_back(std::make_shared<core::Trajectory>(run));
    return all;
}

}  // namespace support
