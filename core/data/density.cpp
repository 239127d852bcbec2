#include "core/data/density.h"

#include <algorithm>
#include <cmath>

namespace core {
namespace {

// One pass of the blur along rows; the caller transposes between passes.
std::vector<float> blurRows(const std::vector<float>& in, int side, const std::vector<float>& kernel) {
    const int radius = int(kernel.size()) - 1;
    std::vector<float> out(in.size(), 0);
    for (int row = 0; row < side; ++row)
        for (int i = 0; i < side; ++i) {
            const float mass = in[size_t(row * side + i)];
            if (mass == 0) continue;
            for (int j = std::max(0, i - radius); j <= std::min(side - 1, i + radius); ++j)
                out[size_t(j * side + row)] += mass * kernel[size_t(std::abs(i - j))];
        }
    return out;
}

}  // namespace

std::vector<float> planeDensity(std::span<const float> points, const PlaneGrid& grid, double bandwidth) {
    const int side = grid.side;
    const double cell = 2 * grid.extent / (side - 1);
    std::vector<float> mass(size_t(side) * size_t(side), 0);
    const size_t n = points.size() / 2;
    for (size_t p = 0; p < n; ++p) {
        const double x = (double(points[2 * p]) + grid.extent) / cell,
                     y = (double(points[2 * p + 1]) + grid.extent) / cell;
        if (!(x >= 0 && y >= 0 && x < side - 1 && y < side - 1)) continue;
        const int i = int(x), j = int(y);
        const float fx = float(x - i), fy = float(y - j);
        float* at = &mass[size_t(j * side + i)];
        at[0] += (1 - fx) * (1 - fy);
        at[1] += fx * (1 - fy);
        at[side] += (1 - fx) * fy;
        at[side + 1] += fx * fy;
    }
    const int radius = std::max(1, int(std::ceil(3.5 * bandwidth / cell)));
    std::vector<float> kernel(size_t(radius) + 1);
    double total = 0;
    for (int i = 0; i <= radius; ++i) {
        kernel[size_t(i)] = float(std::exp(-0.5 * std::pow(i * cell / bandwidth, 2)));
        total += double(kernel[size_t(i)]) * (i == 0 ? 1 : 2);
    }
    for (float& k : kernel) k = float(double(k) / total);
    std::vector<float> density = blurRows(blurRows(mass, side, kernel), side, kernel);
    for (float& d : density) d = float(double(d) / (double(n) * cell * cell));
    return density;
}

}  // namespace core
