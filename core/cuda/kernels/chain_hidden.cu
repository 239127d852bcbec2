// Perceptrons whose hidden layers are 128 wide: a block takes 8 or 16 rows through link after link.
//
// Eight warps multiply, 16 columns of every layer each. Weights are what the tensor cores take from the left,
// so that eight rows are enough on the right; a warp has them in registers before the rows are there. Between
// two links the rows stand in shared memory, where the warps meet. A ninth warp has the copy engine bring the
// weights of the next two layers into shared memory, rounded. Blocks of a cluster go through the same layers,
// and share what they read of them. A tenth warp runs the programs that the chain begins with, beside the
// links that do not wait for them.
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

// A product that leaves: sixteen threads share a row, and the first of them have its columns.
struct Leaving {
    int lane = int(threadIdx.x & 15), row = int(threadIdx.x >> 4);
    bool mine;
    uint32_t e;

    __device__ __forceinline__ Leaving(const Link& l, int first, int count) {
        mine = lane < l.product.n && row < count;
        e = uint32_t(first + row) * uint32_t(l.product.lde) + uint32_t(lane);
    }
    __device__ __forceinline__ float multiply(const Link& l, const Weights& weights,
                                              const float* left) const {
        const int N = l.product.n;
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
        return (lane == 0 ? total[0] : total[1]) * l.product.scale;
    }
    __device__ __forceinline__ void finish(const Link& l, float product, float4 asked, float* narrow) const {
        if (!mine) return;
        const float value = runElement(l.program, l.pass, e, product, asked);
        if (l.keeps) narrow[row * Link::fewest + lane] = value;
    }
};

// The sines and cosines of a product of few k: a thread takes a column of each half, and every
// fourth row.
template <int EIGHTS>
__device__ __forceinline__ void wave(const Link& l, bool weave, const Place& place, int first, int count,
                                     float* result) {
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
    for (int i = int(threadIdx.x); i < mostRows * width; i += multipliers) {
        const int row = i / width, k = i % width;
        left[row * step + (weave ? woven(k) : k)] = clean(p.a[(first + min(row, count - 1)) * width + k]);
    }
    meet();
}

// A program alone, by so many threads.
__device__ __forceinline__ void pass(const Link& l, int first, int count, int thread, int sharing) {
    for (int e = first * l.each + thread; e < (first + count) * l.each; e += sharing)
        runElement(l.program, l.pass, uint32_t(e), 0, askElement(l.program, uint32_t(e)));
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
        for (uint64_t& barrier : shared.weightsTaken) initBarrier(&barrier, warps * clusterSize());
        initBarrier(&shared.linksThere, 1), initBarrier(&shared.besideThere, 1);
        publishBarriers();
        const int bytes = c.count * int(sizeof(Link));
        arriveExpecting(&shared.linksThere, bytes);
        copyRun(links, c.links, bytes, &shared.linksThere);
        for (int i = 0; i < c.hidden; ++i) prefetchMap(maps.of[i]);
    }
    meetInCluster();
    awaitBarrier(&shared.linksThere, 0);
    awaitEarlier();
    const int first = int(blockIdx.x) * 8 * EIGHTS, count = min(8 * EIGHTS, c.rows - first);
    const int warp = int(threadIdx.x >> 5), lane = int(threadIdx.x & 31);
    if (warp == warps) {
        if (lane == 0) bring(shared, maps, c.hidden);
        return;
    }
    if (warp > warps) {
        for (int i = 0; i < c.beside; ++i) {
            pass(links[i], first, count, lane, 32);
            __syncwarp();
        }
        if (lane == 0) arrive(&shared.besideThere);
        return;
    }
    const Place place;
    const Rows<EIGHTS> rows(place, first, count);
    Weights weights;
    Stream stream{shared, c.hidden};
    const auto fetch = [&](const Link& l, Link::Way way, bool turned) {
        if (way == Link::hidden)
            weights.take(stream.next(), turned, place);
        else if (way == Link::entering || way == Link::leaving)
            weights.ask(l, place);
    };
    Finish<EIGHTS> finish;
    float4 asked = {};  // as finish.ask, of a product that leaves
    const auto ask = [&](const Step& s, const Link& l) {
        if (s.isLayer()) finish.ask(s, rows, place);
        if (s.way != Link::leaving) return;
        const Leaving leaving(l, first, count);
        if (leaving.mine) asked = askElement(l.program, leaving.e);
    };
    bool ready = false;  // what the link reads from memory beside weights is asked for
    Step now(links[c.beside]);
    fetch(links[c.beside], now.way, now.turned);
    for (int i = c.beside; i < c.count; ++i) {
        stamp(c, i);
        const Link &l = links[i], &following = links[i + 1];
        const bool last = i + 1 == c.count;
        const Link::Way nextWay = last ? Link::elements : following.way;
        const bool nextTurned = !last && following.product.rightTurned;
        const bool weave = nextWay == Link::hidden && !nextTurned;
        if (now.awaits) awaitBarrier(&shared.besideThere, 0);
        if (!ready) ask(now, l);
        const Leaving leaving(l, first, count);
        Lanes<4> v[EIGHTS];
        float value = 0;
        if (now.way == Link::hidden) {
            stream.release();
            if (!now.leftThere) stage(l.product, !now.turned, first, count, left);
            multiply(weights, left, place, v);
        } else if (now.way == Link::entering) {
            enter(weights, l, narrow, first, count, place, v);
        } else if (now.way == Link::leaving) {
            if (!now.leftThere) stage(l.product, false, first, count, left);
            value = leaving.multiply(l, weights, left);
        }
        // The link's own weights are used up.
        fetch(following, nextWay, nextTurned);
        if (now.isLayer()) {
            finish.run(now, rows, v);
            if (now.keeps) keep(result, weave, place, v);
        } else if (now.way == Link::leaving) {
            leaving.finish(l, value, asked, narrow);
        } else if (now.way == Link::waves) {
            wave<EIGHTS>(l, weave, place, first, count, result);
        } else {
            pass(l, first, count, int(threadIdx.x), multipliers);
        }
        // What other threads write now has to wait; of layers a thread reads what it has written itself.
        ready = now.isLayer() || now.way == Link::leaving;
        if (now.keeps && now.way != Link::leaving) {
            float* const kept = result;
            result = left, left = kept;
        }
        if (!last) {
            now = Step(following);
            ready = ready && !now.awaits;
            if (ready) ask(now, following);
        }
        meet();
    }
    stamp(c, c.count);
#endif
}

// Blocks of a cluster, which read weights once for all of them.
constexpr unsigned mostTogether = 2;

template <int EIGHTS>
void launchEights(const Chain& c, const Maps& maps, cudaStream_t stream) {
    static const cudaError_t raised =
        cudaFuncSetAttribute(hiddenChain<EIGHTS>, cudaFuncAttributeMaxDynamicSharedMemorySize,
                             int(bytesFor(Chain::mostHiddenLinks)));
    (void)raised;
    const int blocks = (c.rows + 8 * EIGHTS - 1) / (8 * EIGHTS);
    cudaLaunchAttribute cluster = {};
    cluster.id = cudaLaunchAttributeClusterDimension;
    cudaLaunchConfig_t config = {};
    config.gridDim = uint32_t(blocks), config.blockDim = uint32_t(threads);
    config.dynamicSmemBytes = bytesFor(c.count), config.stream = stream;
    config.attrs = &cluster, config.numAttrs = 1;
    for (unsigned size = mostTogether; size > 0; size /= 2) {
        int atOnce = 0;
        cluster.val.clusterDim = {size, 1, 1};
        if (size == 1 ||
            (blocks % size == 0 &&
             cudaOccupancyMaxActiveClusters(&atOnce, hiddenChain<EIGHTS>, &config) == cudaSuccess &&
             atOnce * int(size) >= blocks))
            break;
    }
    cudaLaunchKernelEx(&config, hiddenChain<EIGHTS>, c, maps);
}

}  // namespace

// A block to a processor.
void launchHiddenChain(const Chain& c, cudaStream_t stream) {
    constexpr int mostBlocks = 132;
    Maps maps = {};
    for (int i = 0; i < c.hidden; ++i)
        maps.of[i] = boxes({c.weights[i], width, width, width, 1, width}, width);
    c.rows <= 8 * mostBlocks ? launchEights<1>(c, maps, stream) : launchEights<2>(c, maps, stream);
}

}  // namespace core::cuda
