// What chain_hidden.cu is made of: weights on their way, and layers of 8 or 16 rows (EIGHTS times eight).
#pragma once

#include "core/cuda/kernels/boxes.h"
#include "core/cuda/kernels/links.cuh"
#include "core/cuda/kernels/wgmma.cuh"

namespace core::cuda {
namespace {

constexpr int multipliers = Chain::threads, warps = multipliers / 32, mostRows = Chain::together;
// Behind the warps that multiply one that brings weights, and one for links that are beside the others.
constexpr int threads = multipliers + 64;
constexpr int width = Chain::wideWidth, step = width + 8, steps = width / 16;  // steps of 16 k
constexpr int places = 2, boxSize = width * boxWidth;
static_assert(warps * 16 == width && mostRows == 16 && sizeof(Link) % 16 == 0);

// What stands in shared memory; the links behind it.
struct Shared {
    float weights[places][width * width];
    float rows[2][mostRows * step];
    float narrow[mostRows][Link::fewest];
    uint64_t weightsThere[places], weightsTaken[places], linksThere, besideThere;
};
constexpr size_t bytesFor(int links) {
    return 1024 + sizeof(Shared) + sizeof(Link) * size_t(links);
}

static_assert(bytesFor(Chain::mostHiddenLinks) <= 227 * 1024);

struct Maps {
    CUtensorMap of[Chain::mostHidden];
};

#if defined(__CUDA_ARCH_FEAT_SM90_ALL)

// Which of eight rows the tensor cores' column j is: so that neither what is read nor what is written of the
// rows in shared memory meets itself in a bank.
__device__ __forceinline__ int rowOf(int j) {
    const int j0 = j & 1, j1 = j >> 1 & 1, j2 = j >> 2;
    return 4 * j2 + 2 * (j0 ^ j2) + j1;
}
// Where column c of a row stands in shared memory if the layer it goes into is multiplied by weights that are
// not turned: a thread takes pairs of 16 k, so that their lines lie in different banks.
__device__ __forceinline__ int woven(int c) {
    return (c & ~15) + 4 * (c >> 1 & 3) + 2 * (c >> 3 & 1) + (c & 1);
}

// What threads ask of a link again and again, in registers: a branch that waits for shared memory is slow.
struct Step {
    Link::Way way;
    bool leftThere, keeps, awaits, turned, adds;
    uint8_t activation, slope;
    float scale, a;
    const float *bias, *bias2, *more;  // more: what is added, or what the slope is of
    float *early, *late;

    __device__ __forceinline__ explicit Step(const Link& l)
        : way(l.way),
          leftThere(l.leftThere),
          keeps(l.keeps),
          awaits(l.awaits),
          turned(l.product.rightTurned),
          adds(l.product.straight.added != nullptr),
          activation(l.product.straight.activation),
          slope(l.product.straight.slope),
          scale(l.product.scale),
          a(l.product.straight.a),
          bias(l.product.straight.bias),
          bias2(l.product.straight.bias2),
          more(adds ? l.product.straight.added : l.product.straight.slopeOf),
          early(l.product.straight.early),
          late(l.product.straight.late) {}
    __device__ __forceinline__ bool isLayer() const { return way == Link::hidden || way == Link::entering; }
};

// The thread's place in a layer's result: two columns of rows at[h], and of those eight further on.
struct Place {
    int g, t, warp, pair, column, at[2];
    __device__ __forceinline__ Place() {
        const int lane = int(threadIdx.x & 31);
        g = lane >> 2, t = lane & 3, warp = int(threadIdx.x >> 5);
        pair = (g & 4) + 2 * (g & 1) + (g >> 1 & 1);  // so that swizzled lines lie in different banks
        column = 16 * warp + 2 * pair;
        at[0] = rowOf(2 * t), at[1] = rowOf(2 * t + 1);
    }
    __device__ __forceinline__ int row(int i, int h) const { return 8 * i + at[h]; }
};

// A number as the tensor cores take it.
__device__ __forceinline__ float clean(float x) {
    return __uint_as_float(toTf32(x) & 0xffffe000u);
}

// What a thread holds of a link's right operand. Hidden layers: of its two columns and each 16 k, four k.
struct Weights {
    float at[steps][2][4];

    __device__ __forceinline__ void take(const float* from, bool turned, const Place& place) {
        if (turned) {
            const int line = 2 * place.pair;
            const float* const at0 = from + (16 * place.warp + line) * boxWidth;
            const int run[2] = {4 * (place.t ^ (line & 7)), 4 * (place.t ^ ((line + 1) & 7))};
#pragma unroll
            for (int s = 0; s < steps; ++s)
#pragma unroll
                for (int j = 0; j < 2; ++j) {
                    const Lanes<4> v =
                        loadRun<4>(at0 + s / 2 * boxSize + j * boxWidth + (run[j] ^ s % 2 * 16));
#pragma unroll
                    for (int q = 0; q < 4; ++q) at[s][j][q] = v.at[q];
                }
        } else {
            const int column = 16 * (place.warp & 1) + 2 * place.pair, line = 2 * place.t;
            from += place.warp / 2 * boxSize + line * boxWidth + column % 4;
            const float* const run[2] = {from + 4 * (column / 4 ^ line),
                                         from + 4 * (column / 4 ^ (line + 1)) + boxWidth};
#pragma unroll
            for (int s = 0; s < steps; ++s)
#pragma unroll
                for (int q = 0; q < 4; ++q) {
                    const float2 v =
                        *reinterpret_cast<const float2*>(run[q % 2] + (16 * s + 8 * (q / 2)) * boxWidth);
                    at[s][0][q] = v.x, at[s][1][q] = v.y;
                }
        }
    }
    // Through the first cache: all warps read the same.
    __device__ __forceinline__ void ask(const Link& l, const Place& place) {
        const Product& p = l.product;
        const int apartN = p.rightTurned ? p.ldb : 1, apartK = p.rightTurned ? 1 : p.ldb;
        if (l.way == Link::entering) {
#pragma unroll
            for (int k = 0; k < Link::shortest; ++k)
#pragma unroll
                for (int j = 0; j < 2; ++j)
                    if (k < p.k) at[k][j][0] = p.b[(place.column + j) * apartN + k * apartK];
        } else if (l.way == Link::leaving) {
            const int k = int(threadIdx.x & 15) * 4;
#pragma unroll
            for (int n = 0; n < Link::fewestLeaving; ++n) {
                if (n >= p.n) break;
#pragma unroll
                for (int j = 0; j < 2; ++j)
                    if (p.rightTurned) {
                        const float* const from = p.b + n * apartN + 64 * j + k;
                        const Lanes<4> v = loadRun<4>(from);
#pragma unroll
                        for (int q = 0; q < 4; ++q) at[n][j][q] = v.at[q];
                    } else {
#pragma unroll
                        for (int q = 0; q < 4; ++q) at[n][j][q] = p.b[n + (64 * j + k + q) * apartK];
                    }
            }
        }
    }
};

// Brings the weights of hidden layers into shared memory, each into the next place. Every block of a cluster
// brings some of the boxes to all of them, once no block reads what stands there.
__device__ __forceinline__ void bring(Shared& shared, const Maps& maps, int count) {
    const int size = clusterSize(), rank = rankInCluster();
    for (int layer = 0; layer < count; ++layer) {
        const int place = layer % places;
        uint64_t* const there = &shared.weightsThere[place];
        if (layer >= places) awaitBarrier(&shared.weightsTaken[place], (layer / places - 1) % 2);
        arriveExpecting(there, int(sizeof shared.weights[0]));
        for (int i = rank; i < width / boxWidth; i += size)
            copyBoxToAll(shared.weights[place] + i * boxSize, maps.of[layer], i * boxWidth, 0, 0, there);
    }
}

// The same weights as a warp that multiplies sees them.
struct Stream {
    Shared& shared;
    int count, taken = 0;

    __device__ __forceinline__ const float* next() {
        awaitBarrier(&shared.weightsThere[taken % places], taken / places % 2);
        return shared.weights[taken++ % places];
    }
    // Once the warp has in registers what it took last. Nobody waits for what would let no more weights in,
    // and the blocks that it would be told may have ended.
    __device__ __forceinline__ void release() {
        const int lane = int(threadIdx.x & 31), layer = taken - 1;
        if (layer + places < count && lane < clusterSize())
            arriveAt(&shared.weightsTaken[layer % places], lane);
    }
};

// Until all warps that multiply are here.
__device__ __forceinline__ void meet() {
    asm volatile("bar.sync 1, %0;" ::"n"(multipliers) : "memory");
}

template <int EIGHTS>
__device__ __forceinline__ void multiply(const Weights& weights, const float* left, const Place& place,
                                         Lanes<4> (&v)[EIGHTS]) {
    const float* const line = left + rowOf(place.g) * step + 4 * place.t;
    constexpr int chains = EIGHTS == 1 ? 4 : 2;  // so that sums wait less for each other
    float acc[chains][EIGHTS][4] = {};
#pragma unroll
    for (int s = 0; s < steps; ++s) {
        Lanes<4> x[EIGHTS];
#pragma unroll
        for (int i = 0; i < EIGHTS; ++i) x[i] = loadRun<4>(line + i * 8 * step + 16 * s);
#pragma unroll
        for (int h = 0; h < 2; ++h) {
            const uint32_t of[4] = {
                __float_as_uint(weights.at[s][0][2 * h]), __float_as_uint(weights.at[s][1][2 * h]),
                __float_as_uint(weights.at[s][0][2 * h + 1]), __float_as_uint(weights.at[s][1][2 * h + 1])};
#pragma unroll
            for (int i = 0; i < EIGHTS; ++i) {
                const uint32_t b[2] = {__float_as_uint(x[i].at[2 * h]), __float_as_uint(x[i].at[2 * h + 1])};
                multiplyAdd(acc[(2 * s + h) % chains][i], of, b);
            }
        }
    }
#pragma unroll
    for (int i = 0; i < EIGHTS; ++i)
#pragma unroll
        for (int q = 0; q < 4; ++q) {
            float sum = acc[0][i][q] + acc[1][i][q];
            if constexpr (chains == 4) sum += acc[2][i][q] + acc[3][i][q];
            v[i].at[q % 2 * 2 + q / 2] = sum;
        }
}

// The rows of few numbers that a layer comes from stand in `narrow` or in the card's memory.
template <int EIGHTS>
__device__ __forceinline__ void enter(const Weights& weights, const Link& l, const float* narrow, int first,
                                      int count, const Place& place, Lanes<4> (&v)[EIGHTS]) {
    const Product& p = l.product;
    const bool there = l.leftThere;
    const float* const a = there ? narrow : p.a + int64_t(first) * p.lda;
    const int apart = there ? Link::fewest : p.lda, K = p.k;
    float x[EIGHTS][2][Link::shortest];
#pragma unroll
    for (int i = 0; i < EIGHTS; ++i)
#pragma unroll
        for (int h = 0; h < 2; ++h)
#pragma unroll
            for (int k = 0; k < Link::shortest; ++k)
                if (k < K) x[i][h][k] = a[min(place.row(i, h), count - 1) * apart + k];
#pragma unroll
    for (int i = 0; i < EIGHTS; ++i) v[i] = splat<4>(0);
#pragma unroll
    for (int k = 0; k < Link::shortest; ++k)
#pragma unroll
        for (int i = 0; i < EIGHTS; ++i)
#pragma unroll
            for (int q = 0; q < 4; ++q)
                if (k < K) v[i].at[q] = __fmaf_rn(x[i][q / 2][k], weights.at[k][q % 2][0], v[i].at[q]);
}

// Where the thread's pairs of a layer stand in the card's memory. Those of rows that are not there are
// others.
template <int EIGHTS>
struct Rows {
    int at[EIGHTS][2];
    bool there[EIGHTS][2];

    __device__ __forceinline__ Rows(const Place& place, int first, int count) {
#pragma unroll
        for (int i = 0; i < EIGHTS; ++i)
#pragma unroll
            for (int h = 0; h < 2; ++h) {
                there[i][h] = place.row(i, h) < count;
                at[i][h] = (first + min(place.row(i, h), count - 1)) * width + place.column;
            }
    }
};

// The straight program of a layer, two columns of two rows in each of v; what it reads is asked for before.
template <int EIGHTS>
struct Finish {
    float2 bias, bias2, more[EIGHTS][2];

    __device__ __forceinline__ void ask(const Step& s, const Rows<EIGHTS>& rows, const Place& place) {
        const auto load = [](const float* from) { return __ldcg(reinterpret_cast<const float2*>(from)); };
        if (s.bias) bias = load(s.bias + place.column);
        if (s.bias2) bias2 = load(s.bias2 + place.column);
        if (!s.more) return;
#pragma unroll
        for (int i = 0; i < EIGHTS; ++i)
#pragma unroll
            for (int h = 0; h < 2; ++h) more[i][h] = load(s.more + rows.at[i][h]);
    }
    __device__ __forceinline__ void run(const Step& s, const Rows<EIGHTS>& rows,
                                        Lanes<4> (&v)[EIGHTS]) const {
        const float scale = s.scale;
        const auto store = [&](float* to) {
            if (!to) return;
#pragma unroll
            for (int i = 0; i < EIGHTS; ++i)
#pragma unroll
                for (int h = 0; h < 2; ++h)
                    if (rows.there[i][h])
                        *reinterpret_cast<float2*>(to + rows.at[i][h]) =
                            make_float2(v[i].at[2 * h], v[i].at[2 * h + 1]);
        };
        const auto add = [](Lanes<4>& to, const float2& first, const float2& second) {
            to.at[0] += first.x, to.at[1] += first.y, to.at[2] += second.x, to.at[3] += second.y;
        };
        change(v, [=](float x) { return x * scale; });
#pragma unroll
        for (int i = 0; i < EIGHTS; ++i) {
            if (s.bias) add(v[i], bias, bias);
            if (s.bias2) add(v[i], bias2, bias2);
            if (s.adds) add(v[i], more[i][0], more[i][1]);
        }
        store(s.early);
        if (s.activation) activate<false>(Op(s.activation), s.a, v);
        if (s.slope) {
            Lanes<4> slope[EIGHTS];
#pragma unroll
            for (int i = 0; i < EIGHTS; ++i)
                slope[i] = {more[i][0].x, more[i][0].y, more[i][1].x, more[i][1].y};
            activate<false>(Op(s.slope), s.a, slope);
            change(v, slope, [](float x, float y) { return x * y; });
        }
        store(s.late);
    }
};

template <int EIGHTS>
__device__ __forceinline__ void keep(float* result, bool weave, const Place& place,
                                     const Lanes<4> (&v)[EIGHTS]) {
    float* const to = result + (weave ? woven(place.column) : place.column);
#pragma unroll
    for (int i = 0; i < EIGHTS; ++i)
#pragma unroll
        for (int h = 0; h < 2; ++h)
            *reinterpret_cast<float2*>(to + place.row(i, h) * step) =
                make_float2(clean(v[i].at[2 * h]), clean(v[i].at[2 * h + 1]));
}

#endif

}  // namespace
}  // namespace core::cuda
