// The kernels for any x86-64 CPU since 2009 (SSE4.2).
#include <immintrin.h>

#include "core/base/math.h"
#include "core/base/philox.h"
#include "core/cpu/call.h"
#include "core/cpu/winograd.h"

namespace core::cpu {
namespace {

struct Simd {
    using Vector = __m128;
    using Mask = int64_t;
    static constexpr int64_t width = 4, tileRows = 4, narrowColumns = 0;
    static constexpr int64_t packedFrom = 16 * 1024;  // floats of B from which copying it pays, measured

    GS_INLINE Vector zero() { return _mm_setzero_ps(); }
    GS_INLINE Vector load(const float* x) { return _mm_loadu_ps(x); }
    GS_INLINE void store(float* x, Vector v) { _mm_storeu_ps(x, v); }
    GS_INLINE Vector broadcast(const float* x) { return _mm_set1_ps(*x); }

    // a b + c rounded once. The product is exact in double; the sum is rounded to odd (where it is not exact,
    // to the neighbour whose last bit is 1), so that rounding it again to float is as good as rounding once
    // (Boldo and Melquiond 2008).
    GS_INLINE Vector fma(Vector a, Vector b, Vector c) {
        const __m128d low = oddSum(_mm_mul_pd(_mm_cvtps_pd(a), _mm_cvtps_pd(b)), _mm_cvtps_pd(c));
        a = _mm_movehl_ps(a, a);
        b = _mm_movehl_ps(b, b);
        c = _mm_movehl_ps(c, c);
        const __m128d high = oddSum(_mm_mul_pd(_mm_cvtps_pd(a), _mm_cvtps_pd(b)), _mm_cvtps_pd(c));
        return _mm_movelh_ps(_mm_cvtpd_ps(low), _mm_cvtpd_ps(high));
    }
    GS_INLINE __m128d oddSum(__m128d p, __m128d c) {
        const __m128d s = _mm_add_pd(p, c), t = _mm_sub_pd(s, p);
        const __m128d error = _mm_add_pd(_mm_sub_pd(p, _mm_sub_pd(s, t)), _mm_sub_pd(c, t));
        const __m128d zero = _mm_setzero_pd();
        // False for NaN, which is what the error of an infinite sum is.
        const __m128d inexact = _mm_or_pd(_mm_cmplt_pd(error, zero), _mm_cmpgt_pd(error, zero));
        const __m128i bits = _mm_castpd_si128(s), one = _mm_set1_epi64x(1);
        const __m128i even = _mm_cmpeq_epi64(_mm_and_si128(bits, one), _mm_setzero_si128());
        // One unit away from zero where the error has the sum's sign, towards zero where it has not.
        const __m128i opposed = _mm_srli_epi64(_mm_xor_si128(bits, _mm_castpd_si128(error)), 63);
        const __m128i unit = _mm_sub_epi64(one, _mm_add_epi64(opposed, opposed));
        const __m128i step = _mm_and_si128(unit, _mm_and_si128(even, _mm_castpd_si128(inexact)));
        return _mm_castsi128_pd(_mm_add_epi64(bits, step));
    }

    // The first n of a register; the rest reads as 0 and is not written.
    GS_INLINE Mask maskOf(int64_t n) { return n; }
    GS_INLINE Vector loadPart(const float* x, Mask n) {
        return _mm_setr_ps(n > 0 ? x[0] : 0, n > 1 ? x[1] : 0, n > 2 ? x[2] : 0, n > 3 ? x[3] : 0);
    }
    GS_INLINE void storePart(float* x, Mask n, Vector v) {
        alignas(16) float all[4];
        _mm_store_ps(all, v);
        for (int64_t i = 0; i < n; ++i) x[i] = all[i];
    }

    // to[c][r] = from[r][c] for a square of registers.
    GS_INLINE void transpose(const float* from, int64_t stepFrom, float* to, int64_t stepTo) {
        Vector a = load(from), b = load(from + stepFrom), c = load(from + 2 * stepFrom),
               d = load(from + 3 * stepFrom);
        _MM_TRANSPOSE4_PS(a, b, c, d);
        store(to, a);
        store(to + stepTo, b);
        store(to + 2 * stepTo, c);
        store(to + 3 * stepTo, d);
    }
};

#include "core/cpu/float_set.inl"
}  // namespace

extern const KernelSet sseKernels;
const KernelSet sseKernels{"SSE", kernelFor, anyUpdate, preparedSize, prepare, allFinite};

}  // namespace core::cpu
