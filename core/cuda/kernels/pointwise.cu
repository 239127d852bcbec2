#include <algorithm>

#include "core/cuda/kernels/kernels.h"
#include "core/cuda/kernels/program.cuh"

namespace core::cuda {
namespace {

constexpr int threads = 128;

__global__ void __launch_bounds__(threads) pointwise(const __grid_constant__ Pass pass) {
    __shared__ Program program;
    fetch(program, pass.program);
    awaitEarlier();
    __syncthreads();
    const uint32_t index = blockIdx.x * threads + threadIdx.x, step = gridDim.x * threads;
    const uint32_t quads = pass.wide ? pass.size / 4 : 0;
    constexpr int together = 2;
    for (uint32_t first = index; first < quads; first += together * step) {
        uint32_t e[together];
        bool there[together];
        Lanes<4> last[together];
#pragma unroll
        for (int i = 0; i < together; ++i) {
            const uint32_t q = first + uint32_t(i) * step;
            there[i] = q < quads;
            e[i] = 4 * (there[i] ? q : first);
            last[i] = splat<4>(0);
        }
        runQuads<together>(program, pass, e, there, last);
    }
    for (uint32_t e = 4 * quads + index; e < pass.size; e += step)
        runProgram<1>(program, pass, e, splat<1>(0));
}

}  // namespace

void launchPointwise(const Pass& pass, cudaStream_t stream) {
    const uint32_t items = pass.wide ? (pass.size + 3) / 4 : pass.size;
    // Several runs for each thread once the card is full.
    const uint32_t blocks = std::min<uint32_t>((items + threads - 1) / threads, 132 * 12);
    pointwise<<<blocks, threads, 0, stream>>>(pass);
}

}  // namespace core::cuda
