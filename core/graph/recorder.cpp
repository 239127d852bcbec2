#include "core/graph/recorder.h"

#include <algorithm>

#include "core/base/philox.h"
#include "core/graph/gradient.h"
#include "core/graph/ops.h"

namespace core {
Var gradientNorm(const Gradients& gradients) {
    Var total;
    for (Var v : gradients.values) {
        const Var squares = sum(square(v));
        total = total ? total + squares : squares;
    }
    return sqrt(total);
}

Shape Var::shape() const {
    return m_recorder->node(m_id).shape;
}

Var Scope::parameter(const std::string& name, const Shape& shape, Initial initial) const {
    const std::string full = (*this / name).path;
    return averaged ? recorder->average(full, shape, std::move(initial))
                    : recorder->parameter(full, shape, std::move(initial));
}
Var Scope::state(const std::string& name, const Shape& shape, Initial initial) const {
    return recorder->state((*this / name).path, shape, initial);
}

Recorder::Recorder(Layout& layout, Access access) : m_layout(layout), m_access(access) {}

// Views have streams of their own, so that looking draws nothing that training draws.
uint32_t Recorder::streamOf(const std::string& name) const {
    return philox::streamOf(m_access == Access::view ? "view/" + name : name);
}

void Recorder::phase(const std::string& name) {
    m_graph.phases.push_back({name, [] { return 1; }, false});
}

void Recorder::phase(const std::string& name, std::function<int()> repeats) {
    m_graph.phases.push_back({name, std::move(repeats), true});
}

void Recorder::stage(const std::string& name) {
    for (const std::string& known : m_graph.stages)
        CHECK(known != name, "stage: expected a name used once, got '{}' again", name);
    m_graph.stages.push_back(name);
}

// ---- leaves

Var Recorder::parameter(const std::string& name, const Shape& shape, Initial initial) {
    CHECK(m_access == Access::train || m_layout.find(name) >= 0,
          "{}: expected a parameter of the training plan; a view may not add one", name);
    Node n{.op = Op::parameter, .shape = shape, .name = name};
    n.slot = m_layout.place(name, shape, initial, true);
    return add(std::move(n));
}

Var Recorder::state(const std::string& name, const Shape& shape, Initial initial) {
    CHECK(m_access == Access::train || m_layout.find(name) >= 0,
          "{}: expected a state of the training plan; a view may not add one", name);
    Node n{.op = Op::state, .shape = shape, .name = name};
    n.slot = m_layout.place(name, shape, initial, false);
    return add(std::move(n));
}

Var Recorder::live(int slot) {
    return add({.op = Op::live, .shape = {1}, .slot = slot, .name = "live"});
}

Var Recorder::handle(const std::string& name, const Shape& shape, std::vector<float> values) {
    CHECK(int64_t(values.size()) == shape.size(), "{}: expected {} values, got {}", name, shape.size(),
          values.size());
    const auto [it, fresh] = m_graph.handles.try_emplace(name, int(m_graph.handles.size()));
    CHECK(fresh, "{}: expected a handle's name used once", name);
    m_graph.handleShapes.push_back(shape);
    m_graph.handleValues.push_back(std::move(values));
    return add({.op = Op::handle, .shape = shape, .slot = it->second, .name = name});
}
void Recorder::carry(Var handle, Var value) {
    const Node& to = node(handle.id());
    CHECK(to.op == Op::handle && to.shape == value.shape(), "carry: expected {} as a handle, got {}",
          value.shape().text(), to.shape.text());
    m_graph.carried[to.name] = value.id();
}

Var Recorder::constant(const Shape& shape, std::vector<float> values) {
    CHECK(int64_t(values.size()) == shape.size(), "constant: expected {} values, got {}", shape.size(),
          values.size());
    m_graph.constants.push_back(std::make_shared<const std::vector<float>>(std::move(values)));
    return add(
        {.op = Op::constant, .shape = shape, .slot = int(m_graph.constants.size()) - 1, .name = "constant"});
}

Var Recorder::fill(const Shape& shape, float value) {
    return add({.op = Op::fill, .shape = shape, .a = value, .name = "fill"});
}

Var Recorder::normal(const std::string& stream, const Shape& shape) {
    return add(
        {.op = Op::normal, .shape = shape, .a = 0, .b = 1, .stream = streamOf(stream), .name = stream});
}

Var Recorder::uniform(const std::string& stream, const Shape& shape, float low, float high) {
    return add(
        {.op = Op::uniform, .shape = shape, .a = low, .b = high, .stream = streamOf(stream), .name = stream});
}

Var Recorder::drawRows(const std::string& stream, TablePtr table, int count) {
    CHECK(table && table->rows > 0, "{}: expected a table with rows, got none", stream);
    const Shape shape{count, table->columns};
    m_graph.tables.push_back(std::move(table));
    return add({.op = Op::drawRows,
                .shape = shape,
                .stream = streamOf(stream),
                .slot = int(m_graph.tables.size()) - 1,
                .name = stream});
}

// ---- outputs

Var Recorder::probe(const std::string& channel, Var value) {
    CHECK(m_graph.probes.try_emplace(channel, value.id()).second, "probe: expected '{}' once, got it again",
          channel);
    return value;
}

std::vector<Var> Recorder::gradient(Var loss, const std::vector<Var>& wrt) {
    return core::gradient(loss, wrt);
}

std::vector<Var> Recorder::parametersBelow(const std::string& scope) {
    std::vector<Var> out;
    for (NodeId id = 0; id < NodeId(m_graph.nodes.size()); ++id) {
        const Node& n = m_graph.nodes[id];
        const bool below = scope.empty() || n.name == scope || n.name.starts_with(scope + ".");
        if (n.op == Op::parameter && below) out.emplace_back(*this, id);
    }
    return out;
}

Initial Recorder::initialOf(Var parameter) const {
    return m_layout.entries()[size_t(node(parameter.id()).slot)].initial;
}

Gradients Recorder::gradients(Var loss, const std::string& scope) {
    const std::vector<Var> parameters = parametersBelow(scope);
    CHECK(!parameters.empty(), "gradients: expected parameters below '{}', found none", scope);
    Gradients out{.scope = scope, .entries = {}, .values = gradient(loss, parameters)};
    for (Var parameter : parameters) out.entries.push_back(node(parameter.id()).slot);
    return out;
}

void Recorder::update(const Gradients& g, const Adam& adam, const UpdateOptions& options) {
    addUpdate(g,
              {.optimizer = Optimizer::adam,
               .rate = adam.rate,
               .beta1 = adam.beta1,
               .beta2 = adam.beta2,
               .epsilon = adam.epsilon,
               .decay = adam.decay},
              options);
}

void Recorder::update(const Gradients& g, const RmsProp& rmsProp, const UpdateOptions& options) {
    addUpdate(g,
              {.optimizer = Optimizer::rmsProp,
               .rate = rmsProp.rate,
               .beta2 = rmsProp.alpha,
               .epsilon = rmsProp.epsilon},
              options);
}

void Recorder::update(const Gradients& g, const Sgd& sgd, const UpdateOptions& options) {
    addUpdate(g, {.optimizer = Optimizer::sgd, .rate = sgd.rate, .beta1 = sgd.momentum}, options);
}

Var Recorder::average(const std::string& name, const Shape& shape, Initial initial) {
    initial.like = name;
    return state("ema." + name, shape, initial);
}

void Recorder::addUpdate(const Gradients& g, Update update, const UpdateOptions& options) {
    update.name = g.scope;
    update.entries = g.entries;
    update.clip = options.clip;
    CHECK(m_access == Access::train, "update of {}: a view may only read parameters", g.scope);
    for (const Update& other : m_graph.updates)
        for (int entry : other.entries)
            CHECK(std::find(g.entries.begin(), g.entries.end(), entry) == g.entries.end(),
                  "update of {}: expected each parameter in one update, got {} again", g.scope,
                  m_layout.entries()[entry].name);
    Node n{.op = Op::update, .shape = {1}, .slot = int(m_graph.updates.size()), .name = g.scope};
    for (size_t i = 0; i < g.values.size(); ++i) {
        // The gradient is written straight into the flat buffer; a value that is already somewhere is copied
        // there.
        NodeId id = g.values[i].id();
        while (node(id).op == Op::reshape) id = node(id).inputs[0];
        const bool computed = node(id).op >= Op::fill;
        Var slot(*this, id);
        if (!computed || m_graph.gradientEntry.count(id)) {
            Node copy{.op = Op::affine, .shape = slot.shape(), .inputs = {id}, .a = 1};
            copy.stage = int(m_graph.stages.size()) - 1;
            copy.phase = int(m_graph.phases.size()) - 1;
            copy.name = "copy";
            m_graph.nodes.push_back(copy);
            m_readsParameters.push_back(true);
            slot = Var(*this, NodeId(m_graph.nodes.size()) - 1);
        }
        m_graph.gradientEntry[slot.id()] = g.entries[i];
        n.inputs.push_back(slot.id());
    }
    if (update.clip.slot >= 0 || update.clip.value > 0) {
        update.normInput = int(n.inputs.size());
        n.inputs.push_back(gradientNorm(g).id());
    }
    if (options.average) {
        CHECK(options.average.shape().size() == 1, "update of {}: expected a share of shape [1], got {}",
              g.scope, options.average.shape().text());
        update.keepInput = int(n.inputs.size());
        n.inputs.push_back(options.average.id());
        for (int entry : g.entries) {
            const Layout::Entry e = m_layout.entries()[size_t(entry)];  // a copy: placing moves the entries
            const int kept = node(average(e.name, e.shape, e.initial).id()).slot;
            update.averages.push_back({kept, m_layout.entries()[size_t(kept)].offset});
        }
    }
    update.counter = int(m_graph.updates.size());
    m_graph.updates.push_back(std::move(update));
    add(std::move(n));
    ++m_epoch;
}

void Recorder::minimize(Var loss, const std::string& scope, const Adam& adam, const UpdateOptions& options) {
    update(gradients(loss, scope), adam, options);
}

void Recorder::assign(Var state, Var value) {
    CHECK(m_access == Access::train, "assign: a view may only read state");
    CHECK(node(state.id()).op == Op::state, "assign: expected a state, got {}", node(state.id()).name);
    CHECK(state.shape() == value.shape(), "assign: expected shape {}, got {}", state.shape().text(),
          value.shape().text());
    add({.op = Op::assign,
         .shape = state.shape(),
         .inputs = {value.id()},
         .slot = node(state.id()).slot,
         .name = node(state.id()).name});
    ++m_epoch;
}

Var Recorder::add(Node n) {
    if (m_graph.phases.empty()) phase("step");
    n.phase = int(m_graph.phases.size()) - 1;
    n.stage = int(m_graph.stages.size()) - 1;

    const bool leaf = n.op <= Op::constant;
    const bool effect = n.op == Op::update || n.op == Op::assign;
    bool reads = n.op == Op::parameter || n.op == Op::state;
    for (NodeId input : n.inputs) reads = reads || m_readsParameters[input];

    // An equal node of the same phase is the same value, unless parameters changed in between.
    std::string key;
    if (!effect) {
        key = fmt::format("{}|{}|{}|{:a}|{:a}|{}|{}|{}|{}|{}|{}", int(n.op), n.shape.text(),
                          fmt::join(n.inputs, ","), n.a, n.b, n.offset, n.transposed, n.detached, n.stream,
                          n.slot, leaf ? -1 : n.phase);
        key +=
            fmt::format("|{}|{}|{}|{}|{}", n.window, n.stride, n.parts, n.causal, fmt::join(n.offsets, ","));
        if (reads && !leaf) key += fmt::format("|epoch {}", m_epoch);
        if (const auto known = m_known.find(key); known != m_known.end()) return {*this, known->second};
    }
    m_graph.nodes.push_back(std::move(n));
    m_readsParameters.push_back(reads);
    const NodeId id = NodeId(m_graph.nodes.size()) - 1;
    if (!effect) m_known[key] = id;
    return {*this, id};
}

}  // namespace core
