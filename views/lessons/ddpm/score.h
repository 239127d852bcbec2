// The field that points to the data: as it was learned, as it is, and how far they are apart.
#pragma once

#include "views/lessons/ddpm/situation.h"

namespace views::ddpm {

void drawScore(Canvas& canvas, const core::Frame& frame, const SharedTime& time);

// A line that follows a field on a square grid over the plane, both ways from a point, in steps of `pace`;
// [n, 2] one after the other. The field is [side * side, 2], rows rising.
std::vector<float> streamline(std::span<const float> field, int side, double x, double y, double pace,
                              int steps);

}  // namespace views::ddpm
