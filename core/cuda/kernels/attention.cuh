// What attention of short sequences and its gradient are made of: a block's lines in shared memory, and
// products of them by the tensor cores, 16 lines for a warp.
#pragma once

#include "core/cuda/kernels/tiles.cuh"

namespace core::cuda {

namespace {

constexpr int attentionWarps = 4, attentionThreads = 32 * attentionWarps;

// Of 16 lines by 8 TILES columns: lane 4 g + t has, of lines g and g + 8, columns 16 j + 4 t to + 3. Number
// 2 half + i of tile 2 j + h is of line g + 8 half and of column 16 j + 4 t + 2 h + i.
template <int TILES>
using Fragment = float[TILES][4];

// The heads of a block, and what a warp of it takes: 16 lines of one.
template <int TILES>
struct Lot {
    static constexpr int warps = TILES < 8 ? TILES / 2 : attentionWarps;  // of a head
    static constexpr int together = attentionWarps / warps, threads = 32 * warps, lines = 16 * warps;
    int local, sample, part;  // the head: among the block's; whose, and which of them
    uint32_t thread;          // among those of the head
    int line;                 // the first of the warp's 16
    bool there;
    __device__ __forceinline__ explicit Lot(const Attention& a) {
        local = int(threadIdx.x / threads);
        const int head = int(blockIdx.x) * together + local;
        thread = threadIdx.x % threads;
        line = int(thread / 32 * 16);
        sample = int(uint32_t(head) / uint32_t(a.heads)), part = head - sample * a.heads;
        there = sample < a.samples;
    }
    // Where the head begins in [samples, lines, heads width].
    __device__ __forceinline__ int64_t of(const Attention& a, int lines, int step) const {
        return int64_t(sample) * lines * step + part * a.width;
    }
    // Where it begins in [samples, heads, queries, keys].
    __device__ __forceinline__ int64_t ofPairs(const Attention& a) const {
        return int64_t(sample * a.heads + part) * a.queries * a.keys;
    }
};

// Where four numbers lie of lines of 8 DEEP, so mixed that reads of neighbouring lines, and of every second
// or fourth line, meet all banks alike. Where two lines and two quads have no bit in common, the place of
// their sums is the exclusive or of their places: so what a thread knows early is kept apart from constants.
template <int DEEP>
__device__ __forceinline__ constexpr uint32_t place(uint32_t line, uint32_t quad) {
    const uint32_t mixed = (line & 4) ^ ((line ^ line >> 2) & 2) ^ (DEEP > 2 ? (line & 1) << 2 : 0);
    return 4 * ((2 * DEEP * line | quad) ^ mixed);
}

// Sends for LINES lines of 8 DEEP numbers; what is beyond the operand's lines and columns is 0.
template <int DEEP, int LINES, int THREADS>
__device__ __forceinline__ void fetchLines(float* to, const float* from, int step, int lines, int width,
                                           bool wide, uint32_t thread) {
    if (wide) {
        constexpr int apart = THREADS / (2 * DEEP);
        const uint32_t line = thread / (2 * DEEP), quad = thread % (2 * DEEP),
                       first = place<DEEP>(line, quad);
        const int left = int(4 * quad) < width ? lines - int(line) : 0;
        from += int(line) * step + int(4 * quad);
#pragma unroll
        for (int i = 0; i < LINES; i += apart) {
            copyAsync4(to + (first ^ place<DEEP>(uint32_t(i), 0)), from, i < left);
            from += apart * step;
        }
    } else {
        constexpr uint32_t columns = 8 * DEEP;
        const uint32_t line = thread / columns, c = thread % columns,
                       first = place<DEEP>(line, c / 4) | c % 4;
        from += int(line) * step + int(c);
        lines -= int(line), width -= int(c);
#pragma unroll 8
        for (uint32_t i = 0; i < LINES * columns; i += THREADS) {
            const int down = int(i / columns), along = int(i % columns);
            copyAsync(to + (first ^ place<DEEP>(i / columns, i % columns / 4)), from + down * step + along,
                      down < lines && along < width);
        }
    }
}

// Products over the width: 16 lines of `left`, times `scale`, by all of `right`. A lane takes four
// neighbouring columns of both for two steps: which of the sum's terms come together is free.
template <int TILES, int DEEP>
__device__ __forceinline__ void overWidth(Fragment<TILES>& out, const float* left, float scale,
                                          const float* right) {
    const uint32_t g = threadIdx.x % 32 / 4, t = threadIdx.x % 4;
    const uint32_t ofLeft = place<DEEP>(g, t), ofRight = place<DEEP>(g / 2 * 4 + g % 2, t);
#pragma unroll
    for (int j = 0; j < TILES; ++j)
#pragma unroll
        for (int i = 0; i < 4; ++i) out[j][i] = 0;
#pragma unroll
    for (int k = 0; k < DEEP / 2; ++k) {
        const float4 upper = *reinterpret_cast<const float4*>(left + (ofLeft ^ place<DEEP>(0, 4 * k)));
        const float4 lower = *reinterpret_cast<const float4*>(left + (ofLeft ^ place<DEEP>(8, 4 * k)));
        const uint32_t a0[4] = {toTf32(upper.x * scale), toTf32(lower.x * scale), toTf32(upper.y * scale),
                                toTf32(lower.y * scale)};
        const uint32_t a1[4] = {toTf32(upper.z * scale), toTf32(lower.z * scale), toTf32(upper.w * scale),
                                toTf32(lower.w * scale)};
#pragma unroll
        for (int j = 0; j < TILES; ++j) {
            const float4 b = *reinterpret_cast<const float4*>(right + j / 2 * 128 * DEEP +
                                                              (ofRight ^ place<DEEP>(j % 2 * 2, 4 * k)));
            const uint32_t b0[2] = {toTf32(b.x), toTf32(b.y)}, b1[2] = {toTf32(b.z), toTf32(b.w)};
            multiplyAdd(out[j], a0, b0);
            multiplyAdd(out[j], a1, b1);
        }
    }
}

// A lane's columns in products over lines are neighbours: number 2 half + i of tile `together` k + j is of
// column 8 `together` k + `together` (2 t + i) + j.
template <int DEEP>
struct Columns {
    static constexpr int together = DEEP < 4 ? DEEP : 4, groups = DEEP / together;
};

// Adds to `out`, 16 lines by the width, the product of the columns `a` of tile j with those lines of `other`:
// term t of the unit's sum is the lane's first column, term t + 4 its second.
template <int DEEP>
__device__ __forceinline__ void overLines(Fragment<DEEP>& out, const uint32_t (&a)[4], int j,
                                          const float* other) {
    using C = Columns<DEEP>;
    const uint32_t g = threadIdx.x % 32 / 4, t = threadIdx.x % 4;
    const uint32_t lanes = C::together == 4 ? place<DEEP>(4 * t, g) : place<DEEP>(4 * t, g / 2) | g % 2 * 2;
#pragma unroll
    for (int k = 0; k < C::groups; ++k) {
        uint32_t b[2][C::together];
#pragma unroll
        for (int i = 0; i < 2; ++i) {
            const float* const from =
                other + j / 2 * 128 * DEEP + (lanes ^ place<DEEP>(uint32_t(j % 2 * 2 + i), 8 * k));
            if constexpr (C::together == 4) {
                const float4 v = *reinterpret_cast<const float4*>(from);
                b[i][0] = toTf32(v.x), b[i][1] = toTf32(v.y), b[i][2] = toTf32(v.z), b[i][3] = toTf32(v.w);
            } else {
                const float2 v = *reinterpret_cast<const float2*>(from);
                b[i][0] = toTf32(v.x), b[i][1] = toTf32(v.y);
            }
        }
#pragma unroll
        for (int i = 0; i < C::together; ++i) {
            const uint32_t bi[2] = {b[0][i], b[1][i]};
            multiplyAdd(out[C::together * k + i], a, bi);
        }
    }
}
// With columns of 16 lines that are in registers.
template <int TILES, int DEEP>
__device__ __forceinline__ void overLines(Fragment<DEEP>& out, const Fragment<TILES>& a, const float* other) {
#pragma unroll
    for (int j = 0; j < TILES; ++j) {
        const uint32_t x[4] = {toTf32(a[j][0]), toTf32(a[j][2]), toTf32(a[j][1]), toTf32(a[j][3])};
        overLines<DEEP>(out, x, j, other);
    }
}

// A product over lines to memory: `lines` of them, `scale` times.
template <int DEEP>
__device__ __forceinline__ void storeLines(float* to, int lines, const Attention& a, const Fragment<DEEP>& v,
                                           const float (&scale)[2]) {
    using C = Columns<DEEP>;
    const int g = int(threadIdx.x % 32 / 4), t = int(threadIdx.x % 4), step = a.heads * a.width;
    to += g * step + 2 * C::together * t;
    const auto each = [&](auto store) {
#pragma unroll
        for (int half = 0; half < 2; ++half)
#pragma unroll
            for (int k = 0; k < C::groups; ++k)
#pragma unroll
                for (int i = 0; i < 2; ++i) {
                    const int c = 8 * C::together * k + C::together * i;
                    const int left = g + 8 * half < lines ? a.width - 2 * C::together * t - c : 0;
                    float of[C::together];
#pragma unroll
                    for (int j = 0; j < C::together; ++j)
                        of[j] = v[C::together * k + j][2 * half + i] * scale[half];
                    store(to + 8 * half * step + c, left, of);
                }
    };
    if (C::together == 4 && a.wide)
        each([](float* at, int left, const float(&of)[C::together]) {
            if (left > 0)
                *reinterpret_cast<float4*>(at) =
                    make_float4(of[0], of[1], of[2 % C::together], of[3 % C::together]);
        });
    else
        each([](float* at, int left, const float(&of)[C::together]) {
#pragma unroll
            for (int j = 0; j < C::together; ++j)
                if (j < left) at[j] = of[j];
        });
}

__device__ __forceinline__ float acrossQuad(float x) {
    x += __shfl_xor_sync(0xffffffffu, x, 1);
    return x + __shfl_xor_sync(0xffffffffu, x, 2);
}

__device__ __forceinline__ float powerOfTwo(float x) {
    float y;
    asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(y) : "f"(x));
    return y;
}

// Whether lines of scores and of P may be read and written four numbers at a time.
__device__ __forceinline__ bool widePairs(const Attention& a, const float* at) {
    return a.keys % 4 == 0 && (reinterpret_cast<uintptr_t>(at) & 15) == 0;
}

template <auto KERNEL>
void launchHeads(const Attention& a, dim3 grid, size_t words, cudaStream_t stream) {
    static const cudaError_t raised =
        cudaFuncSetAttribute(KERNEL, cudaFuncAttributeMaxDynamicSharedMemorySize, Attention::room);
    (void)raised;
    KERNEL<<<grid, attentionThreads, spread(KERNEL, grid, sizeof(float) * words), stream>>>(a);
}

}  // namespace
}  // namespace core::cuda
