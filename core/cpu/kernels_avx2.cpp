// The kernels for CPUs with AVX2 and FMA.
#include <immintrin.h>

#include "core/base/math.h"
#include "core/base/philox.h"
#include "core/cpu/call.h"
#include "core/cpu/winograd.h"

namespace core::cpu {
namespace {

struct Simd {
    using Vector = __m256;
    using Mask = __m256i;
    static constexpr int64_t width = 8, tileRows = 6, narrowColumns = 4;
    static constexpr int64_t packedFrom = 16 * 1024;  // floats of B from which copying it pays, measured

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

    // to[c][r] = from[r][c] for a square of registers.
    GS_INLINE void transpose(const float* from, int64_t stepFrom, float* to, int64_t stepTo) {
        Vector x[8], y[8];
        // Halves of two rows in one register: then nothing has to cross the middle.
#pragma GCC unroll 8
        for (int i = 0; i < 4; ++i) {
            const float *upper = from + i * stepFrom, *lower = from + (i + 4) * stepFrom;
            x[i] = _mm256_insertf128_ps(_mm256_castps128_ps256(_mm_loadu_ps(upper)), _mm_loadu_ps(lower), 1);
            x[i + 4] = _mm256_insertf128_ps(_mm256_castps128_ps256(_mm_loadu_ps(upper + 4)),
                                            _mm_loadu_ps(lower + 4), 1);
        }
#pragma GCC unroll 8
        for (int i = 0; i < 8; i += 4) {
            y[i] = _mm256_unpacklo_ps(x[i], x[i + 1]);
            y[i + 1] = _mm256_unpackhi_ps(x[i], x[i + 1]);
            y[i + 2] = _mm256_unpacklo_ps(x[i + 2], x[i + 3]);
            y[i + 3] = _mm256_unpackhi_ps(x[i + 2], x[i + 3]);
            store(to + i * stepTo, _mm256_shuffle_ps(y[i], y[i + 2], 0x44));
            store(to + (i + 1) * stepTo, _mm256_shuffle_ps(y[i], y[i + 2], 0xee));
            store(to + (i + 2) * stepTo, _mm256_shuffle_ps(y[i + 1], y[i + 3], 0x44));
            store(to + (i + 3) * stepTo, _mm256_shuffle_ps(y[i + 1], y[i + 3], 0xee));
        }
    }
};

#include "core/cpu/float_set.inl"
}  // namespace

extern const KernelSet avx2Kernels;
const KernelSet avx2Kernels{"AVX2", kernelFor, anyUpdate, preparedSize, prepare, allFinite};

}  // namespace core::cpu
