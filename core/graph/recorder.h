// Recording: lesson code runs once, every operation on a Var becomes a node of a Graph.
#pragma once

#include <unordered_map>

#include "core/graph/graph.h"

namespace core {

class Recorder;

// A handle on a value of the recorded computation; two words, copied freely.
class Var {
  public:
    Var() = default;
    Var(Recorder& recorder, NodeId id) : m_recorder(&recorder), m_id(id) {}

    Recorder& recorder() const { return *m_recorder; }
    NodeId id() const { return m_id; }
    Shape shape() const;  // a copy: recording moves the nodes
    int rows() const { return int(shape().rows()); }
    int columns() const { return int(shape().columns()); }
    explicit operator bool() const { return m_recorder != nullptr; }

  private:
    Recorder* m_recorder = nullptr;
    NodeId m_id = -1;
};

// A place in the tree of parameter names: "discriminator" / "0" is "discriminator.0".
struct Scope {
    Recorder* recorder;
    std::string path;
    bool averaged = false;  // what is built here reads the running averages of its parameters

    Scope operator/(const std::string& name) const {
        return {recorder, path.empty() ? name : path + "." + name, averaged};
    }
    Scope operator/(int index) const { return *this / std::to_string(index); }
    Var parameter(const std::string& name, const Shape& shape, Initial initial) const;
    Var state(const std::string& name, const Shape& shape, Initial initial) const;
    // The same place, with running averages in place of the parameters.
    Scope averages() const { return {recorder, path, true}; }
};

// Kingma and Ba 2015; with weight decay it is AdamW (Loshchilov and Hutter 2019).
struct Adam {
    Scalar rate, beta1, beta2 = {0.999f};
    float epsilon = 1e-8f;
    Scalar decay = {};
};

struct RmsProp {
    Scalar rate, alpha = {0.99f};
    float epsilon = 1e-8f;
};

struct Sgd {
    Scalar rate, momentum = {};
};

struct UpdateOptions {
    Scalar clip = {};  // the largest norm of all gradients together; 0 for any
    Var average =
        {};  // [1]: the share that the running averages keep (see Recorder::average); empty for none
};

// Gradients of one loss with respect to every parameter below a scope.
struct Gradients {
    std::string scope;
    std::vector<int> entries;
    std::vector<Var> values;
};

// The Euclidean norm of all of them together: [1].
Var gradientNorm(const Gradients& gradients);

class Recorder {
  public:
    // What a recording may do: a training plan writes parameters, a view plan only reads them.
    enum class Access { train, view };

    Recorder(Layout& layout, Access access);

    // ---- structure
    // Everything recorded from here on belongs to this phase, which runs once or `repeats` times a step.
    void phase(const std::string& name);
    void phase(const std::string& name, std::function<int()> repeats);
    // Slow mode can wait here; the name is that of a line of the lesson's pseudo-code.
    void stage(const std::string& name);
    Scope scope(const std::string& path) { return {this, path}; }

    // ---- leaves
    Var parameter(const std::string& name, const Shape& shape, Initial initial);
    Var state(const std::string& name, const Shape& shape, Initial initial);
    // The knob in this slot of the live block, shape [1].
    Var live(int slot);
    // An input that is written between runs by its name (a cursor); starts with `values`.
    Var handle(const std::string& name, const Shape& shape, std::vector<float> values);
    // In a series of runs the handle has in each what `value` was in the one before; `value` is a channel.
    void carry(Var handle, Var value);
    Var constant(const Shape& shape, std::vector<float> values);
    Var fill(const Shape& shape, float value);
    // N(0, 1) and U[0, 1) from the stream of this name, fresh at every step.
    Var normal(const std::string& stream, const Shape& shape);
    Var uniform(const std::string& stream, const Shape& shape, float low = 0, float high = 1);
    // `count` rows of the table, drawn without replacement, each row once an epoch; shape [count, columns].
    // Two tables of equal length drawn from one stream give matching rows.
    Var drawRows(const std::string& stream, TablePtr table, int count);

    // ---- outputs
    // Makes a value visible as a channel; changes nothing but where it is kept. Returns it.
    Var probe(const std::string& channel, Var value);
    // d loss / d wrt as ordinary nodes. The loss has shape [1].
    std::vector<Var> gradient(Var loss, const std::vector<Var>& wrt);
    // The parameters recorded so far whose name is below `scope`; all of them if it is empty.
    std::vector<Var> parametersBelow(const std::string& scope);
    Initial initialOf(Var parameter) const;
    // The gradients with respect to all parameters below `scope`; all of them if it is empty.
    Gradients gradients(Var loss, const std::string& scope);
    void update(const Gradients& gradients, const Adam& adam, const UpdateOptions& options = {});
    void update(const Gradients& gradients, const RmsProp& rmsProp, const UpdateOptions& options = {});
    void update(const Gradients& gradients, const Sgd& sgd, const UpdateOptions& options = {});
    // gradients() and update() in one.
    void minimize(Var loss, const std::string& scope, const Adam& adam, const UpdateOptions& options = {});
    // The running average of a parameter, which starts equal to it: the state "ema.<name>".
    Var average(const std::string& name, const Shape& shape, Initial initial);
    // State := value, at the end of what reads the old one.
    void assign(Var state, Var value);

    // The number of the stream of this name; a view's streams are its own. For ops.cpp.
    uint32_t streamOf(const std::string& name) const;
    // Adds a node, or returns an equal one that is there already. For ops.cpp.
    Var add(Node node);
    const Node& node(NodeId id) const { return m_graph.nodes[id]; }
    const Graph& graph() const { return m_graph; }
    Graph take() { return std::move(m_graph); }

  private:
    void addUpdate(const Gradients& gradients, Update update, const UpdateOptions& options);

    Layout& m_layout;
    Access m_access;
    Graph m_graph;
    int m_epoch = 0;                      // counts effects: a parameter read after one is another value
    std::vector<bool> m_readsParameters;  // by node, directly or not
    std::unordered_map<std::string, NodeId> m_known;
};

}  // namespace core
