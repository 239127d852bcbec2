// What a gradient says of the inputs of images', normalisation's, attention's and look-up's operations.
#pragma once

#include "core/graph/recorder.h"

namespace core {

// As in gradient.cpp; throws Error where an operation can be differentiated once only.
Var networkInputGradient(const Node& n, Var y, Var dy, int which);

}  // namespace core
