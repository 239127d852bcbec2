// Weights' gradients, A^T B over at most some hundred lines, several by one launch: a cluster of blocks makes
// a tile, each block over its share of the lines, and adds up what stands in the shared memory of all.
#include <algorithm>

#include "core/cuda/kernels/kernels.h"
#include "core/cuda/kernels/reductions.cuh"
#include "core/cuda/kernels/tiles.cuh"
#include "core/cuda/kernels/wgmma.cuh"

namespace core::cuda {
namespace {

// All of a block's share is on its way at once: a stage for each 32 lines.
constexpr int side = Together::clusterTile, few = Together::clusterFew, many = Together::clusterMany;
using T = Tile<side, side, 2, 2, Together::longestShare / depth>;
using Side = Lying<false, side>;
constexpr int threads = T::threads, warps = threads / 32;
static_assert(many == 4 * 32 && few == 2 && warps * Together::mostShares <= 32);

// What a block leaves in its shared memory for the others.
struct Share {
    float tile[side][T::outStep];
    float sums[2][side];  // of the lines of A, and of B
};
struct NarrowShare {
    float of[warps][few + 1][many];  // the products with the few columns, and the sums of the many
    float sums[warps][4];            // of the few
};
constexpr size_t bytes =
    std::max({sizeof(float) * T::stages * 2 * Side::size, sizeof(Share), sizeof(NarrowShare)});

#if defined(__CUDA_ARCH_FEAT_SM90_ALL)

__device__ __forceinline__ float4 loadOf(const float* here, int rank) {
    uint32_t there;
    float4 v;
    asm("mapa.shared::cluster.u32 %0, %1, %2;" : "=r"(there) : "r"(sharedAddress(here)), "r"(rank));
    asm volatile("ld.shared::cluster.v4.f32 {%0, %1, %2, %3}, [%4];"
                 : "=f"(v.x), "=f"(v.y), "=f"(v.z), "=f"(v.w)
                 : "r"(there)
                 : "memory");
    return v;
}

__device__ __forceinline__ void add(Lanes<4>& to, const float4& v) {
    to.at[0] += v.x, to.at[1] += v.y, to.at[2] += v.z, to.at[3] += v.w;
}

// Of the shares of all blocks, in the order of their lines.
__device__ __forceinline__ Lanes<4> total(const float* here, int sharing) {
    Lanes<4> out = splat<4>(0);
    float4 shares[Together::mostShares];
#pragma unroll
    for (int r = 0; r < Together::mostShares; ++r)
        if (r < sharing) shares[r] = loadOf(here, r);
#pragma unroll
    for (int r = 0; r < Together::mostShares; ++r)
        if (r < sharing) add(out, shares[r]);
    return out;
}

__device__ __forceinline__ void multiplyTile(const Member& member, int tile, int rank, int sharing,
                                             float* shared) {
    const Product& p = member.product;
    const int thread = int(threadIdx.x), warp = thread / 32, lane = thread % 32;
    const int M = p.m, N = p.n, K = p.k, lda = p.lda, ldb = p.ldb;
    const int across = (N + side - 1) / side, m0 = tile / across * side, n0 = tile % across * side;
    const int tilesK = (K + depth - 1) / depth, firstTile = tilesK * rank / sharing;
    const int lastTile = tilesK * (rank + 1) / sharing;
    float *const sharedA = shared, *const sharedB = shared + T::stages * Side::size;
    constexpr int perLine = side / 4, linesApart = threads / perLine, chunks = depth / linesApart;
    const int line = thread / perLine, place = thread % perLine * 4;
    const float *const a = p.a + m0 + place, *const b = p.b + n0 + place;
    awaitEarlier();
#pragma unroll
    for (int s = 0; s < T::stages; ++s) {
        const int k = (firstTile + s) * depth + line, to = s * Side::size + Side::at(line, place);
        if (firstTile + s < lastTile) {
            copyLines<chunks, linesApart, Side::step>(sharedA + to, a + int64_t(k) * lda, lda, K - k,
                                                      m0 + place < M);
            copyLines<chunks, linesApart, Side::step>(sharedB + to, b + int64_t(k) * ldb, ldb, K - k,
                                                      n0 + place < N);
        }
        commit();
    }
    float acc[T::rows][T::columns][4] = {}, sumsA[T::rows][2] = {}, sumsB[T::columns] = {};
    float *const toA = n0 == 0 ? p.rowSums : nullptr, *const toB = m0 == 0 ? p.columnSums : nullptr;
    const int warpM = warp / T::warpsN * T::rows * 16, warpN = warp % T::warpsN * T::columns * 8;
    for (int s = 0; s < lastTile - firstTile; ++s) {
        awaitStage<T::stages - 1>();
        __syncthreads();
        commit();
        const float *const fromA = sharedA + s * Side::size, *const fromB = sharedB + s * Side::size;
#pragma unroll
        for (int k = 0; k < depth; k += 8) {
            Fragments<T> fragments;
            fragments.template load<true, false>(fromA, fromB, warpM, warpN, k);
            if (toA && warpN == 0)
#pragma unroll
                for (int i = 0; i < T::rows; ++i)
#pragma unroll
                    for (int h = 0; h < 4; ++h) sumsA[i][h % 2] += __uint_as_float(fragments.a[i][h]);
            if (toB && warpM == 0)
#pragma unroll
                for (int j = 0; j < T::columns; ++j)
#pragma unroll
                    for (int h = 0; h < 2; ++h) sumsB[j] += __uint_as_float(fragments.b[j][h]);
            fragments.multiply(acc);
        }
    }
    __syncthreads();
    Share& share = *reinterpret_cast<Share*>(shared);
    const int g = lane / 4, t = lane % 4;
#pragma unroll
    for (int i = 0; i < T::rows; ++i)
#pragma unroll
        for (int j = 0; j < T::columns; ++j)
#pragma unroll
            for (int h = 0; h < 2; ++h)
                *reinterpret_cast<float2*>(&share.tile[warpM + 16 * i + g + 8 * h][warpN + 8 * j + 2 * t]) =
                    make_float2(acc[i][j][2 * h], acc[i][j][2 * h + 1]);
    const auto acrossT = [](float x) {
        x += __shfl_xor_sync(0xffffffffu, x, 1);
        return x + __shfl_xor_sync(0xffffffffu, x, 2);
    };
    if (toA && warpN == 0)
#pragma unroll
        for (int i = 0; i < T::rows; ++i)
#pragma unroll
            for (int h = 0; h < 2; ++h) {
                const float x = acrossT(sumsA[i][h]);
                if (t == 0) share.sums[0][warpM + 16 * i + g + 8 * h] = x;
            }
    if (toB && warpM == 0)
#pragma unroll
        for (int j = 0; j < T::columns; ++j) {
            const float x = acrossT(sumsB[j]);
            if (t == 0) share.sums[1][warpN + 8 * j + g] = x;
        }
    syncCluster();

    // Runs of four, a part of them by each block; the sums by the first.
    for (int run = rank * threads + thread; run < side * side / 4; run += sharing * threads) {
        const int m = run / (side / 4), n = run % (side / 4) * 4;
        if (m0 + m >= M || n0 + n >= N) continue;
        Lanes<4> v = total(&share.tile[m][n], sharing);
#pragma unroll
        for (int i = 0; i < 4; ++i) v.at[i] *= p.scale;
        storeRun<4>(member.out + int64_t(m0 + m) * N + n0 + n, v);
    }
    const bool ofA = thread < side;
    float* const to = ofA ? toA : toB;
    if (rank == 0 && to && thread % 4 == 0) {
        const int at = thread % side, first = (ofA ? m0 : n0) + at;
        const Lanes<4> v = total(&share.sums[ofA ? 0 : 1][at], sharing);
        for (int i = 0; i < 4; ++i)
            if (first + i < (ofA ? M : N)) to[first + i] = v.at[i];
    }
}

// A thread takes four of the many columns; every warp its share of the block's lines.
__device__ __forceinline__ void multiplyNarrow(const Member& member, int tile, int rank, int sharing,
                                               float* shared) {
    const Product& p = member.product;
    const int thread = int(threadIdx.x), warp = thread / 32, lane = thread % 32;
    const bool fewLines = p.m <= few;  // of the result
    const int ofMany = fewLines ? p.n : p.m, ofFew = fewLines ? p.m : p.n;
    const int wideStep = fewLines ? p.ldb : p.lda, narrowStep = fewLines ? p.lda : p.ldb;
    const int column = tile * many + 4 * lane;
    const bool inside = column < ofMany;
    const float* const wide = (fewLines ? p.b : p.a) + (inside ? column : 0);
    const float* const narrow = fewLines ? p.a : p.b;
    const int firstLine = p.k * rank / sharing, lastLine = p.k * (rank + 1) / sharing;
    constexpr int atOnce = 16;
    float acc[few][4] = {}, sum[4] = {}, sumFew[few] = {};
    awaitEarlier();
    for (int line0 = firstLine + warp; line0 < lastLine; line0 += atOnce * warps) {
        Lanes<4> w[atOnce];
        float x[atOnce][few];
#pragma unroll
        for (int i = 0; i < atOnce; ++i) {
            const int line = line0 + i * warps;
            const bool there = line < lastLine;
            w[i] = there ? loadRun<4>(wide + int64_t(line) * wideStep) : splat<4>(0);
#pragma unroll
            for (int j = 0; j < few; ++j)
                x[i][j] = there && j < ofFew ? narrow[int64_t(line) * narrowStep + j] : 0.0f;
        }
#pragma unroll
        for (int i = 0; i < atOnce; ++i) {
#pragma unroll
            for (int c = 0; c < 4; ++c) {
                sum[c] += w[i].at[c];
#pragma unroll
                for (int j = 0; j < few; ++j) acc[j][c] = __fmaf_rn(w[i].at[c], x[i][j], acc[j][c]);
            }
#pragma unroll
            for (int j = 0; j < few; ++j) sumFew[j] += x[i][j];
        }
    }
    NarrowShare& share = *reinterpret_cast<NarrowShare*>(shared);
#pragma unroll
    for (int j = 0; j <= few; ++j) {
        const float* const v = j < few ? acc[j] : sum;
        *reinterpret_cast<float4*>(&share.of[warp][j][4 * lane]) = make_float4(v[0], v[1], v[2], v[3]);
    }
    if (lane == 0) *reinterpret_cast<float4*>(share.sums[warp]) = make_float4(sumFew[0], sumFew[1], 0, 0);
    syncCluster();

    float *const manySums = fewLines ? p.columnSums : p.rowSums, *const fewSums =
                                                                     fewLines ? p.rowSums : p.columnSums;
    for (int item = rank * threads + thread; item < (few + 1) * many / 4; item += sharing * threads) {
        const int j = item / (many / 4), at = item % (many / 4) * 4, first = tile * many + at;
        if (first >= ofMany || (j < few ? j >= ofFew : !manySums)) continue;
        Lanes<4> v = splat<4>(0);
#pragma unroll
        for (int w = 0; w < warps; ++w) {
            const Lanes<4> more = total(&share.of[w][j][at], sharing);
#pragma unroll
            for (int i = 0; i < 4; ++i) v.at[i] += more.at[i];
        }
#pragma unroll
        for (int i = 0; i < 4; ++i)
            if (j == few)
                manySums[first + i] = v.at[i];
            else
                member.out[fewLines ? int64_t(j) * p.n + first + i : int64_t(first + i) * p.n + j] =
                    v.at[i] * p.scale;
    }
    if (rank == 0 && tile == 0 && warp == 0 && fewSums) {  // a lane for each warp of each block
        float4 v = {};
        if (lane < sharing * warps) v = loadOf(share.sums[lane % warps], lane / warps);
        v.x = warpSum(v.x), v.y = warpSum(v.y);
        if (lane < ofFew) fewSums[lane] = lane == 0 ? v.x : v.y;
    }
}
#endif

__global__ void __launch_bounds__(threads) clusters(const __grid_constant__ Together all) {
#if defined(__CUDA_ARCH_FEAT_SM90_ALL)  // other cards are not asked to
    extern __shared__ __align__(16) float shared[];
    const int sharing = clusterSize(), rank = rankInCluster(), cluster = int(blockIdx.x) / sharing;
    // A lane for each member: the last that begins before or here.
    const int lane = int(threadIdx.x % 32);
    const bool before = lane < all.count && all.list[lane].firstBlock <= cluster;
    const Member& member = all.list[__popc(__ballot_sync(0xffffffffu, before)) - 1];
    const int tile = cluster - member.firstBlock;
    std::min(member.product.m, member.product.n) <= few ? multiplyNarrow(member, tile, rank, sharing, shared)
                                                        : multiplyTile(member, tile, rank, sharing, shared);
    meetInCluster();  // until the others have read what stands here
#endif
}

}  // namespace

void launchClusters(const Together& all, cudaStream_t stream) {
    static const cudaError_t raised =
        cudaFuncSetAttribute(clusters, cudaFuncAttributeMaxDynamicSharedMemorySize, int(bytes));
    (void)raised;
    cudaLaunchAttribute cluster = {};
    cluster.id = cudaLaunchAttributeClusterDimension;
    cluster.val.clusterDim = {unsigned(all.shares), 1, 1};
    cudaLaunchConfig_t config = {};
    config.gridDim = uint32_t(all.blocks * all.shares), config.blockDim = uint32_t(threads);
    config.dynamicSmemBytes = bytes, config.stream = stream;
    config.attrs = &cluster, config.numAttrs = 1;
    cudaLaunchKernelEx(&config, clusters, all);
}

}  // namespace core::cuda
