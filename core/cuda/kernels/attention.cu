// Attention of short sequences by the tensor cores: each sample's head is one block's, or several are; scores
// and their softmax stay in registers.
#include "core/cuda/kernels/attention.cuh"

namespace core::cuda {
namespace {

// `lines` lines and `columns` columns of what a warp has put into 16 lines of its own, to memory: what lies
// together is written together.
template <int DEEP, int COLUMNS>
__device__ __forceinline__ void storeOwn(float* to, int step, int lines, int columns, bool wide,
                                         const float* own) {
    const uint32_t lane = threadIdx.x % 32;
    const auto each = [&]<typename T>(T) {
        constexpr uint32_t run = sizeof(T) / sizeof(float), across = COLUMNS / run;
        const uint32_t line = lane / across, c = lane % across * run;
        const uint32_t first = place<DEEP>(line, c / 4) | c % 4;
        float* const at = to + int(line) * step + int(c);
        const int down = lines - int(line), along = columns - int(c);
        T v[across / 2];
#pragma unroll
        for (uint32_t i = 0; i < 16 * across; i += 32)
            v[i / 32] =
                *reinterpret_cast<const T*>(own + (first ^ place<DEEP>(i / across, i % across * run / 4)));
#pragma unroll
        for (uint32_t i = 0; i < 16 * across; i += 32)
            if (int(i / across) < down && int(i % across * run) < along)
                *reinterpret_cast<T*>(at + int(i / across) * step + i % across * run) = v[i / 32];
    };
    __syncwarp();
    wide ? each(float4{}) : each(0.0f);
    __syncwarp();
}

// The warp's lines of a matrix of all keys, `scale` times, to memory by way of lines of its own.
template <int TILES, int DEEP>
__device__ __forceinline__ void storePairs(float* to, int lines, const Attention& a, bool wide,
                                           const Fragment<TILES>& v, const float (&scale)[2], float* own) {
    constexpr int tiles = TILES < DEEP ? TILES : DEEP;  // at a time
    const uint32_t first = place<DEEP>(threadIdx.x % 32 / 4, threadIdx.x % 4);
#pragma unroll
    for (int from = 0; from < TILES; from += tiles) {
#pragma unroll
        for (int half = 0; half < 2; ++half)
#pragma unroll
            for (int j = 0; j < tiles; j += 2) {
                const auto at = [&](int i) { return v[from + j + i / 2][2 * half + i % 2] * scale[half]; };
                *reinterpret_cast<float4*>(own + (first ^ place<DEEP>(8 * half, 2 * j))) =
                    make_float4(at(0), at(1), at(2), at(3));
            }
        storeOwn<DEEP, 8 * tiles>(to + 8 * from, a.keys, lines, a.keys - 8 * from, wide, own);
    }
}

// q, k, v: P = softmax(scale q k^T), out = P v.
template <int TILES, int DEEP>
__global__ void __launch_bounds__(attentionThreads) attention(const __grid_constant__ Attention a) {
#if __CUDA_ARCH__ >= 800  // older cards have no such units, and are not asked to
    using L = Lot<TILES>;
    constexpr int keys = 8 * TILES, width = 8 * DEEP;
    const float log2e = 1.44269504f, ln2 = 0.693147181f;
    extern __shared__ __align__(128) float memory[];
    const L lot(a);
    float* const q = memory + lot.local * (L::lines + 2 * keys) * width;
    float *const k = q + L::lines * width, *const v = k + keys * width;
    const int first = int(blockIdx.y) * L::lines;
    awaitEarlier();
    const auto fetch = [&]<int LINES>(float* to, const AttentionOperand& o, int from) {
        fetchLines<DEEP, LINES, L::threads>(to, o.data + lot.of(a, o.lines, o.step) + from * o.step, o.step,
                                            lot.there ? o.lines - from : 0, a.width, a.wide, lot.thread);
    };
    fetch.template operator()<L::lines>(q, a.q, first);
    fetch.template operator()<keys>(k, a.k, 0);
    commit();
    fetch.template operator()<keys>(v, a.v, 0);
    commit();
    awaitStage<1>();
    __syncthreads();
    const int line = first + lot.line, lane = int(threadIdx.x) % 32;
    const int lines = lot.there ? a.queries - line : 0;
    Fragment<TILES> s;
    float* const own = q + lot.line * width;
    overWidth<TILES, DEEP>(s, own, a.scale * log2e, k);  // so that P is of powers of two
    __syncwarp();
    const int64_t pairs = lot.ofPairs(a) + int64_t(line) * a.keys;
    if (a.scores)
        storePairs<TILES, DEEP>(a.scores + pairs, lines, a, widePairs(a, a.scores), s, {ln2, ln2}, own);
    if (a.causal || a.keys < keys) {
#pragma unroll
        for (int half = 0; half < 2; ++half) {
            const int last = a.causal ? min(line + lane / 4 + 8 * half, a.keys - 1) : a.keys - 1;
#pragma unroll
            for (int j = 0; j < TILES; ++j)
#pragma unroll
                for (int i = 0; i < 2; ++i)
                    if (16 * (j / 2) + 2 * (j % 2) + i > last - lane % 4 * 4) s[j][2 * half + i] = -INFINITY;
        }
    }
    float share[2];
#pragma unroll
    for (int half = 0; half < 2; ++half) {
        float top = -INFINITY, total = 0;
#pragma unroll
        for (int j = 0; j < TILES; ++j) top = fmaxf(top, fmaxf(s[j][2 * half], s[j][2 * half + 1]));
        top = fmaxf(top, __shfl_xor_sync(0xffffffffu, top, 1));
        top = fmaxf(top, __shfl_xor_sync(0xffffffffu, top, 2));
#pragma unroll
        for (int j = 0; j < TILES; ++j)
#pragma unroll
            for (int i = 0; i < 2; ++i) {
                float& x = s[j][2 * half + i];
                x = powerOfTwo(x - top);
                total += x;
            }
        share[half] = 1.0f / acrossQuad(total);
    }
    awaitAll();
    __syncthreads();
    if (a.weights)
        storePairs<TILES, DEEP>(a.weights + pairs, lines, a, widePairs(a, a.weights), s, share, own);
    Fragment<DEEP> out = {};
    overLines<TILES, DEEP>(out, s, v);
    const int step = a.heads * a.width;
    storeLines<DEEP>(a.out + lot.of(a, a.queries, step) + int64_t(line) * step, lines, a, out, share);
#endif
}

template <int TILES, int DEEP>
void launchSize(const Attention& a, cudaStream_t stream) {
    using L = Lot<TILES>;
    if constexpr (TILES * DEEP <= 128) {
        const dim3 grid(uint32_t((a.samples * a.heads + L::together - 1) / L::together),
                        uint32_t((a.queries + L::lines - 1) / L::lines));
        launchHeads<attention<TILES, DEEP>>(a, grid, L::together * (L::lines + 16 * TILES) * 8 * DEEP,
                                            stream);
    }
}

template <int TILES>
void launchTiles(const Attention& a, cudaStream_t stream) {
    if (a.width <= 16)
        launchSize<TILES, 2>(a, stream);
    else if (a.width <= 32)
        launchSize<TILES, 4>(a, stream);
    else
        launchSize<TILES, 8>(a, stream);
}

}  // namespace

bool hasAttention(int device) {
    int major = 0, most = 0;
    return cudaDeviceGetAttribute(&major, cudaDevAttrComputeCapabilityMajor, device) == cudaSuccess &&
           cudaDeviceGetAttribute(&most, cudaDevAttrMaxSharedMemoryPerBlockOptin, device) == cudaSuccess &&
           major >= 8 && most >= Attention::room;
}

void launchAttention(const Attention& a, cudaStream_t stream) {
    if (a.keys <= 16)
        launchTiles<2>(a, stream);
    else if (a.keys <= 32)
        launchTiles<4>(a, stream);
    else if (a.keys <= 64)
        launchTiles<8>(a, stream);
    else if (a.keys <= 128)
        launchTiles<16>(a, stream);
    else
        launchTiles<32>(a, stream);
}

}  // namespace core::cuda
