// The kernels for CPUs with AVX-512 F, VL, DQ and BW.
#include <immintrin.h>

#include "core/base/math.h"
#include "core/base/philox.h"
#include "core/cpu/call.h"

namespace core::cpu {
namespace {

struct Simd {
    using Vector = __m512;
    using Mask = __mmask16;
    static constexpr int64_t width = 16, tileRows = 12;

    GS_INLINE Vector zero() { return _mm512_setzero_ps(); }
    GS_INLINE Vector load(const float* x) { return _mm512_loadu_ps(x); }
    GS_INLINE void store(float* x, Vector v) { _mm512_storeu_ps(x, v); }
    GS_INLINE Vector broadcast(const float* x) { return _mm512_set1_ps(*x); }
    GS_INLINE Vector fma(Vector a, Vector b, Vector c) { return _mm512_fmadd_ps(a, b, c); }
    // The first n of a register; the rest reads as 0 and is not written.
    GS_INLINE Mask maskOf(int64_t n) { return Mask((1u << n) - 1u); }
    GS_INLINE Vector loadPart(const float* x, Mask mask) { return _mm512_maskz_loadu_ps(mask, x); }
    GS_INLINE void storePart(float* x, Mask mask, Vector v) { _mm512_mask_storeu_ps(x, mask, v); }
};

#include "core/cpu/kernels.inl"

#include "core/cpu/adam.inl"
#include "core/cpu/gemm.inl"

Kernel<float> kernelFor(Op op) {
    return kernelOf<float>(op, product);
}
}  // namespace

extern const KernelSet avx512Kernels;
const KernelSet avx512Kernels{"AVX-512", kernelFor, adamPass, allFinite};

}  // namespace core::cpu
