// Sums over the middle one of three extents of what a pointwise program computes.
#include "core/cuda/kernels/kernels.h"
#include "core/cuda/kernels/program.cuh"
#include "core/cuda/kernels/reductions.cuh"

namespace core::cuda {
namespace {

constexpr int threads = 256;

// What the program makes of the elements [first, first + n), summed over the threads' shares.
__device__ __forceinline__ float sumRun(const Program& program, const Pass& pass, uint32_t first, uint32_t n,
                                        uint32_t thread, uint32_t count) {
    float total = 0;
    if (pass.wide && n % 4 == 0 && first % 4 == 0) {
        constexpr int together = 2;
        for (uint32_t i = 4 * thread; i < n; i += together * 4 * count) {
            uint32_t e[together];
            bool there[together];
            Lanes<4> v[together];
#pragma unroll
            for (int q = 0; q < together; ++q) {
                there[q] = i + uint32_t(q) * 4 * count < n;
                e[q] = first + (there[q] ? i + uint32_t(q) * 4 * count : i);
                v[q] = splat<4>(0);
            }
            runQuads<together>(program, pass, e, there, v);
#pragma unroll
            for (int q = 0; q < together; ++q)
                if (there[q]) total += (v[q].at[0] + v[q].at[1]) + (v[q].at[2] + v[q].at[3]);
        }
    } else {
        for (uint32_t i = thread; i < n; i += count)
            total += runProgram<1>(program, pass, first + i, splat<1>(0)).at[0];
    }
    return total;
}

// A warp takes one short line.
__global__ void __launch_bounds__(threads)
    sumShort(const __grid_constant__ Plain p, const __grid_constant__ Pass pass) {
    __shared__ Program program;
    fetch(program, pass.program);
    awaitEarlier();
    __syncthreads();
    const uint32_t line = blockIdx.x * (threads / 32) + threadIdx.x / 32;
    if (line >= uint32_t(p.outer)) return;
    const uint32_t n = uint32_t(p.length);
    const float total = warpSum(sumRun(program, pass, line * n, n, threadIdx.x % 32, 32));
    if (threadIdx.x % 32 == 0) p.out[line] = total;
}

// Blocks share one long line.
__global__ void __launch_bounds__(threads)
    sumLong(const __grid_constant__ Plain p, const __grid_constant__ Pass pass) {
    __shared__ Program program;
    fetch(program, pass.program);
    awaitEarlier();
    __syncthreads();
    const uint32_t line = blockIdx.y, split = blockIdx.x, n = uint32_t(p.length);
    const uint32_t each = ((n + uint32_t(p.splits) - 1) / uint32_t(p.splits) + 3) / 4 * 4;
    const uint32_t begin = min(split * each, n), end = min(begin + each, n);
    float total =
        blockSum<threads>(sumRun(program, pass, line * n + begin, end - begin, threadIdx.x, threads));
    if (p.splits == 1) {
        if (threadIdx.x == 0) p.out[line] = total;
        return;
    }
    if (threadIdx.x == 0) p.partial[line * uint32_t(p.splits) + split] = total;
    if (!lastOf(p.tickets + line, uint32_t(p.splits))) return;
    float rest = 0;
    for (uint32_t i = threadIdx.x; i < uint32_t(p.splits); i += threads)
        rest += __ldcg(p.partial + line * uint32_t(p.splits) + i);
    total = blockSum<threads>(rest);
    if (threadIdx.x == 0) p.out[line] = total;
}

// Columns side by side: `across` threads take V columns each, the rest of the block takes other rows.
template <int V>
__global__ void __launch_bounds__(threads)
    sumColumns(const __grid_constant__ Plain p, const __grid_constant__ Pass pass, int across) {
    __shared__ Program program;
    fetch(program, pass.program);
    awaitEarlier();
    __syncthreads();
    __shared__ float partial[threads][V + (V == 4 ? 1 : 0)];
    const int down = threads / across, x = int(threadIdx.x) % across, y = int(threadIdx.x) / across;
    const int column = (int(blockIdx.x) * across + x) * V, split = int(blockIdx.y), line = int(blockIdx.z);
    const int each = (p.length + p.splits - 1) / p.splits;
    const int begin = split * each, end = min(begin + each, p.length);
    Lanes<V> total = splat<V>(0);
    const auto elementAt = [&](int row) {
        return uint32_t((int64_t(line) * p.length + row) * p.inner + column);
    };
    if constexpr (V == 4) {
        constexpr int together = 4;
        if (column < p.inner)
            for (int row = begin + y; row < end; row += together * down) {
                uint32_t e[together];
                bool there[together];
                Lanes<4> v[together];
#pragma unroll
                for (int q = 0; q < together; ++q) {
                    there[q] = row + q * down < end;
                    e[q] = elementAt(there[q] ? row + q * down : row);
                    v[q] = splat<4>(0);
                }
                runQuads<together>(program, pass, e, there, v);
#pragma unroll
                for (int q = 0; q < together; ++q)
#pragma unroll
                    for (int i = 0; i < 4; ++i) total.at[i] += there[q] ? v[q].at[i] : 0.0f;
            }
    } else if (column < p.inner) {
        for (int row = begin + y; row < end; row += down)
            total.at[0] += runProgram<1>(program, pass, elementAt(row), splat<1>(0)).at[0];
    }
#pragma unroll
    for (int i = 0; i < V; ++i) partial[threadIdx.x][i] = total.at[i];
    __syncthreads();
    const auto write = [&](float* to) {
        if (y != 0 || column >= p.inner) return;
#pragma unroll
        for (int i = 0; i < V; ++i) {
            float sum = 0;
            for (int k = 0; k < down; ++k) sum += partial[k * across + x][i];
            to[column + i] = sum;
        }
    };
    if (p.splits == 1) return write(p.out + int64_t(line) * p.inner);
    write(p.partial + (int64_t(line) * p.splits + split) * p.inner);
    if (!lastOf(p.tickets + line * int(gridDim.x) + int(blockIdx.x), uint32_t(p.splits))) return;
    // The block's rows of threads share the splits; then their sums are added up as before.
    total = splat<V>(0);
    if (column < p.inner)
#pragma unroll 4
        for (int s = y; s < p.splits; s += down) {
            const float* const from = p.partial + (int64_t(line) * p.splits + s) * p.inner + column;
            if constexpr (V == 4) {
                const float4 v = __ldcg(reinterpret_cast<const float4*>(from));
                total.at[0] += v.x, total.at[1] += v.y, total.at[2] += v.z, total.at[3] += v.w;
            } else {
                total.at[0] += __ldcg(from);
            }
        }
    __syncthreads();
#pragma unroll
    for (int i = 0; i < V; ++i) partial[threadIdx.x][i] = total.at[i];
    __syncthreads();
    write(p.out + int64_t(line) * p.inner);
}

}  // namespace

void launchSum(const Plain& p, const Pass& pass, cudaStream_t stream) {
    if (p.inner > 1) {
        const bool wide = pass.wide && p.inner % 4 == 0;
        const int columns = wide ? p.inner / 4 : p.inner;
        int across = 1;
        while (across < columns && across < 32) across *= 2;
        const dim3 grid(uint32_t((columns + across - 1) / across), uint32_t(p.splits), uint32_t(p.outer));
        if (wide)
            sumColumns<4><<<grid, threads, 0, stream>>>(p, pass, across);
        else
            sumColumns<1><<<grid, threads, 0, stream>>>(p, pass, across);
    } else if (p.length <= 512 && p.splits == 1) {
        sumShort<<<uint32_t((p.outer + 7) / 8), threads, 0, stream>>>(p, pass);
    } else {
        sumLong<<<dim3(uint32_t(p.splits), uint32_t(p.outer)), threads, 0, stream>>>(p, pass);
    }
}

}  // namespace core::cuda
