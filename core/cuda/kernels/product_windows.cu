// Convolutions whose blocks keep the pixels that their windows see: these are copied once, not once for
// every tap. Pixels are counted in images with their padding, one behind the other, where a tap is the same
// number of pixels further for all.
#include "core/cuda/kernels/finish.cuh"

namespace core::cuda {
namespace {

constexpr int pixelStep = depth + 4;  // floats in shared memory

template <class T>
size_t windowBytes(const Product& p, bool turned) {
    const int b = turned ? Lying<true, T::n>::size : Lying<false, T::n>::size;
    const int copies = p.channels > depth ? 2 : 1;
    const int floats = std::max(copies * p.patch * pixelStep + T::stages * b, T::m * T::outStep);
    return sizeof(float) * size_t(floats + p.patch + T::m);
}

template <class T, bool TURN_B>
__global__ void __launch_bounds__(T::threads)
    windows(const __grid_constant__ Product p, const __grid_constant__ Pass pass) {
    constexpr int BM = T::m, BN = T::n, stages = T::stages;
    using B = Lying<TURN_B, BN>;
    extern __shared__ __align__(16) float shared[];
    __shared__ Program program;
    const int chunks = p.channels / depth, taps = p.window * p.window, steps = chunks * taps;
    const int thread = int(threadIdx.x), warp = thread / 32, lane = thread % 32;
    const int m0 = int(blockIdx.y) * BM, n0 = int(blockIdx.x) * BN;
    float* const sharedB = shared + (chunks > 1 ? 2 : 1) * p.patch * pixelStep;
    int* const corners = reinterpret_cast<int*>(shared) +
                         max((chunks > 1 ? 2 : 1) * p.patch * pixelStep + stages * B::size, BM * T::outStep);
    int* const sources = corners + BM;

    // ---- where the block's pixels stand, and what lies there
    const int planeX = p.width + 2 * p.padding, plane = (p.height + 2 * p.padding) * planeX;
    const auto cornerOf = [&](int m) {
        const Pixel pixel = pixelOf(p, min(m, p.m - 1));
        return pixel.sample * plane + pixel.y * planeX + pixel.x;
    };
    const int first = cornerOf(m0);
    const int pixels = cornerOf(m0 + BM - 1) + (p.window - 1) * (planeX + 1) - first + 1;
    for (int i = thread; i < BM; i += T::threads) corners[i] = (cornerOf(m0 + i) - first) * pixelStep;
    for (int i = thread; i < pixels; i += T::threads) {
        const int sample = (first + i) / plane, rest = first + i - sample * plane, line = rest / planeX;
        const int y = line - p.padding, x = rest - line * planeX - p.padding;
        const bool there = uint32_t(y) < uint32_t(p.height) && uint32_t(x) < uint32_t(p.width) &&
                           sample * p.outHeight * p.outWidth < p.m;
        sources[i] = there ? ((sample * p.height + y) * p.width + x) * p.channels : -1;
    }
    fetch(program, pass.program);
    __syncthreads();
    awaitEarlier();

    constexpr int together = T::threads / (depth / 4);
    const int rounds = (pixels + together - 1) / together;
    const auto loadPixels = [&](int chunk, int from, int to) {
        const int at = thread % (depth / 4) * 4;
        float* const target = shared + (chunk & 1) * p.patch * pixelStep + at;
        for (int i = from; i < to; ++i) {
            const int pixel = i * together + thread / (depth / 4);
            if (pixel >= pixels) break;
            const int source = sources[pixel];
            copyAsync4(target + pixel * pixelStep, source < 0 ? p.a : p.a + (source + chunk * depth + at),
                       source >= 0);
        }
    };
    constexpr int perLineB = TURN_B ? depth / 4 : BN / 4, chunksB = BN * depth / 4 / T::threads;
    constexpr int linesApartB = T::threads / perLineB;
    const int lineB = thread / perLineB, atB0 = thread % perLineB * 4;
    const auto loadB = [&](int chunk, int tap, int stage) {
        const int of = p.flipped ? taps - 1 - tap : tap;
        float* const to = sharedB + stage * B::size + B::at(lineB, atB0);
        const float* const b = TURN_B ? p.b + int64_t(of) * p.channels * p.n + chunk * depth
                                      : p.b + int64_t(of * p.channels + chunk * depth) * p.ldb;
        const int lines = TURN_B ? p.n - n0 : depth, across = TURN_B ? depth : p.n - n0;
        const float* const from = b + (TURN_B ? int64_t(n0) * p.ldb : n0) + int64_t(lineB) * p.ldb + atB0;
        if (p.wideB) {
            copyLines<chunksB, linesApartB, B::step>(to, from, p.ldb, lines - lineB, atB0 < across);
        } else {
#pragma unroll
            for (int i = 0; i < chunksB; ++i)
#pragma unroll
                for (int j = 0; j < 4; ++j) {
                    const bool there = lineB + i * linesApartB < lines && atB0 + j < across;
                    copyAsync(to + i * linesApartB * B::step + j,
                              there ? from + int64_t(i * linesApartB) * p.ldb + j : p.b, there);
                }
        }
    };

    const int g = lane / 4, t = lane % 4;
    const int warpM = warp / T::warpsN * T::rows * 16, warpN = warp % T::warpsN * T::columns * 8;
    int corner[T::rows];
#pragma unroll
    for (int i = 0; i < T::rows; ++i) corner[i] = corners[warpM + 16 * i + lane % 16] + 4 * (lane / 16);

    // The next chunk's pixels come with the first taps of this one, early enough to be there.
    const int spread = taps - stages + 2, each = (rounds + spread - 1) / spread;
    int askedChunk = 0, askedTap = 0;
    const auto askB = [&](int stage) {
        if (askedChunk < chunks) loadB(askedChunk, askedTap, stage);
        if (++askedTap == taps) askedTap = 0, ++askedChunk;
        commit();
    };
    loadPixels(0, 0, rounds);
#pragma unroll
    for (int s = 0; s < stages - 1; ++s) askB(s);
    float acc[T::rows][T::columns][4] = {};
    int chunk = 0, tap = 0, v = 0, u = 0, stage = 0;
    for (int step = 0; step < steps; ++step) {
        awaitStage<stages - 2>();
        __syncthreads();
        if (chunk + 1 < chunks && tap < spread)
            loadPixels(chunk + 1, tap * each, min((tap + 1) * each, rounds));
        askB(stage == 0 ? stages - 1 : stage - 1);
        const float* const fromA = shared + (chunk & 1) * p.patch * pixelStep + (v * planeX + u) * pixelStep;
        const float* const fromB = sharedB + stage * B::size;
        Fragments<T> next[2];
        const auto fragments = [&](Fragments<T>& f, int k) {
#pragma unroll
            for (int i = 0; i < T::rows; ++i) loadMatrices(f.a[i], fromA + corner[i] + k);
            f.template loadRight<TURN_B>(fromB, warpN, k);
        };
        fragments(next[0], 0);
#pragma unroll
        for (int k = 0; k < depth; k += 8) {
            if (k + 8 < depth) fragments(next[(k / 8 + 1) % 2], k + 8);
            next[k / 8 % 2].multiply(acc);
        }
        if (++u == p.window) u = 0, ++v;
        if (++tap == taps) tap = v = u = 0, ++chunk;
        if (++stage == stages) stage = 0;
    }
    Awaited awaited;
    const int column = n0 + thread % (BN / 4) * 4;
    if (column < p.n) askRows(awaited, p.straight, uint32_t(column));
    awaitAll();
    __syncthreads();
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
    finishTile<T>(p, pass, program, shared, awaited, m0, n0, p.m,
                  [&](int m, int n) { return uint32_t(int64_t(m) * p.lde + n); });
}

template <class T, bool TURN_B>
void launchTile(const Product& p, const Pass& pass, cudaStream_t stream) {
    const auto kernel = windows<T, TURN_B>;
    static const cudaError_t raised =
        cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, int(Product::mostWindow));
    (void)raised;
    const dim3 grid(uint32_t((p.n + T::n - 1) / T::n), uint32_t((p.m + T::m - 1) / T::m));
    const size_t bytes = spread(kernel, grid, windowBytes<T>(p, TURN_B));
    kernel<<<grid, T::threads, bytes, stream>>>(p, pass);
}

template <bool TURN_B>
void launchTiles(const Product& p, const Pass& pass, cudaStream_t stream) {
    switch (p.tile) {
        case 4:
            return launchTile<Tile<128, 64, 4, 2, 4>, TURN_B>(p, pass, stream);
        case 2:
            return launchTile<Tile<64, 64, 2, 2, 4>, TURN_B>(p, pass, stream);
        case 1:
            return launchTile<Tile<128, 32, 4, 1, 4>, TURN_B>(p, pass, stream);
        case 6:
            return launchTile<Tile<64, 32, 2, 2, 4>, TURN_B>(p, pass, stream);
        default:
            return launchTile<Tile<32, 32, 2, 2, 4>, TURN_B>(p, pass, stream);
    }
}

}  // namespace

void launchWindowsProduct(const Product& p, const Pass& pass, cudaStream_t stream) {
    p.rightTurned ? launchTiles<true>(p, pass, stream) : launchTiles<false>(p, pass, stream);
}

}  // namespace core::cuda
