// Perceptrons in one kernel: a block takes its rows through product after product, forwards and backwards.
// What counts is how few instructions stand behind each other, not how many run side by side.
#include "core/cuda/kernels/links.cuh"

namespace core::cuda {
namespace {

constexpr int threads = Chain::threads, warps = threads / 32;

template <bool TURN>
__device__ __noinline__ void multiplyLink(const Link& l, int first, int count, int step, float* left,
                                          float* result) {
    const Product p = l.product;  // its flags are read at once, not one behind the other
    const int warp = int(threadIdx.x) / 32;
    multiplyTiles<1, warps, TURN, false>(p, l.program, l.pass, warp, p.n / (8 * runs), first, count, step,
                                         left, l.keeps ? result : nullptr, [&] {
                                             if (l.leftThere) return;
                                             stageLeft<1, warps>(p, first, count, step, left);
                                             awaitAll();
                                             __syncthreads();
                                         });
}

// Each warp takes two rows at a time, each thread four columns.
__device__ __noinline__ void multiplyShort(const Link& l, int first, int count, int step, float* result) {
    const Product p = l.product;
    const int apartN = p.rightTurned ? p.ldb : 1, apartK = p.rightTurned ? 1 : p.ldb;
    for (int row = 2 * (int(threadIdx.x) / 32); row < Chain::together; row += 2 * warps)
        for (int n = 4 * laneId(); n < p.n; n += 4 * 32) {
            const bool there[2] = {row < count, row + 1 < count};
            const uint32_t e0 = uint32_t(first + row) * uint32_t(p.lde) + uint32_t(n);
            const uint32_t e[2] = {e0, e0 + uint32_t(p.lde)};
            Awaited awaited;
            askRows(awaited, p.straight, uint32_t(n));
            ask<false>(awaited, p.straight, uint32_t(n), e, there);
            Lanes<4> v[2] = {splat<4>(0), splat<4>(0)};
            float a[Link::shortest][2], b[Link::shortest][4];  // all are asked for before one is used
#pragma unroll
            for (int k = 0; k < Link::shortest; ++k) {
                const float* const from = p.a + int64_t(first + row) * p.lda + k;
#pragma unroll
                for (int h = 0; h < 2; ++h) a[k][h] = k < p.k && there[h] ? from[h * p.lda] : 0.0f;
#pragma unroll
                for (int q = 0; q < 4; ++q)
                    if (k < p.k) b[k][q] = p.b[(n + q) * apartN + k * apartK];
            }
#pragma unroll
            for (int k = 0; k < Link::shortest; ++k)
#pragma unroll
                for (int q = 0; q < 4; ++q)
#pragma unroll
                    for (int h = 0; h < 2; ++h)
                        if (k < p.k) v[h].at[q] = __fmaf_rn(a[k][h], b[k][q], v[h].at[q]);
#pragma unroll
            for (int q = 0; q < 4; ++q) v[0].at[q] *= p.scale, v[1].at[q] *= p.scale;
            finish<false>(p, l.program, l.pass, awaited, e, there, v);
            if (l.keeps) {
                storeRun<4>(result + row * step + n, v[0]);
                storeRun<4>(result + (row + 1) * step + n, v[1]);
            }
        }
}

// Sixteen threads share an element.
__device__ __noinline__ void multiplyFew(const Link& l, int first, int count, int step, const float* left) {
    constexpr int crew = 16;
    const Product p = l.product;
    const int lane = int(threadIdx.x) % crew, all = count * p.n;
    for (int x = int(threadIdx.x) / crew; x - int(threadIdx.x) / crew < all; x += threads / crew) {
        const int at = min(x, all - 1), row = at / p.n, n = at - row * p.n;
        const float* const a = l.leftThere ? left + row * step : p.a + int64_t(first + row) * p.lda;
        const int apart = p.rightTurned ? 1 : p.ldb;
        const float* const b = p.b + (p.rightTurned ? n * p.ldb : n);
        float total = 0;
#pragma unroll 8
        for (int k = lane; k < p.k; k += crew) total = __fmaf_rn(a[k], b[k * apart], total);
#pragma unroll
        for (int width = crew / 2; width > 0; width /= 2) total += __shfl_xor_sync(0xffffffffu, total, width);
        if (lane == 0 && x < all)
            runProgram<1>(l.program, l.pass, uint32_t(first + row) * uint32_t(p.lde) + uint32_t(n),
                          splat<1>(total * p.scale));
    }
}

// A link on its way: every thread has a part of it.
struct Coming {
    static constexpr int parts = int(sizeof(Link) / 16);
    static_assert(parts <= threads);
    uint4 part;

    __device__ __forceinline__ void ask(const Link* from) {
        if (int(threadIdx.x) < parts) part = reinterpret_cast<const uint4*>(from)[threadIdx.x];
    }
    __device__ __forceinline__ void keep(Link& to) const {
        if (int(threadIdx.x) < parts) reinterpret_cast<uint4*>(&to)[threadIdx.x] = part;
    }
};

__global__ void __launch_bounds__(threads, 1) chain(const __grid_constant__ Chain c) {
#if __CUDA_ARCH__ >= 800  // older cards have no such units, and are not asked to
    extern __shared__ __align__(16) float shared[];
    __shared__ Link links[2];
    Coming coming;
    coming.ask(c.links);
    coming.keep(links[0]);
    awaitEarlier();
    __syncthreads();
    const int first = int(blockIdx.x) * Chain::together, count = min(Chain::together, c.rows - first);
    const int step = c.width + 16;
    float *left = shared, *result = shared + Chain::together * step;
    for (int i = 0; i < c.count; ++i) {
        stamp(c, i);
        if (i + 1 < c.count) coming.ask(c.links + i + 1);
        const Link& l = links[i % 2];
        switch (l.way) {
            case Link::elements:
                passElements<threads>(l, uint32_t(first * l.each), uint32_t((first + count) * l.each));
                break;
            case Link::tiles:
                l.product.rightTurned ? multiplyLink<true>(l, first, count, step, left, result)
                                      : multiplyLink<false>(l, first, count, step, left, result);
                break;
            case Link::shortSums:
                multiplyShort(l, first, count, step, result);
                break;
            default:
                multiplyFew(l, first, count, step, left);
                break;
        }
        if (l.keeps) {
            float* const kept = result;
            result = left, left = kept;
        }
        if (i + 1 < c.count) coming.keep(links[(i + 1) % 2]);
        __syncthreads();
    }
    stamp(c, c.count);
#endif
}

}  // namespace

void launchChain(const Chain& c, cudaStream_t stream) {
    if (c.layers > 0) return launchWideChain(c, stream);
    if (c.hidden > 0) return launchHiddenChain(c, stream);
    const size_t bytes = sizeof(float) * 2 * Chain::together * size_t(c.width + 16);
    chain<<<uint32_t((c.rows + Chain::together - 1) / Chain::together), threads, bytes, stream>>>(c);
}

// Chains, and products whose blocks keep their rows, need TF32 and more shared memory than all cards have.
bool hasChains(int device) {
    constexpr int room = 112 * 1024;
    int major = 0, most = 0;
    return cudaDeviceGetAttribute(&major, cudaDevAttrComputeCapabilityMajor, device) == cudaSuccess &&
           cudaDeviceGetAttribute(&most, cudaDevAttrMaxSharedMemoryPerBlockOptin, device) == cudaSuccess &&
           major >= 8 && most >= room;
}

}  // namespace core::cuda
