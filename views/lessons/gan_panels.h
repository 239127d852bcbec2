// The GAN's panels that do not depend on what a point is: value, losses, coverage; and its pictures.
#pragma once

#include <string>
#include <vector>

#include "views/canvas.h"

namespace views::gan {

std::vector<std::string> valueNeeds();
void drawValue(Canvas& canvas, const core::Frame& frame);

std::vector<std::string> lossShapeNeeds();
void drawLossShapes(Canvas& canvas, const core::Frame& frame);

std::vector<std::string> coverageNeeds();
void drawCoverage(Canvas& canvas, const core::Frame& frame);

std::vector<std::string> lossNeeds();
void drawLosses(Canvas& canvas, const core::Frame& frame);

void drawSamples(Canvas& canvas, const core::Frame& frame);
void drawInterpolation(Canvas& canvas, const core::Frame& frame);
void drawNearest(Canvas& canvas, const core::Frame& frame);

}  // namespace views::gan
