// Numbers with a shape, as channels carry them.
#pragma once

#include <utility>
#include <vector>

#include "core/base/shape.h"

namespace core {

struct Tensor {
    Shape shape;
    std::vector<float> values;
};

// One number, [1].
inline Tensor scalar(double value) {
    return {{1}, {float(value)}};
}
// One below the other, [n, 1].
inline Tensor column(std::vector<float> values) {
    const int n = int(values.size());
    return {{n, 1}, std::move(values)};
}

}  // namespace core
