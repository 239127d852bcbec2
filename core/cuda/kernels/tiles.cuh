// What products are made of: copies into shared memory, the tensor cores' step, tiles, and where operands of
// convolutions lie.
#pragma once

#include "core/cuda/kernels/kernels.h"
#include "core/cuda/kernels/program.cuh"

namespace core::cuda {
namespace {

constexpr int depth = 32;

__device__ __forceinline__ void copyAsync(float* to, const float* from, bool there) {
#if __CUDA_ARCH__ >= 800
    const uint32_t target = uint32_t(__cvta_generic_to_shared(to));
    const int bytes = there ? 4 : 0;
    asm volatile("cp.async.ca.shared.global [%0], [%1], 4, %2;" ::"r"(target), "l"(from), "r"(bytes));
#else
    *to = there ? *from : 0.0f;
#endif
}
__device__ __forceinline__ void copyAsync4(float* to, const float* from, bool there) {
#if __CUDA_ARCH__ >= 800
    const uint32_t target = uint32_t(__cvta_generic_to_shared(to));
    const int bytes = there ? 16 : 0;
    asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(target), "l"(from), "r"(bytes));
#else
    *reinterpret_cast<float4*>(to) = there ? *reinterpret_cast<const float4*>(from) : make_float4(0, 0, 0, 0);
#endif
}
__device__ __forceinline__ void commit() {
#if __CUDA_ARCH__ >= 800
    asm volatile("cp.async.commit_group;");
#endif
}
// All but the newest LEFT groups have arrived.
template <int LEFT>
__device__ __forceinline__ void awaitStage() {
#if __CUDA_ARCH__ >= 800
    asm volatile("cp.async.wait_group %0;" ::"n"(LEFT));
#endif
}
__device__ __forceinline__ void awaitAll() {
#if __CUDA_ARCH__ >= 800
    asm volatile("cp.async.wait_group 0;");
#endif
}

// To the nearest number of 10 bits: the unit drops what is below.
__device__ __forceinline__ uint32_t rounded(uint32_t bits) {
    return bits + 0x1000u;
}
__device__ __forceinline__ uint32_t toTf32(float x) {
    return rounded(__float_as_uint(x));
}
__device__ __forceinline__ void multiplyAdd(float (&d)[4], const uint32_t (&a)[4], const uint32_t (&b)[2]) {
#if __CUDA_ARCH__ >= 800
    asm volatile(
        "mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, "
        "{%0,%1,%2,%3};"
        : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
        : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
#endif
}

// One of the stride x stride classes of output pixels of a transposed convolution: those of a class meet
// the same taps.
struct PixelClass {
    int y = 0, x = 0, height = 1, width = 1;  // of the class: its first pixel, its extents
    int tapY = 0, tapX = 0, across = 1;       // its first tap; taps in a row
    int shiftY = 0, shiftX = 0;
    int m = 0, k = 0;
};

__device__ __forceinline__ PixelClass classOf(const Product& p, int index) {
    PixelClass c;
    const int s = p.stride;
    c.y = index / s, c.x = index - c.y * s;
    c.height = (p.outHeight - c.y + s - 1) / s;
    c.width = (p.outWidth - c.x + s - 1) / s;
    c.tapY = (c.y + p.padding) % s, c.tapX = (c.x + p.padding) % s;
    const int down = p.window > c.tapY ? (p.window - c.tapY + s - 1) / s : 0;
    c.across = p.window > c.tapX ? (p.window - c.tapX + s - 1) / s : 0;
    c.shiftY = (c.y + p.padding - c.tapY) / s, c.shiftX = (c.x + p.padding - c.tapX) / s;
    c.m = p.m / (p.outHeight * p.outWidth) * c.height * c.width;
    c.k = down * c.across * p.channels;
    return c;
}

struct Pixel {
    int sample, y, x;
};
__device__ __forceinline__ Pixel pixelOf(const Product& p, int index) {
    Pixel out;
    out.sample = int(quotient(uint32_t(index), p.byPixels));
    const int rest = index - out.sample * int(p.byPixels.divisor);
    out.y = int(quotient(uint32_t(rest), p.byWidth));
    out.x = rest - out.y * int(p.byWidth.divisor);
    return out;
}

// The address of B(k, n) of a gathered product, or null where it is a zero.
__device__ __noinline__ const float* rightAt(const Product& p, const PixelClass& cls, const float* b, int K,
                                             int k, int n) {
    if (k >= K || n >= p.n) return nullptr;
    if (!p.rightTurned && !p.flipped && p.left != Product::scattered) return b + int64_t(k) * p.ldb + n;
    int tap = int(quotient(uint32_t(k), p.byChannels));
    const int c = k - tap * p.channels;
    if (p.flipped) tap = p.window * p.window - 1 - tap;
    if (p.left == Product::scattered) {
        const int v = tap / cls.across, u = tap - v * cls.across;
        tap = (cls.tapY + p.stride * v) * p.window + cls.tapX + p.stride * u;
    }
    if (p.rightTurned) return b + int64_t(tap) * p.channels * p.n + int64_t(n) * p.ldb + c;
    return b + int64_t(tap * p.channels + c) * p.ldb + n;
}

// How the left operand is found: see Product::Left.
enum { rows, columns, gathered, patchesTurned };

// Where an operand's elements lie in shared memory: in COUNT lines of k (ALONG), or in lines of COUNT
// elements. Paddings keep the fragments' reads free of bank conflicts.
template <bool ALONG, int COUNT>
struct Lying {
    static constexpr int step = ALONG ? depth + 4 : COUNT + 8, size = (ALONG ? COUNT : depth) * step;
    __device__ static int at(int line, int place) { return line * step + place; }
    // Of the element (mn, k).
    __device__ static int of(int mn, int k) { return ALONG ? at(mn, k) : at(k, mn); }
};

// BM x BN elements of the result for a block.
template <int BM, int BN, int WARPS_M, int WARPS_N, int STAGES = 3>
struct Tile {
    static constexpr int m = BM, n = BN, warpsN = WARPS_N, stages = STAGES, threads = 32 * WARPS_M * WARPS_N;
    static constexpr int rows = BM / WARPS_M / 16, columns = BN / WARPS_N / 8;  // fragments of a warp
    static constexpr int outStep = BN + 4;
    static constexpr size_t bytes(bool turnA, bool turnB) {
        const int a = turnA ? Lying<false, BM>::size : Lying<true, BM>::size;
        const int b = turnB ? Lying<true, BN>::size : Lying<false, BN>::size;
        return sizeof(float) * size_t(STAGES * (a + b) > BM * outStep ? STAGES * (a + b) : BM * outStep);
    }
};

// Runs of four from lines that follow each other `apart` and, in shared memory, `STEP` floats; every APART-th
// is the thread's. Of what comes from here on, `lines` are there.
template <int CHUNKS, int APART, int STEP>
__device__ __forceinline__ void copyLines(float* to, const float* from, int apart, int lines, bool inside) {
#pragma unroll
    for (int i = 0; i < CHUNKS; ++i) {
        copyAsync4(to + i * APART * STEP, from, inside && i * APART < lines);
        from += int64_t(APART) * apart;
    }
}

// Four 8 x 4 matrices of numbers whose lines lie in runs of four, by the tensor cores' own order.
__device__ __forceinline__ void loadMatrices(uint32_t (&out)[4], const float* line) {
#if __CUDA_ARCH__ >= 800
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0,%1,%2,%3}, [%4];"
                 : "=r"(out[0]), "=r"(out[1]), "=r"(out[2]), "=r"(out[3])
                 : "r"(uint32_t(__cvta_generic_to_shared(line))));
#endif
}

// What a warp multiplies in one step of eight k.
template <class T>
struct Fragments {
    uint32_t a[T::rows][4], b[T::columns][2];

    template <bool TURN_A, bool TURN_B>
    __device__ __forceinline__ void load(const float* fromA, const float* fromB, int m, int n, int k) {
        using A = Lying<!TURN_A, T::m>;
        const int lane = int(threadIdx.x) % 32, g = lane / 4, t = lane % 4;
#pragma unroll
        for (int i = 0; i < T::rows; ++i) {
            if constexpr (TURN_A) {
#pragma unroll
                for (int h = 0; h < 4; ++h)
                    a[i][h] =
                        __float_as_uint(fromA[A::of(m + 16 * i + g + 8 * (h % 2), k + t + 4 * (h / 2))]);
            } else {
                loadMatrices(a[i], fromA + A::of(m + 16 * i + lane % 16, k + 4 * (lane / 16)));
            }
        }
        loadRight<TURN_B>(fromB, n, k);
    }

    template <bool TURN_B>
    __device__ __forceinline__ void loadRight(const float* fromB, int n, int k) {
        using B = Lying<TURN_B, T::n>;
        const int lane = int(threadIdx.x) % 32, g = lane / 4, t = lane % 4;
#pragma unroll
        for (int j = 0; j < T::columns; j += TURN_B ? 2 : 1) {
            if constexpr (TURN_B) {
                uint32_t two[4];
                loadMatrices(two,
                             fromB + B::of(n + 8 * j + 8 * (lane / 16) + lane % 8, k + 4 * (lane / 8 % 2)));
                b[j][0] = two[0], b[j][1] = two[1], b[j + 1][0] = two[2], b[j + 1][1] = two[3];
            } else {
#pragma unroll
                for (int h = 0; h < 2; ++h)
                    b[j][h] = __float_as_uint(fromB[B::of(n + 8 * j + g, k + t + 4 * h)]);
            }
        }
    }

    __device__ __forceinline__ void multiply(float (&acc)[T::rows][T::columns][4]) {
#pragma unroll
        for (int i = 0; i < T::rows; ++i)
#pragma unroll
            for (int h = 0; h < 4; ++h) a[i][h] = rounded(a[i][h]);
#pragma unroll
        for (int j = 0; j < T::columns; ++j)
#pragma unroll
            for (int h = 0; h < 2; ++h) b[j][h] = rounded(b[j][h]);
#pragma unroll
        for (int i = 0; i < T::rows; ++i)
#pragma unroll
            for (int j = 0; j < T::columns; ++j) multiplyAdd(acc[i][j], a[i], b[j]);
    }
};

}  // namespace
}  // namespace core::cuda
