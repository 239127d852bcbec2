// The samples of a run as one picture: a sheet of pictures, or points of the plane.
#pragma once

#include <QImage>
#include <vector>

#include "core/contract/sampling.h"

namespace app {

// The values [count, width] of a run; pictures in [-1, 1].
QImage sheetOf(const core::Trajectory& run, const std::vector<float>& values);

}  // namespace app
