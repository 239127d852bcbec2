// Perceptrons whose hidden layers are 128 wide: a block takes 8 or 16 rows through link after link, each warp
// 16 columns of every layer. The copy engine brings the weights of the next two layers into shared memory,
// rounded; what a warp needs of a layer is in registers before its rows are there. Weights are what the
// tensor cores take from the left, so that eight rows are enough on the right.
#include "core/cuda/kernels/hidden.cuh"

namespace core::cuda {
namespace {

#if defined(__CUDA_ARCH_FEAT_SM90_ALL)

// An element of a program whose first operands were asked for.
__device__ __noinline__ float runElement(const Program& program, const Pass& pass, uint32_t e, float value,
                                         float4 asked) {
    Early<1> early;
    early.at[0].at[0] = asked.x, early.at[1].at[0] = asked.y;
    early.at[2].at[0] = asked.z, early.at[3].at[0] = asked.w;
    return runProgram<1>(program, pass, e, splat<1>(value), early).at[0];
}
__device__ __forceinline__ float4 askElement(const Program& program, uint32_t e) {
    Early<1> early = {};
    early.ask(program, e);
    return make_float4(early.at[0].at[0], early.at[1].at[0], early.at[2].at[0], early.at[3].at[0]);
}

// Sixteen threads share a row.
__device__ __forceinline__ void leave(Weights& weights, const Link& l, const Link* next, const Place& place,
                                      const float* left, int first, int count, float* narrow) {
    const int lane = int(threadIdx.x & 15), row = int(threadIdx.x >> 4), N = l.product.n;
    const bool mine = lane < N && row < count;
    const uint32_t e = uint32_t(first + row) * uint32_t(l.product.lde) + uint32_t(lane);
    float4 asked = {};
    if (mine) asked = askElement(l.program, e);
    const float scale = l.product.scale;
    const Lanes<4> x[2] = {loadRun<4>(left + row * step + 4 * lane),
                           loadRun<4>(left + row * step + 64 + 4 * lane)};
    float total[Link::fewestLeaving] = {};
#pragma unroll
    for (int j = 0; j < 2; ++j)
#pragma unroll
        for (int q = 0; q < 4; ++q)
#pragma unroll
            for (int n = 0; n < Link::fewestLeaving; ++n)
                if (n < N) total[n] = __fmaf_rn(x[j].at[q], weights.at[n][j][q], total[n]);
#pragma unroll
    for (int across = 8; across > 0; across /= 2)
#pragma unroll
        for (int n = 0; n < Link::fewestLeaving; ++n)
            total[n] += __shfl_xor_sync(0xffffffffu, total[n], across);
    if (next) weights.ask(*next, place);
    if (!mine) return;
    const float value = runElement(l.program, l.pass, e, (lane == 0 ? total[0] : total[1]) * scale, asked);
    if (l.keeps) narrow[row * Link::fewest + lane] = value;
}

// The sines and cosines of a product of few k: a thread takes a column of each half, and four rows.
template <int EIGHTS>
__device__ __forceinline__ void wave(const Link& l, const Link* next, const Place& place, int first,
                                     int count, float* result) {
    const Product& p = l.product;
    const int apartN = p.rightTurned ? p.ldb : 1, apartK = p.rightTurned ? 1 : p.ldb;
    const int n = place.column / 2;
    Lanes<4> v = splat<4>(0);
#pragma unroll
    for (int k = 0; k < Link::shortest; ++k) {
        if (k >= p.k) break;
        const float b = __ldcg(p.b + n * apartN + k * apartK);
#pragma unroll
        for (int q = 0; q < 2 * EIGHTS; ++q)
            v.at[q] = __fmaf_rn(p.a[(first + min(place.t + 4 * q, count - 1)) * p.lda + k], b, v.at[q]);
    }
    const bool weave = weaves(next);
#pragma unroll
    for (int half = 0; half < 2; ++half) {
        const int column = n + (half == 0 ? l.sinesAt : l.cosinesAt), at = weave ? woven(column) : column;
#pragma unroll
        for (int q = 0; q < 2 * EIGHTS; ++q) {
            const int row = place.t + 4 * q;
            const float x = v.at[q] * p.scale, y = half == 0 ? math::sin(x) : math::cos(x);
            result[row * step + at] = clean(y);
            if (row < count) l.wavesTo[(first + row) * width + column] = y;
        }
    }
}

// The left operand, where it is not there.
__device__ __noinline__ void stage(const Product& p, bool weave, int first, int count, float* left) {
    for (int i = int(threadIdx.x); i < mostRows * width; i += threads) {
        const int row = i / width, k = i % width;
        left[row * step + (weave ? woven(k) : k)] = clean(p.a[(first + min(row, count - 1)) * width + k]);
    }
    __syncthreads();
}

__device__ __forceinline__ void pass(const Link& l, int first, int count) {
    for (uint32_t e = uint32_t(first * l.each) + threadIdx.x; e < uint32_t((first + count) * l.each);
         e += threads)
        runElement(l.program, l.pass, e, 0, askElement(l.program, e));
}

#endif

template <int EIGHTS>
__global__ void __launch_bounds__(threads, 1)
    hiddenChain(const __grid_constant__ Chain c, const __grid_constant__ Maps maps) {
#if defined(__CUDA_ARCH_FEAT_SM90_ALL)  // other cards are not asked to
    extern __shared__ char memory[];
    Shared& shared = *reinterpret_cast<Shared*>(memory + (1024 - sharedAddress(memory) % 1024) % 1024);
    Link* const links = reinterpret_cast<Link*>(&shared + 1);
    float *left = shared.rows[0], *result = shared.rows[1], *const narrow = shared.narrow[0];
    if (threadIdx.x == 0) {
        for (uint64_t& barrier : shared.weightsThere) initBarrier(&barrier, 1);
        initBarrier(&shared.linksThere, 1);
        publishBarriers();
        const int bytes = c.count * int(sizeof(Link));
        arriveExpecting(&shared.linksThere, bytes);
        copyRun(links, c.links, bytes, &shared.linksThere);
        for (int i = 0; i < c.hidden; ++i) prefetchMap(maps.of[i]);
    }
    __syncthreads();
    awaitBarrier(&shared.linksThere, 0);
    awaitEarlier();
    constexpr int rows = 8 * EIGHTS;
    const int first = int(blockIdx.x) * rows, count = min(rows, c.rows - first);
    const Place place;
    Stream stream{shared, maps, c.hidden};
    for (int i = 0; i < places; ++i) stream.ask();
    Weights weights;
    weights.ask(links[0], place);
    if (links[0].way == Link::hidden) weights.take(stream.next(), links[0].product.rightTurned, place);
    for (int i = 0; i < c.count; ++i) {
        stamp(c, i);
        const Link& l = links[i];
        const Link* const next = i + 1 < c.count ? &links[i + 1] : nullptr;
        const Link::Way way = l.way;
        const bool keeps = l.keeps;
        if (way == Link::hidden || way == Link::entering) {
            Finish<EIGHTS> finish(l.product.straight, first, count, place);
            const float scale = l.product.scale;
            Lanes<4> v[EIGHTS];
            if (way == Link::hidden) {
                stream.ask();
                if (!l.leftThere) stage(l.product, !l.product.rightTurned, first, count, left);
                multiply(weights, left, place, v);
            } else {
                enter(weights, l, narrow, first, count, place, v);
            }
            if (next) weights.ask(*next, place);
            finish.run(scale, first, count, place, v);
            if (keeps) keep(result, weaves(next), place, v);
        } else if (way == Link::leaving) {
            if (!l.leftThere) stage(l.product, false, first, count, left);
            leave(weights, l, next, place, left, first, count, narrow);
        } else {
            if (next) weights.ask(*next, place);
            if (way == Link::waves)
                wave<EIGHTS>(l, next, place, first, count, result);
            else
                pass(l, first, count);
        }
        if (next && next->way == Link::hidden) weights.take(stream.next(), next->product.rightTurned, place);
        if (keeps && way != Link::leaving) {
            float* const kept = result;
            result = left, left = kept;
        }
        __syncthreads();
    }
    stamp(c, c.count);
#endif
}

template <int EIGHTS>
void launchEights(const Chain& c, const Maps& maps, cudaStream_t stream) {
    static const cudaError_t raised =
        cudaFuncSetAttribute(hiddenChain<EIGHTS>, cudaFuncAttributeMaxDynamicSharedMemorySize,
                             int(bytesFor(Chain::mostHiddenLinks)));
    (void)raised;
    const auto blocks = uint32_t((c.rows + 8 * EIGHTS - 1) / (8 * EIGHTS));
    hiddenChain<EIGHTS><<<blocks, threads, bytesFor(c.count), stream>>>(c, maps);
}

}  // namespace

// More blocks would read more weights than the card's cache gives.
void launchHiddenChain(const Chain& c, cudaStream_t stream) {
    constexpr int mostBlocks = 64;
    Maps maps = {};
    for (int i = 0; i < c.hidden; ++i)
        maps.of[i] = boxes({c.weights[i], width, width, width, 1, width}, width);
    c.rows <= 8 * mostBlocks ? launchEights<1>(c, maps, stream) : launchEights<2>(c, maps, stream);
}

}  // namespace core::cuda
