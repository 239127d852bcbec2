// Which programs need no interpreter.
#include <utility>
#include <vector>

#include "core/cuda/lowering.h"

namespace core::cuda {
namespace {

bool isMemory(uint8_t from) {
    return from >= Instruction::memory && from < Instruction::last;
}

// A channel's number that is the same for all positions of a sample, or for all lines.
bool termOf(const Operand& o, Term& out) {
    const bool strided = o.kind == Operand::strided && o.positionStep == 0 && o.channelStep == 1 &&
                         o.group.divisor == 1 && o.sampleStep % 4 == 0;
    const bool aligned = (reinterpret_cast<uintptr_t>(o.data) & 15) == 0 && o.channels.divisor % 4 == 0;
    if (!aligned || (o.kind != Operand::row && !strided)) return false;
    out.data = o.data;
    out.positions = strided ? o.positions : Divisor{};
    out.step = strided ? o.sampleStep : 0;
    return true;
}

// Is the program the sum of values elsewhere, and then of what it is given?
bool addsSum(const Program& p, Straight& out) {
    const Instruction &given = p.code[0], &all = p.code[p.count - 1];
    const auto add = [&](uint8_t from) {
        if (!isMemory(from)) return false;
        const Operand& o = p.operands[from - Instruction::memory];
        const bool row = o.kind == Operand::row && o.channels.divisor % 4 == 0;
        if (!row && o.kind != Operand::full) return false;
        for (const float** to :
             row ? std::vector{&out.bias, &out.bias2} : std::vector{&out.added, &out.added2, &out.added3})
            if (!*to) return *to = o.data, true;
        return false;
    };
    if (p.count < 3 || Op(given.op) != Op::reshape || given.first != Instruction::last ||
        given.keep >= Program::registers || given.store != Instruction::nothing)
        return false;
    for (int i = 1; i + 1 < p.count; ++i) {
        const Instruction& in = p.code[i];
        if (Op(in.op) != Op::add || in.keep != Instruction::nothing || in.store != Instruction::nothing)
            return false;
        if (i > 1 && in.first != Instruction::last && in.second != Instruction::last) return false;
        if (!(i > 1 && in.first == Instruction::last) && !add(in.first)) return false;
        if (!(i > 1 && in.first != Instruction::last) && !add(in.second)) return false;
    }
    return Op(all.op) == Op::add && all.keep == Instruction::nothing &&
           ((all.first == Instruction::last && all.second == given.keep) ||
            (all.first == given.keep && all.second == Instruction::last));
}

// Does the program begin with a sum: of what it is given and something, and of two other things?
bool sumsUp(const Program& p, int count, Straight& out) {
    if (count < 3) return false;
    for (int i = 0; i < 3; ++i)
        if (Op(p.code[i].op) != Op::add || (i < 2 && p.code[i].store != Instruction::nothing)) return false;
    const Instruction &first = p.code[0], &two = p.code[1], &all = p.code[2];
    const bool given = first.first == Instruction::last || first.second == Instruction::last;
    const bool both = (all.first == first.keep && all.second == Instruction::last) ||
                      (all.second == first.keep && all.first == Instruction::last);
    if (!given || first.keep >= Program::registers || two.keep != Instruction::nothing ||
        all.keep != Instruction::nothing || !both)
        return false;
    for (uint8_t from :
         {first.first == Instruction::last ? first.second : first.first, two.first, two.second}) {
        if (!isMemory(from)) return false;
        const Operand& o = p.operands[from - Instruction::memory];
        const bool row = o.kind == Operand::row && o.channels.divisor % 4 == 0;
        if (row && !(out.bias && out.bias2))
            (out.bias ? out.bias2 : out.bias) = o.data;
        else if (o.kind == Operand::full && !(out.added && out.added2))
            (out.added ? out.added2 : out.added) = o.data;
        else
            return false;
    }
    return true;
}

}  // namespace

// The program in a form that needs no interpreter, if it has one.
Straight Lowering::straightened(const Program& p) {
    Straight out;
    const auto operand = [&](uint8_t from) -> const Operand& {
        return p.operands[from - Instruction::memory];
    };
    const auto place = [&](uint8_t store) -> float* {
        return store == Instruction::nothing ? nullptr : p.outputs[store].data;
    };
    int count = p.count;
    const Instruction& end = p.code[count - 1];
    if (end.store != Instruction::nothing && p.outputs[end.store].step != 0 && Op(end.op) == Op::reshape &&
        end.first == Instruction::last) {
        const Output& to = p.outputs[end.store];
        const bool aligned = (reinterpret_cast<uintptr_t>(to.data) & 15) == 0 && to.step % 4 == 0;
        if (!aligned || to.channels.divisor % 4 != 0) return out;
        out.aside = to.data, out.asideStep = to.step, out.channels = to.channels;
        --count;
    }
    for (int i = 0; i < count; ++i)
        if (p.code[i].store != Instruction::nothing && p.outputs[p.code[i].store].step != 0) return out;
    Straight sum = out;
    const bool sums = sumsUp(p, count, sum);
    if (sums) out = sum, out.early = place(p.code[2].store);
    int i = sums ? 3
            : count > 1 && Op(p.code[0].op) == Op::reshape && p.code[0].first == Instruction::last &&
                    p.code[0].keep == Instruction::nothing && p.code[0].store == Instruction::nothing
                ? 1
                : 0;
    for (; i < count && (Op(p.code[i].op) == Op::add || Op(p.code[i].op) == Op::multiply); ++i) {
        const Instruction& in = p.code[i];
        const uint8_t other = in.first == Instruction::last ? in.second : in.first;
        const bool plain =
            (in.first == Instruction::last || in.second == Instruction::last) && isMemory(other);
        const bool gates = Op(in.op) == Op::multiply;
        if (!plain || in.keep != Instruction::nothing || (out.early && !gates)) return out;
        const Operand& o = operand(other);
        if (out.aside && o.kind == Operand::strided && o.channels.divisor != out.channels.divisor) return out;
        if (gates) {
            if (out.gate.data || out.added || !termOf(o, out.gate)) return out;
            out.channels = o.channels;
            std::swap(out.biased, out.early);
        } else if (o.kind == Operand::row && o.channels.divisor % 4 == 0 && !out.gate.data && !out.bias) {
            out.bias = o.data;
        } else if (o.kind == Operand::row && o.channels.divisor % 4 == 0 && !out.gate.data && !out.bias2) {
            out.bias2 = o.data;
        } else if (Term shift; o.kind == Operand::strided && !out.gate.data && !out.added &&
                               !out.shift.data && termOf(o, shift)) {
            out.shift = shift, out.channels = o.channels;
        } else if (o.kind == Operand::full && !out.added) {
            out.added = o.data;
        } else if (o.kind == Operand::full && !out.added2) {
            out.added2 = o.data;
        } else {
            return out;
        }
        out.early = place(in.store);
    }
    const int left = count - i;
    const Instruction& in = p.code[i];
    const Op op = left > 0 ? Op(in.op) : Op::count;
    if (left == 0) {
        out.there = true;
    } else if (left == 1 && in.first == Instruction::last && in.keep == Instruction::nothing &&
               (op == Op::leakyRelu || op == Op::silu || op == Op::gelu || op == Op::erfGelu)) {
        out.activation = in.op, out.a = in.a, out.late = place(in.store), out.there = true;
    } else if (i == 0 && left == 1 && op == Op::reshape && in.first == Instruction::last) {
        out.late = place(in.store), out.there = true;
    } else if (Straight sum; i == 0 && count == p.count && addsSum(p, sum)) {
        out = sum;
        out.late = place(p.code[p.count - 1].store), out.there = true;
    } else if (i == 0 && left == 3 && op == Op::reshape && in.first == Instruction::last &&
               in.keep < Program::registers && in.store == Instruction::nothing) {
        const Instruction &slope = p.code[1], &times = p.code[2];
        const bool known = Op(slope.op) == Op::leakyStep || Op(slope.op) == Op::siluSlope ||
                           Op(slope.op) == Op::geluSlope || Op(slope.op) == Op::erfGeluSlope;
        const bool product = Op(times.op) == Op::multiply && times.keep == Instruction::nothing &&
                             ((times.first == in.keep && times.second == Instruction::last) ||
                              (times.second == in.keep && times.first == Instruction::last));
        if (known && product && isMemory(slope.first) && operand(slope.first).kind == Operand::full &&
            slope.store == Instruction::nothing && slope.keep == Instruction::nothing) {
            out.slope = slope.op, out.a = slope.a, out.slopeOf = operand(slope.first).data;
            out.late = place(times.store), out.there = true;
        }
    }
    return out;
}

// The program of a gradient of normalised lines, in the same sense; where `summed`, it ends with what is to
// be summed.
LineGradient Lowering::linesStraightened(const Program& p, bool summed) {
    LineGradient out;
    for (int i = 0; i < p.count; ++i)
        if (p.code[i].store != Instruction::nothing && p.outputs[p.code[i].store].step != 0) return out;
    const auto operand = [&](uint8_t from) -> const Operand& {
        return p.operands[from - Instruction::memory];
    };
    int i = 0;
    uint8_t kept = Instruction::nothing;
    // Takes the next instruction if it is `op` of the value so far and of memory: the other operand.
    const auto next = [&](Op op, bool ofKept) -> const Operand* {
        if (i >= p.count || Op(p.code[i].op) != op) return nullptr;
        const Instruction& in = p.code[i];
        const uint8_t value = ofKept && kept != Instruction::nothing ? kept : uint8_t(Instruction::last);
        const uint8_t other = in.first == value ? in.second : in.first;
        return (in.first == value || in.second == value) && isMemory(other) ? &operand(other) : nullptr;
    };
    const auto take = [&](float** to) {
        const Instruction& in = p.code[i++];
        if (in.store != Instruction::nothing) *to = p.outputs[in.store].data;
        return in.keep;
    };
    if (p.count > 0 && Op(p.code[0].op) == Op::reshape && p.code[0].first == Instruction::last)
        kept = take(&out.early);
    for (const float** to : {&out.added, &out.added2}) {
        const Operand* const o = out.early || kept != Instruction::nothing ? nullptr : next(Op::add, false);
        if (!o || o->kind != Operand::full) break;
        *to = o->data;
        kept = take(&out.early);
    }
    if (const Operand* const o = next(Op::multiply, false); o && i + (summed ? 1 : 0) < p.count) {
        if (!termOf(*o, out.gate) || p.code[i].keep != Instruction::nothing) return out;
        take(&out.late);
    }
    if (summed) {
        const Operand* const o = next(Op::multiply, out.late != nullptr);
        if (!o || o->kind != Operand::full || p.code[i].store != Instruction::nothing) return out;
        out.times = o->data;
        ++i;
    }
    out.straight = i == p.count;
    return out;
}

// The program of what was normalised, in the same sense.
Scaling Lowering::scaled(const Program& p, const Plain& moments) {
    Scaling out;
    const auto operand = [&](uint8_t from) -> const Operand& {
        return p.operands[from - Instruction::memory];
    };
    // The instruction i, where it is `op` of the value so far and of memory.
    const auto is = [&](int i, Op op) {
        const Instruction& in = p.code[i];
        return i < p.count && Op(in.op) == op && in.first == (i == 0 ? in.first : Instruction::last) &&
               isMemory(in.second);
    };
    const auto next = [&](int i, Op op) { return is(i, op) && p.code[i].keep == Instruction::nothing; };
    // The product of what was normalised with s + b.
    const auto modulates = [&] {
        const Instruction &kept = p.code[1], &sum = p.code[2], &all = p.code[3];
        return p.count > 3 && kept.keep < Program::registers && Op(sum.op) == Op::affine && sum.a == 1 &&
               isMemory(sum.first) && sum.keep == Instruction::nothing && Op(all.op) == Op::multiply &&
               all.first == kept.keep && all.second == Instruction::last &&
               all.keep == Instruction::nothing && termOf(operand(sum.first), out.scale);
    };
    const bool groups = moments.parts > 0;
    const auto moment = [&](uint8_t from, const float* at) {
        const Operand& o = operand(from);
        return o.data == at && o.kind == Operand::strided && o.channelStep == (groups ? 2 : 0);
    };
    const auto place = [&](int i) -> float* {
        const uint8_t store = p.code[i].store;
        return store == Instruction::nothing ? nullptr : p.outputs[store].data;
    };
    if (!next(0, Op::subtract) || !isMemory(p.code[0].first) || !is(1, Op::multiply)) return out;
    const Operand& x = operand(p.code[0].first);
    if (x.kind != Operand::full || x.data != moments.in[0] || !moment(p.code[0].second, moments.out) ||
        !moment(p.code[1].second, moments.out + 1))
        return out;
    int i = 2;
    if (modulates())
        out.plus = p.code[2].b, i = 4;
    else if (p.code[1].keep != Instruction::nothing)
        return out;
    else if (next(i, Op::multiply) && termOf(operand(p.code[i].second), out.scale))
        ++i;
    if (next(i, Op::add) && termOf(operand(p.code[i].second), out.shift)) ++i;
    out.out = place(i - 1);
    for (int k = 0; k + 1 < i; ++k)
        if (place(k)) return out;
    for (int k = 0; k < p.count; ++k)
        if (place(k) && p.outputs[p.code[k].store].step != 0) return out;
    const Instruction& in = p.code[i];
    if (groups && i + 1 == p.count && (Op(in.op) == Op::silu || Op(in.op) == Op::leakyRelu) &&
        in.first == Instruction::last && in.keep == Instruction::nothing) {
        out.activation = in.op, out.a = in.a, out.late = place(i);
        ++i;
    }
    out.there = i == p.count && (out.out || out.late);
    return out;
}

}  // namespace core::cuda
