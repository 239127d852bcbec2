// The optimizers' pass over the flat buffers, in the same arithmetic as core/cpu/optimizer.inl.
#include "core/base/math.h"
#include "core/cuda/kernels/kernels.h"
#include "core/cuda/kernels/program.cuh"

namespace core::cuda {
namespace {

constexpr int threads = 256, perThread = 4;

__device__ __forceinline__ float valueOf(const Number& n) {
    return n.at ? *n.at : n.value;
}
__device__ __forceinline__ bool endless(float x) {  // NaN or infinite
    return (__float_as_uint(x) & 0x7f800000u) == 0x7f800000u;
}

template <Optimizer KIND>
__global__ void __launch_bounds__(threads) update(const __grid_constant__ UpdatePass pass) {
    const UpdatePass::Range range = pass.range[blockIdx.y];
    // Ranges begin and end on multiples of sixteen.
    const auto four = [](float* base, int at) -> float4& { return *reinterpret_cast<float4*>(base + at); };
    struct Values {
        float4 g = {}, p = {}, m = {}, v = {}, average = {};
    };
    const auto load = [&](int i) {
        Values x;
        if (i >= range.count) return x;
        const int at = range.begin + i;
        x.g = four(pass.gradients, at), x.p = four(pass.parameters, at);
        if (KIND != Optimizer::rmsProp) x.m = four(pass.first, at);
        if (KIND != Optimizer::sgd) x.v = four(pass.second, at);
        if (pass.averaged) x.average = four(pass.state, range.average + i);
        return x;
    };
    int i = 4 * int(blockIdx.x * threads + threadIdx.x);
    awaitEarlier();
    Values x = load(i);

    const double power1 = pass.counter->beta1Power * double(valueOf(pass.beta1));
    const double power2 = pass.counter->beta2Power * double(valueOf(pass.beta2));
    if (pass.advances) {
        // The last block to have read the counter moves it on.
        __syncthreads();
        if (threadIdx.x == 0) {
            __threadfence();
            const uint32_t count = gridDim.x * gridDim.y;
            if (atomicAdd(pass.ticket, 1u) == count - 1) {
                *pass.ticket = 0;
                pass.counter->steps += 1;
                pass.counter->beta1Power = power1;
                pass.counter->beta2Power = power2;
            }
        }
    }
    const float rate = valueOf(pass.rate), beta1 = valueOf(pass.beta1), beta2 = valueOf(pass.beta2);
    const float clip = valueOf(pass.clip), keep = valueOf(pass.keep);
    const float correction1 = float(1 - power1), correction2 = float(1 - power2);
    const float norm = valueOf(pass.norm);
    const float share = clip / (norm + 1e-6f);
    const float scale = pass.norm.at && clip > 0 ? (share < 1.0f ? share : 1.0f) : 1.0f;
    const float rest1 = 1.0f - beta1, rest2 = 1.0f - beta2;
    const float step = KIND == Optimizer::adam ? rate / correction1 : rate;
    const float deviation = math::sqrt(correction2), epsilon = pass.epsilon;
    const float shrink = 1.0f - rate * valueOf(pass.decay);

    bool broken = false;
    const auto one = [&](float raw, float& p, float& m, float& v, float& average) {
        const float g = scale * raw;
        if constexpr (KIND == Optimizer::adam) {
            m = math::fma(beta1, m, rest1 * g);
            v = math::fma(beta2, v, rest2 * g * g);
            p = math::fma(-step, m / (math::sqrt(v) / deviation + epsilon), shrink * p);
        } else if constexpr (KIND == Optimizer::rmsProp) {
            v = math::fma(beta2, v, rest2 * g * g);
            p = math::fma(-step, g / (math::sqrt(v) + epsilon), shrink * p);
        } else {
            m = math::fma(beta1, m, g);
            p = math::fma(-step, m, shrink * p);
        }
        if (pass.averaged) average = math::fma(keep, average - p, p);
        broken = broken || endless(g) || endless(p);
    };
    const int stride = 4 * int(gridDim.x) * threads;
    for (; i < range.count; x = load(i += stride)) {
        one(x.g.x, x.p.x, x.m.x, x.v.x, x.average.x);
        one(x.g.y, x.p.y, x.m.y, x.v.y, x.average.y);
        one(x.g.z, x.p.z, x.m.z, x.v.z, x.average.z);
        one(x.g.w, x.p.w, x.m.w, x.v.w, x.average.w);
        const int at = range.begin + i;
        four(pass.parameters, at) = x.p;
        if (KIND != Optimizer::rmsProp) four(pass.first, at) = x.m;
        if (KIND != Optimizer::sgd) four(pass.second, at) = x.v;
        if (pass.averaged) four(pass.state, range.average + i) = x.average;
    }
    if (broken) *pass.broken = 1;
}

__global__ void tick(Clock* clock, int steps) {
    awaitEarlier();
    clock->step += uint64_t(steps);
}

}  // namespace

void launchUpdate(const UpdatePass& pass, cudaStream_t stream) {
    int longest = 1;
    for (int i = 0; i < pass.ranges; ++i)
        longest = pass.range[i].count > longest ? pass.range[i].count : longest;
    const int blocks = (longest + threads * perThread - 1) / (threads * perThread);
    const dim3 grid(uint32_t(blocks < 528 ? blocks : 528), uint32_t(pass.ranges));
    switch (pass.optimizer) {
        case Optimizer::adam:
            update<Optimizer::adam><<<grid, threads, 0, stream>>>(pass);
            break;
        case Optimizer::rmsProp:
            update<Optimizer::rmsProp><<<grid, threads, 0, stream>>>(pass);
            break;
        case Optimizer::sgd:
            update<Optimizer::sgd><<<grid, threads, 0, stream>>>(pass);
            break;
    }
}

void launchTick(Clock* clock, int steps, cudaStream_t stream) {
    tick<<<1, 1, 0, stream>>>(clock, steps);
}

}  // namespace core::cuda
