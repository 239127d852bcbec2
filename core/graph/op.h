// The operations a graph is made of. Adding one: a name here, its shape and gradient in
// ops.cpp, its arithmetic in core/cpu/kernels.inl, and a row in tests/graph/tst_ops.cpp.
#pragma once

#include <cstdint>

namespace core {

enum class Op : uint8_t {
    // Leaves: values that are somewhere already.
    parameter,  // trained; lives in the flat parameter buffer
    state,      // kept between steps but not trained (power-iteration vectors)
    live,       // [1], a knob
    handle,     // a small input written from outside between runs (a cursor, a chosen latent)
    constant,   // fixed values
    // Leaves that are computed.
    fill,      // every element a
    uniform,   // a + (b - a) U[0, 1) from the node's stream
    normal,    // a + b N(0, 1) from the node's stream
    drawRows,  // a minibatch of a table's rows without replacement, epoch by epoch
    // The same values under another shape; no arithmetic.
    reshape,
    // Pointwise.
    affine,  // a x + b
    exp,
    log,
    sqrt,
    square,
    abs,
    reciprocal,
    tanh,
    sigmoid,
    softplus,
    leakyRelu,  // x > 0 ? x : a x  (ReLU with a = 0)
    leakyStep,  // x > 0 ? 1 : a    (its derivative)
    sign,
    // Pointwise on two operands; a row, a column or a scalar is repeated.
    add,
    subtract,
    multiply,
    divide,
    // Matrices.
    matmul,  // A B, or A^T B when the node is flagged transposed
    transpose,
    // Reductions and their converse.
    sum,        // to [R, 1], [1, C] or [1]
    broadcast,  // from [R, 1], [1, C] or [1]
    // Movement.
    sliceRows,     // rows i0 .. i0 + R
    sliceColumns,  // columns i0 .. i0 + C
    padRows,       // zeros around, the operand starting at row i0
    padColumns,    // zeros around, the operand starting at column i0
    // Effects: they write parameters or state, and run after everything that reads the old values.
    update,  // one optimizer step over a set of parameters
    assign,  // state := value
    count
};

}  // namespace core
