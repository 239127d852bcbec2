// Programs of products without an interpreter.
#pragma once

#include "core/cuda/kernels/program.cuh"

namespace core::cuda {
namespace {

__device__ __forceinline__ float sigmoid(float v) {
    return __fdividef(1.0f, 1.0f + __expf(-v));
}
__device__ __forceinline__ const float* at(const Term& t, uint32_t line, uint32_t channel) {
    return t.data + int64_t(quotient(line, t.positions)) * t.step + channel;
}

// SMOOTH: also what a perceptron seldom has; the code of chains has to stay small.
template <bool SMOOTH>
__device__ __forceinline__ Lanes<4> activate(Op op, float a, const Lanes<4>& x) {
    if constexpr (SMOOTH) {
        switch (op) {
            case Op::gelu:
                return each<4>(x, [](float v) {
                    return v * sigmoid(v * math::fma(v * v, 0.0713548162726002527f, 1.59576912160573071f));
                });
            case Op::geluSlope:
                return each<4>(x, [](float v) {
                    const float u = within30(v), z = u * u;
                    const float s = sigmoid(u * math::fma(z, 0.0713548162726002527f, 1.59576912160573071f));
                    return math::fma(u * s * (1.0f - s),
                                     math::fma(z, 0.214064448817800758f, 1.59576912160573071f), s);
                });
            case Op::erfGelu:
                return each<4>(x, [](float v) { return v * normalBelow(v); });
            case Op::erfGeluSlope:
                return each<4>(x, [](float v) {
                    const float u = within30(v);
                    return math::fma(u * 0.398942280401432678f, __expf(-0.5f * u * u), normalBelow(u));
                });
            default:
                break;
        }
    }
    switch (op) {
        case Op::leakyRelu:
            return each<4>(x, [=](float v) { return v > 0.0f ? v : a * v; });
        case Op::silu:
            return each<4>(x, [](float v) { return v * sigmoid(v); });
        case Op::leakyStep:
            return each<4>(x, [=](float v) { return v > 0.0f ? 1.0f : a; });
        default:  // siluSlope
            return each<4>(x, [](float v) {
                const float s = sigmoid(v);
                return s * math::fma(v, 1.0f - s, 1.0f);
            });
    }
}

// What the straight program of two runs reads; asked for long before it is used.
struct Awaited {
    Lanes<4> bias, bias2, gate[2], more[2], more2[2];
};
__device__ __forceinline__ void askRows(Awaited& w, const Straight& s, uint32_t column) {
    if (!s.there) return;
    if (s.bias) w.bias = loadRun<4>(s.bias + column);
    if (s.bias2) w.bias2 = loadRun<4>(s.bias2 + column);
}
template <bool SMOOTH>
__device__ __forceinline__ void ask(Awaited& w, const Straight& s, uint32_t column, const uint32_t (&e)[2],
                                    const bool (&there)[2]) {
    if (!s.there) return;
    const float* const more = s.added ? s.added : s.slopeOf;
#pragma unroll
    for (int q = 0; q < 2; ++q) {
        if (!there[q]) continue;
        if (more) w.more[q] = loadRun<4>(more + e[q]);
        if (SMOOTH && s.added2) w.more2[q] = loadRun<4>(s.added2 + e[q]);
        if (SMOOTH && s.gate.data) w.gate[q] = loadRun<4>(at(s.gate, quotient(e[q], s.channels), column));
    }
}

template <bool SMOOTH>
__device__ __forceinline__ void finishStraight(const Straight& s, const Awaited& w, const uint32_t (&e)[2],
                                               const bool (&there)[2], Lanes<4> (&v)[2]) {
    const auto add = [](float x, float y) { return x + y; };
    const auto multiply = [](float x, float y) { return x * y; };
#pragma unroll
    for (int q = 0; q < 2; ++q) {
        if (s.bias) v[q] = each<4>(v[q], w.bias, add);
        if (s.bias2) v[q] = each<4>(v[q], w.bias2, add);
        if constexpr (SMOOTH) {
            if (s.biased && there[q]) storeRun<4>(s.biased + e[q], v[q]);
            if (s.gate.data) v[q] = each<4>(v[q], w.gate[q], multiply);
        }
        if (s.added) v[q] = each<4>(v[q], w.more[q], add);
        if (SMOOTH && s.added2) v[q] = each<4>(v[q], w.more2[q], add);
        if (s.early && there[q]) storeRun<4>(s.early + e[q], v[q]);
        if (s.activation) v[q] = activate<SMOOTH>(Op(s.activation), s.a, v[q]);
        if (s.slope) v[q] = each<4>(v[q], activate<SMOOTH>(Op(s.slope), s.a, w.more[q]), multiply);
        if (s.late && there[q]) storeRun<4>(s.late + e[q], v[q]);
    }
}

}  // namespace
}  // namespace core::cuda
