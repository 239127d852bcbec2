// From a node to its Call: everything but where values live.
#pragma once

#include "core/cpu/call.h"
#include "core/cpu/winograd.h"
#include "core/graph/graph.h"

namespace core::cpu {

template <class T>
Call<T> describe(const Graph& graph, const Node& n) {
    CHECK(n.inputs.size() <= Call<T>::maxInputs || n.op == Op::update,
          "{}: expected at most {} operands, got {}", n.name, Call<T>::maxInputs, n.inputs.size());
    Call<T> call;
    call.op = n.op;
    call.transposed = n.transposed;
    call.causal = n.causal;
    call.a = T(n.a);
    call.b = T(n.b);
    call.offset = n.offset;
    for (size_t i = 0; i < n.offsets.size(); ++i) call.offsets[i] = n.offsets[i];
    call.window = n.window;
    call.stride = n.stride;
    call.parts = n.parts;
    call.rows = n.shape.rows();
    call.columns = n.shape.columns();
    call.extents = n.shape.extents();
    call.inputs = int(n.inputs.size());
    for (size_t i = 0; i < n.inputs.size() && i < size_t(Call<T>::maxInputs); ++i) {
        const Shape& shape = graph.nodes[size_t(n.inputs[i])].shape;
        call.inRows[i] = shape.rows();
        call.inColumns[i] = shape.columns();
        call.inExtents[i] = shape.extents();
    }
    call.at.stream = n.stream;
    if (n.op == Op::drawRows) {
        const Table& table = *graph.tables[size_t(n.slot)];
        call.tableValues = table.values.empty() ? nullptr : table.values.data();
        call.tableBytes = table.bytes.empty() ? nullptr : table.bytes.data();
        call.tableRows = table.rows;
    }
    return call;
}

// How many numbers of its own a worker needs to run the call.
template <class T>
int64_t scratchSize(const Call<T>& call) {
    const Extents &x = call.inExtents[0], &other = call.inExtents[1];
    const int64_t k = call.window, taps = k * k * x.channels;
    // An image with the zeros that taps see around it, and room for what registers read past its end.
    const int64_t padded = (x.height + 2 * k) * (x.width + 2 * k) * x.channels + 128;
    const auto transformed = [&](int64_t O) {
        return winograd::suits(k, call.stride, call.offset, x.channels, O);
    };
    switch (call.op) {
        case Op::convolution:
        case Op::convolutionTransposed:  // and the weight in panels
            if (transformed(call.extents.channels)) return winograd::scratchSize(x, call.extents.channels);
            return padded + taps * ((call.extents.channels + 31) / 32 * 32);
        case Op::convolutionWeight: {
            if (transformed(other.channels)) return winograd::scratchSize(x, other.channels);
            // A block of dy in panels, what it sees, or the weight's gradient turned.
            const int64_t pixels = other.width > 128 ? other.width : 128;
            return padded + pixels * (32 + (x.channels < 8 ? taps : 0)) +
                   taps * (other.channels <= 8 ? other.channels : 0);
        }
        case Op::headScores:  // the keys of one head, turned
            return other.positions() * other.channels;
        default:
            return 0;
    }
}

}  // namespace core::cpu
