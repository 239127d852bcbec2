// Normalised groups of images and their gradients: a block takes whole groups of one sample, reads them once
// and keeps them in registers.
#include "core/cuda/kernels/kernels.h"
#include "core/cuda/kernels/program.cuh"
#include "core/cuda/kernels/reductions.cuh"
#include "core/cuda/kernels/straight.cuh"

namespace core::cuda {
namespace {

constexpr int mostThreads = Groups::mostThreads, mostChannels = Groups::mostChannels;

// What a thread has of its sample: a run of four channels at every `lines`-th position.
struct Share {
    int across, lines, quad, line, quadsOfGroup, group;  // the group counts within the block
    int channel, positions, channels, region;
    uint32_t base;
    bool there;

    __device__ Share(const Plain& p, const Sizes& x) {
        const int thread = int(threadIdx.x);
        across = p.groups.channels / 4;
        lines = int(blockDim.x) / across;
        quad = thread % across, line = thread / across;
        there = line < lines;
        channels = x.channels;
        quadsOfGroup = channels / p.parts / 4;
        group = quad / quadsOfGroup;
        channel = int(blockIdx.x) * p.groups.channels + 4 * quad;
        positions = x.height * x.width;
        region = int(blockIdx.y) * p.parts + channel / (4 * quadsOfGroup);
        base = uint32_t(int(blockIdx.y) * positions * channels + channel);
    }
    __device__ bool has(int i) const { return there && line + i * lines < positions; }
    __device__ uint32_t element(int i) const { return base + uint32_t((line + i * lines) * channels); }
};

__device__ __forceinline__ Lanes<4> loadFour(const float* from, bool wide) {
    if (wide) return loadRun<4>(from);
    Lanes<4> out;
#pragma unroll
    for (int i = 0; i < 4; ++i) out.at[i] = from[i];
    return out;
}

// The sum of x over the thread's group.
__device__ __forceinline__ float groupSum(const Share& s, float x) {
    __shared__ float of[mostThreads], sums[mostChannels / 4];
    of[threadIdx.x] = x;
    __syncthreads();
    const int warps = int(blockDim.x) / 32, lane = int(threadIdx.x) % 32;
    for (int group = int(threadIdx.x) / 32; group < s.across / s.quadsOfGroup; group += warps) {
        float total = 0;
        for (int i = lane; i < s.lines * s.quadsOfGroup; i += 32) {
            const int line = i / s.quadsOfGroup;
            total += of[line * s.across + group * s.quadsOfGroup + i - line * s.quadsOfGroup];
        }
        total = warpSum(total);
        if (lane == 0) sums[group] = total;
    }
    __syncthreads();
    return sums[s.group];
}

__device__ __noinline__ void runFour(const Program& program, const Pass& pass, uint32_t e,
                                     const Lanes<4>& v) {
    if (pass.wide) {
        runProgram<4>(program, pass, e, v);
    } else {
#pragma unroll 1
        for (int i = 0; i < 4; ++i) runProgram<1>(program, pass, e + uint32_t(i), splat<1>(v.at[i]));
    }
}

template <int HELD, bool INTERPRETED>
__global__ void __launch_bounds__(mostThreads, !INTERPRETED && HELD <= 4 ? 2 : 1)
    normalisedGroups(const __grid_constant__ Plain p, const __grid_constant__ Pass pass) {
    __shared__ Program program;
    const Scaling& to = p.scaling;
    if (INTERPRETED) fetch(program, pass.program);
    const Share s(p, p.inSizes[0]);
    awaitEarlier();
    Lanes<4> x[HELD], scale = splat<4>(1), shift = splat<4>(0);
    float total = 0, squares = 0;
#pragma unroll
    for (int i = 0; i < HELD; ++i)
        if (s.has(i)) x[i] = loadFour(p.in[0] + s.element(i), p.wide);
    if (to.scale.data) scale = loadRun<4>(at(to.scale, blockIdx.y * uint32_t(s.positions), s.channel));
    if (to.shift.data) shift = loadRun<4>(at(to.shift, blockIdx.y * uint32_t(s.positions), s.channel));
#pragma unroll
    for (int i = 0; i < HELD; ++i)
        if (s.has(i)) total += (x[i].at[0] + x[i].at[1]) + (x[i].at[2] + x[i].at[3]);
    const float mean = groupSum(s, total) / float(p.count);
#pragma unroll
    for (int i = 0; i < HELD; ++i) {
        if (!s.has(i)) continue;
        x[i] = each<4>(x[i], [=](float v) { return v - mean; });
#pragma unroll
        for (int j = 0; j < 4; ++j) squares = math::fma(x[i].at[j], x[i].at[j], squares);
    }
    const float slope = 1.0f / math::sqrt(groupSum(s, squares) / float(p.count) + p.a);
    if (s.line == 0 && s.quad % s.quadsOfGroup == 0) {
        p.out[2 * s.region] = mean;
        p.out[2 * s.region + 1] = slope;
    }
    if (INTERPRETED) {
        if (!pass.program) return;
        __syncthreads();
#pragma unroll 1
        for (int i = 0; s.has(i); ++i) runFour(program, pass, s.element(i), splat<4>(0));
        return;
    }
    scale = each<4>(scale, [=, plus = to.plus](float v) { return (v + plus) * slope; });
#pragma unroll
    for (int i = 0; i < HELD; ++i) {
        if (!s.has(i)) continue;
        Lanes<4> y;
#pragma unroll
        for (int j = 0; j < 4; ++j) y.at[j] = math::fma(x[i].at[j], scale.at[j], shift.at[j]);
        if (to.out) storeRun<4>(to.out + s.element(i), y);
        if (!to.late) continue;
        Lanes<4> late[1] = {y};
        activate<false>(Op(to.activation), to.a, late);
        storeRun<4>(to.late + s.element(i), late[0]);
    }
}

// The sums over the block's positions of g and of h, for each of its channels.
__device__ __forceinline__ void channelSums(const Share& s, const Lanes<4>& g, const Lanes<4>& h,
                                            float (&sums)[2][mostChannels]) {
    __shared__ float of[8][mostThreads];
#pragma unroll
    for (int j = 0; j < 4; ++j) of[j][threadIdx.x] = g.at[j], of[4 + j][threadIdx.x] = h.at[j];
    __syncthreads();
    const int warps = int(blockDim.x) / 32, lane = int(threadIdx.x) % 32;
    for (int k = int(threadIdx.x) / 32; k < 8 * s.across; k += warps) {
        float total = 0;
        for (int line = lane; line < s.lines; line += 32) total += of[k % 8][line * s.across + k / 8];
        total = warpSum(total);
        if (lane == 0) sums[k % 8 / 4][k / 8 * 4 + k % 4] = total;
    }
    __syncthreads();
}

// The last block that has to do with these channels adds up the samples.
__device__ __forceinline__ void sumSamples(const Plain& p, const Share& s) {
    const Groups& groups = p.groups;
    __shared__ float of[2][mostThreads];
    const int width = groups.channels, rows = int(blockDim.x) / width, thread = int(threadIdx.x);
    const int column = thread % width, row = thread / width, samples = int(gridDim.y);
    const float* const from = groups.partial + blockIdx.x * uint32_t(width) + column;
    float shift = 0, scale = 0;
    if (row < rows)
#pragma unroll 4
        for (int sample = row; sample < samples; sample += rows) {
            shift += __ldcg(from + int64_t(sample) * s.channels);
            scale += __ldcg(from + int64_t(samples + sample) * s.channels);
        }
    of[0][thread] = shift, of[1][thread] = scale;
    __syncthreads();
    for (int k = thread; k < 2 * width; k += int(blockDim.x)) {
        float* const out = k < width ? groups.shiftSums : groups.scaleSums;
        float total = 0;
#pragma unroll 8
        for (int i = 0; i < rows; ++i) total += of[k / width][i * width + k % width];
        if (out) out[int(blockIdx.x) * width + k % width] = total;
    }
}

// dy, x, moments [, scale]
template <int HELD, bool INTERPRETED>
__global__ void __launch_bounds__(mostThreads, !INTERPRETED && HELD <= 4 ? 2 : 1)
    groupsGradient(const __grid_constant__ Plain p, const __grid_constant__ Pass pass) {
    __shared__ Program program;
    __shared__ float sums[2][mostChannels];
    const Groups& groups = p.groups;
    if (INTERPRETED) fetch(program, pass.program);
    const Share s(p, p.sizes);
    awaitEarlier();
    Lanes<4> g[HELD], x[HELD], scale = splat<4>(1);
#pragma unroll
    for (int i = 0; i < HELD; ++i) {
        if (!s.has(i)) continue;
        g[i] = loadFour(p.in[0] + s.element(i), p.wide);
        x[i] = loadFour(p.in[1] + s.element(i), p.wide);
    }
    const float mean = p.in[2][2 * s.region], slope = p.in[2][2 * s.region + 1];
    if (p.inputs > 3)
        scale = loadFour(p.in[3] + (p.inSizes[3].samples > 1 ? int(blockIdx.y) * s.channels : 0) + s.channel,
                         p.wide);
    Lanes<4> sum = splat<4>(0), product = splat<4>(0);
#pragma unroll
    for (int i = 0; i < HELD; ++i) {
        if (!s.has(i)) continue;
#pragma unroll
        for (int j = 0; j < 4; ++j) {
            x[i].at[j] -= mean;
            sum.at[j] += g[i].at[j];
            product.at[j] = math::fma(g[i].at[j], x[i].at[j], product.at[j]);
            g[i].at[j] *= scale.at[j];
        }
    }
    channelSums(s, sum, product, sums);
    if (groups.partial && s.line == 0) {
        float* const at = groups.partial + int64_t(blockIdx.y) * s.channels + s.channel;
#pragma unroll
        for (int j = 0; j < 4; ++j) {
            at[j] = sums[0][4 * s.quad + j];
            at[int64_t(gridDim.y) * s.channels + j] = slope * sums[1][4 * s.quad + j];
        }
        __threadfence();
    }
    __syncthreads();
    // How many blocks were here before; asked for long before it is used.
    uint32_t before = 0;
    if (groups.partial && threadIdx.x == 0) before = atomicAdd(groups.tickets + blockIdx.x, 1u);
    // Of the group, with the scale.
    float level = 0, falling = 0;
    const float* const scales =
        p.inputs > 3 ? p.in[3] + (p.inSizes[3].samples > 1 ? int(blockIdx.y) * s.channels : 0) +
                           int(blockIdx.x) * groups.channels
                     : nullptr;
#pragma unroll 4
    for (int c = 4 * s.group * s.quadsOfGroup; c < 4 * (s.group + 1) * s.quadsOfGroup; ++c) {
        const float of = scales ? scales[c] : 1.0f;
        level = math::fma(of, sums[0][c], level);
        falling = math::fma(of, sums[1][c], falling);
    }
    const float share = 1.0f / float(p.count);
    level *= share * slope;
    falling *= share * slope * slope * slope;

    const auto add = [](float v, float w) { return v + w; };
#pragma unroll
    for (int i = 0; i < HELD; ++i) {
        if (!s.has(i)) continue;
        const uint32_t e = s.element(i);
#pragma unroll
        for (int j = 0; j < 4; ++j)
            g[i].at[j] = math::fma(slope, g[i].at[j], -math::fma(x[i].at[j], falling, level));
        if (INTERPRETED) {
            runFour(program, pass, e, g[i]);
            continue;
        }
        if (groups.added) g[i] = each<4>(g[i], loadRun<4>(groups.added + e), add);
        if (groups.added2) g[i] = each<4>(g[i], loadRun<4>(groups.added2 + e), add);
        storeRun<4>(groups.out + e, g[i]);
    }
    if (!groups.partial) return;
    const bool last = threadIdx.x == 0 && before == gridDim.y - 1;
    if (last) groups.tickets[blockIdx.x] = 0;
    if (!__syncthreads_or(last)) return;
    __threadfence();
    sumSamples(p, s);
}

template <int HELD>
void launchHeld(Kind kind, const Plain& p, const Pass& pass, cudaStream_t stream) {
    const Sizes& x = kind == Kind::moments ? p.inSizes[0] : p.sizes;
    const dim3 grid(uint32_t(x.channels / p.groups.channels), uint32_t(x.samples));
    const auto threads = uint32_t(p.groups.threads);
    if (kind == Kind::moments)
        p.scaling.there ? normalisedGroups<HELD, false><<<grid, threads, 0, stream>>>(p, pass)
                        : normalisedGroups<HELD, true><<<grid, threads, 0, stream>>>(p, pass);
    else
        p.groups.out ? groupsGradient<HELD, false><<<grid, threads, 0, stream>>>(p, pass)
                     : groupsGradient<HELD, true><<<grid, threads, 0, stream>>>(p, pass);
}

}  // namespace

void launchGroups(Kind kind, const Plain& p, const Pass& pass, cudaStream_t stream) {
    if (p.groups.held <= 2)
        launchHeld<2>(kind, p, pass, stream);
    else if (p.groups.held <= 4)
        launchHeld<4>(kind, p, pass, stream);
    else if (p.groups.held <= 8)
        launchHeld<8>(kind, p, pass, stream);
    else
        launchHeld<Groups::mostHeld>(kind, p, pass, stream);
}

}  // namespace core::cuda
