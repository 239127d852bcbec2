#include "core/data/game.h"

#include <algorithm>
#include <cmath>

namespace core {

BestAnswer bestAnswer(std::span<const float> data, std::span<const float> model, std::span<const float> d,
                      float target) {
    constexpr float floor = 1e-12f;  // where there is nothing of either, D* is half the target
    BestAnswer best;
    best.optimum.resize(data.size());
    double gap = 0, mass = 0;
    for (size_t i = 0; i < data.size(); ++i) {
        const float both = data[i] + model[i];
        best.optimum[i] = target * (data[i] + floor / 2) / (both + floor);
        gap += double(both) * std::abs(double(d[i]) - double(best.optimum[i]));
        mass += double(both);
    }
    best.gap = mass > 0 ? gap / mass : 0;
    return best;
}

std::vector<float> areaOfCells(std::span<const float> points, int side) {
    const auto at = [&](int j, int i, int axis) { return double(points[size_t((j * side + i) * 2 + axis)]); };
    std::vector<float> det;
    for (int j = 0; j < side; ++j)
        for (int i = 0; i < side; ++i) {
            const int i0 = std::max(i - 1, 0), i1 = std::min(i + 1, side - 1);
            const int j0 = std::max(j - 1, 0), j1 = std::min(j + 1, side - 1);
            const double h = 2.0 / (side - 1), di = h * (i1 - i0), dj = h * (j1 - j0);
            const double xi = (at(j, i1, 0) - at(j, i0, 0)) / di, yi = (at(j, i1, 1) - at(j, i0, 1)) / di;
            const double xj = (at(j1, i, 0) - at(j0, i, 0)) / dj, yj = (at(j1, i, 1) - at(j0, i, 1)) / dj;
            det.push_back(float(std::abs(xi * yj - yi * xj)));
        }
    return det;
}

}  // namespace core
