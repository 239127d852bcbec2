// A call of one kernel with memory of its own, for the tests of the kernels.
#pragma once

#include <algorithm>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "core/cpu/describe.h"

namespace problems {

using namespace core;
using namespace core::cpu;

// In float, and `wide` in double.
struct Problem {
    static constexpr int operands = Call<float>::maxInputs;

    std::string name;
    Call<float> call;
    std::vector<float> in[operands], table;
    std::vector<uint8_t> bytes;
    double tolerance = 2e-6;  // absolute below one, relative above

    int64_t size() const { return call.rows * call.columns; }

    Call<double> wide(const std::vector<double> (&values)[operands], std::vector<double>& out) const {
        Call<double> d;
        d.op = call.op;
        d.transposed = call.transposed;
        d.causal = call.causal;
        d.a = call.a;
        d.b = call.b;
        d.offset = call.offset;
        d.window = call.window;
        d.stride = call.stride;
        d.parts = call.parts;
        d.rows = call.rows;
        d.columns = call.columns;
        d.extents = call.extents;
        d.out = out.data();
        d.inputs = call.inputs;
        for (int k = 0; k < operands; ++k) {
            d.in[k] = values[k].data();
            d.inRows[k] = call.inRows[k];
            d.inColumns[k] = call.inColumns[k];
            d.inExtents[k] = call.inExtents[k];
            d.offsets[k] = call.offsets[k];
        }
        d.at = call.at;
        d.tableValues = call.tableValues;
        d.tableBytes = call.tableBytes;
        d.tableRows = call.tableRows;
        return d;
    }
};

class Maker {
  public:
    // Values between low and high, with their signs mixed where the range allows it.
    std::vector<float> values(int64_t n, float low = -3, float high = 3) {
        std::uniform_real_distribution<float> spread(low, high);
        std::vector<float> drawn(static_cast<size_t>(n));
        for (float& x : drawn) x = spread(m_engine);
        return drawn;
    }

    Problem make(Op op, const core::Extents& extents) {
        Problem p;
        p.call.op = op;
        p.call.rows = extents.samples;
        p.call.columns = extents.positions() * extents.channels;
        p.call.extents = extents;
        p.call.at = {42, 7, 3, 1};
        return p;
    }
    Problem make(Op op, int64_t rows, int64_t columns) { return make(op, {rows, 1, 1, columns}); }

    void operand(Problem& p, int k, const core::Extents& extents, std::vector<float> values) {
        p.in[k] = std::move(values);
        p.call.inRows[k] = extents.samples;
        p.call.inColumns[k] = extents.positions() * extents.channels;
        p.call.inExtents[k] = extents;
        p.call.in[k] = p.in[k].data();
        p.call.inputs = std::max(p.call.inputs, k + 1);
    }
    void operand(Problem& p, int k, const core::Extents& extents, float low = -3, float high = 3) {
        operand(p, k, extents, values(extents.samples * extents.positions() * extents.channels, low, high));
    }
    void operand(Problem& p, int k, int64_t rows, int64_t columns, float low = -3, float high = 3) {
        operand(p, k, {rows, 1, 1, columns}, low, high);
    }

  private:
    std::mt19937 m_engine{20};
};

}  // namespace problems
