// Matrix products in tiles: operands come through shared memory in three stages, are multiplied by the
// tensor cores in TF32 or by ordinary fma in FP32, and the result passes through a pointwise program.
#pragma once

#include "core/cuda/kernels/finish.cuh"

namespace core::cuda {
namespace {

template <class T, int LEFT, bool TURN_B, bool EXACT>
__global__ void __launch_bounds__(T::threads)
    product(const __grid_constant__ Product p, const __grid_constant__ Pass pass) {
    constexpr int BM = T::m, BN = T::n, stages = T::stages;
    constexpr bool TURN_A = LEFT == columns || LEFT == patchesTurned;
    using A = Lying<!TURN_A, BM>;
    using B = Lying<TURN_B, BN>;
    constexpr int aStep = A::step, bStep = B::step, aSize = A::size, bSize = B::size;
    extern __shared__ __align__(16) float shared[];
    __shared__ Program program;
    float *const sharedA = shared, *const sharedB = shared + stages * aSize;

    const int thread = int(threadIdx.x), warp = thread / 32, lane = thread % 32;
    const int split = int(blockIdx.z) % p.splits, batch = int(blockIdx.z) / p.splits;
    const int outer = batch / p.inner, inner = batch - outer * p.inner;
    const bool scattered = p.left == Product::scattered;
    PixelClass cls;
    int M = p.m, K = p.k;
    if (scattered) {
        cls = classOf(p, batch);
        M = cls.m, K = cls.k;
    }
    const float* const a = p.a + (scattered ? 0 : outer * p.aOuter + inner * p.aInner);
    const float* const b = p.b + (scattered ? 0 : outer * p.bOuter + inner * p.bInner);
    const int m0 = int(blockIdx.y) * BM, n0 = int(blockIdx.x) * BN;
    if (m0 >= M) return;
    const int tilesK = (K + depth - 1) / depth, each = (tilesK + p.splits - 1) / p.splits;
    const int firstTile = split * each, lastTile = min(firstTile + each, tilesK);

    // ---- what a thread copies is decided once: its lines, and where they start
    constexpr int perLineA = TURN_A ? BM / 4 : depth / 4, chunksA = BM * depth / 4 / T::threads;
    constexpr int perLineB = TURN_B ? depth / 4 : BN / 4, chunksB = BN * depth / 4 / T::threads;
    constexpr int linesApartA = T::threads / perLineA, linesApartB = T::threads / perLineB;
    const int lineA = thread / perLineA, atA0 = thread % perLineA * 4;
    const int lineB = thread / perLineB, atB0 = thread % perLineB * 4;
    const int sign = scattered ? -1 : 1, across = scattered ? cls.across : p.window;
    const uint32_t acrossInverse = 65536u / uint32_t(across > 0 ? across : 1) + 1;
    int baseA[chunksA], cornerA[chunksA];  // of gathered lines: the offset and the pixel of the first tap
    if constexpr (LEFT == gathered) {
#pragma unroll
        for (int i = 0; i < chunksA; ++i) {
            const int m = m0 + lineA + i * linesApartA;
            int sample, y, x;
            if (scattered) {
                const int plane = cls.height * cls.width, rest = m % plane;
                sample = m / plane;
                y = rest / cls.width + cls.shiftY, x = rest % cls.width + cls.shiftX;
            } else {
                const Pixel pixel = pixelOf(p, m);
                sample = pixel.sample, y = pixel.y * p.stride - p.padding, x = pixel.x * p.stride - p.padding;
            }
            baseA[i] = ((sample * p.height + y) * p.width + x) * p.channels;
            cornerA[i] = m < M ? (y + 64) * 65536 + (x + 64) : -(1 << 30);
        }
    }
    // Of a turned patch: the thread's own taps, and how far they are from the first of a pixel.
    int tapOfA[4] = {}, offsetOfA[4] = {};
    if constexpr (LEFT == patchesTurned)
#pragma unroll
        for (int j = 0; j < 4; ++j) {
            const int m = m0 + atA0 + j, tap = int(quotient(uint32_t(m), p.byChannels));
            const int v = int(uint32_t(tap) * acrossInverse >> 16), u = tap - v * across;
            tapOfA[j] = m < M ? v * 65536 + u : 1 << 30;
            offsetOfA[j] = (v * p.width + u) * p.channels + m - tap * p.channels;
        }

    const auto load = [&](int tile, int stage) {
        const int k0 = tile * depth;
        float* const toA = sharedA + stage * aSize + A::at(lineA, atA0);
        float* const toB = sharedB + stage * bSize + B::at(lineB, atB0);
        // The tap that this thread's run of four lies in, where k counts taps.
        int tap = 0, channel = 0, v = 0, u = 0;
        if constexpr (LEFT == gathered) {
            tap = int(quotient(uint32_t(k0 + (thread % (depth / 4)) * 4), p.byChannels));
            channel = k0 + (thread % (depth / 4)) * 4 - tap * p.channels;
            v = int(uint32_t(tap) * acrossInverse >> 16);
            u = tap - v * across;
        }
        const auto tapOfB = [&](int of) {
            if (p.flipped) return p.window * p.window - 1 - of;
            if (!scattered) return of;
            const int y = int(uint32_t(of) * acrossInverse >> 16);
            return (cls.tapY + p.stride * y) * p.window + cls.tapX + p.stride * (of - y * across);
        };
        if (LEFT == patchesTurned) {
#pragma unroll
            for (int i = 0; i < chunksA; ++i) {
                const int k = k0 + lineA + i * linesApartA;
                const Pixel pixel = pixelOf(p, k);
                const int y = pixel.y * p.stride - p.padding, x = pixel.x * p.stride - p.padding;
                const int base = ((pixel.sample * p.height + y) * p.width + x) * p.channels;
                const auto has = [&](int j) {
                    return k < K && uint32_t(y + (tapOfA[j] >> 16)) < uint32_t(p.height) &&
                           uint32_t(x + (tapOfA[j] & 65535)) < uint32_t(p.width);
                };
                float* const to = toA + i * linesApartA * aStep;
                if (p.wideA) {
                    copyAsync4(to, has(0) ? a + (base + offsetOfA[0]) : a, has(0));
                } else {
#pragma unroll
                    for (int j = 0; j < 4; ++j)
                        copyAsync(to + j, has(j) ? a + (base + offsetOfA[j]) : a, has(j));
                }
            }
        } else if (LEFT == gathered && !p.wideA) {
#pragma unroll
            for (int j = 0; j < 4; ++j) {
                const int k = k0 + atA0 + j, tap = int(quotient(uint32_t(k), p.byChannels));
                const int v = int(uint32_t(tap) * acrossInverse >> 16), u = tap - v * across;
                const int offset = sign * (v * p.width + u) * p.channels + k - tap * p.channels;
#pragma unroll
                for (int i = 0; i < chunksA; ++i) {
                    const int y = (cornerA[i] >> 16) - 64 + sign * v,
                              x = (cornerA[i] & 65535) - 64 + sign * u;
                    const bool there =
                        k < K && uint32_t(y) < uint32_t(p.height) && uint32_t(x) < uint32_t(p.width);
                    copyAsync(toA + i * linesApartA * aStep + j, there ? a + (baseA[i] + offset) : a, there);
                }
            }
        } else if (!p.wideA) {
#pragma unroll
            for (int i = 0; i < chunksA; ++i)
#pragma unroll
                for (int j = 0; j < 4; ++j) {
                    const int line = lineA + i * linesApartA;
                    const int m = m0 + (TURN_A ? atA0 + j : line), k = k0 + (TURN_A ? line : atA0 + j);
                    const bool there = m < M && k < K;
                    const float* const from = a + (TURN_A ? int64_t(k) * p.lda + m : int64_t(m) * p.lda + k);
                    copyAsync(toA + i * linesApartA * aStep + j, there ? from : a, there);
                }
        } else if constexpr (LEFT == rows) {
            copyLines<chunksA, linesApartA, aStep>(toA, a + int64_t(m0 + lineA) * p.lda + k0 + atA0, p.lda,
                                                   M - m0 - lineA, k0 + atA0 < K);
        } else if constexpr (LEFT == gathered) {
            const int offset = sign * (v * p.width + u) * p.channels + channel;
            const bool inside = k0 + atA0 < K;
#pragma unroll
            for (int i = 0; i < chunksA; ++i) {
                const int y = (cornerA[i] >> 16) - 64 + sign * v, x = (cornerA[i] & 65535) - 64 + sign * u;
                const bool there =
                    inside && uint32_t(y) < uint32_t(p.height) && uint32_t(x) < uint32_t(p.width);
                copyAsync4(toA + i * linesApartA * aStep, there ? a + (baseA[i] + offset) : a, there);
            }
        } else {
            copyLines<chunksA, linesApartA, aStep>(toA, a + int64_t(k0 + lineA) * p.lda + m0 + atA0, p.lda,
                                                   K - k0 - lineA, m0 + atA0 < M);
        }
        if (!p.wideB) {
#pragma unroll
            for (int i = 0; i < chunksB; ++i)
#pragma unroll
                for (int j = 0; j < 4; ++j) {
                    const int line = lineB + i * linesApartB;
                    const int n = n0 + (TURN_B ? line : atB0 + j), k = k0 + (TURN_B ? atB0 + j : line);
                    const float* from = nullptr;
                    if constexpr (LEFT == gathered)
                        from = rightAt(p, cls, b, K, k, n);
                    else
                        from = k < K && n < p.n
                                   ? b + (TURN_B ? int64_t(n) * p.ldb + k : int64_t(k) * p.ldb + n)
                                   : nullptr;
                    copyAsync(toB + i * linesApartB * bStep + j, from ? from : b, from != nullptr);
                }
        } else if constexpr (TURN_B) {
            int64_t offset = k0 + atB0;
            if constexpr (LEFT == gathered) offset = int64_t(tapOfB(tap)) * p.channels * p.n + channel;
            copyLines<chunksB, linesApartB, bStep>(toB, b + int64_t(n0 + lineB) * p.ldb + offset, p.ldb,
                                                   p.n - n0 - lineB, k0 + atB0 < K);
        } else if (LEFT == gathered && (scattered || p.flipped)) {
            const bool inside = n0 + atB0 < p.n;
#pragma unroll
            for (int i = 0; i < chunksB; ++i) {
                const int k = k0 + lineB + i * linesApartB, of = int(quotient(uint32_t(k), p.byChannels));
                const int line = tapOfB(of) * p.channels + (k - of * p.channels);
                const bool there = inside && k < K;
                copyAsync4(toB + i * linesApartB * bStep, there ? b + int64_t(line) * p.ldb + n0 + atB0 : b,
                           there);
            }
        } else {
            copyLines<chunksB, linesApartB, bStep>(toB, b + int64_t(k0 + lineB) * p.ldb + n0 + atB0, p.ldb,
                                                   K - k0 - lineB, n0 + atB0 < p.n);
        }
    };

    float acc[T::rows][T::columns][4] = {};
    const int warpM = warp / T::warpsN * T::rows * 16, warpN = warp % T::warpsN * T::columns * 8;
    const int g = lane / 4, t = lane % 4;
    const bool sums = TURN_A && p.columnSums && blockIdx.y == 0;
    const bool lineSums = TURN_A && p.rowSums && blockIdx.x == 0;
    float columnSum = 0, rowSum = 0;

    fetch(program, pass.program);
    awaitEarlier();
    for (int s = 0; s < stages - 1; ++s) {
        if (firstTile + s < lastTile) load(firstTile + s, s);
        commit();
    }
    for (int tile = firstTile; tile < lastTile; ++tile) {
        awaitStage<stages - 2>();
        __syncthreads();
        const int next = tile + stages - 1;
        if (next < lastTile) load(next, (next - firstTile) % stages);
        commit();
        const int stage = (tile - firstTile) % stages;
        const float *const fromA = sharedA + stage * aSize, *const fromB = sharedB + stage * bSize;
        const auto atA = [&](int m, int k) { return fromA[A::of(m, k)]; };
        const auto atB = [&](int k, int n) { return fromB[B::of(n, k)]; };
        if (sums && thread < BN)
#pragma unroll 4
            for (int k = 0; k < depth; ++k) columnSum += atB(k, thread);
        if (lineSums && thread < BM)
#pragma unroll 4
            for (int k = 0; k < depth; ++k) rowSum += atA(thread, k);
        if constexpr (!EXACT) {
            // The fragments of the next step are on their way while these are multiplied.
            constexpr int steps = depth / 8;
            Fragments<T> next[2];
            next[0].template load<TURN_A, TURN_B>(fromA, fromB, warpM, warpN, 0);
#pragma unroll
            for (int step = 0; step < steps; ++step) {
                if (step + 1 < steps)
                    next[(step + 1) % 2].template load<TURN_A, TURN_B>(fromA, fromB, warpM, warpN,
                                                                       8 * (step + 1));
                next[step % 2].multiply(acc);
            }
        } else {
            // One chain of fma over ascending k for every element, as on the CPU.
#pragma unroll 2
            for (int k = 0; k < depth; ++k) {
                float fa[T::rows][2], fb[T::columns][2];
#pragma unroll
                for (int i = 0; i < T::rows; ++i)
                    for (int h = 0; h < 2; ++h) fa[i][h] = atA(warpM + 16 * i + 8 * h + g, k);
#pragma unroll
                for (int j = 0; j < T::columns; ++j)
                    for (int h = 0; h < 2; ++h) fb[j][h] = atB(k, warpN + 8 * j + 2 * t + h);
#pragma unroll
                for (int i = 0; i < T::rows; ++i)
#pragma unroll
                    for (int j = 0; j < T::columns; ++j)
#pragma unroll
                        for (int h = 0; h < 4; ++h)
                            acc[i][j][h] = __fmaf_rn(fa[i][h / 2], fb[j][h % 2], acc[i][j][h]);
            }
        }
    }
    Awaited awaited;
    const int ofThread = n0 + thread % (BN / 4) * 4;
    if (ofThread < p.n) askRows(awaited, p.straight, uint32_t(ofThread));
    awaitAll();
    __syncthreads();

    // Through shared memory, so that neighbouring threads have neighbouring elements.
#pragma unroll
    for (int i = 0; i < T::rows; ++i)
#pragma unroll
        for (int j = 0; j < T::columns; ++j)
#pragma unroll
            for (int h = 0; h < 2; ++h)
                *reinterpret_cast<float2*>(shared + (warpM + 16 * i + g + 8 * h) * T::outStep + warpN +
                                           8 * j + 2 * t) =
                    make_float2(acc[i][j][2 * h], acc[i][j][2 * h + 1]);
    __syncthreads();

    if (p.splits > 1) {  // added up by the kernel `combine`
        const int64_t whole = int64_t(p.m) * p.n;
        float* const partial = p.partial + split * whole;
        if (p.n % 4 == 0) {
            for (int i = thread; i < BM * BN / 4; i += T::threads) {
                const int line = i / (BN / 4), column = i % (BN / 4) * 4;
                if (m0 + line < M && n0 + column < p.n)
                    storeRun<4>(partial + int64_t(m0 + line) * p.n + n0 + column,
                                loadRun<4>(shared + line * T::outStep + column));
            }
        } else {
            for (int i = thread; i < BM * BN; i += T::threads) {
                const int m = m0 + i / BN, n = n0 + i % BN;
                if (m < M && n < p.n) partial[int64_t(m) * p.n + n] = shared[i / BN * T::outStep + i % BN];
            }
        }
        if (sums && thread < BN && n0 + thread < p.n)
            p.partial[p.splits * whole + split * p.n + n0 + thread] = columnSum;
        if (lineSums && thread < BM && m0 + thread < M)
            p.partial[p.splits * (whole + p.n) + split * p.m + m0 + thread] = rowSum;
        return;
    }
    if (sums && thread < BN && n0 + thread < p.n) p.columnSums[n0 + thread] = columnSum;
    if (lineSums && thread < BM && m0 + thread < M) p.rowSums[m0 + thread] = rowSum;

    const int64_t e0 = scattered ? 0 : outer * p.eOuter + inner * p.eInner;
    const auto elementAt = [&](int m, int n) {
        int64_t row = m;
        if (scattered) {
            const int plane = cls.height * cls.width, sample = m / plane, rest = m - sample * plane;
            const int y = rest / cls.width, x = rest - y * cls.width;
            row = int64_t(sample * p.outHeight + y * p.stride + cls.y) * p.outWidth + x * p.stride + cls.x;
        }
        return uint32_t(e0 + row * p.lde + n);
    };
    finishTile<T>(p, pass, program, shared, awaited, m0, n0, M, elementAt);
}

template <class T, int LEFT, bool TURN_B, bool EXACT>
void launchTile(const Product& p, const Pass& pass, cudaStream_t stream) {
    const auto kernel = product<T, LEFT, TURN_B, EXACT>;
    constexpr size_t bytes = T::bytes(LEFT == columns || LEFT == patchesTurned, TURN_B);
    static const cudaError_t raised =
        cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, int(bytes));
    (void)raised;
    int m = p.m;
    if (p.left == Product::scattered)
        m = p.m / (p.outHeight * p.outWidth) * ((p.outHeight + p.stride - 1) / p.stride) *
            ((p.outWidth + p.stride - 1) / p.stride);
    const dim3 grid(uint32_t((p.n + T::n - 1) / T::n), uint32_t((m + T::m - 1) / T::m),
                    uint32_t(p.batches * p.splits));
    // Other products often run beside each other.
    constexpr bool ofImages = LEFT != rows && LEFT != columns;
    kernel<<<grid, T::threads, ofImages ? spread(kernel, grid, bytes) : bytes, stream>>>(p, pass);
}

// Cards before Ampere have no TF32.
inline bool hasTf32() {
    static const bool has = [] {
        int device = 0, major = 0;
        cudaGetDevice(&device);
        cudaDeviceGetAttribute(&major, cudaDevAttrComputeCapabilityMajor, device);
        return major >= 8;
    }();
    return has;
}

template <int LEFT, bool TURN_B>
void launchShape(const Product& p, const Pass& pass, cudaStream_t stream) {
    if (p.exact || !hasTf32())
        return p.tile >= 2 ? launchTile<Tile<64, 64, 2, 2>, LEFT, TURN_B, true>(p, pass, stream)
                           : launchTile<Tile<32, 32, 2, 2>, LEFT, TURN_B, true>(p, pass, stream);
    switch (p.tile) {
        case 5:
            return launchTile<Tile<64, 64, 4, 2>, LEFT, TURN_B, false>(p, pass, stream);
        case 4:
            return launchTile<Tile<128, 64, 4, 2>, LEFT, TURN_B, false>(p, pass, stream);
        case 3:
            return launchTile<Tile<128, 128, 2, 4>, LEFT, TURN_B, false>(p, pass, stream);
        case 2:
            return launchTile<Tile<64, 64, 2, 2, 4>, LEFT, TURN_B, false>(p, pass, stream);
        case 1:
            return launchTile<Tile<128, 32, 8, 1>, LEFT, TURN_B, false>(p, pass, stream);
        default:
            return launchTile<Tile<32, 32, 2, 2>, LEFT, TURN_B, false>(p, pass, stream);
    }
}

}  // namespace
}  // namespace core::cuda
