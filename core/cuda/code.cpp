// The program of a cluster: its nodes as instructions over few registers.
#include <algorithm>

#include "core/cuda/cluster.h"

namespace core::cuda {

Divisor divisorOf(int64_t n) {
    Divisor d;
    d.divisor = uint32_t(n);
    if (n <= 1) return d;
    // ceil(2^(32 + shift) / n) is exact for all numerators below 2^31.
    while ((uint64_t(1) << d.shift) < uint64_t(n)) ++d.shift;
    d.shift -= 1;
    d.multiplier = uint32_t(((uint64_t(1) << (32 + d.shift)) + uint64_t(n) - 1) / uint64_t(n));
    return d;
}

int CodeWriter::step(Op op, int first, int second, float a, float b, uint32_t stream) {
    Step s;
    s.instruction.op = uint8_t(op);
    s.instruction.a = a;
    s.instruction.b = b;
    s.instruction.stream = stream;
    s.from[0] = first;
    s.from[1] = second;
    m_steps.push_back(s);
    return int(m_steps.size()) - 1;
}

int CodeWriter::source(NodeId id, int64_t offset, const Operand& shape) {
    const auto same = [&](const Source& s) {
        return s.node == id && s.offset == offset && s.shape.kind == shape.kind &&
               s.shape.channels.divisor == shape.channels.divisor &&
               s.shape.positions.divisor == shape.positions.divisor &&
               s.shape.group.divisor == shape.group.divisor && s.shape.sampleStep == shape.sampleStep &&
               s.shape.positionStep == shape.positionStep && s.shape.channelStep == shape.channelStep &&
               s.shape.from == shape.from && s.shape.to == shape.to;
    };
    for (size_t i = 0; i < m_sources.size(); ++i)
        if (same(m_sources[i])) return sourceBase + int(i);
    m_sources.push_back({id, offset, shape});
    return sourceBase + int(m_sources.size()) - 1;
}

// The operand `id` of something with the extents `space`, read from memory; false where no strides reach it.
bool CodeWriter::strided(NodeId id, const Extents& space, Source& out) const {
    const Extents own = m_b.node(id).shape.extents();
    const View view = m_b.view(id);
    const int64_t size = m_b.node(id).shape.size();
    if (view.turned) return false;
    out.node = view.node;
    out.offset = view.offset;
    Operand& o = out.shape;
    const bool contiguous = view.step == 0;
    if (size == 1) {
        o.kind = Operand::scalar;
        return true;
    }
    const int64_t whole = space.samples * space.positions() * space.channels;
    if (contiguous && size == whole) {
        o.kind = Operand::full;
        return true;
    }
    const int64_t step = contiguous ? own.channels : view.step;
    o.kind = Operand::strided;
    o.channels = divisorOf(space.channels);
    o.positions = divisorOf(space.positions());
    o.sampleStep = own.samples == 1 ? 0 : int32_t(own.positions() * step);
    o.positionStep = own.positions() == 1 ? 0 : int32_t(step);
    o.channelStep = own.channels == 1 ? 0 : 1;
    if (size == whole && !(own.samples == space.samples && own.positions() == space.positions())) {
        // Another shape of as many elements: lines of its own.
        o.channels = divisorOf(own.channels);
        o.positions = divisorOf(own.positions());
    }
    if (o.sampleStep == 0 && o.positionStep == 0 && o.channelStep == 1) o.kind = Operand::row;
    return true;
}

// The value of an operand at the element that the program is at.
int CodeWriter::value(NodeId id, const Extents& space) {
    const NodeId from = m_b.origin(id);
    const Node& n = m_b.node(from);
    const int64_t whole = space.samples * space.positions() * space.channels;
    if (n.op == Op::fill) {
        const auto known = m_known.find(from);
        if (known != m_known.end()) return known->second;
        return m_known[from] = step(Op::fill, none, none, n.a);
    }
    if (n.shape.size() == whole) {
        const auto known = m_known.find(from);
        if (known != m_known.end()) return known->second;
        const bool waiting = m_b.m_waiting[size_t(from)];
        if (waiting && n.op == Op::broadcast) return value(n.inputs[0], n.shape.extents());
        if (waiting && m_b.isPointwise(from) && n.op != Op::sliceColumns) return compute(from);
    }
    Source s;
    if (!strided(id, space, s)) return none;
    return source(s.node, s.offset, s.shape);
}

int CodeWriter::normalised(NodeId x, NodeId moments, int parts, const Extents& space) {
    Operand o;
    o.kind = Operand::strided;
    o.channels = divisorOf(space.channels);
    o.positions = divisorOf(space.positions());
    if (parts == 0) {
        o.sampleStep = int32_t(space.positions() * 2);
        o.positionStep = 2;
    } else {
        o.sampleStep = parts * 2;
        o.channelStep = 2;
        o.group = divisorOf(space.channels / parts);
    }
    const NodeId from = m_b.origin(moments);
    const int centred = step(Op::subtract, value(x, space), source(from, 0, o));
    return step(Op::multiply, centred, source(from, 1, o));
}

int CodeWriter::scaleGradient(NodeId id) {
    const Node& n = m_b.node(id);
    const Extents space = m_b.node(n.inputs[0]).shape.extents();
    const int z = normalised(n.inputs[1], n.inputs[2], n.parts, space);
    return step(Op::multiply, z, value(n.inputs[0], space));
}

int CodeWriter::compute(NodeId id) {
    const Node& n = m_b.node(id);
    const Extents space = n.shape.extents();
    int result = none;
    switch (n.op) {
        case Op::uniform:
        case Op::normal:
            m_draws = true;
            result = step(n.op, none, none, n.a, n.b, n.stream);
            break;
        case Op::dropout: {
            m_draws = true;
            const int x = value(n.inputs[0], space), share = value(n.inputs[1], {});
            if (x == none || share == none) return none;
            result = step(n.op, x, share, 0, 0, n.stream);
            break;
        }
        case Op::normalise: {
            result = normalised(n.inputs[0], n.inputs[1], n.parts, space);
            if (n.inputs.size() > 2) {
                const auto perSample = [&](NodeId v) {  // [C] or [B, C] for images too
                    const Extents e = m_b.node(v).shape.extents();
                    if (m_b.node(m_b.origin(v)).op == Op::fill) return value(v, space);
                    Source s;
                    strided(v, space, s);
                    if (e.samples > 1 && s.shape.kind == Operand::full && space.positions() > 1)
                        s.shape.kind = Operand::strided;
                    const int read = source(s.node, s.offset, s.shape);
                    if (!m_b.m_scaling[size_t(m_b.origin(v))]) return read;
                    return step(Op::affine, read, none, 1, m_b.view(v).plus);
                };
                result = step(Op::multiply, result, perSample(n.inputs[2]));
                result = step(Op::add, result, perSample(n.inputs[3]));
            }
            break;
        }
        case Op::fill:
            result = step(Op::fill, none, none, n.a);
            break;
        case Op::broadcast: {
            const int from = value(n.inputs[0], space);
            if (from == none) return none;
            result = step(Op::reshape, from);
            break;
        }
        case Op::sliceColumns:
        case Op::sliceRows: {  // of a value in memory
            const View v = m_b.view(n.inputs[0]);
            const int64_t line = v.step ? v.step : m_b.node(n.inputs[0]).shape.channels();
            Operand o;
            if (v.turned || (v.step && n.op == Op::sliceRows)) return none;
            int64_t offset = v.offset + n.offset;
            if (n.op == Op::sliceRows) {
                offset = v.offset + n.offset * n.shape.columns();
            } else {
                o.kind = Operand::strided;
                o.channels = divisorOf(space.channels);
                o.positions = divisorOf(space.positions());
                o.sampleStep = int32_t(space.positions() * line);
                o.positionStep = int32_t(line);
                o.channelStep = 1;
            }
            result = step(Op::reshape, source(v.node, offset, o));
            break;
        }
        case Op::padColumns: {
            for (size_t i = 0; i < n.inputs.size(); ++i) {
                const View v = m_b.view(n.inputs[i]);
                const Extents own = m_b.node(n.inputs[i]).shape.extents();
                if (v.turned) return none;
                Operand o;
                o.kind = Operand::window;
                o.channels = divisorOf(space.channels);
                o.positions = divisorOf(space.positions());
                const int64_t line = v.step ? v.step : own.channels;
                o.sampleStep = int32_t(own.positions() * line);
                o.positionStep = int32_t(line);
                o.from = n.offsets[i];
                o.to = n.offsets[i] + int32_t(own.channels);
                const int from = source(v.node, v.offset, o);
                result = result == none ? step(Op::reshape, from) : step(Op::add, result, from);
            }
            break;
        }
        default: {
            const int x = value(n.inputs[0], space);
            const int y = n.inputs.size() > 1 ? value(n.inputs[1], space) : none;
            if (x == none || (n.inputs.size() > 1 && y == none)) return none;
            result = step(n.op, x, y, n.a, n.b);
        }
    }
    m_steps.back().node = id;
    return m_known[id] = result;
}

// Gives registers to what is used later than by the next instruction.
bool CodeWriter::allot(Code& out, const std::vector<bool>* kept) {
    const int count = int(m_steps.size());
    if (count > Program::maxInstructions || int(m_sources.size()) > Program::maxOperands) return false;
    std::vector<int> lastUse(size_t(count), -1);
    for (int i = 0; i < count; ++i)
        for (int from : m_steps[size_t(i)].from)
            if (from >= 0 && from < sourceBase) lastUse[size_t(from)] = i;
    std::vector<int> registerOf(size_t(count), -1), holder(Program::registers, -1);
    for (int i = 0; i < count; ++i) {
        Step& s = m_steps[size_t(i)];
        uint8_t* const targets[2] = {&s.instruction.first, &s.instruction.second};
        for (int k = 0; k < 2; ++k) {
            const int from = s.from[k];
            if (from == none)
                *targets[k] = k == 0 ? Instruction::last : Instruction::nothing;
            else if (from >= sourceBase)
                *targets[k] = uint8_t(Instruction::memory + from - sourceBase);
            else if (from == i - 1 || from == anchorValue)
                *targets[k] = Instruction::last;
            else
                *targets[k] = uint8_t(registerOf[size_t(from)]);
        }
        for (int& h : holder)
            if (h >= 0 && lastUse[size_t(h)] <= i) h = -1;
        if (lastUse[size_t(i)] > i + 1) {
            int free = 0;
            while (free < Program::registers && holder[size_t(free)] >= 0) ++free;
            if (free == Program::registers) return false;
            holder[size_t(free)] = i;
            registerOf[size_t(i)] = free;
            s.instruction.keep = uint8_t(free);
        }
    }
    const auto sink = [&](const Sink& to, int at) {
        Instruction& in = m_steps[size_t(at)].instruction;
        if (in.store != Instruction::nothing) return false;
        in.store = uint8_t(out.sinks.size());
        out.sinks.push_back(to);
        return int(out.sinks.size()) <= Program::maxOutputs;
    };
    if (kept)
        for (int i = 0; i < count; ++i) {
            const NodeId id = m_steps[size_t(i)].node;
            if (id < 0) continue;
            const bool member = id == m_c.anchor ||
                                std::find(m_c.members.begin(), m_c.members.end(), id) != m_c.members.end();
            if (member && (*kept)[size_t(id)] && !sink({id, 0, 1, 0}, i)) return false;
        }
    out.draws = m_draws;
    for (const Step& s : m_steps) out.code.push_back(s.instruction);
    out.sources = m_sources;
    return true;
}

bool CodeWriter::write(Code& out, const std::vector<bool>* kept) {
    out = {};
    const bool valued = m_c.kind == Kind::product || m_c.kind == Kind::softmax ||
                        m_c.kind == Kind::softmaxGradient || m_c.kind == Kind::normaliseGradient;
    if (valued) {
        m_known[m_c.anchor] = step(Op::reshape, anchorValue);
        m_steps.back().node = m_c.anchor;
    }
    for (NodeId id : m_c.members)
        if (!m_known.count(id) && compute(id) == none) return false;
    if (m_c.assigned >= 0) {
        const Node& n = m_b.node(m_c.assigned);
        int from = value(n.inputs[0], n.shape.extents());
        if (from == none) return false;
        // The value may be written elsewhere too: a step of its own.
        step(Op::reshape, from);
        m_steps.back().node = m_c.assigned;
    }
    // Every further place of a value has a copying step.
    std::vector<std::pair<int, Sink>> further;
    for (const auto& [id, to] : m_c.columns) {
        const auto known = m_known.find(m_b.origin(id));
        const int from = known != m_known.end() ? known->second : value(id, m_b.node(id).shape.extents());
        if (from == none) return false;
        further.emplace_back(step(Op::reshape, from), to);
    }
    if (m_c.summed >= 0) {
        const Node& n = m_b.node(m_c.summed);
        const int from = n.op == Op::normaliseScaleGradient ? scaleGradient(m_c.summed)
                                                            : value(m_c.summed, n.shape.extents());
        if (from == none) return false;
        if (from != int(m_steps.size()) - 1) step(Op::reshape, from);
    }
    if (!allot(out, kept)) return false;
    for (const auto& [at, to] : further) {
        out.code[size_t(at)].store = uint8_t(out.sinks.size());
        out.sinks.push_back(to);
        if (int(out.sinks.size()) > Program::maxOutputs) return false;
    }
    if (m_c.assigned >= 0 && kept) {
        for (size_t i = 0; i < m_steps.size(); ++i)
            if (m_steps[i].node == m_c.assigned) {
                out.code[i].store = uint8_t(out.sinks.size());
                out.sinks.push_back({m_c.assigned, 0, 1, 0});
            }
    }
    // What the launch hands over need not be copied before its first use.
    const Instruction& first = out.code.front();
    if (valued && kept && out.code.size() > 1 && Op(first.op) == Op::reshape &&
        first.keep == Instruction::nothing && first.store == Instruction::nothing)
        out.code.erase(out.code.begin());
    return true;
}

}  // namespace core::cuda
