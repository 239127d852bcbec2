// One instruction set's kernels: included inside an unnamed namespace of core::cpu where a struct Simd says
// what a register is.

#include "core/cpu/kernels.inl"

#include "core/cpu/optimizer.inl"
#include "core/cpu/turn.inl"

#include "core/cpu/gemm.inl"

#include "core/cpu/attention.inl"
#include "core/cpu/winograd.inl"

#include "core/cpu/convolution.inl"
#include "core/cpu/convolution_weight.inl"

#include "core/cpu/prepare.inl"

Kernel<float> kernelFor(Op op) {
    if (op == Op::transpose) return turned;
    static constexpr Products<float> products{product,    convolve, convolve,         weighConvolution,
                                              headScores, headMix,  headMixTransposed};
    return kernelOf<float>(op, products);
}
