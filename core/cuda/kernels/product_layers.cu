// Two layers of a perceptron by one launch on Hopper cards. Four blocks take some rows through
// the layer between, of which each block makes a quarter; what nobody else reads of it never leaves the
// processors. In the end each block adds up what all four have made of a quarter of the rows.
#include "core/cuda/kernels/boxes.h"
#include "core/cuda/kernels/kernels.h"
#include "core/cuda/kernels/straight.cuh"
#include "core/cuda/kernels/tiles.cuh"
#include "core/cuda/kernels/wgmma.cuh"

namespace core::cuda {
namespace {

constexpr int along = boxWidth, height = Layers::rows, parts = Layers::parts, chunk = Layers::chunk;
constexpr int consumers = 2 * height, threads = consumers + 128;  // 64 rows for a warpgroup; another copies

// Numbers of shared memory: the rows, a chunk of the layer between, and what weights pass through. A chunk's
// weights of either product are two stages.
template <int WIDTH>
struct Room {
    static constexpr int left = height * WIDTH, between = height * chunk, stage = WIDTH * along;
    static constexpr int stages = WIDTH > 128 ? 4 : 6, outStep = WIDTH + 8;
    static constexpr int bytes = 4 * (left + between + stages * stage) + 1024;
    static_assert(height * outStep <= left + between);
};

// ---- what the blocks of a cluster tell each other

#if defined(__CUDA_ARCH_FEAT_SM90_ALL)
// All blocks see what any has written before; or, more cheaply, each has come so far.
__device__ __forceinline__ void publishCluster() {
    asm volatile("barrier.cluster.arrive.release.aligned;" ::: "memory");
    asm volatile("barrier.cluster.wait.acquire.aligned;" ::: "memory");
}
__device__ __forceinline__ void meetCluster() {
    asm volatile("barrier.cluster.arrive.relaxed.aligned;" ::: "memory");
    asm volatile("barrier.cluster.wait.aligned;" ::: "memory");
}
// Blocks that are no cluster: until all parts of some rows have come so far. The ticket is never put back: it
// counts on from launch to launch.
__device__ __forceinline__ void awaitOthers(uint32_t* ticket) {
    const uint32_t all = (atomicAdd(ticket, 1) / parts + 1) * parts;
    uint32_t now;
    do asm volatile("ld.acquire.gpu.global.u32 %0, [%1];" : "=r"(now) : "l"(ticket) : "memory");
    while (int32_t(now - all) < 0);
}
__device__ __forceinline__ Lanes<4> loadLate(const float* at) {
    const float4 v = __ldcg(reinterpret_cast<const float4*>(at));
    return {v.x, v.y, v.z, v.w};
}
// What lies at the same place of another block's shared memory.
__device__ __forceinline__ Lanes<4> loadFrom(int block, const float* at) {
    Lanes<4> v;
    asm volatile(
        "{\n"
        ".reg .u32 there;\n"
        "mapa.shared::cluster.u32 there, %4, %5;\n"
        "ld.shared::cluster.v4.f32 {%0, %1, %2, %3}, [there];\n"
        "}"
        : "=f"(v.at[0]), "=f"(v.at[1]), "=f"(v.at[2]), "=f"(v.at[3])
        : "r"(sharedAddress(at)), "r"(block)
        : "memory");
    return v;
}

constexpr bool isSlope(Op f) {
    return f == Op::geluSlope || f == Op::erfGeluSlope;
}
#endif

template <int WIDTH, Op F>
__global__ void __launch_bounds__(threads, 1)
    multiplyLayers(const __grid_constant__ CUtensorMap x, const __grid_constant__ CUtensorMap w,
                   const __grid_constant__ CUtensorMap w2, const __grid_constant__ Layers layers) {
#if defined(__CUDA_ARCH_FEAT_SM90_ALL)
    using R = Room<WIDTH>;
    extern __shared__ char raw[];
    __shared__ uint64_t full[R::stages], empty[R::stages], arrived[2];
    float* const shared = reinterpret_cast<float*>(raw + (1024 - sharedAddress(raw) % 1024) % 1024);
    float *const between = shared + R::left, *const ring = between + R::between;
    const Product &p = layers.first, &q = layers.second;
    const int thread = int(threadIdx.x), warp = thread / 32, lane = thread % 32;
    const int part = int(blockIdx.x), m0 = int(blockIdx.y) * height;
    const int first = p.n / parts * part, chunks = p.n / parts / chunk;
    constexpr int boxesHalf = WIDTH / along / 2;  // of half a line
    if (thread == 0) {
        for (int s = 0; s < R::stages; ++s) {
            initBarrier(full + s, 1);
            initBarrier(empty + s, consumers / 32);
        }
        for (int h = 0; h < 2; ++h) initBarrier(arrived + h, 1);
        publishBarriers();
        prefetchMap(x);
        prefetchMap(w);
        prefetchMap(w2);
    }
    __syncthreads();
    awaitEarlier();

    if (warp >= consumers / 32) {  // the copies
        asm volatile("setmaxnreg.dec.sync.aligned.u32 40;");
        int turn = 0;
        const auto nextStage = [&] {
            const int s = turn % R::stages, round = turn / R::stages;
            if (round > 0) awaitBarrier(empty + s, (round - 1) & 1);
            arriveExpecting(full + s, 4 * R::stage);
            ++turn;
            return s;
        };
        const auto bring = [&](int c) {
            for (int h = 0; h < 2; ++h) {
                if (c == 0) {
                    arriveExpecting(arrived + h, 4 * R::left / 2);
                    for (int i = h * boxesHalf; i < (h + 1) * boxesHalf; ++i)
                        copyBox(shared + i * height * along, x, i * along, m0, 0, arrived + h);
                }
                const int s = nextStage();
                for (int i = 0; i < boxesHalf; ++i)
                    copyBox(ring + s * R::stage + i * chunk * along, w, (h * boxesHalf + i) * along,
                            first + c * chunk, 0, full + s);
            }
        };
        for (int c = 0; thread == consumers && c <= chunks; ++c) {
            if (c < chunks) bring(c);
            for (int h = 0; c > 0 && h < 2; ++h) {
                const int s = nextStage();
                copyBox(ring + s * R::stage, w2, first + (c - 1) * chunk + h * along, 0, 0, full + s);
            }
        }
        __syncwarp();
        if (layers.partial) return;
        publishCluster();
        meetCluster();
        return;
    }
    asm volatile("setmaxnreg.inc.sync.aligned.u32 232;");
    const int group = warp / 4, row = warp % 4 * 16 + lane / 4;  // of the group's 64; and eight further on
    constexpr int unit = WIDTH % 96 == 0 ? 96 : 64;              // columns of one instruction
    float acc[chunk / 8][4], out[WIDTH / unit][unit / 8][4] = {};
    int turn = 0;
    const auto awaitStage = [&] { awaitBarrier(full + turn % R::stages, turn / R::stages & 1); };
    const auto freeStages = [&](int from) {
        for (int i = 0; lane == 0 && i < 2; ++i) arrive(empty + (from + i) % R::stages);
    };
    const auto multiplyFirst = [&] {
#pragma unroll
        for (int j = 0; j < chunk / 8; ++j)
#pragma unroll
            for (int i = 0; i < 4; ++i) acc[j][i] = 0;
        beginMultiplying();
#pragma unroll
        for (int h = 0; h < 2; ++h, ++turn) {
            awaitBarrier(arrived + h, 0);
            awaitStage();
#pragma unroll
            for (int i = 0; i < boxesHalf; ++i) {
                const uint64_t left =
                    describe(shared + (h * boxesHalf + i) * height * along + group * 64 * along);
                const uint64_t right = describe(ring + turn % R::stages * R::stage + i * chunk * along);
#pragma unroll
                for (int step = 0; step < along / 8; ++step)
                    multiplyGroup(acc, left + step * stepAlong, right + step * stepAlong);
            }
        }
        commitMultiplying();
    };
    float* const own = between + group * 64 * chunk;
    const auto multiplySecond = [&] {
        beginMultiplying();
#pragma unroll
        for (int h = 0; h < 2; ++h, ++turn) {
            awaitStage();
            const uint64_t left = describe(own + h * 64 * along);
            const uint64_t right = describe(ring + turn % R::stages * R::stage);
#pragma unroll
            for (int step = 0; step < along / 8; ++step)
#pragma unroll
                for (int u = 0; u < WIDTH / unit; ++u)
                    multiplyGroup(out[u], left + step * stepAlong,
                                  right + step * stepAlong + (u * unit * along * 4 >> 4));
        }
        commitMultiplying();
    };

    // ---- the program between: of two rows, pairs of columns
    const Straight& s = p.straight;
    const int line = m0 + group * 64 + row;
    const bool lineThere[2] = {line < p.m, line + 8 < p.m};
    const auto pairOf = [&](const float* from) { return *reinterpret_cast<const float2*>(from); };
    const auto at = [&](int c) { return first + c * chunk + lane % 4 * 2; };
    float2 asked[isSlope(F) ? 2 : 1][chunk / 8];  // what slopes are of, or biases
    const auto askBetween = [&](int c) {
#pragma unroll
        for (int j = 0; j < chunk / 8; ++j)
            if constexpr (isSlope(F)) {
#pragma unroll
                for (int h = 0; h < 2; ++h)
                    if (lineThere[h])
                        asked[h][j] = pairOf(s.slopeOf + (line + 8 * h) * p.lde + at(c) + 8 * j);
            } else {
                asked[0][j] = s.bias ? pairOf(s.bias + at(c) + 8 * j) : make_float2(0, 0);
            }
    };
    const auto finishBetween = [&](int c) {
        Lanes<4> v[chunk / 8], slope[isSlope(F) ? chunk / 8 : 1];
        const auto store = [&](float* to) {
            if (!to) return;
#pragma unroll
            for (int h = 0; h < 2; ++h)
                if (lineThere[h])
#pragma unroll
                    for (int j = 0; j < chunk / 8; ++j)
                        *reinterpret_cast<float2*>(to + (line + 8 * h) * p.lde + at(c) + 8 * j) =
                            make_float2(v[j].at[2 * h], v[j].at[2 * h + 1]);
        };
#pragma unroll
        for (int j = 0; j < chunk / 8; ++j)
#pragma unroll
            for (int i = 0; i < 4; ++i) {
                v[j].at[i] = acc[j][i] * p.scale;
                const float2 of = asked[isSlope(F) ? i / 2 : 0][j];
                if constexpr (isSlope(F))
                    slope[j].at[i] = i % 2 ? of.y : of.x;
                else
                    v[j].at[i] += i % 2 ? of.y : of.x;
            }
        if constexpr (isSlope(F)) {
            activate<true>(F, s.a, slope);
            change(v, slope, [](float a, float b) { return a * b; });
        } else {
            store(s.early);
            activate<true>(F, s.a, v);
        }
        store(s.late);
#pragma unroll
        for (int j = 0; j < chunk / 8; ++j)
#pragma unroll
            for (int i = 0; i < 4; ++i) acc[j][i] = __uint_as_float(toTf32(v[j].at[i]));
    };
    // Into shared memory, swizzled as the copy engine would.
    const auto keep = [&] {
#pragma unroll
        for (int j = 0; j < chunk / 8; ++j)
#pragma unroll
            for (int h = 0; h < 2; ++h) {
                const int run = (2 * (j % 4) + lane % 4 / 2) ^ (lane / 4);
                *reinterpret_cast<float2*>(own + j / 4 * 64 * along + (row + 8 * h) * along + 4 * run +
                                           lane % 2 * 2) = make_float2(acc[j][2 * h], acc[j][2 * h + 1]);
            }
        asm volatile("fence.proxy.async.shared::cta;" ::: "memory");
        asm volatile("bar.sync %0, 128;" ::"r"(2 + group) : "memory");
    };

    // While a chunk goes through the program, the one before it is multiplied.
#pragma unroll 1
    for (int c = 0;; ++c) {
        const int from = turn;
        if (c < chunks) {
            askBetween(c);
            multiplyFirst();
        }
        if (c > 0) multiplySecond();
        if (c == chunks) break;
        if (c > 0)
            awaitMultiplied<1>();
        else
            awaitMultiplied<0>();
        freeStages(from);
        finishBetween(c);
        awaitMultiplied<0>();
        if (c > 0) freeStages(from + 2);
        keep();
    }
    constexpr int units = WIDTH / 64, each = 2;  // of what a thread finishes
    Awaited awaited[units];
    uint32_t e[units][each];
    bool there[each];
#pragma unroll
    for (int i = 0; i < each; ++i) {
        const int end = m0 + part * (height / parts) + warp * 4 + lane / 16 + 2 * i;
        there[i] = end < q.m;
#pragma unroll
        for (int u = 0; u < units; ++u) e[u][i] = uint32_t(end * q.lde + 64 * u + lane % 16 * 4);
    }
#pragma unroll
    for (int u = 0; u < units; ++u) {
        askRows(awaited[u], q.straight, uint32_t(64 * u + lane % 16 * 4));
        ask<true>(awaited[u], q.straight, uint32_t(64 * u + lane % 16 * 4), e[u], there);
    }
    awaitMultiplied<0>();
    const auto meet = [] { asm volatile("bar.sync 1, %0;" ::"n"(consumers) : "memory"); };
    meet();  // the operands are not read any more
    float* const shares = layers.partial + int64_t(blockIdx.y) * parts * height * WIDTH;
    float* const result = layers.partial ? shares + part * height * WIDTH : shared;
    const int step = layers.partial ? WIDTH : R::outStep;
#pragma unroll
    for (int u = 0; u < WIDTH / unit; ++u)
#pragma unroll
        for (int j = 0; j < unit / 8; ++j)
#pragma unroll
            for (int h = 0; h < 2; ++h)
                *reinterpret_cast<float2*>(result + (group * 64 + row + 8 * h) * step + u * unit + 8 * j +
                                           lane % 4 * 2) =
                    make_float2(out[u][j][2 * h], out[u][j][2 * h + 1]);
    if (layers.partial) {
        __threadfence();
        meet();
        if (thread == 0) awaitOthers(layers.tickets + blockIdx.y);
        meet();
    } else {
        publishCluster();
    }

    Lanes<4> v[units][each];
    const int own32 = (part * (height / parts) + warp * 4 + lane / 16) * step + lane % 16 * 4;
#pragma unroll
    for (int u = 0; u < units; ++u)
#pragma unroll
        for (int i = 0; i < each; ++i) {
            Lanes<4> share[parts];
            const int at = own32 + 2 * i * step + 64 * u;
#pragma unroll
            for (int block = 0; block < parts; ++block)
                share[block] = layers.partial ? loadLate(shares + block * height * WIDTH + at)
                                              : loadFrom(block, shared + at);
#pragma unroll
            for (int k = 0; k < 4; ++k)
                v[u][i].at[k] =
                    ((share[0].at[k] + share[1].at[k]) + (share[2].at[k] + share[3].at[k])) * q.scale;
        }
    Straight ends = q.straight;
    ends.activation = ends.slope = 0;  // there is none behind two layers
#pragma unroll
    for (int u = 0; u < units; ++u) finishStraight<true>(ends, awaited[u], e[u], there, v[u]);
    if (!layers.partial) meetCluster();  // nobody leaves while others read what it made
#endif
}

template <int WIDTH, Op F>
void launchWidth(const Layers& l, cudaStream_t stream) {
    using R = Room<WIDTH>;
    const auto kernel = multiplyLayers<WIDTH, F>;
    static const cudaError_t raised =
        cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, R::bytes);
    (void)raised;
    const auto of = [](const float* data, int k, int lines, int apart, int box) {
        return boxes({data, k, lines, apart, 1, apart}, box);
    };
    const Product &p = l.first, &q = l.second;
    cudaLaunchAttribute cluster = {};
    cluster.id = cudaLaunchAttributeClusterDimension;
    cluster.val.clusterDim.x = parts, cluster.val.clusterDim.y = cluster.val.clusterDim.z = 1;
    cudaLaunchConfig_t config = {};
    config.gridDim = dim3(parts, uint32_t((p.m + height - 1) / height));
    config.blockDim = dim3(threads);
    config.dynamicSmemBytes = R::bytes;
    config.stream = stream;
    config.attrs = &cluster, config.numAttrs = 1;
    static const int fit = [&] {
        int clusters = 0;
        return cudaOccupancyMaxActiveClusters(&clusters, kernel, &config) == cudaSuccess ? clusters : 0;
    }();
    // Not all processors can be parts of clusters; where that would make some wait for others, blocks are
    // alone.
    Layers told = l;
    if (int(config.gridDim.y) <= fit)
        told.partial = nullptr;
    else
        config.numAttrs = 0;
    cudaLaunchKernelEx(&config, kernel, of(p.a, p.k, p.m, p.lda, height), of(p.b, p.k, p.n, p.ldb, chunk),
                       of(q.b, q.k, q.n, q.ldb, WIDTH), told);
}

template <int WIDTH>
void launchProgram(const Layers& l, cudaStream_t stream) {
    switch (Op(l.first.straight.slope ? l.first.straight.slope : l.first.straight.activation)) {
        case Op::gelu:
            return launchWidth<WIDTH, Op::gelu>(l, stream);
        case Op::geluSlope:
            return launchWidth<WIDTH, Op::geluSlope>(l, stream);
        case Op::erfGelu:
            return launchWidth<WIDTH, Op::erfGelu>(l, stream);
        default:
            return launchWidth<WIDTH, Op::erfGeluSlope>(l, stream);
    }
}

}  // namespace

void launchLayers(const Layers& layers, cudaStream_t stream) {
    layers.second.n == 128 ? launchProgram<128>(layers, stream) : launchProgram<192>(layers, stream);
}

}  // namespace core::cuda
