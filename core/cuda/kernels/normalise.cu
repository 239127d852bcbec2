// Lines of channels that are normalised, and the gradient of that: a warp keeps a line in registers.
#include "core/cuda/kernels/kernels.h"
#include "core/cuda/kernels/reductions.cuh"
#include "core/cuda/kernels/straight.cuh"

namespace core::cuda {
namespace {

constexpr int threads = 256;

// A warp keeps a line of up to 128 * QUADS elements in registers; the sums are those of `moments`.
template <int QUADS>
__global__ void __launch_bounds__(threads) normalisedLines(const __grid_constant__ Plain p) {
    awaitEarlier();
    const int64_t line = int64_t(blockIdx.x) * (threads / 32) + threadIdx.x / 32;
    if (line >= p.outer) return;
    const int lane = int(threadIdx.x) % 32;
    const float* const from = p.in[0] + line * p.count;
    Lanes<4> x[QUADS];
    float total = 0, squares = 0;
#pragma unroll
    for (int q = 0; q < QUADS; ++q) {
        const int c = 4 * (lane + 32 * q);
        if (c < p.count) x[q] = loadRun<4>(from + c);
    }
#pragma unroll
    for (int q = 0; q < QUADS; ++q)
        if (4 * (lane + 32 * q) < p.count) total += (x[q].at[0] + x[q].at[1]) + (x[q].at[2] + x[q].at[3]);
    const float mean = warpSum(total) / float(p.count);
#pragma unroll
    for (int q = 0; q < QUADS; ++q) {
        if (4 * (lane + 32 * q) >= p.count) continue;
        x[q] = each<4>(x[q], [=](float v) { return v - mean; });
#pragma unroll
        for (int i = 0; i < 4; ++i) squares = math::fma(x[q].at[i], x[q].at[i], squares);
    }
    const float slope = 1.0f / math::sqrt(warpSum(squares) / float(p.count) + p.a);
    if (lane == 0) {
        p.out[2 * line] = mean;
        p.out[2 * line + 1] = slope;
    }
    const Scaling& s = p.scaling;
#pragma unroll
    for (int q = 0; q < QUADS; ++q) {
        const int c = 4 * (lane + 32 * q);
        if (c >= p.count) continue;
        Lanes<4> y = each<4>(x[q], [=](float v) { return v * slope; });
        if (s.scale.data)
            y = each<4>(y, loadRun<4>(at(s.scale, uint32_t(line), uint32_t(c))),
                        [plus = s.plus](float v, float w) { return v * (w + plus); });
        if (s.shift.data)
            y = each<4>(y, loadRun<4>(at(s.shift, uint32_t(line), uint32_t(c))),
                        [](float v, float w) { return v + w; });
        storeRun<4>(s.out + line * p.count + c, y);
    }
}

// Where the four sums of a group from 4 i on belong.
__device__ __forceinline__ float* placeOfSums(const LineGradient& l, int channels, int group, int i) {
    int which = 4 * i / channels;
    const int c = 4 * i - which * channels;
    for (float* const to : {l.scaleSums, l.shiftSums, l.lastSums})
        if (to && which-- == 0) return to + group * channels + c;
    return nullptr;
}
__device__ __forceinline__ void storeSums(float* to, const Lanes<4>& v) {
#pragma unroll
    for (int i = 0; i < 4; ++i) to[i] = v.at[i];
}

// The warps of a block: what they sum lies in shared memory.
constexpr int crewOf(int quads) {
    return quads == 4 ? 4 : 8;
}

// dx of dy, x, moments [, scale], and what is summed over the lines of a group. The order of additions in a
// line is that of `normaliseGradient`.
template <int QUADS, bool STRAIGHT>
__global__ void __launch_bounds__(32 * crewOf(QUADS), QUADS == 4 ? 4 : 1024 / (32 * crewOf(QUADS)))
    gradientOfLines(const __grid_constant__ Plain p, const __grid_constant__ Pass pass) {
    constexpr int warps = crewOf(QUADS), crew = 32 * warps;
    __shared__ Program program;
    __shared__ __align__(16) float shared[warps * 3 * 128 * QUADS];
    if (!STRAIGHT) fetch(program, pass.program);
    awaitEarlier();
    if (!STRAIGHT) __syncthreads();
    const LineGradient& l = p.lines;
    const int warp = int(threadIdx.x) / 32, lane = int(threadIdx.x) % 32, channels = p.count;
    const int split = int(blockIdx.x), group = int(blockIdx.y);
    const int share = (l.length + l.splits - 1) / l.splits;
    const int begin = split * share, end = min(begin + share, l.length);
    const bool wide = p.wide;
    const auto load = [wide](const float* from) {
        if (wide) return loadRun<4>(from);
        Lanes<4> v;
#pragma unroll
        for (int i = 0; i < 4; ++i) v.at[i] = from[i];
        return v;
    };
    const auto plus = [](float x, float y) { return x + y; };
    const auto times = [](float x, float y) { return x * y; };
    // What the warp has summed of each column: `which` of the sums that are wanted.
    float* const own = shared + warp * l.sums * channels;
    const auto sumUp = [&](int which, int c, bool first, const Lanes<4>& v) {
        float* const to = own + which * channels + c;
        storeRun<4>(to, first ? v : each<4>(loadRun<4>(to), v, plus));
    };
    const int ofShift = l.scaleSums ? 1 : 0, ofLast = ofShift + (l.shiftSums ? 1 : 0);
    for (int row = begin + warp; row < end; row += warps) {
        const bool first = row == begin + warp;
        const uint32_t line = uint32_t(group) * uint32_t(l.length) + uint32_t(row);
        const uint32_t base = line * uint32_t(channels);
        const float mean = p.in[2][2 * line], slope = p.in[2][2 * line + 1];
        Lanes<4> g[QUADS], x[QUADS], more[QUADS];
#pragma unroll
        for (int q = 0; q < QUADS; ++q) {
            const uint32_t c = 4 * uint32_t(lane + 32 * q);
            if (c >= uint32_t(channels)) continue;
            g[q] = load(p.in[0] + base + c);
            x[q] = load(p.in[1] + base + c);
            if (STRAIGHT && l.added) more[q] = loadRun<4>(l.added + base + c);
        }
        float sum = 0, product = 0;
#pragma unroll
        for (int q = 0; q < QUADS; ++q) {
            const uint32_t c = 4 * uint32_t(lane + 32 * q);
            if (c >= uint32_t(channels)) continue;
            x[q] = each<4>(x[q], [=](float v) { return v - mean; });
            if (l.scaleSums)
                sumUp(0, int(c), first,
                      each<4>(g[q], x[q], [=](float dy, float v) { return dy * (v * slope); }));
            if (l.shiftSums) sumUp(ofShift, int(c), first, g[q]);
            if (l.scale.data)
                g[q] = each<4>(g[q], load(at(l.scale, line, c)),
                               [plus = l.plus](float dy, float w) { return dy * (w + plus); });
#pragma unroll
            for (int i = 0; i < 4; ++i) {
                sum += g[q].at[i];
                product = math::fma(g[q].at[i], x[q].at[i], product);
            }
        }
        const float part = 1.0f / float(channels);
        const float level = warpSum(sum) * part * slope;
        const float falling = warpSum(product) * part * slope * slope * slope;
#pragma unroll
        for (int q = 0; q < QUADS; ++q) {
            const uint32_t c = 4 * uint32_t(lane + 32 * q), e = base + c;
            if (c >= uint32_t(channels)) continue;
            Lanes<4> v = each<4>(g[q], x[q], [=](float dy, float d) {
                return math::fma(slope, dy, -math::fma(d, falling, level));
            });
            if constexpr (STRAIGHT) {
                if (l.added) v = each<4>(v, more[q], plus);
                if (l.added2) v = each<4>(v, loadRun<4>(l.added2 + e), plus);
                if (l.early) storeRun<4>(l.early + e, v);
                if (l.late) storeRun<4>(l.late + e, each<4>(v, loadRun<4>(at(l.gate, line, c)), times));
                if (l.times) v = each<4>(v, loadRun<4>(l.times + e), times);
            } else if (pass.wide) {
                v = runProgram<4>(program, pass, e, v);
            } else {
#pragma unroll
                for (int i = 0; i < 4; ++i)
                    v.at[i] = runProgram<1>(program, pass, e + uint32_t(i), splat<1>(v.at[i])).at[0];
            }
            if (l.lastSums) sumUp(ofLast, int(c), first, v);
        }
    }
    if (l.sums == 0) return;

    // ---- the block's sums, and by the last block of the group, where it is not done later, those of all
    __syncthreads();
    const int across = l.sums * channels / 4;
    const auto place = [&](int i) { return placeOfSums(l, channels, group, i); };
    float* const partial = l.partial + int64_t(group) * l.splits * l.sums * channels;
    const int active = min(warps, end - begin);
    for (int i = int(threadIdx.x); i < across; i += crew) {
        Lanes<4> total = splat<4>(0);
        for (int w = 0; w < active; ++w)
            total = each<4>(total, loadRun<4>(shared + w * l.sums * channels + 4 * i), plus);
        if (l.splits == 1)
            storeSums(place(i), total);
        else
            storeRun<4>(partial + split * l.sums * channels + 4 * i, total);
    }
    if (!l.tickets || !lastOf(l.tickets + group, uint32_t(l.splits))) return;
    // The block's threads share the splits, then their sums are added up.
    const int down = max(1, crew / across);
    for (int i = int(threadIdx.x); i < across * down; i += crew) {
        const int y = i / across, x = i - y * across;
        Lanes<4> total = splat<4>(0);
#pragma unroll 8
        for (int s = y; s < l.splits; s += down) {
            const float4 v =
                __ldcg(reinterpret_cast<const float4*>(partial + int64_t(s) * l.sums * channels + 4 * x));
            total.at[0] += v.x, total.at[1] += v.y, total.at[2] += v.z, total.at[3] += v.w;
        }
        if (down == 1)
            storeSums(place(x), total);
        else
            storeRun<4>(shared + 4 * i, total);
    }
    if (down == 1) return;
    __syncthreads();
    if (const int i = int(threadIdx.x); i < across) {
        Lanes<4> total = loadRun<4>(shared + 4 * i);
        for (int k = 1; k < down; ++k)
            total = each<4>(total, loadRun<4>(shared + 4 * (k * across + i)), plus);
        storeSums(place(i), total);
    }
}

// What the blocks of the one group have summed: a block adds up some columns, its threads share the splits.
constexpr int together = 8;
__global__ void __launch_bounds__(threads) lineSums(const __grid_constant__ Plain p) {
    constexpr int down = threads / together;
    __shared__ __align__(16) float shared[4 * threads];
    awaitEarlier();
    const LineGradient& l = p.lines;
    const auto plus = [](float x, float y) { return x + y; };
    const int across = l.sums * p.count / 4;
    const int x = int(blockIdx.x) * together + int(threadIdx.x) % together, y = int(threadIdx.x) / together;
    Lanes<4> total = splat<4>(0);
    if (x < across)
#pragma unroll 8
        for (int s = y; s < l.splits; s += down)
            total = each<4>(total, loadRun<4>(l.partial + 4 * (s * across + x)), plus);
    storeRun<4>(shared + 4 * threadIdx.x, total);
    __syncthreads();
    if (x >= across || y > 0) return;
    for (int k = 1; k < down; ++k)
        total = each<4>(total, loadRun<4>(shared + 4 * (k * together + int(threadIdx.x))), plus);
    storeSums(placeOfSums(l, p.count, 0, x), total);
}

template <int QUADS>
void launchGradient(const Plain& p, const Pass& pass, cudaStream_t stream) {
    const dim3 grid(uint32_t(p.lines.splits), uint32_t(p.lines.outer));
    const auto kernel = p.lines.straight ? gradientOfLines<QUADS, true> : gradientOfLines<QUADS, false>;
    const size_t bytes = spread(kernel, grid, 0);
    kernel<<<grid, 32 * crewOf(QUADS), bytes, stream>>>(p, pass);
}

}  // namespace

void launchNormalisedLines(const Plain& p, cudaStream_t stream) {
    const auto blocks = uint32_t((p.outer + threads / 32 - 1) / (threads / 32));
    const auto kernel = p.count <= 256 ? normalisedLines<2> : normalisedLines<4>;
    kernel<<<blocks, threads, spread(kernel, blocks, 0), stream>>>(p);
}

void launchGradientOfLines(const Plain& p, const Pass& pass, cudaStream_t stream) {
    if (p.count <= 128)
        launchGradient<1>(p, pass, stream);
    else if (p.count <= 256)
        launchGradient<2>(p, pass, stream);
    else
        launchGradient<4>(p, pass, stream);
}

void launchLineSums(const Plain& p, cudaStream_t stream) {
    const int across = p.lines.sums * p.count / 4;
    lineSums<<<uint32_t((across + together - 1) / together), threads, 0, stream>>>(p);
}

}  // namespace core::cuda
