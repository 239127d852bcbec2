// Weights' gradients, A^T B over very many rows: products of several layers by one launch, so that large
// tiles and few shares of each sum fill the card.
#include "core/cuda/kernels/kernels.h"
#include "core/cuda/kernels/tiles.cuh"
#include "core/cuda/kernels/together.cuh"

namespace core::cuda {
namespace {

template <class T>
__global__ void __launch_bounds__(T::threads) shares(const Together all) {
    using A = Lying<false, T::m>;
    using B = Lying<false, T::n>;
    extern __shared__ __align__(16) float shared[];
    float *const sharedA = shared, *const sharedB = shared + T::stages * A::size;
    const Member& member = memberOf(all, int(blockIdx.x), [](const Member& m) { return m.firstBlock; });
    const Product& p = member.product;
    const int thread = int(threadIdx.x), warp = thread / 32, lane = thread % 32;
    const int M = p.m, N = p.n, K = p.k, lda = p.lda, ldb = p.ldb, splits = p.splits;
    const int across = (N + T::n - 1) / T::n, down = (M + T::m - 1) / T::m;
    const int block = int(blockIdx.x) - member.firstBlock, split = block / (across * down);
    const int m0 = block / across % down * T::m, n0 = block % across * T::n;
    const int tilesK = (K + depth - 1) / depth;
    const int firstTile = int(int64_t(tilesK) * split / splits);
    const int lastTile = int(int64_t(tilesK) * (split + 1) / splits);
    const float *const a = p.a, *const b = p.b;
    const float scale = splits > 1 ? 1.0f : p.scale;
    // A's sums over k, as biases' gradients are, by the blocks of the first columns.
    const bool sums = p.rowSums && n0 == 0 && thread < T::m;
    float* const sumsTo = splits > 1 ? p.partial + int64_t(splits) * M * N + int64_t(split) * M : p.rowSums;
    float sum[4] = {};
    float* const out = splits > 1 ? p.partial + int64_t(split) * M * N : member.out;

    constexpr int perLine = T::m / 4, linesApart = T::threads / perLine, chunks = depth / linesApart;
    static_assert(T::m == T::n && depth % linesApart == 0);
    const int line = thread / perLine, place = thread % perLine * 4;
    const auto load = [&](int tile, int stage) {
        const int k = tile * depth + line;
        copyLines<chunks, linesApart, A::step>(sharedA + stage * A::size + A::at(line, place),
                                               a + int64_t(k) * lda + m0 + place, lda, K - k, m0 + place < M);
        copyLines<chunks, linesApart, B::step>(sharedB + stage * B::size + B::at(line, place),
                                               b + int64_t(k) * ldb + n0 + place, ldb, K - k, n0 + place < N);
    };

    float acc[T::rows][T::columns][4] = {};
    const int warpM = warp / T::warpsN * T::rows * 16, warpN = warp % T::warpsN * T::columns * 8;
    awaitEarlier();
    for (int s = 0; s < T::stages - 1; ++s) {
        if (firstTile + s < lastTile) load(firstTile + s, s);
        commit();
    }
    for (int tile = firstTile; tile < lastTile; ++tile) {
        awaitStage<T::stages - 2>();
        __syncthreads();
        const int next = tile + T::stages - 1;
        if (next < lastTile) load(next, (next - firstTile) % T::stages);
        commit();
        const int stage = (tile - firstTile) % T::stages;
        if (sums)
#pragma unroll 8
            for (int k = 0; k < depth; ++k) sum[k % 4] += sharedA[stage * A::size + A::of(thread, k)];
#pragma unroll
        for (int k = 0; k < depth; k += 8) {
            Fragments<T> fragments;
            fragments.template load<true, false>(sharedA + stage * A::size, sharedB + stage * B::size, warpM,
                                                 warpN, k);
            fragments.multiply(acc);
        }
    }
    if (sums && m0 + thread < M) sumsTo[m0 + thread] = (sum[0] + sum[1]) + (sum[2] + sum[3]);
    // Pairs of one line from each thread, 32 bytes from four.
    const int g = lane / 4, t = lane % 4;
#pragma unroll
    for (int i = 0; i < T::rows; ++i)
#pragma unroll
        for (int j = 0; j < T::columns; ++j)
#pragma unroll
            for (int h = 0; h < 2; ++h) {
                const int m = m0 + warpM + 16 * i + g + 8 * h, n = n0 + warpN + 8 * j + 2 * t;
                if (m < M && n < N)
                    *reinterpret_cast<float2*>(out + int64_t(m) * N + n) =
                        make_float2(acc[i][j][2 * h] * scale, acc[i][j][2 * h + 1] * scale);
            }
}

constexpr int threads = 128;

__global__ void __launch_bounds__(threads) addShares(const Together all) {
    const int run = int(blockIdx.x) * threads + int(threadIdx.x);
    if (run >= all.runs) return;
    const Member& member = memberOf(all, run, [](const Member& m) { return m.firstRun; });
    const Product& p = member.product;
    const int splits = p.splits;
    const int64_t result = int64_t(p.m) * p.n, run4 = 4 * int64_t(run - member.firstRun);
    const bool sums = run4 >= result;
    const int64_t whole = sums ? p.m : result, at = sums ? run4 - result : run4;
    const float* const partial = p.partial + (sums ? splits * result : 0) + at;
    float* const out = (sums ? p.rowSums : member.out) + at;
    const float scale = sums ? 1.0f : p.scale;
    Lanes<4> total = splat<4>(0);
    awaitEarlier();
    if (splits == 1) return;
#pragma unroll 8
    for (int s = 0; s < splits; ++s) {
        const Lanes<4> share = loadRun<4>(partial + s * whole);
#pragma unroll
        for (int i = 0; i < 4; ++i) total.at[i] += share.at[i];
    }
#pragma unroll
    for (int i = 0; i < 4; ++i) total.at[i] *= scale;
    storeRun<4>(out, total);
}

template <class T>
void launchShares(const Together& all, cudaStream_t stream) {
    const auto kernel = shares<T>;
    constexpr size_t bytes =
        sizeof(float) * T::stages * (Lying<false, T::m>::size + Lying<false, T::n>::size);
    static const cudaError_t raised =
        cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, int(bytes));
    (void)raised;
    kernel<<<uint32_t(all.blocks), T::threads, bytes, stream>>>(all);
}

}  // namespace

void launchTogether(const Together& all, cudaStream_t stream) {
    if (all.form == Together::narrow) return launchNarrow(all, stream);
    if (all.form == Together::clusters) return launchClusters(all, stream);
    all.form == 0 ? launchShares<Tile<Together::sides[0], Together::sides[0], 3, 4, 4>>(all, stream)
                  : launchShares<Tile<Together::sides[1], Together::sides[1], 2, 4, 4>>(all, stream);
    addShares<<<uint32_t((all.runs + threads - 1) / threads), threads, 0, stream>>>(all);
}

}  // namespace core::cuda
