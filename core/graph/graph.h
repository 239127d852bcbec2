// A recorded computation: nodes in program order, each a value computed from earlier ones.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "core/base/shape.h"
#include "core/base/table.h"
#include "core/graph/layout.h"
#include "core/graph/op.h"

namespace core {

using NodeId = int32_t;

// A number that an optimizer reads: fixed, or a slot of the live block that a knob writes.
struct Scalar {
    float value = 0;
    int slot = -1;
};

// One optimizer step over some parameters, as recorded by Recorder::update.
struct Update {
    std::string name;
    Optimizer optimizer = Optimizer::adam;
    Scalar rate, beta1, beta2;
    float epsilon = 1e-8f;
    Scalar decay;  // decoupled weight decay, times the rate
    Scalar clip;   // largest norm of all gradients together; 0 for any
    // Which of the node's inputs is the gradients' norm, and which the share that running averages keep.
    int normInput = -1, keepInput = -1;
    struct Average {
        int entry;
        int64_t offset;  // floats, into the state buffer
    };
    std::vector<Average> averages;  // that follow the parameters, in the order of entries
    std::vector<int> entries;       // into Layout::entries, in the order of the node's first inputs
    int counter = -1;               // which of the store's step counters
};

struct Node {
    Op op{};
    Shape shape;
    std::vector<NodeId> inputs;
    float a = 0, b = 0;
    int64_t offset = 0;        // slice and pad; the zeros around a convolution
    std::vector<int> offsets;  // padColumns: of each operand
    int window = 0;            // images: the kernel's extent or the factor; topK: k
    int stride = 1;            // convolutions
    int parts = 0;             // heads, or groups of channels
    bool transposed = false;   // matmul
    bool causal = false;       // softmax
    bool detached = false;     // reshape: no gradient passes
    uint32_t stream = 0;       // random leaves
    int slot = -1;             // parameter, state: Layout entry; live: slot; handle, constant, update: index
    int phase = 0, stage = 0;  // where it was recorded
    std::string name;          // dotted scope and what it is, for messages
};

struct Phase {
    std::string name;
    // How often it runs within one step; read when the step begins.
    std::function<int()> repeats;
    bool mayRepeat = false;  // else once in every step
};

struct Graph {
    std::vector<Node> nodes;
    std::vector<Phase> phases;
    std::vector<std::string> stages;       // in order of recording
    std::map<std::string, NodeId> probes;  // channels, by name
    std::vector<Update> updates;
    std::map<std::string, int> handles;  // name -> index
    std::vector<Shape> handleShapes;
    std::vector<std::vector<float>> handleValues;  // initial values
    std::map<std::string, NodeId> carried;         // what handles become in the next run of a series
    std::vector<std::shared_ptr<const std::vector<float>>> constants;
    std::vector<TablePtr> tables;         // drawRows: slot
    std::map<NodeId, int> gradientEntry;  // node -> Layout entry whose flat gradient it writes
};

}  // namespace core
