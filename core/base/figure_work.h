// Figures that take longer to work out than anybody may be kept waiting: done a part at a time.
#pragma once

#include <functional>
#include <map>
#include <string>

namespace core {

// To be called, a few milliseconds each time, until it is true: then the figures are there.
using FigureWork = std::function<bool(std::map<std::string, double>& figures)>;

}  // namespace core
