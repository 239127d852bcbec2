// The kernels for CPUs with AVX-512 F, VL, DQ and BW.
#include <immintrin.h>

#include "core/base/math.h"
#include "core/base/philox.h"
#include "core/cpu/call.h"
#include "core/cpu/winograd.h"

namespace core::cpu {
namespace {

struct Simd {
    using Vector = __m512;
    using Mask = __mmask16;
    static constexpr int64_t width = 16, tileRows = 12, narrowColumns = 8;
    static constexpr int64_t packedFrom = 400 * 1024;  // floats of B from which copying it pays, measured

    GS_INLINE Vector zero() { return _mm512_setzero_ps(); }
    GS_INLINE Vector load(const float* x) { return _mm512_loadu_ps(x); }
    GS_INLINE void store(float* x, Vector v) { _mm512_storeu_ps(x, v); }
    GS_INLINE Vector broadcast(const float* x) { return _mm512_set1_ps(*x); }
    GS_INLINE Vector fma(Vector a, Vector b, Vector c) { return _mm512_fmadd_ps(a, b, c); }
    // The first n of a register; the rest reads as 0 and is not written.
    GS_INLINE Mask maskOf(int64_t n) { return Mask((1u << n) - 1u); }
    GS_INLINE Vector loadPart(const float* x, Mask mask) { return _mm512_maskz_loadu_ps(mask, x); }
    GS_INLINE void storePart(float* x, Mask mask, Vector v) { _mm512_mask_storeu_ps(x, mask, v); }

    // The shuffles of a transposition, in the compiler's own words: <immintrin.h> of GCC 12 warns about
    // itself.
    GS_INLINE Vector lowPairs(Vector a, Vector b) {
        return __builtin_shufflevector(a, b, 0, 16, 1, 17, 4, 20, 5, 21, 8, 24, 9, 25, 12, 28, 13, 29);
    }
    GS_INLINE Vector highPairs(Vector a, Vector b) {
        return __builtin_shufflevector(a, b, 2, 18, 3, 19, 6, 22, 7, 23, 10, 26, 11, 27, 14, 30, 15, 31);
    }
    GS_INLINE Vector lowQuads(Vector a, Vector b) {
        return __builtin_shufflevector(a, b, 0, 1, 16, 17, 4, 5, 20, 21, 8, 9, 24, 25, 12, 13, 28, 29);
    }
    GS_INLINE Vector highQuads(Vector a, Vector b) {
        return __builtin_shufflevector(a, b, 2, 3, 18, 19, 6, 7, 22, 23, 10, 11, 26, 27, 14, 15, 30, 31);
    }
    GS_INLINE Vector evenQuarters(Vector a, Vector b) {
        return __builtin_shufflevector(a, b, 0, 1, 2, 3, 8, 9, 10, 11, 16, 17, 18, 19, 24, 25, 26, 27);
    }
    GS_INLINE Vector oddQuarters(Vector a, Vector b) {
        return __builtin_shufflevector(a, b, 4, 5, 6, 7, 12, 13, 14, 15, 20, 21, 22, 23, 28, 29, 30, 31);
    }

    // to[c][r] = from[r][c] for a square of registers.
    GS_INLINE void transpose(const float* from, int64_t stepFrom, float* to, int64_t stepTo) {
        Vector x[16], y[16];
#pragma GCC unroll 16
        for (int i = 0; i < 16; ++i) x[i] = load(from + i * stepFrom);
#pragma GCC unroll 16
        for (int i = 0; i < 16; i += 2) {
            y[i] = lowPairs(x[i], x[i + 1]);
            y[i + 1] = highPairs(x[i], x[i + 1]);
        }
#pragma GCC unroll 16
        for (int i = 0; i < 16; i += 4)
#pragma GCC unroll 2
            for (int j = 0; j < 2; ++j) {
                x[i + 2 * j] = lowQuads(y[i + j], y[i + j + 2]);
                x[i + 2 * j + 1] = highQuads(y[i + j], y[i + j + 2]);
            }
            // x[4 i + j] holds in its quarter q column 4 q + j of rows 4 i ... 4 i + 3.
#pragma GCC unroll 16
        for (int j = 0; j < 4; ++j) {
            y[j] = evenQuarters(x[j], x[4 + j]);
            y[4 + j] = evenQuarters(x[8 + j], x[12 + j]);
            y[8 + j] = oddQuarters(x[j], x[4 + j]);
            y[12 + j] = oddQuarters(x[8 + j], x[12 + j]);
        }
#pragma GCC unroll 16
        for (int j = 0; j < 4; ++j) {
            store(to + j * stepTo, evenQuarters(y[j], y[4 + j]));
            store(to + (8 + j) * stepTo, oddQuarters(y[j], y[4 + j]));
            store(to + (4 + j) * stepTo, evenQuarters(y[8 + j], y[12 + j]));
            store(to + (12 + j) * stepTo, oddQuarters(y[8 + j], y[12 + j]));
        }
    }
};

#include "core/cpu/float_set.inl"
}  // namespace

extern const KernelSet avx512Kernels;
const KernelSet avx512Kernels{"AVX-512", kernelFor, anyUpdate, preparedSize, prepare, allFinite};

}  // namespace core::cpu
