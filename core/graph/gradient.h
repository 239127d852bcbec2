// Reverse-mode differentiation by graph rewriting: gradients are nodes like any other, so they can
// be probed, pruned, and differentiated again.
#pragma once

#include "core/graph/recorder.h"

namespace core {

// d loss / d wrt[i], shaped like wrt[i]; zeros where the loss does not depend on it. loss has shape [1].
std::vector<Var> gradient(Var loss, const std::vector<Var>& wrt);

}  // namespace core
