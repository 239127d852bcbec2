// Products whose block keeps its rows of the left operand in shared memory as a whole, while every warp reads
// its own 16 columns of the right operand straight into registers.
#pragma once

#include "core/cuda/kernels/straight.cuh"
#include "core/cuda/kernels/tiles.cuh"

namespace core::cuda {
namespace {

constexpr int runs = 2, unit = 32, ahead = 2;  // runs of 8 columns of a warp; k of a unit; units read ahead

__device__ __forceinline__ int laneId() {
    return int(threadIdx.x) % 32;
}

// Two runs of four elements through the link's program.
__device__ __noinline__ void finishSlowly(const Program& program, const Pass& pass, uint32_t e0, uint32_t e1,
                                          bool there0, bool there1, Lanes<4>& v0, Lanes<4>& v1) {
    const uint32_t e[2] = {there0 ? e0 : e1, there1 ? e1 : e0};
    const bool there[2] = {there0, there1};
    Lanes<4> value[2] = {v0, v1};
    if (there0 || there1) runQuads<2>(program, pass, e, there, value);
    v0 = value[0], v1 = value[1];
}

template <bool SMOOTH>
__device__ __forceinline__ void finish(const Product& p, const Program& program, const Pass& pass,
                                       const Awaited& w, const uint32_t (&e)[2], const bool (&there)[2],
                                       Lanes<4> (&v)[2]) {
    if (p.straight.there)
        finishStraight<SMOOTH>(p.straight, w, e, there, v);
    else
        finishSlowly(program, pass, e[0], e[1], there[0], there[1], v[0], v[1]);
}

// What a thread holds of a unit of the right operand: of two neighbouring columns and each 16 k, the four k
// from 4 (lane % 4) on. The left operand is read in the same order of k.
struct Right {
    float at[runs][2][4];
};

template <bool TURN>
__device__ __forceinline__ void loadRight(Right& r, const Product& p, int n0, int k0) {
    const int g = laneId() / 4, t = laneId() % 4, n = n0 + runs * g;
#pragma unroll
    for (int h = 0; h < 2; ++h) {
        const int k = k0 + 16 * h + 4 * t;
        if constexpr (TURN) {
#pragma unroll
            for (int j = 0; j < runs; ++j) {
                const Lanes<4> v = loadRun<4>(p.b + (n + j) * p.ldb + k);
#pragma unroll
                for (int q = 0; q < 4; ++q) r.at[j][h][q] = v.at[q];
            }
        } else {
#pragma unroll
            for (int q = 0; q < 4; ++q) {
                const float2 v = *reinterpret_cast<const float2*>(p.b + (k + q) * p.ldb + n);
                r.at[0][h][q] = v.x, r.at[1][h][q] = v.y;
            }
        }
    }
}

template <int ROWS>
__device__ __forceinline__ void multiplyUnit(float (&acc)[ROWS][runs][4], const float* a, int step,
                                             const Right& r) {
    const int g = laneId() / 4, t = laneId() % 4;
#pragma unroll
    for (int h = 0; h < 2; ++h) {
        uint32_t b[runs][2][2];
#pragma unroll
        for (int j = 0; j < runs; ++j)
#pragma unroll
            for (int q = 0; q < 4; ++q) b[j][q / 2][q % 2] = toTf32(r.at[j][h][q]);
#pragma unroll
        for (int i = 0; i < ROWS; ++i) {
            const float* const line = a + (16 * i + g) * step + 16 * h + 4 * t;
            const Lanes<4> upper = loadRun<4>(line), lower = loadRun<4>(line + 8 * step);
#pragma unroll
            for (int s = 0; s < 2; ++s) {
                const uint32_t of[4] = {toTf32(upper.at[2 * s]), toTf32(lower.at[2 * s]),
                                        toTf32(upper.at[2 * s + 1]), toTf32(lower.at[2 * s + 1])};
#pragma unroll
                for (int j = 0; j < runs; ++j) multiplyAdd(acc[i][j], of, b[j][s]);
            }
        }
    }
}

// The block's rows of the left operand, copied into shared memory by all its threads.
template <int ROWS, int WARPS>
__device__ __forceinline__ void stageLeft(const Product& p, int first, int count, int step, float* left) {
    for (int row = int(threadIdx.x) / 32; row < 16 * ROWS; row += WARPS)
        for (int k = 4 * laneId(); k < p.k; k += 4 * 32) {
            const bool there = row < count;
            copyAsync4(left + row * step + k, there ? p.a + int64_t(first + row) * p.lda + k : p.a, there);
        }
    commit();
}

// The warp's tiles: `tile`, and every WARPS-th up to `tiles`. Calls `ready` once, when the right operand is
// on its way and before the left one is read; `kept` gets the results' rows, or is null.
template <int ROWS, int WARPS, bool TURN, bool SMOOTH, class Ready>
__device__ __forceinline__ void multiplyTiles(const Product& p, const Program& program, const Pass& pass,
                                              int tile, int tiles, int first, int count, int step,
                                              const float* left, float* kept, const Ready& ready) {
    const int K = p.k, g = laneId() / 4, t = laneId() % 4;
    Right next[ahead];
    const auto readAhead = [&](int of, int k0, int u) {
        if (of < tiles && k0 + u * unit < K) loadRight<TURN>(next[u], p, of * 8 * runs, k0 + u * unit);
    };
#pragma unroll
    for (int u = 0; u < ahead; ++u) readAhead(tile, 0, u);
    ready();
    for (; tile < tiles; tile += WARPS) {
        const uint32_t column = uint32_t(tile * 8 * runs + 4 * t);
        uint32_t e[2] = {uint32_t(first + g) * uint32_t(p.lde) + column, 0};
        e[1] = e[0] + 8 * uint32_t(p.lde);
        bool there[2] = {g < count, g + 8 < count};
        Awaited awaited;
        askRows(awaited, p.straight, column);
        ask<SMOOTH>(awaited, p.straight, column, e, there);
        float acc[ROWS][runs][4] = {};
        for (int k0 = 0; k0 < K; k0 += ahead * unit) {
            const bool last = k0 + ahead * unit >= K;
#pragma unroll
            for (int u = 0; u < ahead; ++u) {
                if (k0 + u * unit < K) multiplyUnit<ROWS>(acc, left + k0 + u * unit, step, next[u]);
                readAhead(last ? tile + WARPS : tile, last ? 0 : k0 + ahead * unit, u);
            }
        }
#pragma unroll
        for (int i = 0; i < ROWS; ++i) {
            Lanes<4> v[2];
#pragma unroll
            for (int h = 0; h < 4; ++h)
#pragma unroll
                for (int j = 0; j < runs; ++j) v[h / 2].at[runs * (h % 2) + j] = acc[i][j][h] * p.scale;
            if (i > 0) {
                e[0] += 16 * uint32_t(p.lde), e[1] += 16 * uint32_t(p.lde);
                there[0] = 16 * i + g < count, there[1] = 16 * i + g + 8 < count;
                askRows(awaited, p.straight, column);
                ask<SMOOTH>(awaited, p.straight, column, e, there);
            }
            finish<SMOOTH>(p, program, pass, awaited, e, there, v);
            if (kept) {
                storeRun<4>(kept + (16 * i + g) * step + column, v[0]);
                storeRun<4>(kept + (16 * i + g + 8) * step + column, v[1]);
            }
        }
    }
}

}  // namespace
}  // namespace core::cuda
