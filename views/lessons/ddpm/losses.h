// What training minimises, seen by time: the loss in each part of the chain with the floor that it cannot
// pass, the terms of the bound, and how far the samples are from the data.
#pragma once

#include "views/lessons/ddpm/situation.h"

namespace views::ddpm {

constexpr int parts = 16;  // of the chain, of equal length

std::vector<std::string> lossNeeds();
void drawLossByTime(Canvas& canvas, const core::Frame& frame);
void drawBound(Canvas& canvas, const core::Frame& frame);
void drawDistance(Canvas& canvas, const core::Frame& frame);

// The loss of every part over training as rows of a grid, small t first; NaN where a part has no value yet.
struct LossGrid {
    std::vector<float> values;
    int columns = 0;
    double lastStep = 0;
};
LossGrid lossGrid(const core::Frame& frame, int columns);

}  // namespace views::ddpm
