// What the two launches of a loop share.
#pragma once

#include "core/cuda/kernels/program.cuh"

namespace core::cuda {
namespace {

__device__ __forceinline__ int paddedRow(int floats) {
    return (floats + 3) / 4 * 4;
}

}  // namespace
}  // namespace core::cuda
