// From clusters to launches: what every launch is told.
#include <algorithm>

#include "core/cuda/lowering.h"

namespace core::cuda {
namespace {

bool aligned(const void* p) {
    return (reinterpret_cast<uintptr_t>(p) & 15) == 0;
}

Sizes sizesOf(const Shape& shape) {
    const Extents e = shape.extents();
    return {int32_t(e.samples), int32_t(e.height), int32_t(e.width), int32_t(e.channels)};
}

}  // namespace

void Lowering::prepare() {
    for (int i = 0; i < int(m_clusters.all.size()); ++i) prepareCluster(i);
    countReaders();
    formLoops();
    formChains();
    useWarpgroups();
    absorbLowRank();
    joinTerms();
    joinBeside();
    makeOnTheWay();
    joinLayers();
    uploadTurns();
    doubleSums();
    joinClusters();
    joinProducts();
    // A wait for the card costs as much as some dozen launches.
    if (m_options.unroll == 0) m_options.unroll = m_launches.size() <= 160 ? 8 : 1;
    if (m_options.counts) prepareCounting();
    m_programMemory = Memory(m_card, m_programs.size() * sizeof(Program));
    if (!m_programs.empty())
        m_card->upload(m_programMemory.data(), m_programs.data(), m_programs.size() * sizeof(Program));
    for (std::vector<Prepared>* list : {&m_launches, &m_counting})
        for (Prepared& p : *list)
            if (p.program >= 0)
                p.launch.pass.program = static_cast<const Program*>(m_programMemory.data()) + p.program;
}

// The end of a step: its number grows by one, and its channels of one number are written down.
void Lowering::prepareCounting() {
    m_log = Memory(m_card, size_t(m_options.unroll) * m_scalars.size() * sizeof(float), true);
    float* const number = m_device->live() + (m_store.live.size() - 1);
    for (int step = 0; step < m_options.unroll; ++step) {
        float* const row = m_log.floats() + size_t(step) * m_scalars.size();
        for (size_t from = 0; from == 0 || from < m_scalars.size();) {
            Program program;
            Prepared p;
            p.program = int(m_programs.size());
            p.launch.pass.size = 1;
            p.launch.pass.wide = false;
            const auto add = [&](Op op, float* source, float* target) {
                const auto i = uint8_t(program.count++);
                program.code[i].op = uint8_t(op);
                program.code[i].a = program.code[i].b = 1;
                program.code[i].first = uint8_t(Instruction::memory + i);
                program.code[i].store = i;
                program.operands[i].data = source;
                program.operands[i].kind = Operand::scalar;
                program.outputs[i].data = target;
                p.reads.push_back(
                    {reinterpret_cast<const char*>(source), reinterpret_cast<const char*>(source + 1), -1});
                writes(p, target, 1);
            };
            if (from == 0) add(Op::affine, number, number);
            for (; program.count < Program::maxOutputs && from < m_scalars.size(); ++from)
                add(Op::reshape, address(m_scalars[from]), row + from);
            program.operandCount = program.count;
            m_programs.push_back(program);
            m_counting.push_back(std::move(p));
            if (m_scalars.empty()) break;
        }
    }
}

void Lowering::prepareCluster(int index) {
    const Cluster& c = m_clusters.all[size_t(index)];
    if (c.kind == Kind::update) return prepareUpdate(c);
    Prepared p;
    p.launch.kind = c.kind;
    p.cluster = index;
    p.segment = c.segment;
    if (c.kind == Kind::pointwise) p.parts = c.size;
    prepareProgram(c, p);
    shortenProgram(c, p);
    if (c.kind == Kind::product)
        prepareProduct(c, p);
    else if (c.kind == Kind::sum)
        prepareSum(c, p);
    else if (c.kind == Kind::attention || c.kind == Kind::attentionGradient)
        prepareAttention(c, p);
    else if (c.kind != Kind::pointwise)
        preparePlain(c, p);
    m_launches.push_back(std::move(p));
    if (addsUpLater(m_launches.back().launch.plain.lines)) prepareLineSums(c, m_launches.back());
}

void Lowering::prepareProgram(const Cluster& c, Prepared& p) {
    const Code& code = c.program;
    if (code.code.empty()) return;
    Pass& pass = p.launch.pass;
    m_programs.emplace_back();
    Program& out = m_programs.back();
    p.program = int(m_programs.size()) - 1;
    out.count = int32_t(code.code.size());
    out.operandCount = int32_t(code.sources.size());
    pass.size = uint32_t(c.size);
    pass.rough = !m_options.exact;
    pass.clock = code.draws ? clock() : nullptr;
    std::copy(code.code.begin(), code.code.end(), out.code);
    for (size_t i = 0; i < code.sources.size(); ++i) {
        Operand& o = out.operands[i];
        o = code.sources[i].shape;
        o.data = address(code.sources[i].node) + code.sources[i].offset;
        if (o.kind == Operand::full && !aligned(o.data)) pass.wide = false;
        if (o.kind == Operand::row && !aligned(o.data)) o.kind = Operand::strided;
        reads(p, code.sources[i].node, partsOf(code.sources[i], c.size));
    }
    for (size_t i = 0; i < code.sinks.size(); ++i) {
        const Sink& s = code.sinks[i];
        const Node& n = g.nodes[size_t(s.node)];
        Output& o = out.outputs[i];
        if (n.op == Op::assign) {
            // A state's place is that of its leaf, which the assignment does not name as an input.
            for (NodeId leaf = 0; leaf < s.node; ++leaf)
                if (g.nodes[size_t(leaf)].op == Op::state && g.nodes[size_t(leaf)].slot == n.slot &&
                    m_plan.alive[size_t(leaf)])
                    o.data = m_device->state() + m_plan.places[size_t(leaf)].offset;
        } else {
            o.data = address(s.node) + s.offset;
        }
        CHECK(o.data, "{}: expected a place in memory", n.name);
        o.step = s.step;
        o.channels = divisorOf(s.channels);
        if (o.step == 0 && !aligned(o.data)) pass.wide = false;
        const int64_t lines = c.size / s.channels;
        const bool whole = s.step == 0 && s.offset == 0 && n.shape.size() == c.size;
        const bool columns = s.step > 0 && lines * s.step == n.shape.size();
        writes(p, o.data - s.offset, n.shape.size(), whole ? c.size : columns ? lines : 1);
        if (n.op == Op::padColumns) p.writes.back().part = s.node;
    }
}

// Does the program only store what it is given?
void Lowering::shortenProgram(const Cluster& c, Prepared& p) {
    const Code& code = c.program;
    if (code.code.size() != 1 || code.sinks.size() != 1 || code.sinks[0].step != 0) return;
    const Instruction& in = code.code[0];
    if (Op(in.op) == Op::reshape && in.first == Instruction::last)
        p.launch.pass.direct = m_programs[size_t(p.program)].outputs[0].data;
}

void Lowering::prepareSum(const Cluster& c, Prepared& p) {
    Plain& s = p.launch.plain;
    s.out = address(c.anchor);
    s.outer = c.outer, s.length = c.length, s.inner = c.inner;
    if (s.inner == 1) {
        if (s.length > 512)
            s.splits =
                int32_t(std::clamp<int64_t>(std::min<int64_t>(s.length / 2048, 264 / s.outer), 1, 264));
        s.partial = s.splits > 1 ? workspace(int64_t(s.outer) * s.splits) : nullptr;
        s.tickets = s.splits > 1 ? tickets(s.outer) : nullptr;
    } else {
        const bool wide = p.launch.pass.wide && s.inner % 4 == 0;
        const int64_t columns = wide ? s.inner / 4 : s.inner;
        int64_t across = 1;
        while (across < columns && across < 32) across *= 2;
        const int64_t blocks = (columns + across - 1) / across * s.outer, rows = 256 / across;
        s.splits = int32_t(std::clamp<int64_t>(
            std::min<int64_t>(s.length / (rows * 4), 264 / std::max<int64_t>(blocks, 1)), 1, 128));
        s.partial = s.splits > 1 ? workspace(int64_t(s.outer) * s.splits * s.inner) : nullptr;
        s.tickets = s.splits > 1 ? tickets(blocks) : nullptr;
    }
    p.parts = s.outer;
    writes(p, s.out, g.nodes[size_t(c.anchor)].shape.size(), s.outer);
}

// The gradient of normalised lines, with what is summed of them.
void Lowering::prepareLines(const Cluster& c, Prepared& p) {
    Plain& s = p.launch.plain;
    LineGradient& l = s.lines;
    if (s.count % 4 != 0 || s.count > LineGradient::longest) return;
    l = linesStraightened(m_programs[size_t(p.program)], c.lastSums >= 0);
    l.straight = l.straight && p.launch.pass.wide;
    l.there = true;
    if (s.inputs > 3) {
        l.scale.data = s.in[3];
        l.scale.positions = divisorOf(int64_t(s.sizes.height) * s.sizes.width);
        const View scale = m_builder->view(g.nodes[size_t(c.anchor)].inputs[3]);
        l.scale.step = s.inSizes[3].samples == 1 ? 0 : scale.step ? int32_t(scale.step) : s.count;
        l.plus = scale.plus;
        s.wide = s.wide && l.scale.step % 4 == 0;
    }
    const auto sum = [&](NodeId id) -> float* {
        if (id < 0) return nullptr;
        ++l.sums;
        return address(id);
    };
    l.scaleSums = sum(c.scaleSums), l.shiftSums = sum(c.shiftSums), l.lastSums = sum(c.lastSums);
    l.outer = l.sums > 0 ? c.outer : 1;
    l.length = s.outer / l.outer;
    const int each = s.count > 256 ? 4 : 8;  // warps of a block, a line each
    const int most = (l.length + each - 1) / each;
    if (l.sums == 0) {
        l.splits = most;
        return;
    }
    constexpr int processors = 132;
    // Few blocks leave few sums to add up at the end, many read more at once.
    l.splits = std::clamp(l.outer == 1 ? 2 * processors : 4 * processors / l.outer, 1, most);
    const int64_t sums = int64_t(l.outer) * l.splits * l.sums * s.count;
    if (l.splits > 1) l.partial = workspace(sums);
    if (l.splits > 1 && l.outer > 1) l.tickets = tickets(l.outer);
    if (addsUpLater(l))
        writes(p, l.partial, sums);
    else
        writesSums(c, p);
}

void Lowering::writesSums(const Cluster& c, Prepared& p) const {
    for (NodeId id : {c.scaleSums, c.shiftSums, c.lastSums})
        if (id >= 0) writes(p, address(id), g.nodes[size_t(id)].shape.size());
}

// What the blocks of one group have summed, added up beside the launches that go on with the gradient.
void Lowering::prepareLineSums(const Cluster& c, const Prepared& of) {
    Prepared p;
    p.launch.kind = Kind::lineSums;
    p.launch.plain = of.launch.plain;
    p.cluster = of.cluster, p.segment = of.segment;
    p.reads.push_back(of.writes.back());  // the blocks' sums
    writesSums(c, p);
    m_launches.push_back(std::move(p));
}

void Lowering::preparePlain(const Cluster& c, Prepared& p) {
    const Node& n = g.nodes[size_t(c.anchor)];
    Plain& s = p.launch.plain;
    s.inputs = int32_t(n.inputs.size());
    s.sizes = sizesOf(n.shape);
    s.size = n.shape.size();
    s.a = n.a, s.b = n.b;
    s.offset = int32_t(n.offset), s.window = n.window, s.stride = n.stride, s.parts = n.parts;
    s.causal = n.causal;
    s.wide = true;
    for (size_t i = 0; i < n.inputs.size(); ++i) {
        s.in[i] = address(n.inputs[i]);
        s.inSizes[i] = sizesOf(g.nodes[size_t(n.inputs[i])].shape);
        s.wide = s.wide && aligned(s.in[i]);
    }
    const bool valued =
        c.kind == Kind::softmax || c.kind == Kind::softmaxGradient || c.kind == Kind::normaliseGradient;
    if (!valued) {
        s.out = address(c.anchor);
    }
    const Sizes& lines = c.kind == Kind::moments || c.kind == Kind::logSumExp || c.kind == Kind::argmax
                             ? s.inSizes[0]
                             : s.sizes;
    s.outer = lines.samples * lines.height * lines.width;
    s.count = lines.channels;
    s.runStep = lines.channels;
    if (n.parts > 0 && (c.kind == Kind::moments || c.kind == Kind::normaliseGradient)) {
        s.outer = lines.samples * n.parts;
        s.count = lines.height * lines.width * lines.channels / n.parts;
        s.run = divisorOf(lines.channels / n.parts);
    } else {
        s.run = divisorOf(lines.channels);
    }
    s.wide = s.wide && s.run.divisor % 4 == 0 && s.runStep % 4 == 0;
    if (c.kind == Kind::moments && n.parts == 0 && s.wide && p.program >= 0 && p.launch.pass.wide)
        s.scaling = scaled(m_programs[size_t(p.program)], s);
    if (c.kind == Kind::normaliseGradient && n.parts == 0) prepareLines(c, p);
    if (n.parts > 0 && (c.kind == Kind::moments || c.kind == Kind::normaliseGradient)) prepareGroups(c, p);
    switch (c.kind) {
        case Kind::moments:
        case Kind::normaliseGradient:
        case Kind::softmax:
        case Kind::softmaxGradient:
        case Kind::logSumExp:
            p.parts = n.parts > 0 ? lines.samples : s.outer;
            break;
        case Kind::gatherRows:
        case Kind::place:
            p.parts = s.size / s.sizes.channels;
            break;
        case Kind::pick:
            p.parts = s.size;
            break;
        case Kind::upsample:
        case Kind::sumPool:
        case Kind::depthToSpace:
        case Kind::spaceToDepth:
            p.parts = s.sizes.samples;
            break;
        default:
            break;
    }
    for (size_t i = 0; i < n.inputs.size(); ++i) {
        // A table, and a norm's scale, may be the same for all.
        const bool shared = (c.kind == Kind::gatherRows && i == 0) || (i == 3 && s.inSizes[i].samples == 1);
        reads(p, n.inputs[i], shared ? 1 : i == 3 ? s.inSizes[i].samples : std::max<int64_t>(p.parts, 1));
    }
    if (!valued) writes(p, s.out, s.size, std::max<int64_t>(p.parts, 1));
    if (n.op == Op::drawRows) {
        const TablePtr& table = g.tables[size_t(n.slot)];
        const void* const rows = m_device->table(table);
        if (table->bytes.empty())
            s.tableValues = static_cast<const float*>(rows);
        else
            s.tableBytes = static_cast<const uint8_t*>(rows);
        s.tableRows = table->rows;
        while (uint64_t(s.low) * s.low < uint64_t(table->rows)) ++s.low;
        s.high = uint32_t((uint64_t(table->rows) + s.low - 1) / s.low);
        s.stream = n.stream;
        s.clock = clock();
    }
}

}  // namespace core::cuda
