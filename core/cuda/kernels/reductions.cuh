// Sums within a warp, a block, or blocks that wait for the last of them, always in the same order.
#pragma once

namespace core::cuda {

template <class F>
__device__ __forceinline__ float acrossWarp(float x, F f) {
#pragma unroll
    for (int width = 16; width > 0; width /= 2) x = f(x, __shfl_xor_sync(0xffffffffu, x, width));
    return x;
}
__device__ __forceinline__ float warpSum(float x) {
    return acrossWarp(x, [](float a, float b) { return a + b; });
}
__device__ __forceinline__ float warpMax(float x) {
    return acrossWarp(x, [](float a, float b) { return a > b ? a : b; });
}

// Every thread gets the sum; all threads of the block take part.
template <int THREADS>
__device__ __forceinline__ float blockSum(float x) {
    __shared__ float of[THREADS / 32];
    x = warpSum(x);
    __syncthreads();
    if (threadIdx.x % 32 == 0) of[threadIdx.x / 32] = x;
    __syncthreads();
    float total = 0;
#pragma unroll
    for (int i = 0; i < THREADS / 32; ++i) total += of[i];
    return total;
}

// Says whether this block is the last of `count` to come here; the others' writes are then visible.
__device__ __forceinline__ bool lastOf(uint32_t* ticket, uint32_t count) {
    __shared__ bool last;
    __threadfence();
    __syncthreads();
    if (threadIdx.x == 0) {
        last = atomicAdd(ticket, 1u) == count - 1;
        if (last) *ticket = 0;
    }
    __syncthreads();
    __threadfence();
    return last;
}

}  // namespace core::cuda
