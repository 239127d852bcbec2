// A tile of a product passes through its pointwise program.
#pragma once

#include "core/cuda/kernels/straight.cuh"
#include "core/cuda/kernels/tiles.cuh"

namespace core::cuda {
namespace {

template <int V>
__device__ __noinline__ void finishSlowly(const Program& program, const Pass& pass, uint32_t e, float value) {
    runProgram<1>(program, pass, e, splat<1>(value));
}

// Two runs of four, the first of which is there.
__device__ __noinline__ void finishQuads(const Program& program, const Pass& pass, uint32_t e0, uint32_t e1,
                                         bool there1, Lanes<4>& v0, Lanes<4>& v1) {
    const uint32_t e[2] = {e0, e1};
    const bool there[2] = {true, there1};
    Lanes<4> value[2] = {v0, v1};
    runQuads<2>(program, pass, e, there, value);
}

// The tile stands in shared memory; `awaited` holds the rows of the thread's columns. A thread keeps to its
// columns of the result.
template <class T, class ElementAt>
__device__ __forceinline__ void finishTile(const Product& p, const Pass& pass, const Program& program,
                                           const float* shared, Awaited& awaited, int m0, int n0, int M,
                                           const ElementAt& elementAt) {
    constexpr int BM = T::m, BN = T::n;
    constexpr int perLine = BN / 4, linesApart = T::threads / perLine, quads = BM / linesApart;
    const int thread = int(threadIdx.x);
    if (!pass.wide) {  // element by element
        const int across = min(BN, p.n - n0);
        for (int i = thread; i < BM * across; i += T::threads) {
            const int line = i / across, at = i - line * across;
            if (m0 + line < M)
                finishSlowly<1>(program, pass, elementAt(m0 + line, n0 + at),
                                shared[line * T::outStep + at] * p.scale);
        }
        return;
    }
    constexpr int together = 2;
    const int column = thread % perLine * 4, n = n0 + column;
    if (n >= p.n) return;
#pragma unroll 1
    for (int first = 0; first < quads; first += together) {
        const int line0 = thread / perLine + first * linesApart;
        if (m0 + line0 >= M) return;
        uint32_t e[together];
        bool there[together];
        Lanes<4> value[together];
#pragma unroll
        for (int i = 0; i < together; ++i) {
            const int line = line0 + i * linesApart;
            there[i] = m0 + line < M;
            e[i] = elementAt(there[i] ? m0 + line : m0 + line0, n);
            value[i] = loadRun<4>(shared + line * T::outStep + column);
#pragma unroll
            for (int j = 0; j < 4; ++j) value[i].at[j] *= p.scale;
        }
        if (pass.direct) {
#pragma unroll
            for (int i = 0; i < together; ++i)
                if (there[i]) storeRun<4>(pass.direct + e[i], value[i]);
        } else if (p.straight.there) {
            ask<true>(awaited, p.straight, uint32_t(n), e, there);
            finishStraight<true>(p.straight, awaited, e, there, value);
        } else {
            finishQuads(program, pass, e[0], e[1], there[1], value[0], value[1]);
        }
    }
}

}  // namespace
}  // namespace core::cuda
