// How the copy engine is told of matrices: in boxes that it brings into shared memory.
#pragma once

#include <cuda.h>
#include <cudaTypedefs.h>
#include <cuda_runtime.h>

namespace core::cuda {
namespace {

constexpr int boxWidth = 32;  // numbers along k, 128 bytes swizzled

// Matrices of lines of k numbers, in boxes of `box` lines by boxWidth that are rounded to TF32 on their way.
struct Lines {
    const float* data;
    int k, count, apart, matrices;
    int64_t matricesApart;
};
inline CUtensorMap boxes(const Lines& lines, int box) {
    static const auto encode = [] {
        void* found = nullptr;
        cudaDriverEntryPointQueryResult result;
        cudaGetDriverEntryPointByVersion("cuTensorMapEncodeTiled", &found, 12000, cudaEnableDefault, &result);
        return reinterpret_cast<PFN_cuTensorMapEncodeTiled_v12000>(found);
    }();
    CUtensorMap map;
    const cuuint64_t extents[] = {cuuint64_t(lines.k), cuuint64_t(lines.count), cuuint64_t(lines.matrices)};
    const cuuint64_t strides[] = {cuuint64_t(lines.apart) * 4, cuuint64_t(lines.matricesApart) * 4};
    const cuuint32_t window[] = {boxWidth, cuuint32_t(box), 1}, steps[] = {1, 1, 1};
    encode(&map, CU_TENSOR_MAP_DATA_TYPE_TFLOAT32, 3, const_cast<float*>(lines.data), extents, strides,
           window, steps, CU_TENSOR_MAP_INTERLEAVE_NONE, CU_TENSOR_MAP_SWIZZLE_128B,
           CU_TENSOR_MAP_L2_PROMOTION_L2_256B, CU_TENSOR_MAP_FLOAT_OOB_FILL_NONE);
    return map;
}

}  // namespace
}  // namespace core::cuda
