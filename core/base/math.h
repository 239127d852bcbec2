// Elementary functions whose bits are the same on every CPU: polynomials with explicit fma.
// Everything is static: these are compiled once per instruction set, and the linker must never
// hand the AVX-512 copy to code that runs on an older CPU.
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>

namespace core::math {

// The same text compiles for the device, where fma and sqrt are those of IEEE 754 too.
#if defined(__CUDACC__)
#define GS_INLINE [[maybe_unused]] static __host__ __device__ __forceinline__
#else
#define GS_INLINE [[maybe_unused]] static inline __attribute__((always_inline))
#endif

GS_INLINE float fma(float a, float b, float c) {
    return __builtin_fmaf(a, b, c);
}
GS_INLINE double fma(double a, double b, double c) {
    return __builtin_fma(a, b, c);
}
GS_INLINE float sqrt(float x) {
    return __builtin_sqrtf(x);
}
GS_INLINE double sqrt(double x) {
    return __builtin_sqrt(x);
}

// Relative error about 1e-7; overflows to infinity and underflows to zero.
GS_INLINE float exp(float x) {
    const float shifted = fma(x, 1.44269504088896341f, 12582912.0f);  // round to nearest by 1.5 * 2^23
    const float n = shifted - 12582912.0f;
    float r = fma(n, -0.693359375f, x);
    r = fma(n, 2.12194440e-4f, r);
    float p = 1.9875691500e-4f;
    p = fma(p, r, 1.3981999507e-3f);
    p = fma(p, r, 8.3334519073e-3f);
    p = fma(p, r, 4.1665795894e-2f);
    p = fma(p, r, 1.6666665459e-1f);
    p = fma(p, r, 5.0000001201e-1f);
    p = fma(p, r * r, r + 1.0f);
    // p 2^n by its exponent: n stands in the last bits of `shifted`. Within the bounds below the result is
    // normal.
    const float y =
        std::bit_cast<float>(std::bit_cast<uint32_t>(p) + (std::bit_cast<uint32_t>(shifted) << 23));
    const float lower = x >= -87.33654f ? y : 0.0f;
    return x <= 88.72283f ? lower : x + std::numeric_limits<float>::infinity();  // NaN stays NaN
}
GS_INLINE double exp(double x) {
    return std::exp(x);
}

// Natural logarithm; -infinity at 0, NaN below.
GS_INLINE float log(float x) {
    const bool subnormal = x < 1.17549435e-38f;
    const float scaled = subnormal ? x * 8388608.0f : x;
    const uint32_t bits = std::bit_cast<uint32_t>(scaled);
    // The mantissa in [sqrt(1/2), sqrt(2)): subtracting the bits of sqrt(1/2) moves the split of the exponent
    // there.
    const uint32_t offset = bits - 0x3f3504f3u;
    const int32_t exponent = int32_t(offset) >> 23;
    const float m = std::bit_cast<float>((offset & 0x007fffffu) + 0x3f3504f3u) - 1.0f;
    const float e = float(exponent) - (subnormal ? 23.0f : 0.0f);
    const float z = m * m;
    float p = 7.0376836292e-2f;
    p = fma(p, m, -1.1514610310e-1f);
    p = fma(p, m, 1.1676998740e-1f);
    p = fma(p, m, -1.2420140846e-1f);
    p = fma(p, m, 1.4249322787e-1f);
    p = fma(p, m, -1.6668057665e-1f);
    p = fma(p, m, 2.0000714765e-1f);
    p = fma(p, m, -2.4999993993e-1f);
    p = fma(p, m, 3.3333331174e-1f);
    float y = p * m * z;
    y = fma(e, -2.12194440e-4f, y);
    y = fma(-0.5f, z, y);
    const float result = fma(e, 0.693359375f, m + y);
    const float edge = x == 0.0f ? -std::numeric_limits<float>::infinity()
                                 : (x > 3.4e38f ? x : std::numeric_limits<float>::quiet_NaN());
    return x > 0.0f && x <= 3.4e38f ? result : edge;
}
GS_INLINE double log(double x) {
    return std::log(x);
}

template <class T>
GS_INLINE T log1p(T x) {  // for x >= 0
    const T u = T(1) + x, d = u - T(1);
    return d == T(0) ? x : log(u) * (x / d);
}

template <class T>
GS_INLINE T sigmoid(T x) {
    return T(1) / (T(1) + exp(-x));
}

template <class T>
GS_INLINE T softplus(T x) {  // log(1 + e^x), without overflow
    const T magnitude = x < T(0) ? -x : x;
    return (x > T(0) ? x : T(0)) + log1p(exp(-magnitude));
}

GS_INLINE float tanh(float x) {
    const float a = x < 0.0f ? -x : x, z = x * x;
    float p = -5.70498872745e-3f;
    p = fma(p, z, 2.06390887954e-2f);
    p = fma(p, z, -5.37397155531e-2f);
    p = fma(p, z, 1.33314422036e-1f);
    p = fma(p, z, -3.33332819422e-1f);
    const float small = fma(p * z, x, x);
    const float large = 1.0f - 2.0f / (exp(2.0f * a) + 1.0f);
    return a < 0.625f ? small : (x < 0.0f ? -large : large);
}
GS_INLINE double tanh(double x) {
    return std::tanh(x);
}

GS_INLINE float floor(float x) {
    return __builtin_floorf(x);
}
GS_INLINE double floor(double x) {
    return __builtin_floor(x);
}

// A ratio of polynomials on [-4, 4], beyond which it is 1; within 4e-7 of its value.
GS_INLINE float erf(float x) {
    const float y = x > 4.0f ? 4.0f : (x < -4.0f ? -4.0f : x), z = y * y;
    float p = -2.72614225801306e-10f;
    p = fma(p, z, 2.77068142495902e-08f);
    p = fma(p, z, -2.10102402082508e-06f);
    p = fma(p, z, -5.69250639462346e-05f);
    p = fma(p, z, -7.34990630326855e-04f);
    p = fma(p, z, -2.95459980854025e-03f);
    p = fma(p, z, -1.60960333262415e-02f);
    float q = -1.45660718464996e-05f;
    q = fma(q, z, -2.13374055278905e-04f);
    q = fma(q, z, -1.68282697438203e-03f);
    q = fma(q, z, -7.37332916720468e-03f);
    q = fma(q, z, -1.42647390514189e-02f);
    return y * p / q;
}
GS_INLINE double erf(double x) {
    return std::erf(x);
}

// sin(x + quarter pi / 2). Multiples of pi / 2 are taken off in two parts (Cody and Waite 1980): with fma
// the first difference is exact, and what is left is good to 1e-7 while |x| < 1e6. Beyond, the result stays
// within [-1, 1].
GS_INLINE float sinQuarter(float x, float quarter) {
    const float n = floor(fma(x, 0.636619772367581343f, 0.5f));
    float r = fma(n, -1.57079637050628662f, x);
    r = fma(n, 4.37113900018624283e-8f, r);
    r = r > 0.8f ? 0.8f : (r < -0.8f ? -0.8f : r);
    const float z = r * r;
    float s = -1.9515295891e-4f;
    s = fma(s, z, 8.3321608736e-3f);
    s = fma(s, z, -1.6666654611e-1f);
    s = fma(s * z, r, r);
    float c = 2.443315711809948e-5f;
    c = fma(c, z, -1.388731625493765e-3f);
    c = fma(c, z, 4.166664568298827e-2f);
    c = fma(c, z * z, fma(-0.5f, z, 1.0f));
    const float turned = n + quarter, quadrant = fma(-4.0f, floor(0.25f * turned), turned);  // 0, 1, 2 or 3
    const float value = quadrant == 1.0f || quadrant == 3.0f ? c : s;
    return quadrant >= 2.0f ? -value : value;
}
GS_INLINE float sin(float x) {
    return sinQuarter(x, 0.0f);
}
GS_INLINE double sin(double x) {
    return std::sin(x);
}
GS_INLINE float cos(float x) {
    return sinQuarter(x, 1.0f);
}
GS_INLINE double cos(double x) {
    return std::cos(x);
}

// cos(2 pi u) and sin(2 pi u) for u in [0, 1).
GS_INLINE void cosSinTurn(float u, float& cosine, float& sine) {
    const float q = float(int32_t(fma(4.0f, u, 0.5f)));
    const float x = (u - 0.25f * q) * 6.28318530717958648f, z = x * x;
    float s = -1.9515295891e-4f;
    s = fma(s, z, 8.3321608736e-3f);
    s = fma(s, z, -1.6666654611e-1f);
    s = fma(s * z, x, x);
    float c = 2.443315711809948e-5f;
    c = fma(c, z, -1.388731625493765e-3f);
    c = fma(c, z, 4.166664568298827e-2f);
    c = fma(c, z * z, fma(-0.5f, z, 1.0f));
    const int32_t quadrant = int32_t(q) & 3;
    const float cosAbs = quadrant & 1 ? s : c, sinAbs = quadrant & 1 ? c : s;
    cosine = quadrant == 1 || quadrant == 2 ? -cosAbs : cosAbs;
    sine = quadrant >= 2 ? -sinAbs : sinAbs;
}

}  // namespace core::math
