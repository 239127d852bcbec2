// The kernels' arithmetic in double precision, with the C library's functions.
#include "core/base/math.h"
#include "core/base/philox.h"
#include "core/cpu/call.h"

namespace core::cpu {
namespace {
#include "core/cpu/kernels.inl"
}  // namespace

Kernel<double> referenceKernel(Op op) {
    static constexpr Products<double> products{
        chainMatmul,     chainConvolution, chainConvolutionTransposed, chainConvolutionWeight,
        chainHeadScores, chainHeadMix,     chainHeadMixTransposed};
    return kernelOf<double>(op, products);
}

}  // namespace core::cpu
