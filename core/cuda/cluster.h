// From a plan to launches, first half: which nodes are computed together. Pointwise nodes join the launch
// that makes their latest operand, or wait to be computed where they are read.
#pragma once

#include <functional>
#include <map>
#include <vector>

#include "core/cuda/abi.h"
#include "core/graph/plan.h"

namespace core::cuda {

// Where an operand of a program stands, before anything has an address: the elements of `node`, `offset`
// floats further.
struct Source {
    NodeId node = -1;
    int64_t offset = 0;
    Operand shape;  // all but the address
};

// A value that a program writes: as it is, or as columns of a wider one.
struct Sink {
    NodeId node = -1;
    int64_t offset = 0;
    int channels = 1, step = 0;  // as in Output
};

struct Code {
    std::vector<Instruction> code;
    std::vector<Source> sources;
    std::vector<Sink> sinks;
    bool draws = false;
};

// What attention, or its gradient, reads and writes in one launch: see Attention. -1 where there is none.
struct HeadNodes {
    NodeId q = -1, k = -1, v = -1, scores = -1, weights = -1, out = -1;
    NodeId dOut = -1, dQ = -1, dK = -1, dV = -1;  // its gradient
    float scaleQ = 1, scaleK = 1;
    std::vector<NodeId> inside;  // all nodes that the launch computes
};

// One launch.
struct Cluster {
    Kind kind = Kind::pointwise;
    NodeId anchor = -1;           // what the kind computes; -1 where that is the program alone
    int64_t size = 0;             // of the index space; 0: no program
    std::vector<NodeId> members;  // pointwise nodes, in program order
    NodeId summed = -1;           // sum: the node whose elements are added up
    int outer = 1, length = 1, inner = 1;
    NodeId columnSums = -1;  // product: a node that is the sum of B's rows
    // normaliseGradient: nodes that are sums over its lines, of dy times the normalised line, of dy, and of
    // `summed`; `outer` groups of `length` lines.
    NodeId scaleSums = -1, shiftSums = -1, lastSums = -1;
    HeadNodes heads;                               // attention, attentionGradient
    NodeId assigned = -1;                          // the assign node that this cluster carries out
    std::vector<std::pair<NodeId, Sink>> columns;  // members that are also written into a wider value
    int segment = 0, epoch = 0;
    Code program;
};

// A matrix inside a value: rows `step` apart, and what a norm whose scale it is adds to it.
struct View {
    NodeId node = -1;
    int64_t offset = 0;
    int64_t step = 0;
    bool turned = false;  // the transpose, or taps of transposes, is meant
    float plus = -0.0f;   // which changes nothing
};

// What a plan becomes.
struct Clusters {
    std::vector<Cluster> all;
    std::vector<bool> kept;      // by node: has memory of its own
    std::vector<int> clusterOf;  // by node: which cluster makes it, or -1
    // Transposes of what is written turned in the first place have their operand's memory; where that is a
    // gradient's place, it is the transpose's.
    std::map<NodeId, NodeId> placeOf;
    // Sums that are written into a wider value.
    std::map<NodeId, std::pair<NodeId, int64_t>> inside;
};

// Values that one launch writes.
inline constexpr int mostMembers = 6;

// Whether a launch of this kind has a value that its program goes on with.
inline bool hasValue(Kind kind) {
    return kind == Kind::product || kind == Kind::softmax || kind == Kind::softmaxGradient ||
           kind == Kind::normaliseGradient;
}

class ClusterBuilder {
  public:
    // Where `exact`, nothing is summed or multiplied in another order than node by node. `attends`: attention
    // may be one launch.
    explicit ClusterBuilder(const Plan& plan, bool exact = false, bool attends = true);
    Clusters build();

    // The value that a node is another name of, and the matrix that it is within it.
    NodeId origin(NodeId id) const;
    // The node's channels as columns of a value in memory; slices and transposes that were passed over.
    View view(NodeId id) const;
    // Written as its transpose.
    bool turned(NodeId id) const { return m_turned[size_t(id)]; }

  private:
    friend class CodeWriter;

    const Node& node(NodeId id) const { return g.nodes[size_t(id)]; }
    bool isLeaf(NodeId id) const { return node(id).op <= Op::constant; }
    static bool isView(Op op);
    bool isPointwise(NodeId id) const;
    bool isLazyKind(NodeId id) const;
    bool waits(NodeId id) const;
    bool readsMutable(NodeId id) const;
    std::vector<NodeId> inputsOf(NodeId id) const;
    int latest(NodeId id) const;
    void markUses();
    void markTurned();
    void markAttention();
    bool matchAttention(NodeId mix, HeadNodes& out) const;
    bool matchAttentionGradient(NodeId gradient, HeadNodes& out) const;
    void takeAttention(NodeId id);
    bool turnable(NodeId id, NodeId user) const;
    void turn(NodeId id);
    bool onlyRightOperand(NodeId id) const;
    NodeId summedThrough(NodeId sum) const;
    void take(NodeId id);
    void takePointwise(NodeId id);
    void takeSum(NodeId id);
    void takeColumns(NodeId id);
    void takeProduct(NodeId id);
    void takeAnchor(NodeId id, Kind kind);
    void takeAssign(NodeId id);
    bool join(int cluster, NodeId id);
    bool reaches(int cluster, NodeId id) const;
    Cluster* gradientOfLines(NodeId dy, NodeId x, int outer);
    bool sumLines(NodeId id, NodeId of, int outer);
    bool sumProgram(NodeId id, NodeId of, const Cluster& sum);
    int add(Cluster cluster);
    void need(NodeId id);
    void needOperands(NodeId id);
    void settle(bool everything, NodeId at);
    bool foldsAway(NodeId id) const;
    NodeId lastReader(NodeId id) const;
    bool outlivesItsMemory(NodeId id) const;
    bool scalesNorms(NodeId id) const;
    bool goesInside(NodeId sum, NodeId line) const;
    NodeId productOverRows(NodeId sum, NodeId operand) const;
    bool gradientSums(NodeId sum, NodeId dy, NodeId ofScale);

    const Plan& m_plan;
    const Graph& g;
    const bool m_exact, m_attends;
    Clusters m_out;
    std::vector<std::vector<NodeId>> m_users;     // by node, through reshapes
    std::vector<bool> m_waiting;                  // lazy: computed where it is read
    std::vector<bool> m_scaling;                  // waits as the scale of norms, as s + 1 does
    std::vector<bool> m_turned, m_sameAsOperand;  // see Clusters::placeOf
    std::vector<bool> m_probed;
    std::map<NodeId, HeadNodes> m_heads;  // by the node at whose turn the launch comes
    std::vector<bool> m_insideHeads;
    std::vector<NodeId> m_sumOf;                     // by product node: the sum that it also makes
    std::vector<NodeId> m_scaleSumOf, m_shiftSumOf;  // by gradient of normalised groups
    std::vector<int> m_segmentOf;
    int m_segment = 0, m_epoch = 0;
};

// Writes the program of a cluster; empty where it does not fit.
class CodeWriter {
  public:
    CodeWriter(const ClusterBuilder& builder, const Cluster& cluster) : m_b(builder), m_c(cluster) {}
    bool write(Code& out, const std::vector<bool>* kept);

  private:
    struct Step {
        Instruction instruction;
        int from[2] = {-1, -1};  // steps; -2: the anchor's value; 1000 + source
        NodeId node = -1;
    };
    static constexpr int none = -1, anchorValue = -2, sourceBase = 1000;

    int value(NodeId id, const Extents& space);
    int element(NodeId id);
    int compute(NodeId id);
    int step(Op op, int first, int second = none, float a = 0, float b = 0, uint32_t stream = 0);
    int source(NodeId id, int64_t offset, const Operand& shape);
    int normalised(NodeId x, NodeId moments, int parts, const Extents& space);
    int scaleGradient(NodeId id);
    bool strided(NodeId id, const Extents& space, Source& out) const;
    bool allot(Code& out, const std::vector<bool>* kept);

    const ClusterBuilder& m_b;
    const Cluster& m_c;
    std::vector<Step> m_steps;
    std::vector<Source> m_sources;
    std::map<NodeId, int> m_known;
    bool m_draws = false;
};

Divisor divisorOf(int64_t n);

// How blocks share out the `parts` groups of images, if a block can keep some.
Groups groupsOf(int64_t positions, int64_t channels, int parts);

}  // namespace core::cuda
