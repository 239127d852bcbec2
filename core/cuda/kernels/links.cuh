// What links of all chains have in common.
#pragma once

#include "core/cuda/kernels/lines.cuh"

namespace core::cuda {
namespace {

// A program alone, by a block of THREADS.
template <int THREADS>
__device__ __forceinline__ void passElements(const Link& l, uint32_t begin, uint32_t end) {
    if (!l.pass.wide) {
        for (uint32_t e = begin + threadIdx.x; e < end; e += THREADS)
            runProgram<1>(l.program, l.pass, e, splat<1>(0));
        return;
    }
    for (uint32_t e = begin + 4 * threadIdx.x; e < end; e += 8 * THREADS) {
        Lanes<4> v[2] = {splat<4>(0), splat<4>(0)};
        finishSlowly(l.program, l.pass, e, e + 4 * THREADS, true, e + 4 * THREADS < end, v[0], v[1]);
    }
}

// Stamps the begin of link i, or the end of all.
__device__ __forceinline__ void stamp(const Chain& c, int i) {
    if (blockIdx.x != 0 || threadIdx.x != 0) return;
    c.stamps[i] = clock64();
    if (i != c.beside && i != c.count) return;
    int64_t nanoseconds;
    asm volatile("mov.u64 %0, %globaltimer;" : "=l"(nanoseconds));
    c.stamps[c.count + (i == c.beside ? 1 : 2)] = nanoseconds;
}

}  // namespace
}  // namespace core::cuda
