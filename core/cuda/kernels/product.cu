// Chooses the kernels of a product, and adds up what several blocks made of one.
#include "core/cuda/kernels/kernels.h"
#include "core/cuda/kernels/straight.cuh"

namespace core::cuda {
namespace {

// Of a block; some of them share the splits of one run of four.
constexpr int threads = 128;

template <int V>
__device__ __forceinline__ Lanes<V> sumOfSplits(const float* from, int64_t apart, int splits) {
    Lanes<V> total = splat<V>(0);
#pragma unroll 8
    for (int s = int(threadIdx.y); s < splits; s += int(blockDim.y)) {
        const Lanes<V> v = loadRun<V>(from + s * apart);
#pragma unroll
        for (int i = 0; i < V; ++i) total.at[i] += v.at[i];
    }
    return total;
}

__global__ void __launch_bounds__(threads)
    combine(const __grid_constant__ Product p, const __grid_constant__ Pass pass) {
    __shared__ Program program;
    __shared__ float4 shares[threads];
    const int across = int(blockDim.x), thread = int(threadIdx.y * blockDim.x + threadIdx.x);
    const bool interprets = !pass.direct && !(pass.wide && p.straight.there);
    if (interprets) {
        constexpr int words = int(sizeof(Program) / 16);
        for (int i = thread; i < words; i += threads)
            reinterpret_cast<uint4*>(&program)[i] = reinterpret_cast<const uint4*>(pass.program)[i];
    }
    awaitEarlier();
    const int64_t whole = int64_t(p.m) * p.n, elements = pass.wide ? whole / 4 : whole;
    const int64_t i = int64_t(blockIdx.x) * across + threadIdx.x;
    const int64_t c = i - elements, r = c - p.n;  // of the sums over k
    Lanes<4> v = splat<4>(0);
    if (i < elements && pass.wide)
        v = sumOfSplits<4>(p.partial + 4 * i, whole, p.splits);
    else if (i < elements)
        v.at[0] = sumOfSplits<1>(p.partial + i, whole, p.splits).at[0];
    else if (r < 0 && p.columnSums)
        v.at[0] = sumOfSplits<1>(p.partial + p.splits * whole + c, p.n, p.splits).at[0];
    else if (r >= 0 && r < p.m && p.rowSums)
        v.at[0] = sumOfSplits<1>(p.partial + p.splits * (whole + p.n) + r, p.m, p.splits).at[0];
    shares[thread] = make_float4(v.at[0], v.at[1], v.at[2], v.at[3]);
    __syncthreads();
    if (threadIdx.y > 0) return;
    for (int s = 1; s < int(blockDim.y); ++s) {
        const float4 more = shares[s * across + int(threadIdx.x)];
        v.at[0] += more.x, v.at[1] += more.y, v.at[2] += more.z, v.at[3] += more.w;
    }
    if (i >= elements) {
        if (r < 0 && p.columnSums) p.columnSums[c] = v.at[0];
        if (r >= 0 && r < p.m && p.rowSums) p.rowSums[r] = v.at[0];
        return;
    }
#pragma unroll
    for (int j = 0; j < 4; ++j) v.at[j] *= p.scale;
    if (!pass.wide) {
        if (pass.direct)
            pass.direct[i] = v.at[0];
        else
            runProgram<1>(program, pass, uint32_t(i), splat<1>(v.at[0]));
    } else if (pass.direct) {
        storeRun<4>(pass.direct + 4 * i, v);
    } else if (p.straight.there) {
        const uint32_t e[2] = {uint32_t(4 * i), uint32_t(4 * i)}, column = uint32_t(4 * i % p.n);
        const bool there[2] = {true, false};
        Awaited awaited;
        Lanes<4> both[2] = {v, v};
        askRows(awaited, p.straight, column);
        ask<true>(awaited, p.straight, column, e, there);
        finishStraight<true>(p.straight, awaited, e, there, both);
    } else {
        runProgram<4>(program, pass, uint32_t(4 * i), v);
    }
}

}  // namespace

void launchProduct(const Product& p, const Pass& pass, cudaStream_t stream) {
    if (p.groupTile >= 0) return launchGroupProduct(p, pass, stream);
    if (p.lineRows > 0) return launchLinesProduct(p, pass, stream);
    if (p.patch > 0) return launchWindowsProduct(p, pass, stream);
    switch (p.left) {
        case Product::rows:
            launchRowsProduct(p, pass, stream);
            break;
        case Product::columns:
            launchColumnsProduct(p, pass, stream);
            break;
        case Product::patchesTurned:
            p.byTaps ? launchTapsProduct(p, stream) : launchTurnedProduct(p, pass, stream);
            break;
        default:
            launchGatheredProduct(p, pass, stream);
            break;
    }
    if (p.splits == 1) return;
    const int64_t whole = int64_t(p.m) * p.n;
    const int64_t items = (pass.wide ? whole / 4 : whole) + (p.columnSums || p.rowSums ? p.n + p.m : 0);
    int sharing = 1;
    while (sharing < 8 && 8 * sharing < p.splits) sharing *= 2;
    const int across = threads / sharing;
    combine<<<uint32_t((items + across - 1) / across), dim3(uint32_t(across), uint32_t(sharing)), 0,
              stream>>>(p, pass);
}

}  // namespace core::cuda
