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

// The share of a normal distribution below v, within 1e-7, and the exponential exp(-v^2 / 2) that it is made
// of (Abramowitz and Stegun 1964, 7.1.26).
struct Below {
    float share, exponential;
};
__device__ __forceinline__ Below below(float v) {
    const float t = __fdividef(1.0f, math::fma(fabsf(v), 0.231641888f, 1.0f));
    const float exponential = __expf(-0.5f * v * v);
    float tail = math::fma(t, 0.5307027145f, -0.7265760135f);
    tail = math::fma(t, tail, 0.7107068705f);
    tail = math::fma(t, tail, -0.142248368f);
    tail = math::fma(t, tail, 0.1274147960f) * t * exponential;
    return {v < 0.0f ? tail : 1.0f - tail, exponential};
}

template <int Q, class F>
__device__ __forceinline__ void change(Lanes<4> (&x)[Q], F f) {
#pragma unroll
    for (int q = 0; q < Q; ++q) x[q] = each<4>(x[q], f);
}
template <int Q, class F>
__device__ __forceinline__ void change(Lanes<4> (&x)[Q], const Lanes<4> (&y)[Q], F f) {
#pragma unroll
    for (int q = 0; q < Q; ++q) x[q] = each<4>(x[q], y[q], f);
}

// All runs at once, so that their latencies overlap. SMOOTH: also what a perceptron seldom has; the code of
// chains has to stay small.
template <bool SMOOTH, int Q>
__device__ __forceinline__ void activate(Op op, float a, Lanes<4> (&x)[Q]) {
    if constexpr (SMOOTH) {
        switch (op) {
            case Op::gelu:
                return change(x, [](float v) {
                    return v * sigmoid(v * math::fma(v * v, 0.0713548162726002527f, 1.59576912160573071f));
                });
            case Op::geluSlope:
                return change(x, [](float v) {
                    const float u = within30(v), z = u * u;
                    const float s = sigmoid(u * math::fma(z, 0.0713548162726002527f, 1.59576912160573071f));
                    return math::fma(u * s * (1.0f - s),
                                     math::fma(z, 0.214064448817800758f, 1.59576912160573071f), s);
                });
            case Op::erfGelu:
                return change(x, [](float v) { return v * below(v).share; });
            case Op::erfGeluSlope:
                return change(x, [](float v) {
                    const float u = within30(v);
                    const Below b = below(u);
                    return math::fma(u * 0.398942280401432678f, b.exponential, b.share);
                });
            default:
                break;
        }
    }
    switch (op) {
        case Op::leakyRelu:
            return change(x, [=](float v) { return v > 0.0f ? v : a * v; });
        case Op::silu:
            return change(x, [](float v) { return v * sigmoid(v); });
        case Op::leakyStep:
            return change(x, [=](float v) { return v > 0.0f ? 1.0f : a; });
        default:  // siluSlope
            return change(x, [](float v) {
                const float s = sigmoid(v);
                return s * math::fma(v, 1.0f - s, 1.0f);
            });
    }
}

// What the straight program of Q runs reads; asked for long before it is used.
template <int Q>
struct AwaitedRuns {
    Lanes<4> bias, bias2, gate[Q], more[Q], more2[Q];
};
using Awaited = AwaitedRuns<2>;
template <int Q>
__device__ __forceinline__ void askRows(AwaitedRuns<Q>& w, const Straight& s, uint32_t column) {
    if (!s.there) return;
    if (s.bias) w.bias = loadRun<4>(s.bias + column);
    if (s.bias2) w.bias2 = loadRun<4>(s.bias2 + column);
}
template <bool SMOOTH, int Q>
__device__ __forceinline__ void ask(AwaitedRuns<Q>& w, const Straight& s, uint32_t column,
                                    const uint32_t (&e)[Q], const bool (&there)[Q]) {
    if (!s.there) return;
    const auto askFor = [&](const float* from, Lanes<4>(&to)[Q]) {
        if (!from) return;
#pragma unroll
        for (int q = 0; q < Q; ++q)
            if (there[q]) to[q] = loadRun<4>(from + e[q]);
    };
    askFor(s.added ? s.added : s.slopeOf, w.more);
    if constexpr (SMOOTH) {
        askFor(s.added2, w.more2);
        if (s.gate.data)
#pragma unroll
            for (int q = 0; q < Q; ++q)
                if (there[q]) w.gate[q] = loadRun<4>(at(s.gate, quotient(e[q], s.channels), column));
    }
}

template <bool SMOOTH, int Q>
__device__ __forceinline__ void finishStraight(const Straight& s, const AwaitedRuns<Q>& w,
                                               const uint32_t (&e)[Q], const bool (&there)[Q],
                                               Lanes<4> (&v)[Q]) {
    const auto add = [](float x, float y) { return x + y; };
    const auto multiply = [](float x, float y) { return x * y; };
    const auto addRow = [&](const Lanes<4>& row) {
#pragma unroll
        for (int q = 0; q < Q; ++q) v[q] = each<4>(v[q], row, add);
    };
    const auto store = [&](float* to) {
        if (!to) return;
#pragma unroll
        for (int q = 0; q < Q; ++q)
            if (there[q]) storeRun<4>(to + e[q], v[q]);
    };
    if (s.bias) addRow(w.bias);
    if (s.bias2) addRow(w.bias2);
    if constexpr (SMOOTH) {
        if (s.shift.data)
#pragma unroll
            for (int q = 0; q < Q; ++q) {
                const uint32_t line = quotient(e[q], s.channels);
                if (there[q])
                    v[q] =
                        each<4>(v[q], loadRun<4>(at(s.shift, line, e[q] - line * s.channels.divisor)), add);
            }
        store(s.biased);
        if (s.gate.data) change(v, w.gate, multiply);
    }
    if (s.added) change(v, w.more, add);
    if (SMOOTH && s.added2) change(v, w.more2, add);
    if (SMOOTH && s.added3)  // seldom, and not asked for before
#pragma unroll
        for (int q = 0; q < Q; ++q)
            if (there[q]) v[q] = each<4>(v[q], loadRun<4>(s.added3 + e[q]), add);
    store(s.early);
    if (s.activation) activate<SMOOTH>(Op(s.activation), s.a, v);
    if (s.slope) {
        Lanes<4> slope[Q];
#pragma unroll
        for (int q = 0; q < Q; ++q) slope[q] = w.more[q];
        activate<SMOOTH>(Op(s.slope), s.a, slope);
        change(v, slope, multiply);
    }
    store(s.late);
    if (SMOOTH && s.aside)
#pragma unroll
        for (int q = 0; q < Q; ++q) {
            const uint32_t line = quotient(e[q], s.channels);
            if (there[q])
                storeRun<4>(s.aside + int64_t(line) * s.asideStep + (e[q] - line * s.channels.divisor), v[q]);
        }
}

}  // namespace
}  // namespace core::cuda
