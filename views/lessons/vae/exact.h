// The exact case: the encoder's answer beside the true posterior of the linear-Gaussian model.
#pragma once

#include "views/lessons/vae/situation.h"

namespace views::vae {

void drawExact(Canvas& canvas, const core::Frame& frame);

}  // namespace views::vae
