// Figures of the game between a generator and a discriminator (Goodfellow et al. 2014), on a grid of places.
#pragma once

#include <span>
#include <vector>

namespace core {

// The best answer D* = s p_data / (p_data + p_g) to a generator of that density, s the target for real points
// (Salimans et al. 2016), and E |D - D*| where points are: over (p_data + p_g) / 2.
struct BestAnswer {
    std::vector<float> optimum;
    double gap = 0;
};
BestAnswer bestAnswer(std::span<const float> data, std::span<const float> model, std::span<const float> d,
                      float target);

// |det J| of a map of the square [-1, 1]^2, given by where it takes a grid of side x side points: central
// differences, one-sided at the edges.
std::vector<float> areaOfCells(std::span<const float> points, int side);

}  // namespace core
