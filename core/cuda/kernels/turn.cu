// Transposes of several matrices at once.
#include "core/cuda/kernels/kernels.h"
#include "core/cuda/kernels/program.cuh"

namespace core::cuda {
namespace {

constexpr int side = 32, together = 8;

__global__ void __launch_bounds__(side* together) turn(const Turns turns) {
    __shared__ float tile[side][side + 1];
    int first = 0, last = turns.count;  // the matrix is among these
    while (last - first > 1) {
        const int middle = (first + last) / 2;
        (turns.list[middle].firstBlock <= int(blockIdx.x) ? first : last) = middle;
    }
    const Turn t = turns.list[first];
    awaitEarlier();
    const int block = int(blockIdx.x) - t.firstBlock, across = (t.columns + side - 1) / side;
    const int line0 = block / across * side, column0 = block % across * side;
    const int x = int(threadIdx.x) % side, y = int(threadIdx.x) / side;
#pragma unroll
    for (int i = y; i < side; i += together)
        if (line0 + i < t.lines && column0 + x < t.columns)
            tile[i][x] = t.from[int64_t(line0 + i) * t.apart + column0 + x];
    __syncthreads();
#pragma unroll
    for (int i = y; i < side; i += together)
        if (column0 + i < t.columns && line0 + x < t.lines)
            t.to[int64_t(column0 + i) * t.lines + line0 + x] = tile[x][i];
}

}  // namespace

void launchTurns(const Turns& turns, cudaStream_t stream) {
    turn<<<uint32_t(turns.blocks), side * together, 0, stream>>>(turns);
}

}  // namespace core::cuda
