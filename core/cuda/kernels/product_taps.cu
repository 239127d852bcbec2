// Gradients of the weights of convolutions by 3 x 3 pixels: a block goes through some of the images once, and
// each of its nine warps multiplies for one tap. Pixels are counted in images with their padding, one behind
// the other, where a tap is the same number of pixels further for all; dY is 0 between the images.
#include "core/cuda/kernels/tiles.cuh"

namespace core::cuda {
namespace {

constexpr int warps = 9, stages = 4, channels = 32;  // channels of a block
constexpr int ring = 256, pixelStep = channels + 8;  // pixels of x that are there, as a ring
static_assert(ring == Product::tapRing && stages == Product::tapStages);

template <int BN>
constexpr int tapBytes = int(sizeof(float)) * (ring * pixelStep + stages * depth * (BN + 8));

template <int BN>
__global__ void __launch_bounds__(32 * warps) taps(const __grid_constant__ Product p) {
    constexpr int lineStep = BN + 8;
    extern __shared__ __align__(16) float shared[];
    float* const dy = shared + ring * pixelStep;
    const int thread = int(threadIdx.x), warp = thread / 32, lane = thread % 32, g = lane / 4, t = lane % 4;
    const int c0 = int(blockIdx.y) * channels, n0 = int(blockIdx.x) * BN, split = int(blockIdx.z);
    const int planeX = p.width + 2 * p.padding;
    const int samples = p.k / (p.outHeight * p.outWidth), all = samples * int(p.byPixels.divisor);
    const int blocks = (all + depth - 1) / depth, each = (blocks + p.splits - 1) / p.splits;
    const int begin = split * each, count = max(0, min(begin + each, blocks) - begin);
    // The last tap of a block of pixels lies so many blocks further.
    const int ahead = (depth - 1 + 2 * planeX + 2) / depth;

    const int quad = thread % 8 * 4, line = thread / 8;
    const auto loadX = [&](int block) {
        if (thread >= 8 * depth) return;
        const int local = block * depth + line;
        const Pixel at = pixelOf(p, begin * depth + local);
        const int y = at.y - p.padding, x = at.x - p.padding;
        const bool there =
            at.sample < samples && uint32_t(y) < uint32_t(p.height) && uint32_t(x) < uint32_t(p.width);
        const float* const from = p.a + (((at.sample * p.height + y) * p.width + x) * p.channels + c0 + quad);
        copyAsync4(shared + (local % ring) * pixelStep + quad, there ? from : p.a, there);
    };
    const auto loadDy = [&](int block) {
        if (thread >= 8 * depth) return;
        const Pixel at = pixelOf(p, (begin + block) * depth + line);
        const bool there = at.sample < samples && at.y < p.outHeight && at.x < p.outWidth;
        const float* const from =
            p.b + (int64_t((at.sample * p.outHeight + at.y) * p.outWidth + at.x) * p.ldb + n0 + quad);
        float* const to = dy + (block % stages) * depth * lineStep + line * lineStep + quad;
#pragma unroll
        for (int i = 0; i < BN; i += 32) {
            if (p.wideB) {
                const bool inside = there && n0 + quad + i < p.n;
                copyAsync4(to + i, inside ? from + i : p.b, inside);
                continue;
            }
#pragma unroll
            for (int j = 0; j < 4; ++j) {
                const bool inside = there && n0 + quad + i + j < p.n;
                copyAsync(to + i + j, inside ? from + i + j : p.b, inside);
            }
        }
    };

    awaitEarlier();
    for (int block = 0; block < ahead && count > 0; ++block) loadX(block);
#pragma unroll
    for (int s = 0; s < stages - 1; ++s) {
        if (s < count) loadX(s + ahead), loadDy(s);
        commit();
    }
    constexpr int columns = BN / 8;
    float acc[2][columns][4] = {};
    float columnSums[BN / 32] = {};  // of the warp's share of the lines
    const bool sums = p.columnSums && blockIdx.y == 0;
    int place = warp / 3 * planeX + warp % 3 + t;  // of this lane's first pixel in the ring
    for (int block = 0; block < count; ++block) {
        awaitStage<stages - 2>();
        __syncthreads();
        if (block + stages - 1 < count) loadX(block + stages - 1 + ahead), loadDy(block + stages - 1);
        commit();
        const float* const fromB = dy + (block % stages) * depth * lineStep;
        if (sums)
            for (int k = warp; k < depth; k += warps)
#pragma unroll
                for (int i = 0; i < BN / 32; ++i) columnSums[i] += fromB[k * lineStep + 32 * i + lane];
#pragma unroll
        for (int k = 0; k < depth; k += 8, place += 8) {
            uint32_t a[2][4], b[columns][2];
#pragma unroll
            for (int h = 0; h < 2; ++h) {
                const float* const from = shared + ((place + 4 * h) % ring) * pixelStep + g;
#pragma unroll
                for (int i = 0; i < 2; ++i) {
                    a[i][2 * h] = toTf32(from[16 * i]);
                    a[i][2 * h + 1] = toTf32(from[16 * i + 8]);
                }
#pragma unroll
                for (int j = 0; j < columns; ++j)
                    b[j][h] = toTf32(fromB[(k + t + 4 * h) * lineStep + 8 * j + g]);
            }
#pragma unroll
            for (int i = 0; i < 2; ++i)
#pragma unroll
                for (int j = 0; j < columns; ++j) multiplyAdd(acc[i][j], a[i], b[j]);
        }
    }
    // Added up by the kernel `combine`.
    const int64_t whole = int64_t(p.m) * p.n;
    float* const partial = p.partial + split * whole;
#pragma unroll
    for (int i = 0; i < 2; ++i)
#pragma unroll
        for (int h = 0; h < 2; ++h) {
            float* const to = partial + int64_t(warp * p.channels + c0 + 16 * i + 8 * h + g) * p.n;
#pragma unroll
            for (int j = 0; j < columns; ++j) {
                const int n = n0 + 8 * j + 2 * t;
                if (p.n % 2 == 0) {
                    if (n < p.n)
                        *reinterpret_cast<float2*>(to + n) =
                            make_float2(acc[i][j][2 * h], acc[i][j][2 * h + 1]);
                } else {
                    if (n < p.n) to[n] = acc[i][j][2 * h];
                    if (n + 1 < p.n) to[n + 1] = acc[i][j][2 * h + 1];
                }
            }
        }
    if (!sums) return;
    awaitAll();
    __syncthreads();
#pragma unroll
    for (int i = 0; i < BN / 32; ++i) shared[warp * BN + 32 * i + lane] = columnSums[i];
    __syncthreads();
    if (thread >= BN || n0 + thread >= p.n) return;
    float total = 0;
#pragma unroll
    for (int w = 0; w < warps; ++w) total += shared[w * BN + thread];
    p.partial[p.splits * whole + split * p.n + n0 + thread] = total;
}

template <int BN>
void launchTaps(const Product& p, cudaStream_t stream) {
    static const cudaError_t raised =
        cudaFuncSetAttribute(taps<BN>, cudaFuncAttributeMaxDynamicSharedMemorySize, tapBytes<BN>);
    (void)raised;
    const dim3 grid(uint32_t((p.n + BN - 1) / BN), uint32_t(p.channels / channels), uint32_t(p.splits));
    taps<BN><<<grid, 32 * warps, tapBytes<BN>, stream>>>(p);
}

}  // namespace

void launchTapsProduct(const Product& p, cudaStream_t stream) {
    p.n > 32 ? launchTaps<64>(p, stream) : launchTaps<32>(p, stream);
}

}  // namespace core::cuda
