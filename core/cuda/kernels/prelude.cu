// What a repeated phase works out that is the same for all rows: a block takes one repeat through it.
#include "core/base/math.h"
#include "core/cuda/kernels/kernels.h"
#include "core/cuda/kernels/loop.cuh"

namespace core::cuda {
namespace {

constexpr int threads = 256, warps = threads / 32;

struct Room {
    Link links[Loop::mostLinks];
    float values[Loop::mostFloats];
};

// Where the block keeps what stands at `at` otherwise.
template <class T>
__device__ __forceinline__ T* moved(const Loop& l, float* values, T* at) {
    for (int i = 0; i < l.valueCount; ++i) {
        const Loop::Value& v = l.values[i];
        if (at >= v.home && at < v.home + v.size) return values + (at - v.home);
        values += paddedRow(v.size);
    }
    return at;
}

// One row times a matrix: a warp to a column where columns are contiguous, else a thread.
__device__ __noinline__ void multiplyRow(const Link& l) {
    const Product& p = l.product;
    const int lane = int(threadIdx.x) % 32;
    if (!p.rightTurned) {
        for (int n = int(threadIdx.x); n < p.n; n += threads) {
            float total = 0;
#pragma unroll 8
            for (int k = 0; k < p.k; ++k) total = __fmaf_rn(p.a[k], p.b[int64_t(k) * p.ldb + n], total);
            runProgram<1>(l.program, l.pass, uint32_t(n), splat<1>(total * p.scale));
        }
        return;
    }
    constexpr int together = 8;
    for (int n0 = int(threadIdx.x) / 32 * together; n0 < p.n; n0 += warps * together) {
        float total[together] = {}, mine = 0;
#pragma unroll 2
        for (int k = lane; k < p.k; k += 32) {
            const float a = p.a[k];
#pragma unroll
            for (int i = 0; i < together; ++i)
                total[i] = __fmaf_rn(a, p.b[int64_t(min(n0 + i, p.n - 1)) * p.ldb + k], total[i]);
        }
#pragma unroll
        for (int i = 0; i < together; ++i) {
#pragma unroll
            for (int across = 16; across > 0; across /= 2)
                total[i] += __shfl_xor_sync(0xffffffffu, total[i], across);
            if (lane == i) mine = total[i];
        }
        if (lane < together && n0 + lane < p.n)
            runProgram<1>(l.program, l.pass, uint32_t(n0 + lane), splat<1>(mine * p.scale));
    }
}

__global__ void __launch_bounds__(threads) prelude(const __grid_constant__ Loop l) {
    extern __shared__ __align__(16) unsigned char memory[];
    Room& room = *reinterpret_cast<Room*>(memory);
    for (int i = int(threadIdx.x); i < l.beforeCount * int(sizeof(Link) / 16); i += threads)
        reinterpret_cast<uint4*>(room.links)[i] = reinterpret_cast<const uint4*>(l.before)[i];
    awaitEarlier();
    __syncthreads();
    const int repeat = int(blockIdx.x);
    const auto eachNumber = [&](auto&& touch) {
        float* at = room.values;
        for (int i = 0; i < l.valueCount; ++i) {
            for (int k = int(threadIdx.x); k < l.values[i].size; k += threads) touch(l.values[i], k, at[k]);
            at += paddedRow(l.values[i].size);
        }
    };
    eachNumber([&](const Loop::Value& v, int k, float& here) {
        if (v.carried) here = v.home[k];
        if (v.given) here = v.table[repeat * v.size + k];
    });
    for (int i = int(threadIdx.x); i < l.beforeCount * 32; i += threads) {
        Link& link = room.links[i / 32];
        Program& p = link.program;
        const int k = i % 32;
        if (k < p.operandCount) p.operands[k].data = moved(l, room.values, p.operands[k].data);
        if (k >= 16 && k < 16 + Program::maxOutputs)
            p.outputs[k - 16].data = moved(l, room.values, p.outputs[k - 16].data);
        if (k == 31) link.product.a = moved(l, room.values, link.product.a);
        if (k == 30) link.product.b = moved(l, room.values, link.product.b);
    }
    __syncthreads();
    // What the repeat begins with, from the first one on.
    eachNumber([&](const Loop::Value& v, int, float& here) {
        if (!v.straight) return;
        float x = here;
        for (int before = 0; before < repeat; ++before) x = math::fma(v.a, x, v.b);
        here = x;
    });
    if (l.recursive && threadIdx.x < 32)
        for (int before = 0; before < repeat; ++before)
            for (int i = 0; i < l.beforeCount; ++i) {
                const Link& link = room.links[i];
                if (!link.recurs) continue;
                if (int(threadIdx.x) < link.each)
                    runProgram<1>(link.program, link.pass, threadIdx.x, splat<1>(0));
                __syncwarp();
            }
    __syncthreads();
    eachNumber([&](const Loop::Value& v, int k, float& here) {
        if (v.carried) v.table[repeat * v.size + k] = here;
    });
    __syncthreads();
    for (int i = 0; i < l.beforeCount; ++i) {
        const Link& link = room.links[i];
        if (link.way == Link::elements)
            for (int e = int(threadIdx.x); e < link.each; e += threads)
                runProgram<1>(link.program, link.pass, uint32_t(e), splat<1>(0));
        else
            multiplyRow(link);
        __syncthreads();
    }
    const bool last = repeat + 1 == l.repeats;
    eachNumber([&](const Loop::Value& v, int k, float& here) {
        if (v.given) return;
        if (!v.carried) v.table[repeat * v.size + k] = here;
        if (!last) return;
        // Other blocks may still read where what is carried began.
        (v.carried ? v.table + l.repeats * v.size : v.home)[k] = here;
    });
}

}  // namespace

void launchPrelude(const Loop& l, cudaStream_t stream) {
    static const cudaError_t raised =
        cudaFuncSetAttribute(prelude, cudaFuncAttributeMaxDynamicSharedMemorySize, int(sizeof(Room)));
    (void)raised;
    prelude<<<uint32_t(l.repeats), threads, sizeof(Room), stream>>>(l);
}

}  // namespace core::cuda
