// Weights' gradients of few columns, or of few rows, over very many lines, as those of low-rank factors are:
// several by one launch, each in the time that reading its wide operand takes.
#include "core/cuda/kernels/kernels.h"
#include "core/cuda/kernels/program.cuh"
#include "core/cuda/kernels/reductions.cuh"
#include "core/cuda/kernels/together.cuh"

namespace core::cuda {
namespace {

constexpr int threads = 512, atOnce = 8;

__device__ __forceinline__ void add(Lanes<4>& to, const Lanes<4>& v) {
#pragma unroll
    for (int i = 0; i < 4; ++i) to.at[i] += v.at[i];
}

// A block takes four of the few and a tile of the many, and a share of the lines.
__global__ void __launch_bounds__(threads) multiplyNarrow(const Together all) {
    static_assert(Together::few == 4 && Together::many <= threads);
    __shared__ float4 sums[4 * threads];
    const Member& member = memberOf(all, int(blockIdx.x), [](const Member& m) { return m.firstBlock; });
    const Product& p = member.product;
    const bool fewLines = p.m < p.n;  // of the result
    const float *const wide = fewLines ? p.b : p.a, *const narrow = fewLines ? p.a : p.b;
    const int wideStep = fewLines ? p.ldb : p.lda, narrowStep = fewLines ? p.lda : p.ldb;
    const int runs = (fewLines ? p.n : p.m) / 4,
              tilesAcross = (4 * runs + Together::many - 1) / Together::many;
    const int tiles = tilesAcross * ((fewLines ? p.m : p.n) / 4);
    const int block = int(blockIdx.x) - member.firstBlock, split = block / tiles, tile = block % tiles;
    const int few0 = tile / tilesAcross * 4, run0 = runs * (tile % tilesAcross) / tilesAcross;
    const int across = runs * (tile % tilesAcross + 1) / tilesAcross - run0, items = 4 * across;
    const int thread = int(threadIdx.x), x = thread % across, y = thread / across, sharing = threads / across;
    const int firstLine = int(int64_t(p.k) * split / p.splits);
    const int lastLine = y < sharing ? int(int64_t(p.k) * (split + 1) / p.splits) : firstLine;
    const float* const from = wide + 4 * (run0 + x);
    float acc[4][4] = {};
    awaitEarlier();
    for (int line = firstLine + y; line < lastLine; line += atOnce * sharing) {
        Lanes<4> w[atOnce], n[atOnce];
#pragma unroll
        for (int i = 0; i < atOnce; ++i) {
            const int k = line + i * sharing;
            w[i] = k < lastLine ? loadRun<4>(from + int64_t(k) * wideStep) : splat<4>(0);
            n[i] = k < lastLine ? loadRun<4>(narrow + int64_t(k) * narrowStep + few0) : splat<4>(0);
        }
#pragma unroll
        for (int i = 0; i < atOnce; ++i)
#pragma unroll
            for (int r = 0; r < 4; ++r)
#pragma unroll
                for (int c = 0; c < 4; ++c) acc[r][c] = math::fma(w[i].at[r], n[i].at[c], acc[r][c]);
    }

    // ---- an item: four sums that lie side by side in the result
    const auto place = [&](int item) {
        const int j = item / across, first = 4 * (run0 + item % across);
        return fewLines ? int64_t(few0 + j) * p.n + first : int64_t(first + j) * p.n + few0;
    };
    if (y < sharing)
#pragma unroll
        for (int j = 0; j < 4; ++j)
            sums[y * items + j * across + x] = fewLines
                                                   ? make_float4(acc[0][j], acc[1][j], acc[2][j], acc[3][j])
                                                   : make_float4(acc[j][0], acc[j][1], acc[j][2], acc[j][3]);
    __syncthreads();
    const auto total = [&](int item, int count) {
        Lanes<4> all = splat<4>(0);
        for (int i = 0; i < count; ++i) add(all, loadRun<4>(&sums[i * items + item].x));
        return all;
    };
    const auto finish = [&](int item, Lanes<4> v) {
#pragma unroll
        for (int i = 0; i < 4; ++i) v.at[i] *= p.scale;
        storeRun<4>(member.out + place(item), v);
    };
    const int64_t whole = int64_t(p.m) * p.n;
    if (thread < items) {
        const Lanes<4> v = total(thread, sharing);
        p.splits == 1 ? finish(thread, v) : storeRun<4>(p.partial + split * whole + place(thread), v);
    }
    if (p.splits == 1 || !lastOf(member.tickets + tile, uint32_t(p.splits))) return;
    const int item = thread % items, group = thread / items, groups = threads / items;
    if (group < groups) {
        Lanes<4> v = splat<4>(0);
        const float* const shares = p.partial + place(item);
#pragma unroll 8
        for (int s = group; s < p.splits; s += groups) {
            const float4 share = __ldcg(reinterpret_cast<const float4*>(shares + s * whole));
            add(v, {share.x, share.y, share.z, share.w});
        }
        storeRun<4>(&sums[thread].x, v);
    }
    __syncthreads();
    if (thread < items) finish(thread, total(thread, groups));
}

}  // namespace

void launchNarrow(const Together& all, cudaStream_t stream) {
    multiplyNarrow<<<uint32_t(all.blocks), threads, 0, stream>>>(all);
}

}  // namespace core::cuda
