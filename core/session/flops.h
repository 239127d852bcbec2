// How much arithmetic a plan's products need.
#pragma once

#include "core/graph/plan.h"

namespace core {

// Multiplications and additions in the matrix products, convolutions, attention heads and nearest-row
// searches of one step, each phase as often as it runs.
double productFlops(const Plan& plan);

}  // namespace core
