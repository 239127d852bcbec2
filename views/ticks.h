// Round numbers along an axis, and how they are written.
#pragma once

#include <string>
#include <vector>

#include "views/plot.h"

namespace views {

struct Tick {
    double value;
    std::string label;
};

// About `wanted` ticks (never more than twice that) at 1, 2 or 5 times a power of ten, within the axis.
std::vector<Tick> ticksOf(const Axis& axis, int wanted);

}  // namespace views
