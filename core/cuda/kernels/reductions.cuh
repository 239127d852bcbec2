// Sums within a warp or a block of 256 threads, always in the same order.
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

}  // namespace core::cuda
