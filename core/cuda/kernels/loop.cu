// A perceptron's repeats in one kernel, for Hopper's tensor cores: the hidden weights stay in shared memory;
// a warpgroup keeps its rows' activations in registers from layer to layer, and what its rows end with is
// where the next repeat begins. Nobody waits for anybody else's rows.
#include "core/cuda/kernels/kernels.h"
#include "core/cuda/kernels/loop_room.cuh"

namespace core::cuda {
namespace {

#if defined(__CUDA_ARCH_FEAT_SM90_ALL)

// A thread's column of a layer's biases: what stays, and what is another in every repeat.
struct Offset {
    float fixed = 0;
    Rowed moving = {nullptr, 0};
    __device__ float in(int repeat) const {
        return moving.at ? fixed + moving.at[repeat * moving.step] : fixed;
    }
};
__device__ __forceinline__ Offset offsetOf(const Loop& l, const Straight& s, int column) {
    Offset out;
    const float* const biases[2] = {s.bias, s.bias2};
    for (const float* bias : biases) {
        if (!bias) continue;
        const Rowed row = rowed(l, bias + column);
        if (row.step > 0)
            out.moving = row;
        else
            out.fixed += *row.at;
    }
    return out;
}

// What comes out, and what is made of it. Four threads share two rows, and have the results of both.
template <bool BOTH, int W>
__device__ __forceinline__ void finishRows(const Loop& l, Room<W>& room, int mine,
                                           const float (&results)[2][most], const Rows& rows, int outputs) {
    const auto result = [&](int half, int column) {
        float x = 0;
#pragma unroll
        for (int c = 0; c < most; ++c)
            if (c == column) x = half ? results[1][c] : results[0][c];
        return x;
    };
    const int t = int(threadIdx.x) % 4;
    if (l.sumCount > 0) {
#pragma unroll 1
        for (int at = t; at < (BOTH ? 2 : 1) * outputs; at += 4) {
            const int half = at >= outputs, column = at - half * outputs;
            const int place = rows.of(half) * outputs + column;
            const float x = result(half, column);
#pragma unroll
            for (int i = 0; i < Loop::mostSums; ++i) {
                if (i >= l.sumCount) continue;
                const Loop::Sum& s = l.sums[i];
                float v = __fmaf_rn(x, s.ofResult, s.number);
                if (s.row) v = __fmaf_rn(s.row[column], s.ofRow, v);
                if (s.from >= 0) v = __fmaf_rn(room.states[mine][s.from][place], s.ofState, v);
                room.states[mine][s.to][place] = v;
            }
        }
        __syncwarp();
        return;
    }
#pragma unroll 1
    for (int i = 0; i < l.count - 1 - l.layers; ++i) {
        const End& end = room.ends[mine][i];
        const int n = end.each;
#pragma unroll 1
        for (int at = t; at < (BOTH ? 2 : 1) * n; at += 4) {
            const int half = at >= n, column = at - half * n, row = rows.of(half);
            if (row < rows.count)
                runProgram<1>(end.program, end.pass,
                              uint32_t(rows.first + row) * uint32_t(n) + uint32_t(column),
                              splat<1>(result(half, column)));
        }
        __syncwarp();
    }
}

template <bool BOTH, int W>
__device__ __forceinline__ void runRows(const Loop& l, Room<W>& room, const Layer* about,
                                        const float* weights, const Rows& rows, int mine) {
    constexpr int halves = BOTH ? 2 : 1, groups = W / 8;
    const int t = int(threadIdx.x) % 4, thread = int(threadIdx.x) % crew;
    const Product &in = l.links[0].product, &out = l.links[1 + l.layers].product;
    const int inputs = in.k, outputs = out.n, endCount = l.count - 1 - l.layers;
    const float scaleOut = out.scale;
    int entering = 0;
    for (int s = 0; s < l.stateCount; ++s)
        if (l.states[s].home == in.a) entering = s;
    const float* const x = room.states[mine][entering];
    End* const ends = room.ends[mine];
    float(*const offsets)[W] = room.offsets[mine];
    Offset offset[1 + Loop::mostLayers];
#pragma unroll
    for (int i = 0; i <= Loop::mostLayers; ++i) {
        if (i > l.layers || thread >= W) continue;
        offset[i] = offsetOf(l, l.links[i].product.straight, thread);
        offsets[i][thread] = offset[i].in(0);
    }
    meet(mine);
    const bool shared = int(blockDim.x) > crew;
    if (mine == 1) giveTurn(0);

    // Activations: of rows g and g + 8 in columns 8 j + 2 t, and in those one further; and sums, row by row.
    uint32_t h[groups][4];
    float d[4 * groups];
#pragma unroll
    for (int j = 0; j < groups; ++j) h[j][1] = h[j][3] = 0;
#pragma unroll 1
    for (int repeat = 0; repeat < l.repeats; ++repeat) {
        const bool more = repeat + 1 < l.repeats;
        float next[1 + Loop::mostLayers] = {};
#pragma unroll
        for (int i = 0; i <= Loop::mostLayers; ++i)
            if (more && offset[i].moving.at) next[i] = offset[i].in(repeat + 1);
#pragma unroll 1
        for (int layer = 0; layer <= l.layers; ++layer) {
            if (layer == 0) {
#pragma unroll
                for (int i = 0; i < 4 * groups; ++i) d[i] = 0;
#pragma unroll
                for (int k = 0; k < Link::shortest; ++k) {
                    if (k >= inputs) continue;
                    float given[halves];
#pragma unroll
                    for (int r = 0; r < halves; ++r) given[r] = x[rows.of(r) * inputs + k];
#pragma unroll
                    for (int j = 0; j < groups; ++j) {
                        const float2 w = *reinterpret_cast<const float2*>(&room.in[k][8 * j + 2 * t]);
#pragma unroll
                        for (int r = 0; r < halves; ++r) {
                            d[4 * j + 2 * r] = __fmaf_rn(given[r], w.x, d[4 * j + 2 * r]);
                            d[4 * j + 2 * r + 1] = __fmaf_rn(given[r], w.y, d[4 * j + 2 * r + 1]);
                        }
                    }
                }
            } else {
                const uint64_t w = describeLines(weights + (layer - 1) * W * W);
                settle(d);
                if (shared) awaitTurn(mine);
                beginProducts();
#pragma unroll
                for (int s = 0; s < groups; ++s)
                    multiplyWide(d, h[s], w + uint64_t(s / 4 * (W * 32) + s % 4 * 8) / 4, s > 0);
                if (shared && (mine == 0 || more || layer < l.layers)) giveTurn(1 - mine);
                awaitProducts();
                settle(d);
            }
            // Rounded, unless it is the last that the tensor cores see.
            const uint32_t half = layer == l.layers ? 0u : 0x1000u;
            const float scale = about[layer].scale, a = about[layer].a;
            const auto activate = [&](auto&& pair) {
#pragma unroll
                for (int j = 0; j < groups; ++j) {
                    const float2 bias = *reinterpret_cast<const float2*>(&offsets[layer][8 * j + 2 * t]);
#pragma unroll
                    for (int r = 0; r < halves; ++r) {
                        float u = __fmaf_rn(d[4 * j + 2 * r], scale, bias.x);
                        float v = __fmaf_rn(d[4 * j + 2 * r + 1], scale, bias.y);
                        pair(u, v);
                        h[j][r] = __float_as_uint(u) + half, h[j][2 + r] = __float_as_uint(v) + half;
                    }
                }
            };
            if (about[layer].activation == Op::silu)
                activate([](float& u, float& v) { siluPair(u, v); });
            else
                activate([&](float& u, float& v) { u = u > 0 ? u : a * u, v = v > 0 ? v : a * v; });
        }
        float sums[2][most] = {};
#pragma unroll
        for (int n = 0; n < most; ++n) {
            if (n >= outputs) continue;
#pragma unroll
            for (int j = 0; j < groups; ++j) {
                const float2 w = *reinterpret_cast<const float2*>(&room.out[n][8 * j + 2 * t]);
#pragma unroll
                for (int r = 0; r < halves; ++r) {
                    sums[r][n] = __fmaf_rn(__uint_as_float(h[j][r]), w.x, sums[r][n]);
                    sums[r][n] = __fmaf_rn(__uint_as_float(h[j][2 + r]), w.y, sums[r][n]);
                }
            }
#pragma unroll
            for (int r = 0; r < halves; ++r) {
                sums[r][n] += __shfl_xor_sync(0xffffffffu, sums[r][n], 1);
                sums[r][n] += __shfl_xor_sync(0xffffffffu, sums[r][n], 2);
                sums[r][n] *= scaleOut;
            }
        }
        __syncwarp();  // all have read what goes in
        finishRows<BOTH>(l, room, mine, sums, rows, outputs);
        meet(mine);
        endRepeat(l, rows, repeat, room.states[mine]);
        if (!more) break;
#pragma unroll
        for (int i = 0; i <= Loop::mostLayers; ++i)
            if (offset[i].moving.at) offsets[i][thread] = next[i];
        for (int i = 0; i < endCount; ++i) {
            if (thread < ends[i].program.operandCount)
                ends[i].program.operands[thread].data += ends[i].steps[thread];
            if (thread == 32 && l.counts) ends[i].pass.stepsAhead = l.stepsAhead + uint64_t(repeat + 1);
            if (thread == 32 && !l.counts) ends[i].pass.repeat = uint32_t(repeat + 1);
        }
        meet(mine);
    }
}

#endif

template <int W>
__global__ void __launch_bounds__(crews* crew, 1) loop(const __grid_constant__ Loop l, int blockRows) {
#if defined(__CUDA_ARCH_FEAT_SM90_ALL)
    extern __shared__ __align__(1024) float memory[];
    __shared__ Layer about[1 + Loop::mostLayers];
    float* const weights = memory;
    Room<W>& room = *reinterpret_cast<Room<W>*>(memory + l.layers * W * W);
    awaitEarlier();
    const int mine = int(threadIdx.x) / crew, own = min(crewRows, blockRows - mine * crewRows);
    Rows rows;
    rows.first = int(blockIdx.x) * blockRows + mine * crewRows;
    rows.count = max(0, min(own, l.rows - rows.first));
    rows.both = own > crewRows / 2;
    for (int i = 0; i < l.layers; ++i) keepLayer<W>(weights + i * W * W, l.links[1 + i].product);
    fill(room, l);
    if (int(threadIdx.x) <= l.layers) {
        const Product& p = l.links[threadIdx.x].product;
        about[threadIdx.x] = {Op(p.straight.activation), p.straight.a, p.scale};
    }
    for (int s = 0; s < Loop::mostStates; ++s)
        for (int i = int(threadIdx.x) % crew; i < crewRows * most; i += crew) room.states[mine][s][i] = 0;
    eachState(l, rows, room.states[mine], [](float& home, float& here) { here = home; });
    prepareEnds(l, rows, room, mine);
    if (blockIdx.x == 0)
        for (int i = 0; i < l.valueCount; ++i) {
            const Loop::Value& v = l.values[i];
            for (int k = int(threadIdx.x); v.carried && k < v.size; k += int(blockDim.x))
                v.home[k] = v.table[l.repeats * v.size + k];
        }
    asm volatile("fence.proxy.async.shared::cta;" ::: "memory");
    __syncthreads();
    if (rows.both)
        runRows<true, W>(l, room, about, weights, rows, mine);
    else
        runRows<false, W>(l, room, about, weights, rows, mine);
    meet(mine);
    eachState(l, rows, room.states[mine], [](float& home, float& here) { home = here; });
#endif
}

template <int W>
void launchWidth(const Loop& l, int rows, cudaStream_t stream) {
    constexpr size_t most = sizeof(float) * Loop::mostLayers * W * W + sizeof(Room<W>);
    static_assert(most <= 227 * 1024);
    static const cudaError_t raised =
        cudaFuncSetAttribute(loop<W>, cudaFuncAttributeMaxDynamicSharedMemorySize, int(most));
    (void)raised;
    const int threads = rows > crewRows ? crews * crew : crew;
    const size_t bytes = sizeof(float) * size_t(l.layers) * W * W + sizeof(Room<W>);
    loop<W><<<uint32_t((l.rows + rows - 1) / rows), uint32_t(threads), bytes, stream>>>(l, rows);
}

}  // namespace

void launchLoop(const Loop& l, cudaStream_t stream) {
    // As few rows as fill the card: those of half a crew, of a whole one, and of a whole and a half.
    int processors = 132, device = 0;
    cudaGetDevice(&device);
    cudaDeviceGetAttribute(&processors, cudaDevAttrMultiProcessorCount, device);
    int rows = crewRows / 2;
    while (rows < crews * crewRows && (l.rows + rows - 1) / rows > processors) rows += crewRows / 2;
    switch (l.width) {
        case 64:
            return launchWidth<64>(l, rows, stream);
        case 96:
            return launchWidth<96>(l, rows, stream);
        default:
            return launchWidth<128>(l, rows, stream);
    }
}

// Whether the plugin has code for this card's own units.
bool hasLoops(int device) {
    int major = 0;
    cudaFuncAttributes kernel;
    return cudaDeviceGetAttribute(&major, cudaDevAttrComputeCapabilityMajor, device) == cudaSuccess &&
           major == 9 && cudaFuncGetAttributes(&kernel, loop<128>) == cudaSuccess &&
           kernel.sharedSizeBytes > 0;
}

}  // namespace core::cuda
