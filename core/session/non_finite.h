// Where a number that is not finite came from.
#pragma once

#include <string>

#include "core/graph/plan.h"
#include "core/graph/store.h"

namespace core {

// The first operation of a training step that gave a number that is not finite, in the words of a message:
// "parameter dec.0.weight", "matmul [64, 10] in stage decode", or "the update of dec.0.weight" where all were
// finite but what came of them. Empty if the step is finite. `before` is the state before the step, which is
// done once more on the CPU, on a copy with every value kept.
std::string firstNonFinite(const std::shared_ptr<const Graph>& graph, const Layout& layout,
                           const Store& before, uint64_t seed, uint64_t step, int threads);

}  // namespace core
