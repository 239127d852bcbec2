// The gradient of attention of short sequences by the tensor cores: a block takes all lines of its heads.
#include <algorithm>

#include "core/cuda/kernels/attention.cuh"

namespace core::cuda {
namespace {

// Words of shared memory for a head: four operands, P and the gradient of the scores.
template <int TILES, int DEEP>
constexpr int wordsOfHead = 8 * TILES*(4 * 8 * DEEP + 2 * 8 * TILES);

// 16 lines of M^T other, M of 8 TILES lines and columns.
template <int TILES, int DEEP>
__device__ __forceinline__ void overQueries(Fragment<DEEP>& out, const float* matrix, int line,
                                            const float* other) {
    const uint32_t g = threadIdx.x % 32 / 4, t = threadIdx.x % 4;
    const uint32_t lanes = place<TILES>(4 * t, uint32_t(line) / 4 | g / 4) | g % 4;
#pragma unroll
    for (int j = 0; j < TILES; ++j) {
        uint32_t x[4];
#pragma unroll
        for (int i = 0; i < 4; ++i)
            x[i] = toTf32(
                matrix[j / 2 * 128 * TILES + (lanes ^ place<TILES>(uint32_t(j % 2 * 2 + i / 2), i % 2 * 2))]);
        overLines<DEEP>(out, x, j, other);
    }
}

// q, k, v, P and the gradient of `out`: dV = P^T dOut, dP = dOut v^T, dS = P (dP - <dP, P>), and with that
// dQ = dS k and dK = dS^T q.
template <int TILES, int DEEP>
__global__ void __launch_bounds__(attentionThreads) attentionGradient(const __grid_constant__ Attention a) {
#if __CUDA_ARCH__ >= 800  // older cards have no such units, and are not asked to
    using L = Lot<TILES>;
    constexpr int lines = L::lines, width = 8 * DEEP;
    extern __shared__ __align__(128) float memory[];
    const L lot(a);
    float* const p = memory + lot.local * wordsOfHead<TILES, DEEP>;
    float *const dS = p + lines * lines, *const d = dS + lines * lines, *const v = d + lines * width,
                 *const k = v + lines * width, *const q = k + lines * width;
    awaitEarlier();
    const auto fetch = [&](float* to, const AttentionOperand& o) {
        fetchLines<DEEP, lines, L::threads>(to, o.data + lot.of(a, o.lines, o.step), o.step,
                                            lot.there ? o.lines : 0, a.width, a.wide, lot.thread);
    };
    const float* const weights = a.weights + lot.ofPairs(a);
    fetch(d, a.dOut);
    fetch(v, a.v);
    commit();
    fetchLines<TILES, lines, L::threads>(p, weights, a.keys, lot.there ? a.queries : 0, a.keys,
                                         widePairs(a, a.weights), lot.thread);
    commit();
    fetch(k, a.k);
    fetch(q, a.q);
    commit();
    awaitStage<2>();
    __syncthreads();
    Fragment<TILES> s;
    const uint32_t rows = place<TILES>(threadIdx.x % 32 / 4, threadIdx.x % 4);
    overWidth<TILES, DEEP>(s, d + lot.line * width, 1, v);
    awaitStage<1>();
    __syncthreads();
#pragma unroll
    for (int half = 0; half < 2; ++half) {
        const auto at = [&](int j) { return lot.line * lines + int(rows ^ place<TILES>(8 * half, 4 * j)); };
        float x[TILES / 2][4], mean = 0;
#pragma unroll
        for (int j = 0; j < TILES / 2; ++j) {
            const float4 four = *reinterpret_cast<const float4*>(p + at(j));
            x[j][0] = four.x, x[j][1] = four.y, x[j][2] = four.z, x[j][3] = four.w;
#pragma unroll
            for (int i = 0; i < 4; ++i) mean = fmaf(s[2 * j + i / 2][2 * half + i % 2], x[j][i], mean);
        }
        mean = acrossQuad(mean);
#pragma unroll
        for (int j = 0; j < TILES / 2; ++j) {
#pragma unroll
            for (int i = 0; i < 4; ++i) {
                float& to = s[2 * j + i / 2][2 * half + i % 2];
                to = x[j][i] * (to - mean);
            }
            *reinterpret_cast<float4*>(dS + at(j)) =
                make_float4(s[2 * j][2 * half], s[2 * j][2 * half + 1], s[2 * j + 1][2 * half],
                            s[2 * j + 1][2 * half + 1]);
        }
    }
    awaitAll();
    __syncthreads();
    const int step = a.heads * a.width;
    if (a.dQ && lot.there && lot.line < a.queries) {
        Fragment<DEEP> out = {};
        overLines<TILES, DEEP>(out, s, k);
        storeLines<DEEP>(a.dQ + lot.of(a, a.queries, step) + int64_t(lot.line) * step, a.queries - lot.line,
                         a, out, {a.scaleQ, a.scaleQ});
    }
    if (a.dV && lot.there && lot.line < a.keys) {
        Fragment<DEEP> out = {};
        overQueries<TILES, DEEP>(out, p, lot.line, d);
        storeLines<DEEP>(a.dV + lot.of(a, a.keys, step) + int64_t(lot.line) * step, a.keys - lot.line, a, out,
                         {1, 1});
    }
    if (a.dK && lot.there && lot.line < a.keys) {
        Fragment<DEEP> out = {};
        overQueries<TILES, DEEP>(out, dS, lot.line, q);
        storeLines<DEEP>(a.dK + lot.of(a, a.keys, step) + int64_t(lot.line) * step, a.keys - lot.line, a, out,
                         {a.scaleK, a.scaleK});
    }
#endif
}

template <int TILES>
void launchTiles(const Attention& a, cudaStream_t stream) {
    using L = Lot<TILES>;
    const dim3 grid(uint32_t((a.samples * a.heads + L::together - 1) / L::together));
    if (a.width <= 16)
        launchHeads<attentionGradient<TILES, 2>>(a, grid, L::together * wordsOfHead<TILES, 2>, stream);
    else if (a.width <= 32)
        launchHeads<attentionGradient<TILES, 4>>(a, grid, L::together * wordsOfHead<TILES, 4>, stream);
    else
        launchHeads<attentionGradient<TILES, 8>>(a, grid, L::together * wordsOfHead<TILES, 8>, stream);
}

}  // namespace

void launchAttentionGradient(const Attention& a, cudaStream_t stream) {
    const int longest = std::max(a.queries, a.keys);
    if (longest <= 16)
        launchTiles<2>(a, stream);
    else if (longest <= 32)
        launchTiles<4>(a, stream);
    else
        launchTiles<8>(a, stream);
}

}  // namespace core::cuda
