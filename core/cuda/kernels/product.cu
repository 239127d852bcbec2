// Chooses the kernels of a product, and adds up what several blocks made of one.
#include "core/cuda/kernels/kernels.h"
#include "core/cuda/kernels/program.cuh"

namespace core::cuda {
namespace {

constexpr int threads = 128;

template <int V>
__device__ __forceinline__ Lanes<V> sumOfSplits(const float* from, int64_t apart, int splits) {
    Lanes<V> total = splat<V>(0);
#pragma unroll 8
    for (int s = 0; s < splits; ++s) {
        const Lanes<V> v = loadRun<V>(from + s * apart);
#pragma unroll
        for (int i = 0; i < V; ++i) total.at[i] += v.at[i];
    }
    return total;
}

__global__ void __launch_bounds__(threads)
    combine(const __grid_constant__ Product p, const __grid_constant__ Pass pass) {
    __shared__ Program program;
    fetch(program, pass.program);
    awaitEarlier();
    __syncthreads();
    const int64_t whole = int64_t(p.m) * p.n;
    const int64_t elements = pass.wide ? whole / 4 : whole;
    const int64_t i = int64_t(blockIdx.x) * threads + threadIdx.x;
    if (i < elements) {
        if (pass.wide) {
            Lanes<4> v = sumOfSplits<4>(p.partial + 4 * i, whole, p.splits);
#pragma unroll
            for (int j = 0; j < 4; ++j) v.at[j] *= p.scale;
            if (pass.direct)
                storeRun<4>(pass.direct + 4 * i, v);
            else
                runProgram<4>(program, pass, uint32_t(4 * i), v);
        } else {
            Lanes<1> v = sumOfSplits<1>(p.partial + i, whole, p.splits);
            v.at[0] *= p.scale;
            runProgram<1>(program, pass, uint32_t(i), v);
        }
        return;
    }
    const int64_t c = i - elements, r = c - p.n;
    if (c < p.n && p.columnSums)
        p.columnSums[c] = sumOfSplits<1>(p.partial + p.splits * whole + c, p.n, p.splits).at[0];
    if (r >= 0 && r < p.m && p.rowSums)
        p.rowSums[r] = sumOfSplits<1>(p.partial + p.splits * (whole + p.n) + r, p.m, p.splits).at[0];
}

}  // namespace

void launchProduct(const Product& p, const Pass& pass, cudaStream_t stream) {
    if (p.groupTile >= 0) return launchGroupProduct(p, pass, stream);
    if (p.lineRows > 0) return launchLinesProduct(p, pass, stream);
    switch (p.left) {
        case Product::rows:
            launchRowsProduct(p, pass, stream);
            break;
        case Product::columns:
            launchColumnsProduct(p, pass, stream);
            break;
        case Product::patchesTurned:
            launchTurnedProduct(p, pass, stream);
            break;
        default:
            launchGatheredProduct(p, pass, stream);
            break;
    }
    if (p.splits == 1) return;
    const int64_t whole = int64_t(p.m) * p.n;
    const int64_t items = (pass.wide ? whole / 4 : whole) + (p.columnSums || p.rowSums ? p.n + p.m : 0);
    combine<<<uint32_t((items + threads - 1) / threads), threads, 0, stream>>>(p, pass);
}

}  // namespace core::cuda
