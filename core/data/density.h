// Densities of samples on a grid, smoothed by a Gaussian kernel.
#pragma once

#include <span>
#include <vector>

namespace core {

// A square grid of side x side points over [-extent, extent]^2, row-major, y rising.
struct PlaneGrid {
    int side = 96;
    double extent = 3.5;

    double coordinate(int i) const { return extent * (2.0 * i / (side - 1) - 1); }
};

// Density of points [n, 2] at the grid's points: a linear binning blurred by a Gaussian of this width.
// Mass outside the grid is left out, so the integral is the share inside.
std::vector<float> planeDensity(std::span<const float> points, const PlaneGrid& grid, double bandwidth);

}  // namespace core
