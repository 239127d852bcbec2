// The kernels for CPUs with AVX2 and FMA.
#include <immintrin.h>

#include "core/base/math.h"
#include "core/base/philox.h"
#include "core/cpu/call.h"

namespace core::cpu {
namespace {

struct Simd {
    using Vector = __m256;
    using Mask = __m256i;
    static constexpr int64_t width = 8, tileRows = 6;

    GS_INLINE Vector zero() { return _mm256_setzero_ps(); }
    GS_INLINE Vector load(const float* x) { return _mm256_loadu_ps(x); }
    GS_INLINE void store(float* x, Vector v) { _mm256_storeu_ps(x, v); }
    GS_INLINE Vector broadcast(const float* x) { return _mm256_broadcast_ss(x); }
    GS_INLINE Vector fma(Vector a, Vector b, Vector c) { return _mm256_fmadd_ps(a, b, c); }
    // The first n of a register; the rest reads as 0 and is not written.
    GS_INLINE Mask maskOf(int64_t n) {
        return _mm256_cmpgt_epi32(_mm256_set1_epi32(int32_t(n)), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
    }
    GS_INLINE Vector loadPart(const float* x, Mask mask) { return _mm256_maskload_ps(x, mask); }
    GS_INLINE void storePart(float* x, Mask mask, Vector v) { _mm256_maskstore_ps(x, mask, v); }
};

#include "core/cpu/kernels.inl"

#include "core/cpu/adam.inl"
#include "core/cpu/gemm.inl"

Kernel<float> kernelFor(Op op) {
    return kernelOf<float>(op, product);
}
}  // namespace

extern const KernelSet avx2Kernels;
const KernelSet avx2Kernels{"AVX2", kernelFor, adamPass, allFinite};

}  // namespace core::cpu
