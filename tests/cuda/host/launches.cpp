#include "tests/cuda/host/launches.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "core/base/philox.h"
#include "core/cpu/call.h"

namespace core::cpu {
extern const KernelSet sseKernels;
}

namespace host {
namespace {

using namespace core;
using namespace core::cuda;
using Values = std::vector<float>;

const cpu::KernelSet& arithmetic() {
    return cpu::sseKernels;
}

// ---- programs: instruction by instruction, each over the whole index space

Values load(const Operand& o, uint32_t size) {
    Values out(size);
    for (uint32_t e = 0; e < size; ++e) {
        const uint32_t line = e / o.channels.divisor, c = e % o.channels.divisor;
        switch (o.kind) {
            case Operand::full:
                out[e] = o.data[e];
                break;
            case Operand::scalar:
                out[e] = *o.data;
                break;
            case Operand::row:
                out[e] = o.data[c];
                break;
            case Operand::strided:
            case Operand::window: {
                const uint32_t n = line / o.positions.divisor, p = line % o.positions.divisor;
                const float* const base = o.data + int64_t(n) * o.sampleStep + int64_t(p) * o.positionStep;
                if (o.kind == Operand::strided)
                    out[e] = base[int64_t(c / o.group.divisor) * o.channelStep];
                else
                    out[e] = int32_t(c) >= o.from && int32_t(c) < o.to ? base[int32_t(c) - o.from] : 0.0f;
                break;
            }
        }
    }
    return out;
}

void store(const Output& o, const Values& values) {
    for (uint32_t e = 0; e < values.size(); ++e) {
        const uint32_t line = e / o.channels.divisor, c = e % o.channels.divisor;
        o.data[o.step == 0 ? int64_t(e) : int64_t(line) * o.step + c] = values[e];
    }
}

philox::Position positionOf(const Pass& pass, uint32_t stream) {
    return {pass.clock->seed, stream, pass.clock->step + pass.stepsAhead, pass.repeat};
}

Values draw(const Instruction& in, const Pass& pass) {
    const philox::Position at = positionOf(pass, in.stream);
    const bool normal = Op(in.op) == Op::normal;
    Values out(pass.size);
    for (uint32_t e = 0; e < pass.size; ++e)
        out[e] = normal ? math::fma(in.b, philox::normalAt(at, e), in.a)
                        : math::fma(in.b - in.a, philox::uniformAt(at, e), in.a);
    return out;
}

Values dropout(const Instruction& in, const Pass& pass, const Values& x, float share) {
    const philox::Position at = positionOf(pass, in.stream);
    Values out(pass.size);
    for (uint32_t e = 0; e < pass.size; ++e)
        out[e] = philox::uniformAt(at, e) >= share ? x[e] * (1.0f / (1.0f - share)) : 0.0f;
    return out;
}

Values compute(const Instruction& in, const Values& x, const Values& y) {
    Values out(x.size());
    cpu::Call<float> call;
    call.op = Op(in.op);
    call.a = in.a, call.b = in.b;
    call.out = out.data();
    call.rows = call.inRows[0] = call.inRows[1] = 1;
    call.columns = call.inColumns[0] = call.inColumns[1] = int64_t(x.size());
    call.extents = call.inExtents[0] = call.inExtents[1] = {1, 1, 1, int64_t(x.size())};
    call.inputs = in.second == Instruction::nothing ? 1 : 2;
    call.in[0] = x.data(), call.in[1] = y.data();
    arithmetic().kernelFor(call.op)(call, 0, 1);
    return out;
}

// `last` is what the first instruction finds as the result before it.
Values runProgram(const Pass& pass, Values last) {
    const Program& p = *pass.program;
    std::vector<Values> kept(Program::registers);
    const auto source = [&](uint8_t from) -> Values {
        if (from == Instruction::last) return last;
        if (from >= Instruction::memory) return load(p.operands[from - Instruction::memory], pass.size);
        return kept[from];
    };
    for (int32_t i = 0; i < p.count; ++i) {
        const Instruction& in = p.code[i];
        const Op op = Op(in.op);
        if (op == Op::fill)
            last.assign(pass.size, in.a);
        else if (op == Op::uniform || op == Op::normal)
            last = draw(in, pass);
        else if (op == Op::dropout)
            last = dropout(in, pass, source(in.first), source(in.second)[0]);
        else if (op == Op::reshape)
            last = source(in.first);
        else
            last = compute(in, source(in.first),
                           in.second == Instruction::nothing ? Values() : source(in.second));
        if (in.keep != Instruction::nothing) kept[in.keep] = last;
        if (in.store != Instruction::nothing) store(p.outputs[in.store], last);
    }
    return last;
}

// ---- the kinds

void product(const Product& p, const Pass& pass) {
    if (p.left != Product::rows && p.left != Product::columns)
        throw std::runtime_error("the host has no convolutions");
    Values all(pass.size);
    for (int32_t batch = 0; batch < p.batches; ++batch) {
        const int32_t outer = batch / p.inner, inner = batch % p.inner;
        const float* const a = p.a + outer * p.aOuter + inner * p.aInner;
        const float* const b = p.b + outer * p.bOuter + inner * p.bInner;
        const auto left = [&](int64_t m, int64_t k) {
            return p.left == Product::rows ? a[m * p.lda + k] : a[k * p.lda + m];
        };
        const auto right = [&](int64_t k, int64_t n) {
            return p.rightTurned ? b[n * p.ldb + k] : b[k * p.ldb + n];
        };
        for (int64_t m = 0; m < p.m; ++m)
            for (int64_t n = 0; n < p.n; ++n) {
                float sum = 0;
                for (int64_t k = 0; k < p.k; ++k) sum = math::fma(left(m, k), right(k, n), sum);
                all[size_t(outer * p.eOuter + inner * p.eInner + m * p.lde + n)] = sum * p.scale;
            }
        for (int64_t n = 0; p.columnSums && n < p.n; ++n) {
            p.columnSums[n] = 0;
            for (int64_t k = 0; k < p.k; ++k) p.columnSums[n] += right(k, n);
        }
        for (int64_t m = 0; p.rowSums && m < p.m; ++m) {
            p.rowSums[m] = 0;
            for (int64_t k = 0; k < p.k; ++k) p.rowSums[m] += left(m, k);
        }
    }
    if (pass.direct)
        std::copy(all.begin(), all.end(), pass.direct);
    else
        runProgram(pass, std::move(all));
}

void sum(const Plain& p, const Pass& pass) {
    const Values x = runProgram(pass, Values(pass.size));
    for (int64_t outer = 0; outer < p.outer; ++outer)
        for (int64_t inner = 0; inner < p.inner; ++inner) {
            float total = 0;
            for (int64_t i = 0; i < p.length; ++i)
                total += x[size_t((outer * p.length + i) * p.inner + inner)];
            p.out[outer * p.inner + inner] = total;
        }
}

void transpose(const Plain& p) {
    const int64_t rows = p.inSizes[0].samples, columns = p.inSizes[0].channels;
    for (int64_t r = 0; r < rows; ++r)
        for (int64_t c = 0; c < columns; ++c) p.out[c * rows + r] = p.in[0][r * columns + c];
}

void turn(const Turn& t) {
    for (int64_t line = 0; line < t.lines; ++line)
        for (int64_t c = 0; c < t.columns; ++c) t.to[c * t.lines + line] = t.from[line * t.apart + c];
}

// Kinds that are one operation, by the CPU's kernel.
void operation(Op op, const Plain& p) {
    cpu::Call<float> call;
    const auto extents = [](const Sizes& s) { return Extents{s.samples, s.height, s.width, s.channels}; };
    call.op = op;
    call.a = p.a, call.b = p.b;
    call.offset = p.offset, call.window = p.window, call.stride = p.stride, call.parts = p.parts;
    call.causal = p.causal;
    call.out = p.out;
    call.extents = extents(p.sizes);
    call.rows = p.sizes.samples, call.columns = p.size / call.rows;
    call.inputs = p.inputs;
    for (int i = 0; i < p.inputs; ++i) {
        call.in[i] = p.in[i];
        call.inExtents[i] = extents(p.inSizes[i]);
        call.inRows[i] = p.inSizes[i].samples;
        call.inColumns[i] = int64_t(p.inSizes[i].height) * p.inSizes[i].width * p.inSizes[i].channels;
    }
    Values scale;
    if (const LineGradient& l = p.lines; l.scale.data) {
        for (int64_t n = 0; n < call.inRows[3]; ++n)
            for (int64_t c = 0; c < call.inColumns[3]; ++c)
                scale.push_back(l.scale.data[n * l.scale.step + c] + l.plus);
        call.in[3] = scale.data();
    }
    if (op == Op::drawRows) {
        call.at = {p.clock->seed, p.stream, p.clock->step + p.stepsAhead, p.repeat};
        call.tableValues = p.tableValues, call.tableBytes = p.tableBytes, call.tableRows = p.tableRows;
    }
    arithmetic().kernelFor(op)(call, 0, call.rows);
}

float valueOf(const Number& n) {
    return n.at ? *n.at : n.value;
}

void update(const UpdatePass& pass) {
    const float beta1 = valueOf(pass.beta1), beta2 = valueOf(pass.beta2), clip = valueOf(pass.clip);
    Counter next = *pass.counter;
    ++next.steps;
    next.beta1Power *= double(beta1), next.beta2Power *= double(beta2);
    for (int32_t i = 0; i < pass.ranges; ++i) {
        const UpdatePass::Range& range = pass.range[i];
        cpu::UpdateCall call;
        call.optimizer = pass.optimizer;
        call.parameter = pass.parameters + range.begin, call.gradient = pass.gradients + range.begin;
        call.first = pass.first + range.begin, call.second = pass.second + range.begin;
        if (pass.averaged) call.average = pass.state + range.average;
        call.rate = valueOf(pass.rate), call.beta1 = beta1, call.beta2 = beta2;
        call.epsilon = pass.epsilon, call.decay = valueOf(pass.decay), call.keep = valueOf(pass.keep);
        call.correction1 = float(1 - next.beta1Power), call.correction2 = float(1 - next.beta2Power);
        if (pass.norm.at && clip > 0) call.scale = std::min(1.0f, clip / (*pass.norm.at + 1e-6f));
        if (!arithmetic().update(call, 0, range.count)) *pass.broken = 1;
    }
    if (pass.advances) *pass.counter = next;
}

// A link as a launch of its own; what is stored nowhere on a card is stored here.
void runLink(const Link& link, uint32_t repeat, uint64_t stepsAhead) {
    Pass pass = link.pass;
    pass.program = &link.program;
    pass.repeat = repeat;
    pass.stepsAhead = stepsAhead;
    if (link.way == Link::elements)
        runProgram(pass, Values(pass.size));
    else
        product(link.product, pass);
}

void copyRow(const Loop::Value& v, int32_t repeat, bool toTable) {
    float* const row = v.table + int64_t(repeat) * v.size;
    std::copy_n(toTable ? v.home : row, v.size, toTable ? row : v.home);
}

void prelude(const Loop& l) {
    for (int32_t repeat = 0; repeat <= l.repeats; ++repeat) {
        for (int32_t i = 0; i < l.valueCount; ++i)
            if (l.values[i].carried)
                copyRow(l.values[i], repeat, true);
            else if (l.values[i].given && repeat < l.repeats)
                copyRow(l.values[i], repeat, false);
        for (int32_t i = 0; repeat < l.repeats && i < l.beforeCount; ++i) runLink(l.before[i], 0, 0);
        for (int32_t i = 0; repeat < l.repeats && i < l.valueCount; ++i)
            if (!l.values[i].carried && !l.values[i].given) copyRow(l.values[i], repeat, true);
    }
}

void loop(const Loop& l) {
    for (int32_t repeat = 0; repeat < l.repeats; ++repeat) {
        for (int32_t i = 0; i < l.valueCount; ++i) copyRow(l.values[i], repeat, false);
        for (int32_t i = 0; i < l.count; ++i)
            runLink(l.links[i], l.counts ? 0 : uint32_t(repeat),
                    l.stepsAhead + (l.counts ? uint64_t(repeat) : 0));
        for (const Loop::State& s : l.states) {
            const auto numbers = size_t(l.rows) * size_t(s.width);
            if (s.kept) std::copy_n(s.home, numbers, s.kept + repeat * l.keptWidth);
            if (s.from >= 0) std::copy_n(l.states[s.from].home, numbers, s.home);
        }
    }
    for (int32_t i = 0; i < l.valueCount; ++i)
        if (l.values[i].carried) copyRow(l.values[i], l.repeats, false);
}

}  // namespace

void runLaunch(const Launch& l) {
    switch (l.kind) {
        case Kind::pointwise:
            runProgram(l.pass, Values(l.pass.size));
            break;
        case Kind::product:
            product(l.product, l.pass);
            break;
        case Kind::sum:
            sum(l.plain, l.pass);
            break;
        case Kind::transpose:
            transpose(l.plain);
            break;
        case Kind::together:
            for (int32_t i = 0; i < l.together.count; ++i) {
                const Member& m = l.together.list[i];
                Pass pass;
                pass.size = uint32_t(m.product.m * m.product.n);
                pass.direct = m.out;
                product(m.product, pass);
            }
            break;
        case Kind::turn:
            for (int32_t i = 0; i < l.turns.count; ++i) turn(l.turns.list[i]);
            break;
        case Kind::logSumExp:
            operation(Op::logSumExp, l.plain);
            break;
        case Kind::argmax:
            operation(Op::argmax, l.plain);
            break;
        case Kind::padRows:
            operation(Op::padRows, l.plain);
            break;
        case Kind::gatherRows:
            operation(Op::gatherRows, l.plain);
            break;
        case Kind::pick:
            operation(Op::pick, l.plain);
            break;
        case Kind::place:
            operation(Op::place, l.plain);
            break;
        case Kind::drawRows:
            operation(Op::drawRows, l.plain);
            break;
        case Kind::update:
            update(l.update);
            break;
        case Kind::prelude:
            prelude(l.loop);
            break;
        case Kind::loop:
            loop(l.loop);
            break;
        default:
            throw std::runtime_error(std::string("the host does not know the launch ") +
                                     kindNames[size_t(l.kind)]);
    }
}

}  // namespace host
