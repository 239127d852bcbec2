// Drawing from categorical distributions.
#pragma once

#include "core/graph/ops.h"

namespace core {

// -log(-log U): fresh at every step, from the stream of this name.
Var gumbel(Recorder& r, const std::string& stream, const Shape& shape);

// One draw from softmax(logits / temperature) along the last axis: [..., C] -> [..., 1], a whole number.
// (Gumbel 1954: the argmax of logits plus Gumbel noise.) temperature [1], above 0.
Var categorical(Var logits, const std::string& stream, Var temperature);

// A differentiable stand-in for the draw: softmax((logits + noise) / temperature). (Jang et al. 2017, eq. 2.)
Var gumbelSoftmax(Var logits, const std::string& stream, Var temperature);

}  // namespace core
