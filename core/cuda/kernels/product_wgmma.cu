// Products of many rows by the tensor cores of Hopper cards, both operands in lines along k. One warp has the
// copy engine bring tiles of them, 32 along k at a time; the others multiply, and take the result through a
// straight program.
#include "core/cuda/kernels/boxes.h"
#include "core/cuda/kernels/kernels.h"
#include "core/cuda/kernels/straight.cuh"
#include "core/cuda/kernels/tiles.cuh"
#include "core/cuda/kernels/wgmma.cuh"

namespace core::cuda {
namespace {

constexpr int along = boxWidth, mostStages = 8;

// Whether a product of low rank is added, and whether its left operand is made on the way, by further columns
// of the right one.
enum class Low { none, given, made };

// 64 GROUPS x BN elements of the result for a block.
template <int GROUPS, int BN, Low LOW>
struct GroupTile {
    static constexpr int m = 64 * GROUPS, n = BN, consumers = 128 * GROUPS, threads = consumers + 32;
    static constexpr int further = LOW == Low::made ? LowRank::mostMade : 0;
    static constexpr int stage = (m + n + further) * along, outStep = n + 8;  // floats
    static_assert(further <= outStep - n);
    static constexpr int low = LOW == Low::none ? 0 : (m + n) * along;  // the operands of low rank
    static constexpr int stages(int tiles) {  // along k; two blocks of one warpgroup fit a processor
        const int fit = (GROUPS * 108 * 1024 - 4 * low) / (4 * stage);
        const int most = fit < mostStages ? fit : mostStages;
        return tiles < most ? tiles : most;
    }
    // Where the operands of low rank begin; before them lie the others, and then the result.
    static constexpr int lowAt(int tiles) {
        const int operands = stages(tiles) * stage, result = (m * outStep + 255) / 256 * 256;
        return operands > result ? operands : result;
    }
    static constexpr int bytes(int tiles) { return 4 * (lowAt(tiles) + low) + 1024; }
};

// How the tile T is shared out.
template <class T>
struct Share {
    static constexpr int unit = T::n % 96 == 0 ? 96 : T::n % 64 == 0 ? 64 : 48;  // columns of one instruction
    // Of 16 lines in a warp: so many runs of four side by side, and so many lines for a thread.
    static constexpr int across = T::n % 32 == 0 ? 8 : 4, runs = across / 2;
};

__host__ __device__ constexpr int tilesOf(int k) {
    return (k + along - 1) / along;
}

// Rounded runs of four ranks of COUNT lines, as the copy engine would have swizzled them.
template <int COUNT, int CONSUMERS, class F>
__device__ __forceinline__ void placeRanks(float* to, int rank, F of) {
    for (int i = int(threadIdx.x); i < (rank + 7) / 8 * 2 * COUNT; i += CONSUMERS) {
        const int line = i % COUNT, run = i / COUNT;
        const Lanes<4> v = 4 * run < rank ? of(line, 4 * run) : splat<4>(0);
        storeRun<4>(to + line * along + 4 * (run ^ line % 8),
                    each<4>(v, [](float x) { return __uint_as_float(toTf32(x)); }));
    }
}

template <class T, Low LOW>
__global__ void __launch_bounds__(T::threads)
    multiply(const __grid_constant__ CUtensorMap a, const __grid_constant__ CUtensorMap b,
             const __grid_constant__ CUtensorMap down, const __grid_constant__ Product p,
             const __grid_constant__ Pass pass) {
#if defined(__CUDA_ARCH_FEAT_SM90_ALL)
    using S = Share<T>;
    extern __shared__ char raw[];
    __shared__ uint64_t full[mostStages], empty[mostStages];
    float* const shared = reinterpret_cast<float*>(raw + (1024 - sharedAddress(raw) % 1024) % 1024);
    const int thread = int(threadIdx.x), warp = thread / 32, lane = thread % 32;
    const int m0 = int(blockIdx.y) * T::m, n0 = int(blockIdx.x) * T::n;
    const int right0 = n0 + int(blockIdx.z) * p.n;  // of several right operands, one below the other
    const int tilesTerm = tilesOf(p.k), tilesK = tilesTerm * p.terms, stages = T::stages(tilesK);
    if (thread == 0) {
        for (int s = 0; s < stages; ++s) {
            initBarrier(full + s, 1);
            initBarrier(empty + s, T::consumers / 32);
        }
        publishBarriers();
        prefetchMap(a);
        prefetchMap(b);
        if constexpr (LOW == Low::made) prefetchMap(down);
    }
    __syncthreads();
    awaitEarlier();

    if (warp == T::consumers / 32) {  // the copies
        for (int tile = 0; lane == 0 && tile < tilesK; ++tile) {
            const int s = tile % stages, round = tile / stages;
            const int term = tile / tilesTerm, k = (tile - term * tilesTerm) * along;
            float* const to = shared + s * T::stage;
            if (round > 0) awaitBarrier(empty + s, (round - 1) & 1);
            arriveExpecting(full + s, 4 * T::stage);
            copyBox(to, a, k, m0, term, full + s);
            copyBox(to + T::m * along, b, k, right0, term, full + s);
            if constexpr (LOW == Low::made) copyBox(to + (T::m + T::n) * along, down, k, 0, term, full + s);
        }
        return;
    }

    // What the program reads of the block's first columns is on its way while the rest is multiplied.
    const int line0 = m0 + warp * 16 + lane / S::across, column0 = n0 + lane % S::across * 4;
    constexpr int linesApart = 32 / S::across;
    const auto askAt = [&](AwaitedRuns<S::runs>& w, int column, uint32_t(&e)[S::runs],
                           bool(&there)[S::runs]) {
#pragma unroll
        for (int i = 0; i < S::runs; ++i) {
            const int line = line0 + i * linesApart;
            there[i] = line < p.m && column < p.n;
            e[i] = uint32_t(blockIdx.z) * uint32_t(p.eOuter) + uint32_t(line * p.lde + column);
        }
        if (column < p.n) askRows(w, p.straight, uint32_t(column - n0 + right0));
        ask<true>(w, p.straight, uint32_t(column), e, there);
    };
    AwaitedRuns<S::runs> awaited;
    uint32_t e[S::runs];
    bool there[S::runs];
    askAt(awaited, column0, e, there);

    // What is of low rank is as one tile more along k.
    float *const lowLeft = shared + T::lowAt(tilesK), *const lowRight = lowLeft + T::m * along;
    if constexpr (LOW != Low::none) {
        const LowRank& low = p.low;
        const float scale = low.scale / p.scale;
        placeRanks<T::n, T::consumers>(lowRight, low.rank, [&](int line, int r) {
            if (n0 + line >= p.n) return splat<4>(0);
            const int channel = right0 + line;
            Lanes<4> v;
            if (low.turned)
                v = loadRun<4>(low.right + channel * low.rightStep + r);
            else
                for (int i = 0; i < 4; ++i) v.at[i] = low.right[(r + i) * low.rightStep + channel];
            return each<4>(v, [=](float x) { return x * scale; });
        });
        if constexpr (LOW == Low::given)
            placeRanks<T::m, T::consumers>(lowLeft, low.rank, [&](int line, int r) {
                return m0 + line < p.m ? loadRun<4>(low.left + (m0 + line) * low.leftStep + r) : splat<4>(0);
            });
    }

    constexpr int units = T::n / S::unit;
    float acc[units][S::unit / 8][4] = {}, further[1][4] = {};
    const float* const from = shared + warp / 4 * 64 * along;
    for (int tile = 0; tile < tilesK; ++tile) {
        const int s = tile % stages;
        awaitBarrier(full + s, tile / stages & 1);
        const uint64_t left = describe(from + s * T::stage);
        const uint64_t right = describe(shared + s * T::stage + T::m * along);
        beginMultiplying();
#pragma unroll
        for (int step = 0; step < along / 8; ++step) {
            const auto columns = [&](int first) {
                return right + step * stepAlong + (first * along * 4 >> 4);
            };
#pragma unroll
            for (int u = 0; u < units; ++u)
                multiplyGroup(acc[u], left + step * stepAlong, columns(u * S::unit));
            if constexpr (LOW == Low::made) multiplyGroup(further, left + step * stepAlong, columns(T::n));
        }
        commitMultiplying();
        if (tile > 0) {
            awaitMultiplied<1>();
            if (lane == 0) arrive(empty + (tile - 1) % stages);
        }
    }
    awaitMultiplied<0>();
    if constexpr (LOW == Low::made)
#pragma unroll
        for (int h = 0; h < 2; ++h) {
            const int line = warp * 16 + lane / 4 + 8 * h, run = lane % 4 / 2 ^ line % 8;
            const auto made = [&](int i) {
                return __uint_as_float(toTf32(further[0][2 * h + i] * p.low.downScale));
            };
            *reinterpret_cast<float2*>(lowLeft + line * along + 4 * run + lane % 2 * 2) =
                make_float2(made(0), made(1));
        }
    if constexpr (LOW != Low::none) asm volatile("fence.proxy.async.shared::cta;" ::: "memory");
    asm volatile("bar.sync 1, %0;" ::"n"(T::consumers) : "memory");
    if constexpr (LOW != Low::none) {
        beginMultiplying();
        const uint64_t left = describe(lowLeft + warp / 4 * 64 * along), right = describe(lowRight);
        for (int step = 0; step < (LOW == Low::made ? 1 : (p.low.rank + 7) / 8); ++step)
#pragma unroll
            for (int u = 0; u < units; ++u)
                multiplyGroup(acc[u], left + step * stepAlong,
                              right + step * stepAlong + (u * S::unit * along * 4 >> 4));
        commitMultiplying();
        awaitMultiplied<0>();
    }

    // Through shared memory, so that neighbouring threads have neighbouring elements. A warp keeps to its
    // own lines.
    float* const out = shared + warp * 16 * T::outStep;
#pragma unroll
    for (int u = 0; u < units; ++u)
#pragma unroll
        for (int j = 0; j < S::unit / 8; ++j)
#pragma unroll
            for (int h = 0; h < 2; ++h)
                *reinterpret_cast<float2*>(out + (lane / 4 + 8 * h) * T::outStep + u * S::unit + 8 * j +
                                           lane % 4 * 2) =
                    make_float2(acc[u][j][2 * h] * p.scale, acc[u][j][2 * h + 1] * p.scale);
    if constexpr (LOW == Low::made)
#pragma unroll
        for (int h = 0; h < 2; ++h)
            *reinterpret_cast<float2*>(out + (lane / 4 + 8 * h) * T::outStep + T::n + lane % 4 * 2) =
                make_float2(further[0][2 * h] * p.low.downScale, further[0][2 * h + 1] * p.low.downScale);
    __syncwarp();
    if constexpr (LOW == Low::made)
        if (const int line = m0 + warp * 16 + lane; right0 == 0 && lane < 16 && line < p.m)
            for (int r = 0; r < p.low.rank; r += 4)
                storeRun<4>(p.low.made + line * p.low.leftStep + r,
                            loadRun<4>(out + lane * T::outStep + T::n + r));
#pragma unroll 1
    for (int at = 0; at < T::n; at += 4 * S::across) {
        AwaitedRuns<S::runs> next;
        uint32_t eNext[S::runs] = {};
        bool thereNext[S::runs] = {};
        if (at + 4 * S::across < T::n) askAt(next, column0 + at + 4 * S::across, eNext, thereNext);
        Lanes<4> value[S::runs];
#pragma unroll
        for (int i = 0; i < S::runs; ++i)
            value[i] = loadRun<4>(out + (lane / S::across + i * linesApart) * T::outStep + at +
                                  lane % S::across * 4);
        if (pass.direct) {
#pragma unroll
            for (int i = 0; i < S::runs; ++i)
                if (there[i]) storeRun<4>(pass.direct + e[i], value[i]);
        } else {
            finishStraight<true>(p.straight, awaited, e, there, value);
        }
        awaited = next;
#pragma unroll
        for (int i = 0; i < S::runs; ++i) e[i] = eNext[i], there[i] = thereNext[i];
    }
#endif
}

template <int TILE, Low LOW>
void launchTile(const Product& p, const Pass& pass, cudaStream_t stream) {
    using T = GroupTile<Product::groupHeights[TILE] / 64, Product::groupWidths[TILE], LOW>;
    const auto kernel = multiply<T, LOW>;
    static const cudaError_t raised =
        cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, T::bytes(mostStages));
    (void)raised;
    const dim3 grid(uint32_t((p.n + T::n - 1) / T::n), uint32_t((p.m + T::m - 1) / T::m),
                    uint32_t(p.batches));
    const auto of = [&](const float* data, int lines, int apart, int64_t term, int box) {
        return boxes({data, p.k, lines, apart, p.terms, term ? term : apart}, box);
    };
    const CUtensorMap a = of(p.a, p.m, p.lda, p.aTerm, T::m);
    const CUtensorMap b = of(p.b, p.n * p.batches, p.ldb, p.bTerm, T::n);
    CUtensorMap down = b;
    if constexpr (LOW == Low::made)
        down = of(p.low.down, p.low.rank, p.low.downStep, p.low.downTerm, T::further);
    const size_t bytes = spread(kernel, grid, size_t(T::bytes(tilesOf(p.k) * p.terms)));
    kernel<<<grid, T::threads, bytes, stream>>>(a, b, down, p, pass);
}

template <int TILE>
void launchTiles(const Product& p, const Pass& pass, cudaStream_t stream) {
    if (p.groupTile == TILE)
        return p.low.down   ? launchTile<TILE, Low::made>(p, pass, stream)
               : p.low.left ? launchTile<TILE, Low::given>(p, pass, stream)
                            : launchTile<TILE, Low::none>(p, pass, stream);
    if constexpr (TILE + 1 < Product::groupTiles) launchTiles<TILE + 1>(p, pass, stream);
}

}  // namespace

void launchGroupProduct(const Product& p, const Pass& pass, cudaStream_t stream) {
    launchTiles<0>(p, pass, stream);
}

// Are they compiled for such a card, and is this one? Elsewhere the kernels are empty.
bool hasWarpgroups(int device) {
    int major = 0;
    cudaFuncAttributes attributes;
    return cudaDeviceGetAttribute(&major, cudaDevAttrComputeCapabilityMajor, device) == cudaSuccess &&
           cudaFuncGetAttributes(&attributes, multiply<GroupTile<1, 64, Low::none>, Low::none>) ==
               cudaSuccess &&
           major == 9 && attributes.sharedSizeBytes > 0;
}

}  // namespace core::cuda
