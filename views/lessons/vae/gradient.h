// Two ways of a gradient through a random draw: the score function's and the reparameterised one.
#pragma once

#include "views/lessons/vae/situation.h"

namespace views::vae {

void drawGradientPaths(Canvas& canvas, const core::Frame& frame);

}  // namespace views::vae
