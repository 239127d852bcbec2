// The border to PyTorch's files. Every parameter has PyTorch's shape and order but those of rank 4, the
// weights of convolutions: kept as [k, k, B, A], they are [A, B, k, k] in a file. That is OIHW for Conv2d and
// IOHW for ConvTranspose2d.
#pragma once

#include <span>
#include <vector>

#include "core/base/shape.h"

namespace core {

// The shape in a file of a parameter of this shape.
Shape torchShape(const Shape& shape);
// The parameter's values in the file's order, and back; `shape` is the parameter's.
std::vector<float> toTorch(std::span<const float> values, const Shape& shape);
std::vector<float> fromTorch(std::span<const float> values, const Shape& shape);

}  // namespace core
