// The variational bound L_T + ... + L_0 of the lesson (Ho et al. 2020, eq. 5), in bits for each dimension.
#pragma once

#include <functional>

#include "core/lessons/ddpm/schedule.h"

namespace core::lessons {

// What is asked of the lesson: rows of the test set, and the noise that the averaged network sees in x_t.
struct BoundInputs {
    std::function<Var(const std::string& stream, int count)> testRows;
    std::function<Var(Var x, Var t, Var abar)> noise;
    bool pictures;
};

// The squared errors by bin of t that the bound weighs, and the means of x_0 at t = 1.
void recordBound(Recorder& r, const NoiseSchedule& schedule, const BoundInputs& in);

// L_0, the bins of t, L_T and their sum; `meanSquare` of the data.
Measure boundMeasure(const NoiseSchedule& schedule, bool pictures, double meanSquare);

}  // namespace core::lessons
