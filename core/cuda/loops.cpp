// Which repeated phases become one: those whose rows go through a perceptron by themselves, again and again,
// next to some work that is the same for all of them.
#include <algorithm>

#include "core/cuda/lowering.h"

namespace core::cuda {
namespace {

constexpr int64_t fewestRows = 64, mostTableFloats = int64_t(1) << 24, mostWeights = int64_t(1) << 17;
constexpr int mostCarried = 32;  // numbers of a launch that carries something on: a warp's

// a result + b state + c row + number, element by element.
struct Form {
    Loop::Sum sum;
    bool known = true;

    bool number() const { return known && sum.ofResult == 0 && !sum.row && sum.from < 0; }
    Form times(float a) const {
        Form f = *this;
        f.sum.ofResult *= a, f.sum.ofState *= a, f.sum.ofRow *= a, f.sum.number *= a;
        return f;
    }
    Form plus(const Form& o) const {
        Form f = *this;
        f.known = known && o.known && (!sum.row || !o.sum.row || sum.row == o.sum.row) &&
                  (sum.from < 0 || o.sum.from < 0 || sum.from == o.sum.from);
        f.sum.row = sum.row ? sum.row : o.sum.row;
        f.sum.from = std::max(sum.from, o.sum.from);
        f.sum.ofResult += o.sum.ofResult, f.sum.ofState += o.sum.ofState;
        f.sum.ofRow += o.sum.ofRow, f.sum.number += o.sum.number;
        return f;
    }
};
const Form unknown{{}, false};

Form combined(const Instruction& in, const Form& x, const Form& y) {
    switch (Op(in.op)) {
        case Op::fill:
            return {{.number = in.a}};
        case Op::reshape:
            return x;
        case Op::affine:
            return x.times(in.a).plus({{.number = in.b}});
        case Op::add:
            return x.plus(y);
        case Op::subtract:
            return x.plus(y.times(-1));
        case Op::multiply:
            return y.number() ? x.times(y.sum.number) : x.number() ? y.times(x.sum.number) : unknown;
        default:
            return unknown;
    }
}

bool inside(const void* at, const char* begin, const char* end) {
    return at && static_cast<const char*>(at) >= begin && static_cast<const char*>(at) < end;
}

}  // namespace

// The numbers that some launches of a loop write: who writes and reads them, by place in the phase.
struct Lowering::LoopValue {
    const char *begin, *end;
    std::vector<size_t> writers, readers;
    bool given = false;  // for each repeat, from outside
    bool carried() const { return !given && !readers.empty() && readers.front() <= writers.front(); }
    // Nobody reads what is neither of the repeat before nor finished.
    bool ordered() const {
        if (given) return true;
        return carried() ? writers.size() == 1 && readers.back() <= writers.front()
                         : readers.empty() || readers.front() > writers.back();
    }
    bool has(const void* at) const { return inside(at, begin, end); }
    bool meets(const Interval& i) const { return i.begin < end && begin < i.end; }
};

bool Lowering::isSteady(const Prepared& p) {
    const Launch& l = p.launch;
    if (p.program < 0 || l.pass.clock || l.pass.size > Loop::mostFloats) return false;
    if (l.kind == Kind::pointwise) return true;
    const Product& q = l.product;
    return l.kind == Kind::product && q.left == Product::rows && q.m == 1 && q.batches == 1 &&
           !q.columnSums && !q.rowSums && int64_t(q.n) * q.k <= mostWeights;
}

// The values that `launches` write, as the whole phase sees them; empty where one overlaps another.
std::vector<Lowering::LoopValue> Lowering::valuesOf(const std::vector<size_t>& launches,
                                                    const std::vector<size_t>& phase) const {
    std::vector<LoopValue> all;
    for (size_t i : launches)
        for (const Interval& range : m_launches[i].writes) {
            const auto known = std::find_if(all.begin(), all.end(), [&](const LoopValue& v) {
                return v.begin == range.begin && v.end == range.end;
            });
            if (known != all.end()) {
                known->writers.push_back(i);
                continue;
            }
            for (const LoopValue& v : all)
                if (v.meets(range)) return {};
            all.push_back({range.begin, range.end, {i}, {}});
        }
    for (LoopValue& v : all)
        for (size_t i : phase)
            for (const Interval& range : m_launches[i].reads)
                if (v.meets(range)) v.readers.push_back(i);
    return all;
}

// The launches of the rows as a perceptron whose hidden layers are stored nowhere; false if they are not.
bool Lowering::linkLoop(const std::vector<size_t>& launches, LoopPlan& plan,
                        const std::vector<LoopValue>& values, const std::vector<LoopValue>& states) const {
    Loop& l = plan.loop;
    for (size_t i : launches) plan.links.push_back(linkOf(m_launches[i], l.rows));
    l.count = int32_t(plan.links.size());
    l.layers = widen(plan.links.data(), plan.links.size(), l.width);
    const int ends = l.count - 1 - l.layers;
    if (l.layers == 0 || l.layers > Loop::mostLayers || ends > Loop::mostEnds) return false;
    const auto written = [&](const void* at) {
        return std::any_of(states.begin(), states.end(), [&](const LoopValue& v) { return v.has(at); });
    };
    const auto steady = [&](const void* at) {
        return std::any_of(values.begin(), values.end(), [&](const LoopValue& v) { return v.has(at); });
    };
    const auto keep = [&](const float* home, int32_t width) {
        for (int32_t s = 0; s < l.stateCount; ++s)
            if (l.states[s].home == home) return l.states[s].width == width;
        if (l.stateCount == Loop::mostStates || width > Loop::mostNumbers) return false;
        l.states[l.stateCount++] = {const_cast<float*>(home), width};
        return true;
    };
    for (int i = 0; i < l.count; ++i) {
        const Link& link = plan.links[size_t(i)];
        const Straight& s = link.product.straight;
        if (i <= 1 + l.layers && (written(link.product.b) || steady(link.product.b))) return false;
        if (i > l.layers) continue;
        const bool known = Op(s.activation) == Op::silu || Op(s.activation) == Op::leakyRelu;
        if (!known || s.slope || s.added || s.early || s.late || link.pass.clock || written(s.bias) ||
            written(s.bias2))
            return false;
        const auto moves = [&](const float* bias) {  // one bias that is another in every repeat
            return bias && steady(bias);
        };
        if (moves(s.bias) && moves(s.bias2)) return false;
    }
    const Product& in = plan.links[0].product;
    if (in.lda != in.k || steady(in.a) || !keep(in.a, in.k)) return false;
    for (int i = 1 + l.layers; i < l.count; ++i) {
        const Link& link = plan.links[size_t(i)];
        const Program& p = link.program;
        for (const Instruction& code : p.code)
            if (code.store < Program::maxOutputs &&
                (p.outputs[code.store].step != 0 || !keep(p.outputs[code.store].data, link.each)))
                return false;
        for (int k = 0; k < p.operandCount; ++k) {
            const Operand& o = p.operands[k];
            if (o.kind == Operand::full ? steady(o.data) || (written(o.data) && !keep(o.data, link.each))
                                        : written(o.data))
                return false;
        }
    }
    return true;
}

// The programs behind the last layer as sums, where that is all they are.
void Lowering::sumLoop(LoopPlan& plan, const std::vector<LoopValue>& values) {
    Loop& l = plan.loop;
    const int32_t width = plan.links[size_t(1 + l.layers)].each;
    const auto stateOf = [&](const float* home) {
        for (int32_t s = 0; s < l.stateCount; ++s)
            if (l.states[s].home == home && l.states[s].width == width) return s;
        return -1;
    };
    const auto fromMemory = [&](const Operand& o) {
        if (std::any_of(values.begin(), values.end(), [&](const LoopValue& v) { return v.has(o.data); }))
            return unknown;
        const int state = stateOf(o.data);
        if (o.kind == Operand::full && state >= 0) return Form{{.from = state, .ofState = 1}};
        const bool row = o.kind == Operand::row && int32_t(o.channels.divisor) == width;
        return row ? Form{{.row = o.data, .ofRow = 1}} : unknown;
    };
    int count = 0;
    for (int i = 1 + l.layers; i < l.count; ++i) {
        const Program& p = plan.links[size_t(i)].program;
        std::vector<Form> kept(Program::registers, unknown);
        Form last{{.ofResult = i == 1 + l.layers ? 1.0f : 0.0f}};
        const int before = count;
        for (int k = 0; k < p.count; ++k) {
            const Instruction& in = p.code[k];
            const auto source = [&](uint8_t from) {
                if (from == Instruction::nothing) return unknown;
                if (from == Instruction::last) return last;
                return from >= Instruction::memory ? fromMemory(p.operands[from - Instruction::memory])
                                                   : kept[from];
            };
            last = combined(in, source(in.first), source(in.second));
            if (in.keep != Instruction::nothing) kept[in.keep] = last;
            if (in.store == Instruction::nothing) continue;
            const int to = stateOf(p.outputs[in.store].data);
            if (!last.known || to < 0 || count == Loop::mostSums) return;
            for (int earlier = before; earlier < count; ++earlier)  // what it was is gone
                if (l.sums[earlier].to == last.sum.from) return;
            l.sums[count] = last.sum;
            l.sums[count++].to = to;
        }
    }
    l.sumCount = count;
}

// How a carried value grows, where that needs no program: by one step a x + b.
void Lowering::straightenCarried(LoopPlan& plan) {
    Loop& l = plan.loop;
    const auto maker = [&](const float* at) -> const Program* {
        for (const Link& link : plan.before)
            for (int k = 0; k < link.program.count; ++k) {
                const uint8_t store = link.program.code[k].store;
                if (store != Instruction::nothing && link.program.outputs[store].data == at)
                    return link.program.count == 1 ? &link.program : nullptr;
            }
        return nullptr;
    };
    for (int32_t i = 0; i < l.valueCount; ++i) {
        Loop::Value& v = l.values[i];
        if (!v.carried) continue;
        const float* at = v.home;
        for (int hops = 0; hops < 3 && !v.straight; ++hops) {
            const Program* const p = maker(at);
            if (!p) break;
            const Instruction& in = p->code[0];
            const bool step = Op(in.op) == Op::affine;
            if ((!step && Op(in.op) != Op::reshape) || in.first != Instruction::memory) break;
            if (step && (v.a != 1 || v.b != 0)) break;  // two would round twice
            if (step) v.a = in.a, v.b = in.b;
            at = p->operands[0].data;
            const bool same = p->operands[0].kind == Operand::full || v.size == 1;
            if (!same) break;
            v.straight = at == v.home;
        }
        l.recursive = l.recursive || !v.straight;
    }
}

// What is the same for all rows; false if there is too much of it.
bool Lowering::linkPrelude(const std::vector<size_t>& launches, LoopPlan& plan,
                           const std::vector<LoopValue>& values) const {
    Loop& l = plan.loop;
    if (launches.size() > Loop::mostLinks || values.size() > Loop::mostValues) return false;
    // What the next repeat begins with, and what that comes of.
    std::vector<bool> recurs(launches.size(), false);
    for (size_t i = launches.size(); i-- > 0;)
        for (const LoopValue& v : values) {
            if (std::find(v.writers.begin(), v.writers.end(), launches[i]) == v.writers.end()) continue;
            for (size_t k = 0; k < launches.size(); ++k)
                recurs[i] = recurs[i] ||
                            (recurs[k] && !v.carried() &&
                             std::find(v.readers.begin(), v.readers.end(), launches[k]) != v.readers.end());
            recurs[i] = recurs[i] || v.carried();
        }
    int64_t floats = 0;
    for (const LoopValue& v : values) {
        Loop::Value& to = l.values[l.valueCount++];
        to.home = reinterpret_cast<float*>(const_cast<char*>(v.begin));
        to.size = int32_t((v.end - v.begin) / int64_t(sizeof(float)));
        to.given = v.given;
        to.carried = v.carried();
        floats += (to.size + 3) / 4 * 4;
    }
    if (floats > Loop::mostFloats) return false;
    for (size_t i = 0; i < launches.size(); ++i) {
        const Prepared& p = m_launches[launches[i]];
        if (recurs[i] && (p.launch.kind != Kind::pointwise || p.launch.pass.size > mostCarried)) return false;
        Link link = linkOf(p, 1);
        link.way = p.launch.kind == Kind::product ? Link::tiles : Link::elements;
        link.recurs = recurs[i];
        plan.before.push_back(link);
    }
    l.beforeCount = int32_t(launches.size());
    return true;
}

bool Lowering::readsOf(const Prepared& reader, const Prepared& maker) {
    for (const Interval& r : reader.reads)
        for (const Interval& w : maker.writes)
            if (r.begin < w.end && w.begin < r.end) return true;
    return false;
}

// What a series gives to each run, and what each leaves to the next.
void Lowering::addHandles(std::vector<LoopValue>& values, std::vector<LoopValue>& states) const {
    LoopValue given{nullptr, nullptr, {}, {}, true};
    for (const auto& [name, slot] : g.handles) {
        const float* const at = m_inputs.floats() + handleAt(slot);
        const auto* const begin = reinterpret_cast<const char*>(at);
        const auto* const end = reinterpret_cast<const char*>(at + g.handleShapes[size_t(slot)].size());
        if (g.carried.count(name)) {
            states.push_back({begin, end, {}, {}});
            continue;
        }
        given.begin = given.begin ? std::min(given.begin, begin) : begin;
        given.end = std::max(given.end, end);
    }
    if (given.begin) values.push_back(given);
}

// Which state becomes which; false where one of them is none.
bool Lowering::carryOn(Loop& l) const {
    const auto stateOf = [&](const float* home) {
        for (int32_t s = 0; s < l.stateCount; ++s)
            if (l.states[s].home == home) return s;
        return -1;
    };
    for (const auto& [name, id] : g.carried) {
        const int to = stateOf(m_inputs.floats() + handleAt(g.handles.at(name)));
        if (to < 0 || !m_plan.alive[size_t(id)]) continue;
        l.states[to].from = stateOf(address(id));
        if (l.states[to].from < 0 || l.states[l.states[to].from].width != l.states[to].width) return false;
    }
    return true;
}

void Lowering::formLoop(int segment, bool series) {
    std::vector<size_t> phase, steady, rowed;
    int64_t rows = 0;
    for (size_t i = 0; i < m_launches.size(); ++i) {
        if (m_launches[i].segment != segment) continue;
        phase.push_back(i);
        if (m_launches[i].launch.kind == Kind::product)
            rows = std::max<int64_t>(rows, m_launches[i].launch.product.m);
    }
    if (rows < fewestRows) return;
    for (size_t i : phase) {
        const Prepared& p = m_launches[i];
        const bool byRows = (p.launch.kind == Kind::product && p.launch.product.m == rows) ||
                            std::any_of(rowed.begin(), rowed.end(),
                                        [&](size_t maker) { return readsOf(p, m_launches[maker]); });
        if (byRows ? !goesByRows(p, rows) : !isSteady(p)) return;
        (byRows ? rowed : steady).push_back(i);
    }
    if (rowed.size() < 3 || steady.empty()) return;
    std::vector<LoopValue> values = valuesOf(steady, phase), states = valuesOf(rowed, phase);
    if (values.empty() || states.empty()) return;
    if (series) addHandles(values, states);
    for (const LoopValue& v : values) {
        if (!v.ordered()) return;
        for (const LoopValue& s : states)
            if (v.begin < s.end && s.begin < v.end) return;
    }
    for (size_t i : steady)
        for (const Interval& range : m_launches[i].reads)
            for (const LoopValue& s : states)
                if (s.meets(range)) return;
    LoopPlan plan;
    plan.segment = segment, plan.series = series;
    plan.loop.rows = int32_t(rows), plan.loop.counts = series;
    if (!linkLoop(rowed, plan, values, states) || !linkPrelude(steady, plan, values)) return;
    if (series && !carryOn(plan.loop)) return;
    sumLoop(plan, values);
    straightenCarried(plan);
    for (const auto* half : {&steady, &rowed}) {
        Prepared& p = half == &steady ? plan.first : plan.second;
        p.segment = segment;
        for (size_t i : *half) {
            const Prepared& of = m_launches[i];
            p.cluster = of.cluster;
            if (of.launch.pass.clock) p.launch.pass.clock = of.launch.pass.clock;
            for (const Interval& range : of.reads) p.reads.push_back({range.begin, range.end});
            for (const Interval& range : of.writes) p.writes.push_back({range.begin, range.end});
        }
    }
    for (const LoopValue& v : values)
        if (v.carried()) plan.second.writes.push_back({v.begin, v.end});
    plan.first.launch.kind = Kind::prelude, plan.second.launch.kind = Kind::loop;
    const size_t before = plan.before.size() * sizeof(Link), links = plan.links.size() * sizeof(Link);
    plan.memory = Memory(m_card, before + links);
    auto* const at = static_cast<Link*>(plan.memory.data());
    m_card->upload(at, plan.before.data(), before);
    m_card->upload(at + plan.before.size(), plan.links.data(), links);
    plan.loop.before = at, plan.loop.links = at + plan.before.size();
    m_loops.push_back(std::move(plan));
}

void Lowering::formLoops() {
    const bool staged = m_whole.segments.size() < m_plan.segments.size();
    if (m_options.exact || staged || !m_card->table().loops(m_card->device())) return;
    for (int segment = 0; segment < int(m_whole.segments.size()); ++segment)
        if (g.phases[size_t(m_whole.segments[size_t(segment)].phase)].mayRepeat) formLoop(segment, false);
    if (!g.carried.empty() && m_whole.segments.size() == 1) formLoop(0, true);
}

// The launches of so many repeats of the segment as a loop; null where it is none.
const Lowering::ReadyLoop* Lowering::loopOf(int segment, int repeats) {
    if (repeats < 2) return nullptr;
    for (LoopPlan& plan : m_loops) {
        if (plan.segment != segment || plan.series) continue;
        ReadyLoop& ready = plan.ready[repeats];
        if (ready.first.launch.kind == Kind::prelude) return &ready;
        int64_t floats = 0;
        for (int32_t i = 0; i < plan.loop.valueCount; ++i)
            floats += int64_t(plan.loop.values[i].size) * (repeats + 1);
        if (floats > mostTableFloats) return nullptr;
        ready.tables = Memory(m_card, size_t(floats) * sizeof(float));
        Loop loop = plan.loop;
        loop.repeats = repeats;
        float* table = ready.tables.floats();
        for (int32_t i = 0; i < loop.valueCount; ++i) {
            loop.values[i].table = table;
            table += int64_t(loop.values[i].size) * (repeats + 1);
        }
        ready.first = plan.first, ready.second = plan.second;
        ready.first.launch.loop = ready.second.launch.loop = loop;
        writes(ready.first, ready.tables.floats(), floats);
        ready.second.reads.push_back(ready.first.writes.back());
        return &ready;
    }
    return nullptr;
}

}  // namespace core::cuda
