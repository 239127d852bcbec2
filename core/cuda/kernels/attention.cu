// Attention of short sequences by the tensor cores, and its gradient: each sample's head is one block's, or
// several are; scores and their softmax stay in registers.
#include "core/cuda/kernels/tiles.cuh"

namespace core::cuda {
namespace {

constexpr int warps = 4, threads = 32 * warps;

// Of 16 lines: the four numbers of a lane in each tile of 8 columns are (g, 2 t), (g, 2 t + 1), (g + 8, 2 t),
// (g + 8, 2 t + 1), g = lane / 4, t = lane % 4.
template <int TILES>
using Fragment = float[TILES][4];

// The heads of a block, and which lines a warp of it takes.
struct Lot {
    int local, head, tile;  // the head among the block's, among all; the warp's 16 lines
    bool there;
};
__device__ __forceinline__ Lot lotOf(const Attention& a) {
    const int warp = int(threadIdx.x) / 32, tiles = warps / a.together;
    Lot out;
    out.local = warp / tiles;
    out.head = int(blockIdx.x) * a.together + out.local;
    out.tile = int(blockIdx.y) * tiles + warp % tiles;
    out.there = out.head < a.samples * a.heads;
    return out;
}

__device__ __forceinline__ const float* at(const AttentionOperand& o, const Attention& a, int head) {
    const int sample = head / a.heads;
    return o.data + int64_t(sample) * o.lines * o.step + (head - sample * a.heads) * a.width;
}

__device__ __forceinline__ float4 quadOf(const float* line, int c, int width, bool wide) {
    if (wide) return c < width ? *reinterpret_cast<const float4*>(line + c) : make_float4(0, 0, 0, 0);
    float v[4];
#pragma unroll
    for (int i = 0; i < 4; ++i) v[i] = c + i < width ? line[c + i] : 0.0f;
    return make_float4(v[0], v[1], v[2], v[3]);
}

// The block's heads of an operand, rounded for the tensor cores; what is beyond its lines and columns is 0.
template <int DEEP, int STEP>
__device__ __forceinline__ void stage(uint32_t* to, const AttentionOperand& o, const Attention& a,
                                      int lines) {
    constexpr int quads = 2 * DEEP;
    const int all = a.together * lines * quads;
#pragma unroll 4
    for (int i = int(threadIdx.x); i < all; i += threads) {
        const int c = i % quads * 4, line = i / quads % lines, local = i / quads / lines;
        const int head = int(blockIdx.x) * a.together + local;
        float4 v = make_float4(0, 0, 0, 0);
        if (line < o.lines && head < a.samples * a.heads)
            v = quadOf(at(o, a, head) + int64_t(line) * o.step, c, a.width, a.wide);
        *reinterpret_cast<uint4*>(to + (local * lines + line) * STEP + c) =
            make_uint4(toTf32(v.x), toTf32(v.y), toTf32(v.z), toTf32(v.w));
    }
}

// Products over the width: a tile's 16 lines by `other`'s lines. A lane takes four neighbouring columns of
// both operands for two steps: which of the sum's terms come together is free.
template <int TILES, int DEEP, int STEP>
__device__ __forceinline__ void overWidth(Fragment<TILES>& out, const uint4 (&left)[DEEP / 2][2],
                                          const uint32_t* other) {
    const int g = int(threadIdx.x) % 32 / 4, t = int(threadIdx.x) % 4;
#pragma unroll
    for (int j = 0; j < TILES; ++j) {
#pragma unroll
        for (int i = 0; i < 4; ++i) out[j][i] = 0;
#pragma unroll
        for (int k = 0; k < DEEP / 2; ++k) {
            const uint4 b = *reinterpret_cast<const uint4*>(other + (8 * j + g) * STEP + 16 * k + 4 * t);
            const uint32_t a0[4] = {left[k][0].x, left[k][1].x, left[k][0].y, left[k][1].y};
            const uint32_t a1[4] = {left[k][0].z, left[k][1].z, left[k][0].w, left[k][1].w};
            const uint32_t b0[2] = {b.x, b.y}, b1[2] = {b.z, b.w};
            multiplyAdd(out[j], a0, b0);
            multiplyAdd(out[j], a1, b1);
        }
    }
}

// Adds to `out`, 16 lines by the width, what lines 8 j .. 8 j + 7 of `other` give with the columns `a` of a
// tile j: term t of the unit's sum is line 2 t, term t + 4 line 2 t + 1. A lane's columns are neighbours.
template <int DEEP>
struct Columns {
    static constexpr int together = DEEP < 4 ? DEEP : 4, groups = DEEP / together;
};
template <int DEEP, int STEP>
__device__ __forceinline__ void overLines(Fragment<DEEP>& out, const uint32_t (&a)[4],
                                          const uint32_t* other) {
    using C = Columns<DEEP>;
    const int g = int(threadIdx.x) % 32 / 4, t = int(threadIdx.x) % 4;
#pragma unroll
    for (int k = 0; k < C::groups; ++k) {
        uint32_t b[2][C::together];
#pragma unroll
        for (int i = 0; i < 2; ++i) {
            const uint32_t* const from = other + (2 * t + i) * STEP + 8 * C::together * k + C::together * g;
            if constexpr (C::together == 4) {
                const uint4 v = *reinterpret_cast<const uint4*>(from);
                b[i][0] = v.x, b[i][1] = v.y, b[i][2] = v.z, b[i][3] = v.w;
            } else {
                const uint2 v = *reinterpret_cast<const uint2*>(from);
                b[i][0] = v.x, b[i][1] = v.y;
            }
        }
#pragma unroll
        for (int j = 0; j < C::together; ++j) {
            const uint32_t bj[2] = {b[0][j], b[1][j]};
            multiplyAdd(out[C::together * k + j], a, bj);
        }
    }
}

// The columns of a fragment of `overLines` where they belong.
template <int DEEP>
__device__ __forceinline__ void storeLines(float* to, int step, int line, int lines, const Attention& a,
                                           const Fragment<DEEP>& v, float scale) {
    using C = Columns<DEEP>;
    const int g = int(threadIdx.x) % 32 / 4, t = int(threadIdx.x) % 4;
#pragma unroll
    for (int half = 0; half < 2; ++half) {
        const int row = line + g + 8 * half;
        if (row >= lines) continue;
#pragma unroll
        for (int k = 0; k < C::groups; ++k)
#pragma unroll
            for (int i = 0; i < 2; ++i) {
                const int c = 8 * C::together * k + C::together * (2 * t + i);
                float* const place = to + int64_t(row) * step + c;
                float of[C::together];
#pragma unroll
                for (int j = 0; j < C::together; ++j) of[j] = v[C::together * k + j][2 * half + i] * scale;
                if (C::together == 4 && a.wide) {
                    if (c < a.width)
                        *reinterpret_cast<float4*>(place) = make_float4(of[0], of[1], of[2], of[3]);
                } else {
#pragma unroll
                    for (int j = 0; j < C::together; ++j)
                        if (c + j < a.width) place[j] = of[j];
                }
            }
    }
}

// 16 lines of a matrix of `keys` columns, to or from memory, in pairs where they are aligned.
template <int TILES, class F>
__device__ __forceinline__ void eachPair(const Attention& a, int64_t first, int line, F f) {
    const int g = int(threadIdx.x) % 32 / 4, t = int(threadIdx.x) % 4;
#pragma unroll
    for (int half = 0; half < 2; ++half) {
        const int row = line + g + 8 * half;
        if (row >= a.queries) continue;
#pragma unroll
        for (int j = 0; j < TILES; ++j)
            if (8 * j + 2 * t < a.keys)
                f(first + int64_t(row) * a.keys + 8 * j + 2 * t, 8 * j + 2 * t, j, half);
    }
}
template <int TILES>
__device__ __forceinline__ void storePairs(float* to, const Attention& a, int64_t first, int line,
                                           const Fragment<TILES>& v) {
    if (!to) return;
    const bool even = a.keys % 2 == 0;
    eachPair<TILES>(a, first, line, [&](int64_t e, int c, int j, int half) {
        if (even) {
            *reinterpret_cast<float2*>(to + e) = make_float2(v[j][2 * half], v[j][2 * half + 1]);
        } else {
            to[e] = v[j][2 * half];
            if (c + 1 < a.keys) to[e + 1] = v[j][2 * half + 1];
        }
    });
}

__device__ __forceinline__ float acrossQuad(float x) {
    x += __shfl_xor_sync(0xffffffffu, x, 1);
    return x + __shfl_xor_sync(0xffffffffu, x, 2);
}

// q, k, v: P = softmax(scale q k^T), out = P v.
template <int TILES, int DEEP>
__global__ void __launch_bounds__(threads) attention(const __grid_constant__ Attention a) {
#if __CUDA_ARCH__ >= 800  // older cards have no such units, and are not asked to
    constexpr int keys = 8 * TILES, stepK = 8 * DEEP % 32 == 16 ? 8 * DEEP : 8 * DEEP + 16,
                  stepV = 8 * DEEP + 4;
    extern __shared__ __align__(16) uint32_t memory[];
    uint32_t *const allK = memory, *const allV = memory + a.together * keys * stepK;
    awaitEarlier();
    const Lot lot = lotOf(a);
    const int lane = int(threadIdx.x) % 32, g = lane / 4, t = lane % 4;
    uint4 q[DEEP / 2][2];
#pragma unroll
    for (int half = 0; half < 2; ++half) {
        const int row = 16 * lot.tile + g + 8 * half;
        const bool there = lot.there && row < a.queries;
        const float* const line = there ? at(a.q, a, lot.head) + int64_t(row) * a.q.step : nullptr;
#pragma unroll
        for (int k = 0; k < DEEP / 2; ++k) {
            const float4 v = there ? quadOf(line, 16 * k + 4 * t, a.width, a.wide) : make_float4(0, 0, 0, 0);
            q[k][half] = make_uint4(toTf32(v.x), toTf32(v.y), toTf32(v.z), toTf32(v.w));
        }
    }
    stage<DEEP, stepK>(allK, a.k, a, keys);
    stage<DEEP, stepV>(allV, a.v, a, keys);
    __syncthreads();
    if (!lot.there || 16 * lot.tile >= a.queries) return;
    Fragment<TILES> s;
    overWidth<TILES, DEEP, stepK>(s, q, allK + lot.local * keys * stepK);
#pragma unroll
    for (int j = 0; j < TILES; ++j)
#pragma unroll
        for (int i = 0; i < 4; ++i) s[j][i] *= a.scale;
    const int64_t first = int64_t(lot.head) * a.queries * a.keys;
    storePairs<TILES>(a.scores, a, first, 16 * lot.tile, s);
#pragma unroll
    for (int half = 0; half < 2; ++half) {
        const int row = 16 * lot.tile + g + 8 * half, seen = a.causal ? min(row + 1, a.keys) : a.keys;
        float top = -INFINITY, total = 0;
#pragma unroll
        for (int j = 0; j < TILES; ++j)
#pragma unroll
            for (int i = 0; i < 2; ++i)
                if (8 * j + 2 * t + i < seen) top = fmaxf(top, s[j][2 * half + i]);
        top = fmaxf(top, __shfl_xor_sync(0xffffffffu, top, 1));
        top = fmaxf(top, __shfl_xor_sync(0xffffffffu, top, 2));
#pragma unroll
        for (int j = 0; j < TILES; ++j)
#pragma unroll
            for (int i = 0; i < 2; ++i) {
                float& x = s[j][2 * half + i];
                x = 8 * j + 2 * t + i < seen ? __expf(x - top) : 0.0f;
                total += x;
            }
        const float share = 1.0f / acrossQuad(total);
#pragma unroll
        for (int j = 0; j < TILES; ++j)
#pragma unroll
            for (int i = 0; i < 2; ++i) s[j][2 * half + i] *= share;
    }
    storePairs<TILES>(a.weights, a, first, 16 * lot.tile, s);
    Fragment<DEEP> out = {};
    const uint32_t* const v = allV + lot.local * keys * stepV;
#pragma unroll
    for (int j = 0; j < TILES; ++j) {
        const uint32_t p[4] = {toTf32(s[j][0]), toTf32(s[j][2]), toTf32(s[j][1]), toTf32(s[j][3])};
        overLines<DEEP, stepV>(out, p, v + 8 * j * stepV);
    }
    const int sample = lot.head / a.heads, part = lot.head - sample * a.heads;
    storeLines<DEEP>(a.out + (int64_t(sample) * a.queries * a.heads + part) * a.width, a.heads * a.width,
                     16 * lot.tile, a.queries, a, out, 1);
#endif
}

// q, k, v, P and the gradient of `out`: dV = P^T dOut, dP = dOut v^T, dS = P (dP - <dP, P>), and with that
// dQ = dS k and dK = dS^T q. A block takes all lines of its heads.
template <int TILES, int DEEP>
__global__ void __launch_bounds__(threads) attentionGradient(const __grid_constant__ Attention a) {
#if __CUDA_ARCH__ >= 800
    constexpr int keys = 8 * TILES, step = 8 * DEEP + 4,
                  stepV = 8 * DEEP % 32 == 16 ? 8 * DEEP : 8 * DEEP + 16;
    constexpr int stepP = 8 * TILES + 4;
    const int queries = 16 * warps / a.together;
    extern __shared__ __align__(16) uint32_t memory[];
    uint32_t* const allQ = memory;
    uint32_t* const allD = allQ + a.together * queries * step;
    uint32_t* const allK = allD + a.together * queries * step;
    uint32_t* const allV = allK + a.together * keys * step;
    uint32_t* const allP = allV + a.together * keys * stepV;
    awaitEarlier();
    const Lot lot = lotOf(a);
    const int lane = int(threadIdx.x) % 32, g = lane / 4, t = lane % 4, line = 16 * lot.tile;
    Fragment<TILES> p = {}, s;
    if (lot.there)
        eachPair<TILES>(a, int64_t(lot.head) * a.queries * a.keys, line,
                        [&](int64_t e, int c, int j, int half) {
                            if (a.keys % 2 == 0) {
                                const float2 v = *reinterpret_cast<const float2*>(a.weights + e);
                                p[j][2 * half] = v.x, p[j][2 * half + 1] = v.y;
                            } else {
                                p[j][2 * half] = a.weights[e];
                                if (c + 1 < a.keys) p[j][2 * half + 1] = a.weights[e + 1];
                            }
                        });
    stage<DEEP, step>(allD, a.dOut, a, queries);
    stage<DEEP, stepV>(allV, a.v, a, keys);
    stage<DEEP, step>(allK, a.k, a, keys);
    stage<DEEP, step>(allQ, a.q, a, queries);
    __syncthreads();
    uint32_t* const of = allP + lot.local * queries * stepP;  // P, then dS: [queries, keys]
    const auto keep = [&](const Fragment<TILES>& v) {
#pragma unroll
        for (int j = 0; j < TILES; ++j)
#pragma unroll
            for (int half = 0; half < 2; ++half)
                *reinterpret_cast<uint2*>(of + (line + g + 8 * half) * stepP + 8 * j + 2 * t) =
                    make_uint2(toTf32(v[j][2 * half]), toTf32(v[j][2 * half + 1]));
    };
    keep(p);
    uint4 d[DEEP / 2][2];
#pragma unroll
    for (int half = 0; half < 2; ++half)
#pragma unroll
        for (int k = 0; k < DEEP / 2; ++k)
            d[k][half] = *reinterpret_cast<const uint4*>(
                allD + (lot.local * queries + line + g + 8 * half) * step + 16 * k + 4 * t);
    overWidth<TILES, DEEP, stepV>(s, d, allV + lot.local * keys * stepV);
#pragma unroll
    for (int half = 0; half < 2; ++half) {
        float mean = 0;
#pragma unroll
        for (int j = 0; j < TILES; ++j)
#pragma unroll
            for (int i = 2 * half; i < 2 * half + 2; ++i) mean += s[j][i] * p[j][i];
        mean = acrossQuad(mean);
#pragma unroll
        for (int j = 0; j < TILES; ++j)
#pragma unroll
            for (int i = 2 * half; i < 2 * half + 2; ++i) s[j][i] = p[j][i] * (s[j][i] - mean);
    }
    const int sample = lot.head / a.heads, part = lot.head - sample * a.heads, wide = a.heads * a.width;
    if (a.dQ && lot.there && line < a.queries) {
        Fragment<DEEP> out = {};
#pragma unroll
        for (int j = 0; j < TILES; ++j) {
            const uint32_t x[4] = {toTf32(s[j][0]), toTf32(s[j][2]), toTf32(s[j][1]), toTf32(s[j][3])};
            overLines<DEEP, step>(out, x, allK + (lot.local * keys + 8 * j) * step);
        }
        storeLines<DEEP>(a.dQ + (int64_t(sample) * a.queries * a.heads + part) * a.width, wide, line,
                         a.queries, a, out, a.scaleQ);
    }
    // The transposes by what all warps of the head have kept; the warp's 16 lines are keys here.
    const auto turned = [&](float* to, const uint32_t* other, float scale) {
        if (!to || !lot.there || line >= a.keys) return;
        Fragment<DEEP> out = {};
        for (int k = 0; k < a.queries; k += 8) {
            const uint32_t* const from = of + (k + 2 * t) * stepP + line + g;
            const uint32_t x[4] = {from[0], from[8], from[stepP], from[stepP + 8]};
            overLines<DEEP, step>(out, x, other + (lot.local * queries + k) * step);
        }
        storeLines<DEEP>(to + (int64_t(sample) * a.keys * a.heads + part) * a.width, wide, line, a.keys, a,
                         out, scale);
    };
    __syncthreads();
    turned(a.dV, allD, 1);
    __syncthreads();
    keep(s);
    __syncthreads();
    turned(a.dK, allQ, a.scaleK);
#endif
}

template <auto KERNEL>
void launchWith(const Attention& a, size_t bytes, cudaStream_t stream) {
    static const cudaError_t raised =
        cudaFuncSetAttribute(KERNEL, cudaFuncAttributeMaxDynamicSharedMemorySize, Attention::room);
    (void)raised;
    const int heads = a.samples * a.heads, lines = 16 * warps / a.together;
    const dim3 grid(uint32_t((heads + a.together - 1) / a.together),
                    a.dOut.data ? 1u : uint32_t((a.queries + lines - 1) / lines));
    KERNEL<<<grid, threads, spread(KERNEL, grid, bytes), stream>>>(a);
}

template <int TILES, int DEEP>
void launchSize(const Attention& a, cudaStream_t stream) {
    constexpr int keys = 8 * TILES, bare = 8 * DEEP % 32 == 16 ? 8 * DEEP : 8 * DEEP + 16,
                  step = 8 * DEEP + 4;
    const int queries = 16 * warps / a.together;
    if (!a.dOut.data) {
        if constexpr (TILES * DEEP <= 128)
            launchWith<attention<TILES, DEEP>>(a, sizeof(float) * size_t(a.together * keys * (bare + step)),
                                               stream);
    } else if constexpr (TILES <= 8) {
        const int each = 2 * queries * step + keys * (step + bare) + queries * (8 * TILES + 4);
        launchWith<attentionGradient<TILES, DEEP>>(a, sizeof(float) * size_t(a.together * each), stream);
    }
}

template <int TILES>
void launchTiles(const Attention& a, cudaStream_t stream) {
    if (a.width <= 16)
        launchSize<TILES, 2>(a, stream);
    else if (a.width <= 32)
        launchSize<TILES, 4>(a, stream);
    else
        launchSize<TILES, 8>(a, stream);
}

}  // namespace

bool hasAttention(int device) {
    int major = 0, most = 0;
    return cudaDeviceGetAttribute(&major, cudaDevAttrComputeCapabilityMajor, device) == cudaSuccess &&
           cudaDeviceGetAttribute(&most, cudaDevAttrMaxSharedMemoryPerBlockOptin, device) == cudaSuccess &&
           major >= 8 && most >= Attention::room;
}

void launchAttention(const Attention& a, cudaStream_t stream) {
    if (a.keys <= 16)
        launchTiles<2>(a, stream);
    else if (a.keys <= 32)
        launchTiles<4>(a, stream);
    else if (a.keys <= 64)
        launchTiles<8>(a, stream);
    else if (a.keys <= 128)
        launchTiles<16>(a, stream);
    else
        launchTiles<32>(a, stream);
}

}  // namespace core::cuda
