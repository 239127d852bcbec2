// Where the panels of a pane stand: the main one about twice as large as each of the others.
#pragma once

#include <vector>

#include "views/geometry.h"

namespace views {

// One rectangle for each weight, the main panel's first, on the corners of one grid with `gap` between
// them. The main panel stands top left, the others beside and below it; how many go where is what
// keeps their shapes closest to those that plots like.
std::vector<Rect> layOutPanels(Rect area, const std::vector<float>& weights, float gap, float titleHeight);

// The same in the lecture hall: the main panel has two thirds of the width, the few others stand one below
// the other at its right; in a room that is higher than wide, two thirds of the height.
std::vector<Rect> layOutHall(Rect area, size_t panels, float gap);

}  // namespace views
