// Evaluates a graph node by node in double precision: the oracle for plans, fusion and gradients.
#pragma once

#include <cmath>
#include <map>
#include <memory>
#include <vector>

#include "core/cpu/describe.h"
#include "core/graph/graph.h"
#include "core/graph/store.h"

namespace support {

// Every node has memory of its own, and runs in program order: nothing is pruned, shared or reordered.
class Interpreter {
  public:
    Interpreter(std::shared_ptr<const core::Graph> graph, const core::Layout& layout)
        : m_graph(std::move(graph)), m_layout(layout), m_values(m_graph->nodes.size()) {
        for (size_t id = 0; id < m_values.size(); ++id) {
            const core::Node& n = m_graph->nodes[id];
            m_values[id].assign(size_t(n.shape.size()), 0);
            if (n.op == core::Op::constant) {
                const std::vector<float>& from = *m_graph->constants[size_t(n.slot)];
                m_values[id].assign(from.begin(), from.end());
            } else if (n.op == core::Op::handle) {
                const std::vector<float>& from = m_graph->handleValues[size_t(n.slot)];
                m_values[id].assign(from.begin(), from.end());
            } else if (n.op == core::Op::parameter || n.op == core::Op::state) {
                m_leafOf[n.slot] = core::NodeId(id);
            }
        }
        m_counters.resize(m_graph->updates.size());
    }

    // Parameters, moments, state, knobs and counters as they are in the store.
    void load(const core::Store& store) {
        for (const auto& [entry, leaf] : m_leafOf) {
            const core::Layout::Entry& e = m_layout.entries()[size_t(entry)];
            const auto part = [&](const core::Buffer& from) {
                const auto first = from.begin() + e.offset;
                return std::vector<double>(first, first + e.shape.size());
            };
            m_values[size_t(leaf)] = part(e.trained ? store.weights.parameters : store.weights.state);
            if (!e.trained) continue;
            m_first[entry] = part(store.weights.first);
            m_second[entry] = part(store.weights.second);
        }
        for (size_t id = 0; id < m_values.size(); ++id)
            if (const core::Node& n = m_graph->nodes[id]; n.op == core::Op::live)
                m_values[id][0] = double(store.live[size_t(n.slot)]);
        m_live.assign(store.live.begin(), store.live.end());
        m_counters = store.weights.counters;
    }

    // One step: all phases, each as often as it says.
    void run(uint64_t seed, uint64_t step) {
        m_position = {seed, 0, step, 0};
        const int phases = std::max(1, int(m_graph->phases.size()));
        for (int phase = 0; phase < phases; ++phase) {
            const int repeats = m_graph->phases.empty() ? 1 : m_graph->phases[size_t(phase)].repeats();
            for (m_position.repeat = 0; int(m_position.repeat) < repeats; ++m_position.repeat)
                for (size_t id = 0; id < m_values.size(); ++id)
                    if (m_graph->nodes[id].phase == phase) compute(core::NodeId(id));
        }
    }

    const std::vector<double>& value(core::NodeId id) const { return m_values[size_t(id)]; }
    // A leaf's values, to be changed before the next run.
    std::vector<double>& leaf(core::NodeId id) { return m_values[size_t(id)]; }
    const std::vector<double>& parameter(int entry) const { return value(m_leafOf.at(entry)); }

  private:
    void compute(core::NodeId id) {
        const core::Node& n = m_graph->nodes[size_t(id)];
        if (n.op <= core::Op::constant) return;
        if (n.op == core::Op::update) return update(n);
        core::cpu::Call<double> call = core::cpu::describe<double>(*m_graph, n);
        call.out = m_values[size_t(n.op == core::Op::assign ? m_leafOf.at(n.slot) : id)].data();
        for (size_t i = 0; i < n.inputs.size(); ++i) call.in[i] = m_values[size_t(n.inputs[i])].data();
        std::vector<double> scratch(size_t(core::cpu::scratchSize(call)));
        call.scratch = scratch.data();
        call.at = m_position;
        call.at.stream = n.stream;
        core::cpu::referenceKernel(n.op)(call, 0, call.rows);
    }

    // The optimizers in their papers' form.
    void update(const core::Node& n) {
        const core::Update& u = m_graph->updates[size_t(n.slot)];
        const auto number = [&](const core::Scalar& s) {
            return double(s.slot >= 0 ? m_live[size_t(s.slot)] : s.value);
        };
        const auto input = [&](int which) { return m_values[size_t(n.inputs[size_t(which)])][0]; };
        core::StepCounter& counter = m_counters[size_t(u.counter)];
        const double rate = number(u.rate), beta1 = number(u.beta1), beta2 = number(u.beta2);
        ++counter.steps;
        counter.beta1Power *= beta1;
        counter.beta2Power *= beta2;
        const double clip = number(u.clip);
        const double scale =
            u.normInput >= 0 && clip > 0 ? std::min(1.0, clip / (input(u.normInput) + 1e-6)) : 1;
        for (size_t i = 0; i < u.entries.size(); ++i) {
            const int entry = u.entries[i];
            const std::vector<double>& gradient = m_values[size_t(n.inputs[i])];
            std::vector<double>& p = m_values[size_t(m_leafOf.at(entry))];
            m_first[entry].resize(p.size());
            m_second[entry].resize(p.size());
            for (size_t k = 0; k < p.size(); ++k) {
                const double g = scale * gradient[k];
                double &m = m_first[entry][k], &v = m_second[entry][k];
                p[k] -= rate * number(u.decay) * p[k];
                switch (u.optimizer) {
                    case core::Optimizer::adam:
                        m = beta1 * m + (1 - beta1) * g;
                        v = beta2 * v + (1 - beta2) * g * g;
                        p[k] -= rate * (m / (1 - counter.beta1Power)) /
                                (std::sqrt(v / (1 - counter.beta2Power)) + double(u.epsilon));
                        break;
                    case core::Optimizer::rmsProp:
                        v = beta2 * v + (1 - beta2) * g * g;
                        p[k] -= rate * g / (std::sqrt(v) + double(u.epsilon));
                        break;
                    case core::Optimizer::sgd:
                        m = beta1 * m + g;
                        p[k] -= rate * m;
                        break;
                }
                if (u.averages.empty()) continue;
                double& average = m_values[size_t(m_leafOf.at(u.averages[i].entry))][k];
                average = input(u.keepInput) * average + (1 - input(u.keepInput)) * p[k];
            }
        }
    }

    std::shared_ptr<const core::Graph> m_graph;
    const core::Layout& m_layout;
    std::vector<std::vector<double>> m_values;  // by node
    std::map<int, core::NodeId> m_leafOf;       // layout entry -> its leaf
    std::map<int, std::vector<double>> m_first, m_second;
    std::vector<core::StepCounter> m_counters;
    std::vector<float> m_live;
    core::philox::Position m_position;
};

}  // namespace support
