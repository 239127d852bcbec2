// A perceptron for very many rows: its hidden layers' weights stay in registers, its activations in shared
// memory, and only what goes in and comes out touches the card's memory.
#include "core/cuda/kernels/lines.cuh"

namespace core::cuda {
namespace {

constexpr int rowRuns = Chain::wideRows / 16;

// Of hidden layers that are W wide.
template <int W>
constexpr int warps = W / (8 * runs);
template <int W>
constexpr int threads = 32 * warps<W>;
template <int W>
constexpr int step = W + 16;  // from row to row
template <int W>
constexpr int steps = W / 16;  // of 16 k

// A warp's 16 columns of a layer, rounded; in the order of lines.cuh.
template <int W>
struct Layer {
    uint32_t at[steps<W>][runs][4];
};

template <int W>
__device__ __forceinline__ void loadLayer(Layer<W>& w, const Product& p) {
    const int g = laneId() / 4, t = laneId() % 4, n = int(threadIdx.x) / 32 * 8 * runs + runs * g;
#pragma unroll
    for (int s = 0; s < steps<W>; ++s)
#pragma unroll
        for (int j = 0; j < runs; ++j) {
            const Lanes<4> v = loadRun<4>(p.b + (n + j) * p.ldb + 16 * s + 4 * t);
#pragma unroll
            for (int q = 0; q < 4; ++q) w.at[s][j][q] = toTf32(v.at[q]);
        }
}

__device__ __forceinline__ void keepRounded(float* to, const Lanes<4>& v) {
    storeRun<4>(to, each<4>(v, [](float x) { return __uint_as_float(toTf32(x)); }));
}

template <int W>
__device__ __forceinline__ void multiplyLayer(const Layer<W>& w, const Link& l, int first, int count,
                                              const float* left, float* result) {
    const Product& p = l.product;
    const int g = laneId() / 4, t = laneId() % 4;
    const uint32_t column = uint32_t(int(threadIdx.x) / 32 * 8 * runs + 4 * t);
    Awaited awaited;
#pragma unroll 1
    for (int i = 0; i < rowRuns; ++i) {
        const int row = 16 * i + g;
        const uint32_t e0 = uint32_t(first + row) * uint32_t(p.lde) + column;
        const uint32_t e[2] = {e0, e0 + 8 * uint32_t(p.lde)};
        const bool there[2] = {row < count, row + 8 < count};
        askRows(awaited, p.straight, column);
        ask<false>(awaited, p.straight, column, e, there);
        float acc[2][runs][4] = {};  // even and odd k, so that sums wait less for each other
        const float* const line = left + row * step<W> + 4 * t;
#pragma unroll
        for (int s = 0; s < steps<W>; ++s) {
            const Lanes<4> upper = loadRun<4>(line + 16 * s), lower = loadRun<4>(line + 16 * s + 8 * step<W>);
#pragma unroll
            for (int h = 0; h < 2; ++h) {
                const uint32_t of[4] = {__float_as_uint(upper.at[2 * h]), __float_as_uint(lower.at[2 * h]),
                                        __float_as_uint(upper.at[2 * h + 1]),
                                        __float_as_uint(lower.at[2 * h + 1])};
#pragma unroll
                for (int j = 0; j < runs; ++j) {
                    const uint32_t b[2] = {w.at[s][j][2 * h], w.at[s][j][2 * h + 1]};
                    multiplyAdd(acc[h][j], of, b);
                }
            }
        }
        Lanes<4> v[2];
#pragma unroll
        for (int h = 0; h < 4; ++h)
#pragma unroll
            for (int j = 0; j < runs; ++j)
                v[h / 2].at[runs * (h % 2) + j] = (acc[0][j][h] + acc[1][j][h]) * p.scale;
        finishStraight<false>(p.straight, awaited, e, there, v);
        keepRounded(result + row * step<W> + column, v[0]);
        keepRounded(result + (row + 8) * step<W> + column, v[1]);
    }
    __syncthreads();
}

// From few numbers to a row of the first layer's: a thread takes four columns, where there are as many.
template <int W>
__device__ __noinline__ void enter(const Link& l, int first, int count, float* result) {
    const Product& p = l.product;
    const bool mine = W == 128 || 4 * laneId() < W;
    const int n = mine ? 4 * laneId() : 0;
    float b[Link::shortest][4];
#pragma unroll
    for (int k = 0; k < Link::shortest; ++k)
#pragma unroll
        for (int q = 0; q < 4; ++q)
            b[k][q] = k >= p.k ? 0.0f : p.rightTurned ? p.b[(n + q) * p.ldb + k] : p.b[k * p.ldb + n + q];
#pragma unroll 1
    for (int row = 2 * (int(threadIdx.x) / 32); row < Chain::wideRows; row += 2 * warps<W>) {
        const bool there[2] = {mine && row < count, mine && row + 1 < count};
        const uint32_t e0 = uint32_t(first + row) * uint32_t(p.lde) + uint32_t(n);
        const uint32_t e[2] = {e0, e0 + uint32_t(p.lde)};
        Awaited awaited;
        askRows(awaited, p.straight, uint32_t(n));
        ask<false>(awaited, p.straight, uint32_t(n), e, there);
        Lanes<4> v[2] = {splat<4>(0), splat<4>(0)};
#pragma unroll
        for (int k = 0; k < Link::shortest; ++k) {
            if (k >= p.k) continue;
            const float* const a = p.a + int64_t(first + row) * p.lda + k;
            const float a0 = there[0] ? a[0] : 0.0f, a1 = there[1] ? a[p.lda] : 0.0f;
#pragma unroll
            for (int q = 0; q < 4; ++q) {
                v[0].at[q] = __fmaf_rn(a0, b[k][q], v[0].at[q]);
                v[1].at[q] = __fmaf_rn(a1, b[k][q], v[1].at[q]);
            }
        }
#pragma unroll
        for (int q = 0; q < 4; ++q) v[0].at[q] *= p.scale, v[1].at[q] *= p.scale;
        finishStraight<false>(p.straight, awaited, e, there, v);
        if (!mine) continue;
        keepRounded(result + row * step<W> + n, v[0]);
        keepRounded(result + (row + 1) * step<W> + n, v[1]);
    }
    __syncthreads();
}

// From the last layer's row to few numbers: a warp takes some rows, and each of its threads what comes out of
// one element at a time.
template <int W>
__device__ __noinline__ void leave(const Link& l, int first, int count, const float* left) {
    constexpr int perWarp = (Chain::wideRows + warps<W> - 1) / warps<W>;
    constexpr int elements = (Link::fewest * perWarp + 31) / 32;
    const Product& p = l.product;
    const bool inside = W == 128 || 4 * laneId() < W;
    const int k = inside ? 4 * laneId() : 0, row0 = int(threadIdx.x) / 32 * perWarp;
    float mine[elements] = {};
#pragma unroll 1
    for (int n = 0; n < p.n; ++n) {
        float b[4];
#pragma unroll
        for (int q = 0; q < 4; ++q) b[q] = p.rightTurned ? p.b[n * p.ldb + k + q] : p.b[(k + q) * p.ldb + n];
#pragma unroll
        for (int i = 0; i < perWarp; ++i) {
            const Lanes<4> a = loadRun<4>(left + min(row0 + i, Chain::wideRows - 1) * step<W> + k);
            float total = 0;
#pragma unroll
            for (int q = 0; q < 4; ++q) total = __fmaf_rn(a.at[q], b[q], total);
            if (!inside) total = 0;
#pragma unroll
            for (int across = 16; across > 0; across /= 2)
                total += __shfl_xor_sync(0xffffffffu, total, across);
            const int at = n * perWarp + i;
#pragma unroll
            for (int e = 0; e < elements; ++e)
                if (at == 32 * e + laneId()) mine[e] = total * p.scale;
        }
    }
#pragma unroll
    for (int e = 0; e < elements; ++e) {
        const int at = 32 * e + laneId(), n = at / perWarp, row = row0 + at - n * perWarp;
        if (n < p.n && row < count)
            runProgram<1>(l.program, l.pass, uint32_t(first + row) * uint32_t(p.lde) + uint32_t(n),
                          splat<1>(mine[e]));
    }
    __syncthreads();
}

template <int LAYERS, int W>
__global__ void __launch_bounds__(threads<W>, 1) wideChain(const __grid_constant__ Chain c) {
#if __CUDA_ARCH__ >= 800  // older cards have no such units, and are not asked to
    extern __shared__ __align__(16) float shared[];
    __shared__ Link links[Chain::wideLinks];
    for (int i = int(threadIdx.x); i < c.count * int(sizeof(Link) / 16); i += threads<W>)
        copyAsync4(reinterpret_cast<float*>(links) + 4 * i, reinterpret_cast<const float*>(c.links) + 4 * i,
                   true);
    commit();
    awaitAll();
    awaitEarlier();
    __syncthreads();
    const int first = int(blockIdx.x) * Chain::wideRows, count = min(Chain::wideRows, c.rows - first);
    float *left = shared, *result = shared + Chain::wideRows * step<W>;
    Layer<W> layer[LAYERS];
#pragma unroll
    for (int i = 0; i < LAYERS; ++i) loadLayer(layer[i], links[1 + i].product);
    enter<W>(links[0], first, count, left);
#pragma unroll
    for (int i = 0; i < LAYERS; ++i) {
        multiplyLayer(layer[i], links[1 + i], first, count, left, result);
        float* const kept = result;
        result = left, left = kept;
    }
    leave<W>(links[1 + LAYERS], first, count, left);
    for (int i = 2 + LAYERS; i < c.count; ++i) {
        const Link& l = links[i];
        for (uint32_t e = uint32_t(first * l.each) + threadIdx.x; e < uint32_t((first + count) * l.each);
             e += threads<W>)
            runProgram<1>(l.program, l.pass, e, splat<1>(0));
        __syncthreads();
    }
#endif
}

template <int LAYERS, int W>
void launchLayers(const Chain& c, cudaStream_t stream) {
    constexpr size_t bytes = sizeof(float) * 2 * Chain::wideRows * step<W>;
    static const cudaError_t raised =
        cudaFuncSetAttribute(wideChain<LAYERS, W>, cudaFuncAttributeMaxDynamicSharedMemorySize, int(bytes));
    (void)raised;
    wideChain<LAYERS, W>
        <<<uint32_t((c.rows + Chain::wideRows - 1) / Chain::wideRows), threads<W>, bytes, stream>>>(c);
}

template <int W>
void launchWidth(const Chain& c, cudaStream_t stream) {
    switch (c.layers) {
        case 1:
            return launchLayers<1, W>(c, stream);
        case 2:
            return launchLayers<2, W>(c, stream);
        default:
            return launchLayers<3, W>(c, stream);
    }
}

}  // namespace

void launchWideChain(const Chain& c, cudaStream_t stream) {
    switch (c.width) {
        case 64:
            return launchWidth<64>(c, stream);
        case 96:
            return launchWidth<96>(c, stream);
        default:
            return launchWidth<128>(c, stream);
    }
}

}  // namespace core::cuda
