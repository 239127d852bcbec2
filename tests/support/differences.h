// A lesson's gradients, as its optimizer gets them, against central differences in double precision.
#pragma once

#include <algorithm>
#include <cmath>

#include "tests/support/interpreter.h"
#include "tests/support/recording.h"

namespace support {

// The largest |gradient - difference| over the largest difference, for the parameters of one update and the
// loss in this channel; about `each` elements of every parameter are tried. An element where the two
// one-sided slopes disagree sits on a kink of a ReLU and is passed over.
inline double gradientError(const Recording& recording, const std::string& lossChannel, size_t update,
                            size_t each = 12) {
    using core::NodeId;
    const core::Store store = recording.store(11);
    Interpreter oracle(recording.graph, recording.layout);
    const NodeId loss = recording.graph->probes.at(lossChannel);
    const auto& nodes = recording.graph->nodes;
    NodeId effect = -1;
    for (size_t id = 0; id < nodes.size(); ++id)
        if (nodes[id].op == core::Op::update && nodes[id].slot == int(update)) effect = NodeId(id);
    const std::vector<int>& entries = recording.graph->updates[update].entries;

    oracle.load(store);
    oracle.run(11, 3);
    std::vector<std::vector<double>> claimed;
    for (NodeId id : nodes[size_t(effect)].inputs) claimed.push_back(oracle.value(id));

    double error = 0, scale = 1e-4;
    for (size_t k = 0; k < entries.size(); ++k) {
        NodeId leaf = 0;
        while (nodes[size_t(leaf)].op != core::Op::parameter || nodes[size_t(leaf)].slot != entries[k])
            ++leaf;
        const size_t n = claimed[k].size(), apart = std::max<size_t>(1, n / each);
        for (size_t i = 0; i < n; i += apart) {
            const auto at = [&](double change) {
                oracle.load(store);
                oracle.leaf(leaf)[i] += change;
                oracle.run(11, 3);
                return oracle.value(loss)[0];
            };
            constexpr double h = 1e-5;
            const double up = (at(h) - at(0)) / h, down = (at(0) - at(-h)) / h, slope = (up + down) / 2;
            if (std::abs(up - down) > 1e-3 * (std::abs(slope) + 0.1)) continue;
            error = std::max(error, std::abs(slope - claimed[k][i]));
            scale = std::max(scale, std::abs(slope));
        }
    }
    return error / scale;
}

}  // namespace support
