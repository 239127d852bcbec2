// A graph made ready to be replayed: which nodes run, where each value lives, and what may run at
// the same time.
#pragma once

#include <set>

#include "core/graph/graph.h"

namespace core {

// Where a node's value is found.
struct Place {
    enum Memory { none, arena, slab, parameters, gradients, state, live, handle, constant } memory = none;
    int64_t offset = 0;  // floats; the index of the handle or constant
};

// Nodes that one worker takes through a slab of rows while they are in cache: within a group, row i
// of a value depends only on row i of the others. What nobody else reads has Memory::slab: the worker's
// own, and only the rows that it is at.
struct Group {
    int64_t rows = 1;
    int64_t slab = 1;           // rows at a time, at most
    bool readsWhole = false;    // every slab reads all of the operands: as few as there are workers
    bool steady = false;        // gives the same values in every repetition of its phase
    std::vector<NodeId> nodes;  // in program order
};

// Groups that do not depend on each other; a barrier stands between two levels.
using Level = std::vector<Group>;

// What runs without a pause: a phase, or one stage of it in slow mode.
struct Segment {
    int phase = 0;
    int stage = -1;  // the stage that it ends at; -1 for a whole phase
    std::vector<Level> levels;
};

struct PlanOptions {
    // Only these channels and, in a training plan, the effects are computed; empty means all channels.
    std::set<std::string> channels;
    bool everyChannel = true;
    bool byStage = false;  // one segment a stage, for slow mode
    // Values share the arena when their lifetimes allow it, and products add the bias; off for debugging.
    bool reuse = true;
};

struct Plan {
    std::shared_ptr<const Graph> graph;
    std::vector<Place> places;  // by node
    std::vector<bool> alive;    // by node: is it computed
    // By node: of a product that nothing else reads, the addition of a bias that it carries out; else -1.
    std::vector<NodeId> biased;
    // By node: bit i says that operand i has the same value in every repetition of the node's phase.
    std::vector<uint8_t> steady;
    std::vector<Segment> segments;
    int64_t arenaSize = 0;  // floats
    int64_t slabSize = 0;   // floats for each worker
    int levelCount() const;
};

// Throws Error if a requested channel does not exist.
Plan compile(std::shared_ptr<const Graph> graph, const Layout& layout, const PlanOptions& options);

}  // namespace core
