// Movement, look-up and minibatches.
#include "core/cuda/kernels/kernels.h"
#include "core/cuda/kernels/program.cuh"
#include "core/cuda/kernels/reductions.cuh"

namespace core::cuda {
namespace {

constexpr int threads = 256;

struct Place4 {
    int n, y, x, c;
};
__device__ __forceinline__ Place4 placeOf(const Sizes& s, int64_t e) {
    Place4 at;
    uint32_t rest = uint32_t(e);
    at.c = int(rest % uint32_t(s.channels));
    rest /= uint32_t(s.channels);
    at.x = int(rest % uint32_t(s.width));
    rest /= uint32_t(s.width);
    at.y = int(rest % uint32_t(s.height));
    at.n = int(rest / uint32_t(s.height));
    return at;
}
__device__ __forceinline__ int64_t indexOf(const Sizes& s, int n, int y, int x, int c) {
    return ((int64_t(n) * s.height + y) * s.width + x) * s.channels + c;
}

// One element of an operation that moves values about.
template <Kind KIND>
__device__ __forceinline__ float moved(const Plain& p, int64_t e) {
    const float* const x = p.in[0];
    const Sizes &to = p.sizes, &from = p.inSizes[0];
    const Place4 at = placeOf(to, e);
    const int k = p.window;
    if constexpr (KIND == Kind::upsample) {
        return x[indexOf(from, at.n, at.y / k, at.x / k, at.c)];
    } else if constexpr (KIND == Kind::sumPool) {
        float total = 0;
        for (int v = 0; v < k; ++v)
            for (int u = 0; u < k; ++u) total += x[indexOf(from, at.n, at.y * k + v, at.x * k + u, at.c)];
        return total;
    } else if constexpr (KIND == Kind::depthToSpace) {
        const int c = (at.y % k * k + at.x % k) * to.channels + at.c;
        return x[indexOf(from, at.n, at.y / k, at.x / k, c)];
    } else if constexpr (KIND == Kind::spaceToDepth) {
        const int tap = at.c / from.channels, c = at.c - tap * from.channels;
        return x[indexOf(from, at.n, at.y * k + tap / k, at.x * k + tap % k, c)];
    } else if constexpr (KIND == Kind::padImage) {
        const int y = at.y - p.offset, u = at.x - p.offset;
        const bool inside = y >= 0 && y < from.height && u >= 0 && u < from.width;
        return inside ? x[indexOf(from, at.n, y, u, at.c)] : 0.0f;
    } else if constexpr (KIND == Kind::cropImage) {
        return x[indexOf(from, at.n, at.y + p.offset, at.x + p.offset, at.c)];
    } else if constexpr (KIND == Kind::turnTaps) {  // [tap, O, I] -> [tap, I, O]
        return x[indexOf(from, at.n, at.y, at.c, at.x)];
    } else {  // padRows
        const int64_t perRow = int64_t(to.height) * to.width * to.channels, row = e / perRow - p.offset;
        return row >= 0 && row < from.samples ? x[e - p.offset * perRow] : 0.0f;
    }
}

template <Kind KIND>
__global__ void __launch_bounds__(threads) move(const __grid_constant__ Plain p) {
    awaitEarlier();
    for (int64_t e = int64_t(blockIdx.x) * threads + threadIdx.x; e < p.size;
         e += int64_t(gridDim.x) * threads)
        p.out[e] = moved<KIND>(p, e);
}

// [R, C] -> [C, R] through a tile.
__global__ void __launch_bounds__(threads) transpose(const float* x, float* y, int rows, int columns) {
    awaitEarlier();
    __shared__ float tile[32][33];
    const int r0 = int(blockIdx.y) * 32, c0 = int(blockIdx.x) * 32;
    for (int i = int(threadIdx.y); i < 32; i += 8)
        if (r0 + i < rows && c0 + int(threadIdx.x) < columns)
            tile[i][threadIdx.x] = x[int64_t(r0 + i) * columns + c0 + threadIdx.x];
    __syncthreads();
    for (int i = int(threadIdx.y); i < 32; i += 8)
        if (c0 + i < columns && r0 + int(threadIdx.x) < rows)
            y[int64_t(c0 + i) * rows + r0 + threadIdx.x] = tile[threadIdx.x][i];
}

// The row that a float names, within a table of `rows`: what is not a number names the first.
__device__ __forceinline__ int rowNamed(float index, int rows) {
    if (!(index > 0.0f)) return 0;
    return index < float(rows - 1) ? int(index) : rows - 1;
}

__global__ void __launch_bounds__(threads) gatherRows(const __grid_constant__ Plain p) {
    awaitEarlier();
    const uint32_t n = uint32_t(p.sizes.channels);
    for (int64_t e = int64_t(blockIdx.x) * threads + threadIdx.x; e < p.size;
         e += int64_t(gridDim.x) * threads) {
        const uint32_t line = uint32_t(e) / n;
        p.out[e] = p.in[0][int64_t(rowNamed(p.in[1][line], p.inSizes[0].samples)) * n + uint32_t(e) % n];
    }
}

__host__ __device__ __forceinline__ bool inQuads(const float* x, const float* y, int n) {
    return n % 4 == 0 && ((uintptr_t(x) | uintptr_t(y)) & 15) == 0;
}

// A block makes one row, or some channels of it: it lists the lines that name the row, some thousand at a
// time and in their order, and teams of threads, V channels each, take turns with what is listed.
template <int V>
__global__ void __launch_bounds__(threads) scatterRows(const __grid_constant__ Plain p, int across) {
    awaitEarlier();
    constexpr int warps = threads / 32, share = 8, together = threads * share;
    __shared__ uint16_t listed[together];
    __shared__ int counts[warps];
    __shared__ Lanes<V> partial[threads];
    const int row = int(blockIdx.x), rows = p.sizes.samples, n = p.sizes.channels;
    const int lines = p.inSizes[0].samples * p.inSizes[0].height * p.inSizes[0].width;
    const int thread = int(threadIdx.x), warp = thread / 32, lane = thread % 32;
    const int team = thread / across, teams = threads / across;
    const int channel = V * (int(blockIdx.y) * across + thread % across);
    const auto add = [](float x, float y) { return x + y; };
    Lanes<V> total = splat<V>(0);
    for (int first = 0; first < lines; first += together) {
        uint32_t named[share];
        int found = 0;
#pragma unroll
        for (int j = 0; j < share; ++j) {
            const int line = first + (warp * share + j) * 32 + lane;
            named[j] = __ballot_sync(0xffffffffu, line < lines && rowNamed(p.in[1][line], rows) == row);
            found += __popc(named[j]);
        }
        if (lane == 0) counts[warp] = found;
        __syncthreads();
        int at = 0, all = 0;
        for (int w = 0; w < warps; ++w) {
            at += w < warp ? counts[w] : 0;
            all += counts[w];
        }
#pragma unroll
        for (int j = 0; j < share; ++j) {
            if (named[j] >> lane & 1)
                listed[at + __popc(named[j] & ((1u << lane) - 1))] = uint16_t((warp * share + j) * 32 + lane);
            at += __popc(named[j]);
        }
        __syncthreads();
        if (channel < n)
#pragma unroll 4
            for (int i = team; i < all; i += teams)
                total = each<V>(total, loadRun<V>(p.in[0] + int64_t(first + listed[i]) * n + channel), add);
        __syncthreads();
    }
    partial[thread] = total;
    __syncthreads();
    if (team > 0 || channel >= n) return;
    for (int other = 1; other < teams; ++other) total = each<V>(total, partial[other * across + thread], add);
    storeRun<V>(p.out + int64_t(row) * n + channel, total);
}

__global__ void __launch_bounds__(threads) pick(const __grid_constant__ Plain p) {
    awaitEarlier();
    const int n = p.inSizes[0].channels;
    for (int64_t line = int64_t(blockIdx.x) * threads + threadIdx.x; line < p.size;
         line += int64_t(gridDim.x) * threads)
        p.out[line] = p.in[0][line * n + rowNamed(p.in[1][line], n)];
}

__global__ void __launch_bounds__(threads) place(const __grid_constant__ Plain p) {
    awaitEarlier();
    const int n = p.sizes.channels;
    for (int64_t e = int64_t(blockIdx.x) * threads + threadIdx.x; e < p.size;
         e += int64_t(gridDim.x) * threads) {
        const int64_t line = e / n;
        p.out[e] = rowNamed(p.in[1][line], n) == int(e - line * n) ? p.in[0][line] : 0.0f;
    }
}

constexpr int crew = 16;

// A crew of threads shares a line, and each takes every sixteenth row; distances are chains of fma as on the
// CPU.
__global__ void __launch_bounds__(threads) nearestRow(const __grid_constant__ Plain p) {
    awaitEarlier();
    const int64_t line = (int64_t(blockIdx.x) * threads + threadIdx.x) / crew;
    const int D = p.inSizes[0].channels, K = p.inSizes[1].samples, first = int(threadIdx.x) % crew;
    const bool there = line < p.size;
    const float* const x = p.in[0] + (there ? line : 0) * D;
    const bool wide = inQuads(p.in[0], p.in[1], D);
    float least = 0;
    int index = K;
    for (int row = first; row < K; row += crew) {
        const float* const candidate = p.in[1] + int64_t(row) * D;
        float distance = 0;
        const auto add = [&](float of, float with) {
            const float apart = of - with;
            distance = math::fma(apart, apart, distance);
        };
        int d = 0;
        if (wide)
#pragma unroll 4
            for (; d < D; d += 4) {
                const Lanes<4> of = loadRun<4>(x + d), with = loadRun<4>(candidate + d);
#pragma unroll
                for (int i = 0; i < 4; ++i) add(of.at[i], with.at[i]);
            }
        for (; d < D; ++d) add(x[d], candidate[d]);
        if (index == K || distance < least) least = distance, index = row;
    }
    for (int width = crew / 2; width > 0; width /= 2) {
        const float other = __shfl_xor_sync(0xffffffffu, least, width);
        const int row = __shfl_xor_sync(0xffffffffu, index, width);
        if (row < K && (index == K || other < least || (other == least && row < index)))
            least = other, index = row;
    }
    if (there && first == 0) p.out[line] = float(index);
}

// ---- minibatches: as drawRows in core/cpu/random.inl

__device__ __forceinline__ uint32_t shifted(uint32_t digit, uint32_t other, uint32_t key, uint32_t base) {
    uint32_t h = (other ^ key) * 0x85EBCA6Bu;
    h = (h ^ (h >> 13)) * 0xC2B2AE35u;
    h ^= h >> 16;
    const uint32_t sum = digit + uint32_t(uint64_t(h) * base >> 32);
    return sum >= base ? sum - base : sum;
}

// A warp draws a row.
__global__ void __launch_bounds__(threads) drawRows(const __grid_constant__ Plain p) {
    awaitEarlier();
    const int64_t row = (int64_t(blockIdx.x) * threads + threadIdx.x) / 32;
    const int rows = p.sizes.samples;
    if (row >= rows) return;
    const int64_t columns = p.size / rows;
    const uint64_t size = uint64_t(p.tableRows), step = p.clock->step + p.stepsAhead;
    const uint64_t position = step * uint64_t(rows) + uint64_t(row);
    const philox::Position at{p.clock->seed, p.stream, position / size, p.repeat};
    uint32_t key[8];
    for (uint32_t half = 0; half < 2; ++half) {
        const philox::Block drawn = philox::draw(at, half);
        for (uint32_t i = 0; i < 4; ++i) key[4 * half + i] = drawn.word[i];
    }
    uint32_t index = uint32_t(position % size);
    do {
        uint32_t lesser = index % p.low, greater = index / p.low;
        for (int round = 0; round < 8; round += 2) {
            lesser = shifted(lesser, greater, key[round], p.low);
            greater = shifted(greater, lesser, key[round + 1], p.high);
        }
        index = greater * p.low + lesser;
    } while (index >= size);
    for (int64_t c = threadIdx.x % 32; c < columns; c += 32) {
        const int64_t from = int64_t(index) * columns + c;
        p.out[row * columns + c] = p.tableBytes ? float(p.tableBytes[from]) / 255.0f : p.tableValues[from];
    }
}

uint32_t blocksFor(int64_t items) {
    const int64_t blocks = (items + threads - 1) / threads;
    return uint32_t(blocks < 132 * 32 ? blocks : 132 * 32);
}

void launchScatter(const Plain& p, cudaStream_t stream) {
    const bool wide = inQuads(p.in[0], p.out, p.sizes.channels);
    const int runs = wide ? p.sizes.channels / 4 : p.sizes.channels;
    int across = 1;
    while (across < runs && across < threads) across *= 2;
    const dim3 grid(uint32_t(p.sizes.samples), uint32_t((runs + across - 1) / across));
    wide ? scatterRows<4><<<grid, threads, 0, stream>>>(p, across)
         : scatterRows<1><<<grid, threads, 0, stream>>>(p, across);
}

}  // namespace

void launchPlain(Kind kind, const Plain& p, cudaStream_t stream) {
    const uint32_t blocks = blocksFor(p.size);
    switch (kind) {
        case Kind::transpose: {
            const int rows = p.inSizes[0].samples, columns = p.inSizes[0].channels;
            const dim3 grid(uint32_t((columns + 31) / 32), uint32_t((rows + 31) / 32));
            transpose<<<grid, dim3(32, 8), 0, stream>>>(p.in[0], p.out, rows, columns);
            break;
        }
        case Kind::turnTaps:
            move<Kind::turnTaps><<<blocks, threads, 0, stream>>>(p);
            break;
        case Kind::upsample:
            move<Kind::upsample><<<blocks, threads, 0, stream>>>(p);
            break;
        case Kind::sumPool:
            move<Kind::sumPool><<<blocks, threads, 0, stream>>>(p);
            break;
        case Kind::depthToSpace:
            move<Kind::depthToSpace><<<blocks, threads, 0, stream>>>(p);
            break;
        case Kind::spaceToDepth:
            move<Kind::spaceToDepth><<<blocks, threads, 0, stream>>>(p);
            break;
        case Kind::padImage:
            move<Kind::padImage><<<blocks, threads, 0, stream>>>(p);
            break;
        case Kind::cropImage:
            move<Kind::cropImage><<<blocks, threads, 0, stream>>>(p);
            break;
        case Kind::padRows:
            move<Kind::padRows><<<blocks, threads, 0, stream>>>(p);
            break;
        case Kind::gatherRows:
            gatherRows<<<blocks, threads, 0, stream>>>(p);
            break;
        case Kind::scatterRows:
            launchScatter(p, stream);
            break;
        case Kind::pick:
            pick<<<blocks, threads, 0, stream>>>(p);
            break;
        case Kind::place:
            place<<<blocks, threads, 0, stream>>>(p);
            break;
        case Kind::nearestRow:
            nearestRow<<<uint32_t((p.size * crew + threads - 1) / threads), threads, 0, stream>>>(p);
            break;
        default:
            drawRows<<<uint32_t((int64_t(p.sizes.samples) * 32 + threads - 1) / threads), threads, 0,
                       stream>>>(p);
            break;
    }
}

}  // namespace core::cuda
