// What first looks at a whole region (a line of channels, a group of a sample) and then computes its
// elements, which pass through a pointwise program: moments, softmax and their gradients.
#include "core/cuda/kernels/kernels.h"
#include "core/cuda/kernels/program.cuh"
#include "core/cuda/kernels/reductions.cuh"

namespace core::cuda {
namespace {

constexpr int threads = 256;

// The threads that share a region: a warp, or the whole block.
template <bool WARP>
struct Crew {
    static constexpr int size = WARP ? 32 : threads;
    __device__ static int thread() { return int(threadIdx.x) % size; }
    __device__ static int64_t region() {
        return WARP ? int64_t(blockIdx.x) * (threads / 32) + threadIdx.x / 32 : blockIdx.x;
    }
    __device__ static float sum(float x) { return WARP ? warpSum(x) : blockSum<threads>(x); }
    __device__ static void sync() {
        if (WARP)
            __syncwarp();
        else
            __syncthreads();
    }
};

__device__ __forceinline__ uint32_t elementOf(const Plain& p, uint32_t base, uint32_t i) {
    const uint32_t line = quotient(i, p.run);
    return base + line * uint32_t(p.runStep) + (i - line * p.run.divisor);
}
__device__ __forceinline__ uint32_t baseOf(const Plain& p, int64_t region) {
    if (p.parts == 0) return uint32_t(region * p.count);
    const int64_t sample = region / p.parts, part = region - sample * p.parts;
    return uint32_t(sample * p.parts * p.count + part * p.run.divisor);
}

// Calls f(e, V-wide tag) for all elements of the region, four at a time where they allow it.
template <bool WARP, class F4, class F1>
__device__ __forceinline__ void eachElement(const Plain& p, bool wide, uint32_t base, F4 four, F1 one) {
    if (wide)
        for (uint32_t i = 4 * uint32_t(Crew<WARP>::thread()); i < uint32_t(p.count);
             i += 4 * Crew<WARP>::size)
            four(elementOf(p, base, i));
    else
        for (uint32_t i = uint32_t(Crew<WARP>::thread()); i < uint32_t(p.count); i += Crew<WARP>::size)
            one(elementOf(p, base, i));
}

template <bool WARP>
__global__ void __launch_bounds__(threads)
    moments(const __grid_constant__ Plain p, const __grid_constant__ Pass pass) {
    __shared__ Program program;
    fetch(program, pass.program);
    awaitEarlier();
    __syncthreads();
    using C = Crew<WARP>;
    const int64_t region = C::region();
    if (region >= p.outer) return;
    const uint32_t base = baseOf(p, region);
    const bool wide = p.wide;
    const float* const x = p.in[0];
    float total = 0;
    eachElement<WARP>(
        p, wide, base,
        [&](uint32_t e) {
            const Lanes<4> v = loadRun<4>(x + e);
            total += (v.at[0] + v.at[1]) + (v.at[2] + v.at[3]);
        },
        [&](uint32_t e) { total += x[e]; });
    const float mean = C::sum(total) / float(p.count);
    float squares = 0;
    const auto add = [&](float v) {
        const float d = v - mean;
        squares = math::fma(d, d, squares);
    };
    eachElement<WARP>(
        p, wide, base,
        [&](uint32_t e) {
            const Lanes<4> v = loadRun<4>(x + e);
#pragma unroll
            for (int i = 0; i < 4; ++i) add(v.at[i]);
        },
        [&](uint32_t e) { add(x[e]); });
    const float slope = 1.0f / math::sqrt(C::sum(squares) / float(p.count) + p.a);
    if (C::thread() == 0) {
        p.out[2 * region] = mean;
        p.out[2 * region + 1] = slope;
    }
    if (!pass.program) return;
    C::sync();
    eachElement<WARP>(
        p, wide && pass.wide, base, [&](uint32_t e) { runProgram<4>(program, pass, e, splat<4>(0)); },
        [&](uint32_t e) { runProgram<1>(program, pass, e, splat<1>(0)); });
}

// dy, x, moments [, scale]
template <bool WARP>
__global__ void __launch_bounds__(threads)
    normaliseGradient(const __grid_constant__ Plain p, const __grid_constant__ Pass pass) {
    __shared__ Program program;
    fetch(program, pass.program);
    awaitEarlier();
    __syncthreads();
    using C = Crew<WARP>;
    const int64_t region = C::region();
    if (region >= p.outer) return;
    const uint32_t base = baseOf(p, region), channels = uint32_t(p.sizes.channels);
    const uint32_t perSample = uint32_t(p.sizes.height * p.sizes.width) * channels;
    const bool wide = p.wide;
    const float *const dy = p.in[0], *const x = p.in[1];
    const float mean = p.in[2][2 * region], slope = p.in[2][2 * region + 1];
    const float* scales = p.inputs > 3 ? p.in[3] : nullptr;
    if (scales && p.inSizes[3].samples > 1) scales += base / perSample * channels;
    const uint32_t first = base % channels;  // channel of the region's first element
    float sum = 0, product = 0;
    const auto add = [&](float g, float v) {
        sum += g;
        product = math::fma(g, v - mean, product);
    };
    const auto scaleAt = [&](uint32_t e) {
        return scales ? scales[p.parts == 0 ? e - base : first + (e - base) % channels] : 1.0f;
    };
    eachElement<WARP>(
        p, wide, base,
        [&](uint32_t e) {
            const Lanes<4> g = loadRun<4>(dy + e), v = loadRun<4>(x + e);
#pragma unroll
            for (int i = 0; i < 4; ++i) add(g.at[i] * scaleAt(e + i), v.at[i]);
        },
        [&](uint32_t e) { add(dy[e] * scaleAt(e), x[e]); });
    const float share = 1.0f / float(p.count);
    const float level = C::sum(sum) * share * slope;
    const float falling = C::sum(product) * share * slope * slope * slope;
    const auto result = [&](float g, float v) {
        return math::fma(slope, g, -math::fma(v - mean, falling, level));
    };
    eachElement<WARP>(
        p, wide && pass.wide, base,
        [&](uint32_t e) {
            const Lanes<4> g = loadRun<4>(dy + e), v = loadRun<4>(x + e);
            Lanes<4> dx;
#pragma unroll
            for (int i = 0; i < 4; ++i) dx.at[i] = result(g.at[i] * scaleAt(e + i), v.at[i]);
            runProgram<4>(program, pass, e, dx);
        },
        [&](uint32_t e) { runProgram<1>(program, pass, e, splat<1>(result(dy[e] * scaleAt(e), x[e]))); });
}

__device__ __forceinline__ void finish(const Program& program, const Pass& pass, uint32_t e, float value) {
    if (pass.direct)
        pass.direct[e] = value;
    else
        runProgram<1>(program, pass, e, splat<1>(value));
}

// A warp takes a line; its first 32 * HELD elements stay in registers.
template <int HELD>
__global__ void __launch_bounds__(threads)
    softmax(const __grid_constant__ Plain p, const __grid_constant__ Pass pass) {
    __shared__ Program program;
    if (!pass.direct) fetch(program, pass.program);
    awaitEarlier();
    __syncthreads();
    const int64_t line = Crew<true>::region();
    if (line >= p.outer) return;
    const int n = p.sizes.channels, lane = int(threadIdx.x) % 32;
    const int t = int(line % p.sizes.width), seen = p.causal && t + 1 < n ? t + 1 : n;
    const uint32_t base = uint32_t(line * n);
    const float* const x = p.in[0] + base;
    const auto exp = [&](float v) { return pass.rough ? __expf(v) : math::exp(v); };
    float kept[HELD], top = x[0], total = 0;
#pragma unroll
    for (int k = 0; k < HELD; ++k) {
        const int i = lane + 32 * k;
        kept[k] = i < seen ? x[i] : top;
        top = kept[k] > top ? kept[k] : top;
    }
    for (int i = lane + 32 * HELD; i < seen; i += 32) top = x[i] > top ? x[i] : top;
    top = warpMax(top);
#pragma unroll
    for (int k = 0; k < HELD; ++k) {
        kept[k] = lane + 32 * k < seen ? exp(kept[k] - top) : 0.0f;
        total += kept[k];
    }
    for (int i = lane + 32 * HELD; i < seen; i += 32) total += exp(x[i] - top);
    const float scale = 1.0f / warpSum(total);
#pragma unroll
    for (int k = 0; k < HELD; ++k)
        if (lane + 32 * k < n) finish(program, pass, base + uint32_t(lane + 32 * k), kept[k] * scale);
    for (int i = lane + 32 * HELD; i < n; i += 32)
        finish(program, pass, base + uint32_t(i), i < seen ? exp(x[i] - top) * scale : 0.0f);
}

__global__ void __launch_bounds__(threads)
    softmaxGradient(const __grid_constant__ Plain p, const __grid_constant__ Pass pass) {
    __shared__ Program program;
    fetch(program, pass.program);
    awaitEarlier();
    __syncthreads();
    const int64_t line = Crew<true>::region();
    if (line >= p.outer) return;
    const int n = p.sizes.channels, lane = int(threadIdx.x) % 32;
    const uint32_t base = uint32_t(line * n);
    const float *const dy = p.in[0] + base, *const y = p.in[1] + base;
    float total = 0;
    for (int i = lane; i < n; i += 32) total = math::fma(dy[i], y[i], total);
    const float mean = warpSum(total);
    for (int i = lane; i < n; i += 32) finish(program, pass, base + uint32_t(i), y[i] * (dy[i] - mean));
}

__global__ void __launch_bounds__(threads) logSumExp(const __grid_constant__ Plain p) {
    awaitEarlier();
    const int64_t line = Crew<true>::region();
    if (line >= p.outer) return;
    const int n = p.inSizes[0].channels, lane = int(threadIdx.x) % 32;
    const float* const x = p.in[0] + line * n;
    float top = x[0], total = 0;
    for (int i = lane; i < n; i += 32) top = x[i] > top ? x[i] : top;
    top = warpMax(top);
    for (int i = lane; i < n; i += 32) total += math::exp(x[i] - top);
    total = warpSum(total);
    if (lane == 0) p.out[line] = top + math::log(total);
}

__global__ void __launch_bounds__(threads) argmax(const __grid_constant__ Plain p) {
    awaitEarlier();
    const int64_t line = Crew<true>::region();
    if (line >= p.outer) return;
    const int n = p.inSizes[0].channels, lane = int(threadIdx.x) % 32;
    const float* const x = p.in[0] + line * n;
    float top = x[0];
    for (int i = lane; i < n; i += 32) top = x[i] > top ? x[i] : top;
    top = warpMax(top);
    int first = n - 1;
    for (int i = lane; i < n; i += 32)
        if (x[i] == top) {
            first = i;
            break;
        }
    for (int width = 16; width > 0; width /= 2)
        first = min(first, __shfl_xor_sync(0xffffffffu, first, width));
    if (lane == 0) p.out[line] = float(first);
}

__global__ void __launch_bounds__(threads) topK(const __grid_constant__ Plain p) {
    awaitEarlier();
    const int64_t line = Crew<true>::region();
    if (line >= p.outer) return;
    const int n = p.sizes.channels, lane = int(threadIdx.x) % 32;
    const float* const x = p.in[0] + line * n;
    for (int i = lane; i < n; i += 32) {
        const float value = x[i];
        int before = 0;
        for (int j = 0; j < n; ++j) before += x[j] > value || (j < i && x[j] == value) ? 1 : 0;
        p.out[line * n + i] = before < p.window ? value : -1e30f;
    }
}

uint32_t crews(int64_t regions) {
    return uint32_t((regions + threads / 32 - 1) / (threads / 32));
}

}  // namespace

void launchRegions(Kind kind, const Plain& p, const Pass& pass, cudaStream_t stream) {
    const bool small = p.count <= 1024;
    const uint32_t blocks = small ? crews(p.outer) : uint32_t(p.outer);
    switch (kind) {
        case Kind::moments:
            if (p.scaling.there && p.count <= 512)
                launchNormalisedLines(p, stream);
            else
                small ? moments<true><<<blocks, threads, 0, stream>>>(p, pass)
                      : moments<false><<<blocks, threads, 0, stream>>>(p, pass);
            break;
        case Kind::normaliseGradient:
            if (p.lines.there)
                launchGradientOfLines(p, pass, stream);
            else
                small ? normaliseGradient<true><<<blocks, threads, 0, stream>>>(p, pass)
                      : normaliseGradient<false><<<blocks, threads, 0, stream>>>(p, pass);
            break;
        case Kind::softmax:
            p.sizes.channels <= 64 ? softmax<2><<<crews(p.outer), threads, 0, stream>>>(p, pass)
                                   : softmax<8><<<crews(p.outer), threads, 0, stream>>>(p, pass);
            break;
        case Kind::softmaxGradient:
            softmaxGradient<<<crews(p.outer), threads, 0, stream>>>(p, pass);
            break;
        case Kind::logSumExp:
            logSumExp<<<crews(p.outer), threads, 0, stream>>>(p);
            break;
        case Kind::argmax:
            argmax<<<crews(p.outer), threads, 0, stream>>>(p);
            break;
        default:
            topK<<<crews(p.outer), threads, 0, stream>>>(p);
            break;
    }
}

}  // namespace core::cuda
