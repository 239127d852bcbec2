// What a crew of the loop has in shared memory: weights, its rows' states, and programs behind the last
// layer.
#pragma once

#include "core/cuda/kernels/loop.cuh"
#include "core/cuda/kernels/wide.cuh"

namespace core::cuda {
namespace {

// W is the width of the hidden layers; a crew is a warpgroup.
constexpr int crew = 128, crews = 2, crewRows = 64, most = Loop::mostNumbers;

// A program behind the last layer, as the repeat that its crew is in needs it.
struct End {
    Program program;
    Pass pass;
    int32_t each;                         // elements of a row
    int32_t steps[Program::maxOperands];  // between what an operand is in two repeats
};

// What goes in, or a hidden layer.
struct Layer {
    Op activation;
    float a, scale;
};

template <int W>
struct Room {
    float offsets[crews][1 + Loop::mostLayers][W];  // biases
    float in[Link::shortest][W], out[most][W];
    End ends[crews][Loop::mostEnds];
    float states[crews][Loop::mostStates][crewRows * most];
};

#if defined(__CUDA_ARCH_FEAT_SM90_ALL)

__device__ __forceinline__ void meet(int which) {  // the threads of a crew
    asm volatile("bar.sync %0, %1;" ::"r"(1 + which), "n"(crew) : "memory");
}

// Crews take turns at the tensor cores, so that one multiplies while the other computes.
__device__ __forceinline__ void awaitTurn(int which) {
    asm volatile("bar.sync %0, %1;" ::"r"(1 + crews + which), "n"(crews * crew) : "memory");
}
__device__ __forceinline__ void giveTurn(int to) {
    asm volatile("bar.arrive %0, %1;" ::"r"(1 + crews + to), "n"(crews * crew) : "memory");
}

__device__ __forceinline__ float power2(float x) {
    float y;
    asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(y) : "f"(x));
    return y;
}
__device__ __forceinline__ float reciprocal(float x) {
    float y;
    asm("rcp.approx.ftz.f32 %0, %1;" : "=f"(y) : "f"(x));
    return y;
}
// Two at once, so that they share a division.
__device__ __forceinline__ void siluPair(float& x, float& y) {
    constexpr float perE = -1.44269504f, highest = 58;  // 2^116 is finite; beyond, x sigmoid(x) is zero
    const float a = 1.0f + power2(fminf(x * perE, highest)), b = 1.0f + power2(fminf(y * perE, highest));
    const float r = reciprocal(a * b);
    x *= b * r, y *= a * r;
}
// They are there only when they were awaited.
template <int COUNT>
__device__ __forceinline__ void settle(float (&d)[COUNT]) {
#pragma unroll
    for (int i = 0; i < COUNT; ++i) asm volatile("" : "+f"(d[i])::"memory");
}

// What is the same for all rows stands in a table, a row for each repeat: where, and how far apart.
struct Rowed {
    const float* at;
    int step;
};
__device__ __forceinline__ Rowed rowed(const Loop& l, const float* at) {
    for (int i = 0; i < l.valueCount; ++i) {
        const Loop::Value& v = l.values[i];
        if (at >= v.home && at < v.home + v.size) return {v.table + (at - v.home), v.size};
    }
    return {at, 0};
}

// A hidden layer, rounded, as the tensor cores read it: within each eight k first the even ones, then the odd
// ones, so that a result's registers are the next left operand's.
template <int W>
__device__ __forceinline__ void keepLayer(float* to, const Product& p) {
    for (int i = int(threadIdx.x); i < W * W / 8; i += int(blockDim.x)) {
        const int n = i / (W / 8), j = i % (W / 8);
        const float* const from = p.b + n * p.ldb + 8 * j;
        const Lanes<4> low = loadRun<4>(from), high = loadRun<4>(from + 4);
        float* const line = to + j / 4 * (W * 32) + n * 32;
        const auto keep = [&](int run, float a, float b, float c, float d) {
            const Lanes<4> v = {a, b, c, d};
            storeRun<4>(line + 4 * (run ^ (n % 8)),
                        each<4>(v, [](float x) { return __uint_as_float(toTf32(x)); }));
        };
        keep(j % 4 * 2, low.at[0], low.at[2], high.at[0], high.at[2]);
        keep(j % 4 * 2 + 1, low.at[1], low.at[3], high.at[1], high.at[3]);
    }
}

template <int W>
__device__ __forceinline__ void fill(Room<W>& room, const Loop& l) {
    const Product &in = l.links[0].product, &out = l.links[1 + l.layers].product;
    for (int i = int(threadIdx.x); i < W; i += int(blockDim.x)) {
        for (int k = 0; k < Link::shortest; ++k)
            room.in[k][i] = k >= in.k ? 0.0f : in.rightTurned ? in.b[i * in.ldb + k] : in.b[k * in.ldb + i];
        for (int n = 0; n < most; ++n)
            room.out[n][i] = n >= out.n        ? 0.0f
                             : out.rightTurned ? out.b[n * out.ldb + i]
                                               : out.b[i * out.ldb + n];
    }
}

// The rows of a crew: those of a fragment's upper half, and of its lower one where it has both.
struct Rows {
    int first, count;  // of all
    bool both;
    __device__ int of(int half) const {
        const int warp = int(threadIdx.x) % crew / 32, g = int(threadIdx.x) % 32 / 4;
        return both ? 16 * warp + 8 * half + g : 8 * warp + g;
    }
};

// A crew's states, between the card's memory and its own.
template <class Move>
__device__ __forceinline__ void eachState(const Loop& l, const Rows& rows,
                                          float (&states)[Loop::mostStates][crewRows * most],
                                          const Move& move) {
    for (int s = 0; s < l.stateCount; ++s) {
        const int numbers = rows.count * l.states[s].width;
        float* const home = l.states[s].home + int64_t(rows.first) * l.states[s].width;
        for (int i = int(threadIdx.x) % crew; i < crewRows * most; i += crew)
            if (i < numbers) move(home[i], states[s][i]);
    }
}

// Of each state what the host wants, and what the next repeat begins with.
__device__ __forceinline__ void endRepeat(const Loop& l, const Rows& rows, int repeat,
                                          float (&states)[Loop::mostStates][crewRows * most]) {
    for (int s = 0; s < l.stateCount; ++s) {
        const Loop::State& state = l.states[s];
        if (!state.kept && state.from < 0) continue;
        const int numbers = rows.count * state.width;
        float* const kept =
            state.kept ? state.kept + repeat * l.keptWidth + int64_t(rows.first) * state.width : nullptr;
        for (int i = int(threadIdx.x) % crew; i < numbers; i += crew) {
            if (kept) kept[i] = states[s][i];
            if (state.from >= 0) states[s][i] = states[state.from][i];
        }
    }
}

template <int W>
__device__ __forceinline__ void prepareEnds(const Loop& l, const Rows& rows, Room<W>& room, int mine) {
    const int k = int(threadIdx.x) % crew, count = l.count - 1 - l.layers;
    for (int i = 0; i < count; ++i) {
        const Link& from = l.links[1 + l.layers + i];
        End& e = room.ends[mine][i];
        for (int w = k; w < int(sizeof(Program) / 16); w += crew)
            reinterpret_cast<uint4*>(&e.program)[w] = reinterpret_cast<const uint4*>(&from.program)[w];
        if (k == 0)
            e.pass = from.pass, e.pass.repeat = 0, e.pass.stepsAhead = l.stepsAhead, e.each = from.each;
    }
    meet(mine);
    const auto state = [&](const float* at) -> float* {
        for (int s = 0; s < l.stateCount; ++s)
            if (at == l.states[s].home) return room.states[mine][s] - rows.first * l.states[s].width;
        return nullptr;
    };
    for (int i = 0; i < count; ++i) {
        End& e = room.ends[mine][i];
        if (k < e.program.operandCount) {
            Operand& o = e.program.operands[k];
            const Rowed row = rowed(l, o.data);
            const float* const here = state(o.data);
            e.steps[k] = row.step;
            o.data = here ? here : row.at;
        } else if (k >= 32 && k < 32 + Program::maxOutputs) {
            Output& o = e.program.outputs[k - 32];
            if (float* const here = state(o.data)) o.data = here;
        }
    }
    meet(mine);
}

#endif

}  // namespace
}  // namespace core::cuda
