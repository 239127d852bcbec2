// What the passes of compile() hand to each other.
#pragma once

#include "core/graph/plan.h"

namespace core {

struct Compiling {
    // The levels of a segment.
    struct Span {
        int phase, first, last;
    };

    const Graph& graph;
    const Layout& layout;
    const PlanOptions& options;
    Plan plan{};
    std::vector<bool> pinned{};   // by node: kept until the next step
    std::vector<int> level{};     // by node; -1 for leaves
    std::vector<NodeId> group{};  // by node; the number of its group, which is one of its nodes
    std::vector<Span> spans{};    // of the segments
};

inline bool isLeaf(Op op) {
    return op <= Op::constant;
}
inline bool isEffect(Op op) {
    return op == Op::update || op == Op::assign;
}

// The node that a chain of reshapes stands for.
inline NodeId origin(const Graph& g, NodeId id) {
    while (g.nodes[size_t(id)].op == Op::reshape) id = g.nodes[size_t(id)].inputs[0];
    return id;
}

// What a node reads or writes as it is in memory: entries of the layout.
std::vector<int> entriesRead(const Graph& g, const Node& n);
std::vector<int> entriesWritten(const Graph& g, const Node& n);

// Does the node give the same value in every repetition of its phase? Once findSteady has run.
bool isSteady(const Compiling& c, NodeId id);
// Finds what stays the same while a phase repeats: weights that it does not train, and what follows from
// them.
void findSteady(Compiling& c);
// Fills the plan's segments: which nodes run together, and in which order.
void schedule(Compiling& c);
// Chooses where values live.
void placeValues(Compiling& c);

}  // namespace core
