// Pointwise programs on the device: each thread takes V neighbouring elements through all instructions.
#pragma once

#include "core/base/philox.h"
#include "core/cuda/abi.h"

#pragma nv_diag_suppress 549  // a register that may be read before it is written

namespace core::cuda {

template <int V>
struct Lanes {
    float at[V];
};

__device__ __forceinline__ uint32_t quotient(uint32_t n, const Divisor& d) {
    return d.divisor == 1 ? n : __umulhi(n, d.multiplier) >> d.shift;
}

template <int V>
__device__ __forceinline__ Lanes<V> splat(float value) {
    Lanes<V> out;
#pragma unroll
    for (int i = 0; i < V; ++i) out.at[i] = value;
    return out;
}

template <int V>
__device__ __forceinline__ Lanes<V> loadRun(const float* from) {
    Lanes<V> out;
    if constexpr (V == 4) {
        const float4 v = *reinterpret_cast<const float4*>(from);
        out.at[0] = v.x, out.at[1] = v.y, out.at[2] = v.z, out.at[3] = v.w;
    } else {
        out.at[0] = *from;
    }
    return out;
}

template <int V>
__device__ __forceinline__ void storeRun(float* to, const Lanes<V>& v) {
    if constexpr (V == 4)
        *reinterpret_cast<float4*>(to) = make_float4(v.at[0], v.at[1], v.at[2], v.at[3]);
    else
        *to = v.at[0];
}

__device__ __forceinline__ float loadOne(const Operand& o, uint32_t e) {
    const uint32_t line = quotient(e, o.channels), c = e - line * o.channels.divisor;
    const uint32_t n = quotient(line, o.positions), p = line - n * o.positions.divisor;
    const float* base = o.data + int64_t(n) * o.sampleStep + int64_t(p) * o.positionStep;
    if (o.kind == Operand::window)
        return int32_t(c) >= o.from && int32_t(c) < o.to ? base[int32_t(c) - o.from] : 0.0f;
    return base[int64_t(quotient(c, o.group)) * o.channelStep];
}

template <int V>
static __device__ __noinline__ Lanes<V> loadSlowly(const Operand& o, uint32_t e) {
    switch (o.kind) {
        case Operand::full:
            return loadRun<V>(o.data + e);
        case Operand::scalar:
            return splat<V>(*o.data);
        case Operand::row: {
            const uint32_t c = e - quotient(e, o.channels) * o.channels.divisor;
            if (V == 1 || (o.channels.divisor & 3) == 0) return loadRun<V>(o.data + c);
            break;
        }
        case Operand::strided:
            if (V == 4 && (o.channels.divisor & 3) == 0) {
                const uint32_t line = quotient(e, o.channels), c = e - line * o.channels.divisor;
                const uint32_t n = quotient(line, o.positions), p = line - n * o.positions.divisor;
                const float* base = o.data + int64_t(n) * o.sampleStep + int64_t(p) * o.positionStep;
                if (o.channelStep == 0) return splat<V>(*base);
                if ((o.group.divisor & 3) == 0)
                    return splat<V>(base[int64_t(quotient(c, o.group)) * o.channelStep]);
                if (o.channelStep == 1 && o.group.divisor == 1 &&
                    (reinterpret_cast<uintptr_t>(base) & 15) == 0)
                    return loadRun<V>(base + c);
            }
            break;
        case Operand::window:
            if (V == 4 && ((o.channels.divisor | uint32_t(o.from) | uint32_t(o.to)) & 3) == 0) {
                const uint32_t line = quotient(e, o.channels), c = e - line * o.channels.divisor;
                const uint32_t n = quotient(line, o.positions), p = line - n * o.positions.divisor;
                const float* base = o.data + int64_t(n) * o.sampleStep + int64_t(p) * o.positionStep;
                if (int32_t(c) < o.from || int32_t(c) >= o.to) return splat<V>(0);
                if (((reinterpret_cast<uintptr_t>(base) & 15) == 0))
                    return loadRun<V>(base + (int32_t(c) - o.from));
            }
            break;
        default:
            break;
    }
    Lanes<V> out;
#pragma unroll
    for (int i = 0; i < V; ++i)
        out.at[i] = o.kind == Operand::row
                        ? o.data[(e + i) - quotient(e + i, o.channels) * o.channels.divisor]
                        : loadOne(o, e + i);
    return out;
}

// The common kinds in few instructions, so that the code of a kernel stays small.
template <int V>
__device__ __forceinline__ Lanes<V> loadOperand(const Operand& o, uint32_t e) {
    if (o.kind == Operand::full) return loadRun<V>(o.data + e);
    if (o.kind == Operand::row && (V == 1 || (o.channels.divisor & 3) == 0))
        return loadRun<V>(o.data + (e - quotient(e, o.channels) * o.channels.divisor));
    return loadSlowly<V>(o, e);
}

// A call would wait for what it loads.
template <int V>
__device__ __forceinline__ Lanes<V> loadEarly(const Operand& o, uint32_t e) {
    if (V > 1 || o.kind == Operand::full || o.kind == Operand::row) return loadOperand<V>(o, e);
    return splat<V>(o.kind == Operand::scalar ? *o.data : loadOne(o, e));
}

template <int V>
static __device__ __noinline__ void storeColumns(const Output& o, uint32_t e, const Lanes<V>& v) {
    if (V == 4 && ((o.channels.divisor | o.step) & 3) == 0 &&
        (reinterpret_cast<uintptr_t>(o.data) & 15) == 0) {
        const uint32_t line = quotient(e, o.channels);
        return storeRun<V>(o.data + int64_t(line) * o.step + (e - line * o.channels.divisor), v);
    }
#pragma unroll
    for (int i = 0; i < V; ++i) {
        const uint32_t line = quotient(e + i, o.channels);
        o.data[int64_t(line) * o.step + (e + i - line * o.channels.divisor)] = v.at[i];
    }
}

template <int V>
__device__ __forceinline__ void storeOutput(const Output& o, uint32_t e, const Lanes<V>& v) {
    o.step == 0 ? storeRun<V>(o.data + e, v) : storeColumns<V>(o, e, v);
}

// A kernel may begin before those that it waits for in the graph have ended: what it does up to here must not
// touch what they write. Kernels behind it may begin from here on, since everything before this one is done.
__device__ __forceinline__ void awaitEarlier() {
#if __CUDA_ARCH__ >= 900
    asm volatile("griddepcontrol.wait;" ::: "memory");
    asm volatile("griddepcontrol.launch_dependents;" ::: "memory");
#endif
}

// A program in shared memory; every block copies it there while its first operands are on their way.
__device__ __forceinline__ void fetch(Program& to, const Program* from) {
    constexpr int words = int(sizeof(Program) / 16);
    if (from)
        for (int i = int(threadIdx.x); i < words; i += int(blockDim.x))
            reinterpret_cast<uint4*>(&to)[i] = reinterpret_cast<const uint4*>(from)[i];
}

__device__ __forceinline__ philox::Position positionOf(const Pass& p, uint32_t stream) {
    philox::Position at;
    at.seed = p.clock->seed;
    at.stream = stream;
    at.step = p.clock->step + p.stepsAhead;
    at.repeat = p.repeat;
    return at;
}

// Uniform numbers, or normal ones, of the elements from e on; e is a multiple of four where V is 4.
template <int V>
static __device__ __noinline__ Lanes<V> drawLanes(const Pass& p, uint32_t stream, uint32_t e, bool normal) {
    const philox::Block b = philox::draw(positionOf(p, stream), e / 4);
    float all[4];
    if (normal) {
        philox::normalPair(b.word[0], b.word[1], all[0], all[1]);
        philox::normalPair(b.word[2], b.word[3], all[2], all[3]);
    } else {
#pragma unroll
        for (int i = 0; i < 4; ++i) all[i] = philox::uniform(b.word[i]);
    }
    Lanes<V> out;
    if constexpr (V == 4) {
#pragma unroll
        for (int i = 0; i < 4; ++i) out.at[i] = all[i];
    } else {
        const uint32_t k = e & 3;
        out.at[0] = k == 0 ? all[0] : k == 1 ? all[1] : k == 2 ? all[2] : all[3];
    }
    return out;
}

__device__ __forceinline__ float normalBelow(float x) {
    return math::fma(math::erf(x * 0.707106781186547524f), 0.5f, 0.5f);
}
__device__ __forceinline__ float within30(float x) {
    return x > 30.0f ? 30.0f : (x < -30.0f ? -30.0f : x);
}

template <int V, class F>
__device__ __forceinline__ Lanes<V> each(const Lanes<V>& x, F f) {
    Lanes<V> out;
#pragma unroll
    for (int i = 0; i < V; ++i) out.at[i] = f(x.at[i]);
    return out;
}
template <int V, class F>
__device__ __forceinline__ Lanes<V> each(const Lanes<V>& x, const Lanes<V>& y, F f) {
    Lanes<V> out;
#pragma unroll
    for (int i = 0; i < V; ++i) out.at[i] = f(x.at[i], y.at[i]);
    return out;
}

template <int V>
static __device__ __noinline__ Lanes<V> compute(Op op, bool rough, float a, float b, Lanes<V> x, Lanes<V> y) {
    // Within 1e-6 of its value, by two instructions instead of twenty.
    const auto sigmoid = [rough](float v) {
        return rough ? __fdividef(1.0f, 1.0f + __expf(-v)) : math::sigmoid(v);
    };
    switch (op) {
        case Op::affine:
            return each<V>(x, [=](float v) { return math::fma(a, v, b); });
        case Op::exp:
            return each<V>(x, [](float v) { return math::exp(v); });
        case Op::log:
            return each<V>(x, [](float v) { return math::log(v); });
        case Op::sqrt:
            return each<V>(x, [](float v) { return math::sqrt(v); });
        case Op::square:
            return each<V>(x, [](float v) { return v * v; });
        case Op::abs:
            return each<V>(x, [](float v) { return v < 0.0f ? -v : v + 0.0f; });
        case Op::reciprocal:
            return each<V>(x, [](float v) { return 1.0f / v; });
        case Op::tanh:
            return each<V>(x, [](float v) { return math::tanh(v); });
        case Op::sigmoid:
            return each<V>(x, [=](float v) { return sigmoid(v); });
        case Op::softplus:
            return each<V>(x, [](float v) { return math::softplus(v); });
        case Op::leakyRelu:
            return each<V>(x, [=](float v) { return v > 0.0f ? v : a * v; });
        case Op::leakyStep:
            return each<V>(x, [=](float v) { return v > 0.0f ? 1.0f : a; });
        case Op::sign:
            return each<V>(x, [](float v) { return v > 0.0f ? 1.0f : (v < 0.0f ? -1.0f : v); });
        case Op::silu:
            return each<V>(x, [=](float v) { return v * sigmoid(v); });
        case Op::siluSlope:
            return each<V>(x, [=](float v) {
                const float s = sigmoid(v);
                return s * math::fma(v, 1.0f - s, 1.0f);
            });
        case Op::gelu:
            return each<V>(x, [=](float v) {
                return v * sigmoid(v * math::fma(v * v, 0.0713548162726002527f, 1.59576912160573071f));
            });
        case Op::geluSlope:
            return each<V>(x, [=](float v) {
                const float u = within30(v), z = u * u;
                const float s = sigmoid(u * math::fma(z, 0.0713548162726002527f, 1.59576912160573071f));
                return math::fma(u * s * (1.0f - s),
                                 math::fma(z, 0.214064448817800758f, 1.59576912160573071f), s);
            });
        case Op::erfGelu:
            return each<V>(x, [](float v) { return v * normalBelow(v); });
        case Op::erfGeluSlope:
            return each<V>(x, [](float v) {
                const float u = within30(v);
                return math::fma(u * 0.398942280401432678f, math::exp(-0.5f * u * u), normalBelow(u));
            });
        case Op::sine:
            return each<V>(x, [](float v) { return math::sin(v); });
        case Op::cosine:
            return each<V>(x, [](float v) { return math::cos(v); });
        case Op::floor:
            return each<V>(x, [](float v) { return math::floor(v); });
        case Op::add:
            return each<V>(x, y, [](float v, float w) { return v + w; });
        case Op::subtract:
            return each<V>(x, y, [](float v, float w) { return v - w; });
        case Op::multiply:
            return each<V>(x, y, [](float v, float w) { return v * w; });
        case Op::divide:
            return each<V>(x, y, [](float v, float w) { return v / w; });
        default:  // a copy
            return x;
    }
}

// The first operands of a program, loaded together, so that their latencies overlap.
template <int V>
struct Early {
    Lanes<V> at[4];

    __device__ __forceinline__ void ask(const Program& p, uint32_t e) {
        const int operands = p.operandCount;
#pragma unroll
        for (int i = 0; i < 4; ++i)
            if (i < operands) at[i] = loadEarly<V>(p.operands[i], e);
    }
};

// Runs the program on the elements from e on; `last` is what the first instruction finds as the result
// before it, and returns the result of the last one.
template <int V>
__device__ __forceinline__ Lanes<V> runProgram(const Program& p, const Pass& pass, uint32_t e, Lanes<V> last,
                                               const Early<V>& early) {
    Lanes<V> kept[Program::registers];
    const auto source = [&](uint8_t from) -> Lanes<V> {
        if (from == Instruction::last) return last;
        switch (from) {
            case Instruction::memory:
                return early.at[0];
            case Instruction::memory + 1:
                return early.at[1];
            case Instruction::memory + 2:
                return early.at[2];
            case Instruction::memory + 3:
                return early.at[3];
            default:
                break;
        }
        if (from > Instruction::memory) return loadOperand<V>(p.operands[from - Instruction::memory], e);
        return kept[from];
    };
    const int count = p.count;
#pragma unroll 1
    for (int i = 0; i < count; ++i) {
        const Instruction in = p.code[i];
        const Op op = Op(in.op);
        if (op == Op::fill) {
            last = splat<V>(in.a);
        } else if (op == Op::uniform || op == Op::normal) {
            const Lanes<V> drawn = drawLanes<V>(pass, in.stream, e, op == Op::normal);
            const float shift = in.a, scale = op == Op::normal ? in.b : in.b - in.a;
            last = each<V>(drawn, [=](float v) { return math::fma(scale, v, shift); });
        } else if (op == Op::dropout) {
            const Lanes<V> x = source(in.first);
            const float share = source(in.second).at[0], scale = 1.0f / (1.0f - share);
            const Lanes<V> drawn = drawLanes<V>(pass, in.stream, e, false);
            last = each<V>(x, drawn, [=](float v, float u) { return u >= share ? v * scale : 0.0f; });
        } else {
            const Lanes<V> x = source(in.first);
            const Lanes<V> y = in.second == Instruction::nothing ? x : source(in.second);
            last = op == Op::add        ? each<V>(x, y, [](float v, float w) { return v + w; })
                   : op == Op::multiply ? each<V>(x, y, [](float v, float w) { return v * w; })
                   : op == Op::subtract ? each<V>(x, y, [](float v, float w) { return v - w; })
                   : op == Op::affine   ? each<V>(x, [=](float v) { return math::fma(in.a, v, in.b); })
                   : op == Op::reshape  ? x
                                        : compute<V>(op, pass.rough, in.a, in.b, x, y);
        }
        if (in.keep != Instruction::nothing) kept[in.keep] = last;
        if (in.store != Instruction::nothing) storeOutput<V>(p.outputs[in.store], e, last);
    }
    return last;
}

template <int V>
__device__ __forceinline__ Lanes<V> runProgram(const Program& p, const Pass& pass, uint32_t e,
                                               Lanes<V> last) {
    Early<V> early;
    early.ask(p, e);
    return runProgram<V>(p, pass, e, last, early);
}

// The same for Q runs of four at once, so that decoding is shared and latencies overlap. What is not `there`
// stores nothing.
template <int Q>
__device__ __forceinline__ void runQuads(const Program& p, const Pass& pass, const uint32_t (&e)[Q],
                                         const bool (&there)[Q], Lanes<4> (&last)[Q]) {
    Lanes<4> kept[Program::registers][Q];
    const int count = p.count;
#pragma unroll 1
    for (int i = 0; i < count; ++i) {
        const Instruction in = p.code[i];
        const Op op = Op(in.op);
        const auto source = [&](uint8_t from, Lanes<4>(&to)[Q]) {
            if (from == Instruction::last) {
#pragma unroll
                for (int q = 0; q < Q; ++q) to[q] = last[q];
            } else if (from >= Instruction::memory) {
                const Operand& o = p.operands[from - Instruction::memory];
                if (o.kind == Operand::full) {
#pragma unroll
                    for (int q = 0; q < Q; ++q) to[q] = loadRun<4>(o.data + e[q]);
                } else {
#pragma unroll
                    for (int q = 0; q < Q; ++q) to[q] = loadOperand<4>(o, e[q]);
                }
            } else {
#pragma unroll
                for (int q = 0; q < Q; ++q) to[q] = kept[from][q];
            }
        };
        if (op == Op::fill) {
#pragma unroll
            for (int q = 0; q < Q; ++q) last[q] = splat<4>(in.a);
        } else if (op == Op::uniform || op == Op::normal) {
            const float shift = in.a, scale = op == Op::normal ? in.b : in.b - in.a;
#pragma unroll
            for (int q = 0; q < Q; ++q)
                last[q] = each<4>(drawLanes<4>(pass, in.stream, e[q], op == Op::normal),
                                  [=](float v) { return math::fma(scale, v, shift); });
        } else {
            Lanes<4> x[Q], y[Q];
            source(in.first, x);
            if (in.second != Instruction::nothing)
                source(in.second, y);
            else
#pragma unroll
                for (int q = 0; q < Q; ++q) y[q] = x[q];
            if (op == Op::add) {
#pragma unroll
                for (int q = 0; q < Q; ++q)
                    last[q] = each<4>(x[q], y[q], [](float v, float w) { return v + w; });
            } else if (op == Op::multiply) {
#pragma unroll
                for (int q = 0; q < Q; ++q)
                    last[q] = each<4>(x[q], y[q], [](float v, float w) { return v * w; });
            } else if (op == Op::reshape) {
#pragma unroll
                for (int q = 0; q < Q; ++q) last[q] = x[q];
            } else if (op == Op::dropout) {
                const float share = y[0].at[0], scale = 1.0f / (1.0f - share);
#pragma unroll
                for (int q = 0; q < Q; ++q)
                    last[q] = each<4>(x[q], drawLanes<4>(pass, in.stream, e[q], false),
                                      [=](float v, float u) { return u >= share ? v * scale : 0.0f; });
            } else {
#pragma unroll
                for (int q = 0; q < Q; ++q) last[q] = compute<4>(op, pass.rough, in.a, in.b, x[q], y[q]);
            }
        }
        if (in.keep != Instruction::nothing)
#pragma unroll
            for (int q = 0; q < Q; ++q) kept[in.keep][q] = last[q];
        if (in.store != Instruction::nothing)
#pragma unroll
            for (int q = 0; q < Q; ++q)
                if (there[q]) storeOutput<4>(p.outputs[in.store], e[q], last[q]);
    }
}

}  // namespace core::cuda
