// The operations a graph is made of. Adding one: a name here, its shape and gradient in
// ops.cpp, its arithmetic in core/cpu/kernels.inl, and a row in tests/graph/tst_ops.cpp.
#pragma once

#include <cstdint>

namespace core {

enum class Optimizer : uint8_t { adam, rmsProp, sgd };

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
    silu,       // x sigmoid(x)
    siluSlope,  // its derivative
    gelu,       // x Phi(x) by tanh, as GELU's authors approximate it
    geluSlope,
    erfGelu,  // x Phi(x) exactly
    erfGeluSlope,
    sine,
    cosine,
    floor,
    dropout,  // 0 with the probability in operand 1 [1], else x / (1 - p); from the node's stream
    // Pointwise on two operands; one of extent 1 along samples, positions or channels is repeated there.
    add,
    subtract,
    multiply,
    divide,
    // Matrices. The last axis of A against B [K, C]; all of A's other axes are rows.
    matmul,  // A B; flagged transposed A^T B, summed over all rows of A and B: [K, C]
    transpose,
    // Images [B, H, W, C]; weights [k, k, I, O]; k the window, s the stride, p the offset.
    convolution,            // zeros p wide around x: [B, (H + 2p - k)/s + 1, ..., O]
    convolutionTransposed,  // the converse: pixel y of x adds to pixels s y - p + ky of the output
    convolutionWeight,      // x, dy -> d weight of the convolution, as a matrix: [k k I, O]
    turnTaps,               // [k, k, I, O] -> [k, k, O, I]
    upsample,               // each pixel k x k times
    sumPool,                // the sum of each k x k
    depthToSpace,  // [B, H, W, k k C] -> [B, k H, k W, C], channel (u k + v) C + c to (k y + u, k x + v)
    spaceToDepth,  // its inverse
    padImage,      // zeros p wide around
    cropImage,     // p pixels off every side
    // Along the last axis.
    softmax,          // flagged causal: of [B, heads, T, S], over s <= t
    softmaxGradient,  // dy, y -> dx
    logSumExp,        // to [..., 1]
    argmax,           // to [..., 1]; the first of equals
    topK,             // x where it is among the k largest of its row, else -1e30; the first of equals
    // Normalisation. parts > 0: statistics over all positions and one of `parts` groups of channels, moments
    // [B, parts, 2]; parts = 0: over the channels of each position, moments [..., 2].
    moments,                 // mean and 1 / sqrt(variance + a)
    normalise,               // x, moments [, scale, shift]: (x - mean) / deviation * scale + shift
    normaliseGradient,       // dy, x, moments [, scale]: dx, the moments being functions of x
    normaliseScaleGradient,  // dy, x, moments: the sum over positions of dy (x - mean) / deviation: [B, 1, C]
    // Attention: the channels are `parts` heads side by side.
    headScores,         // q [B, T, D], k [B, S, D]: a q k^T for each head: [B, heads, T, S]
    headMix,            // P [B, heads, T, S], v [B, S, D]: P v: [B, T, D]
    headMixTransposed,  // P [B, heads, T, S], x [B, T, D]: P^T x: [B, S, D]
    // Look-up; indices are whole numbers kept as floats, one for each position.
    gatherRows,   // table [K, D], index [B, N]: [B, N, D]
    scatterRows,  // x [B, N, D], index [B, N]: the sum of the rows with each index: [K, D]
    pick,         // x [..., C], index [..., 1]: x[index]: [..., 1]
    place,        // x [..., 1], index [..., 1]: x at the index, else 0: [..., C]
    nearestRow,   // x [..., D], table [K, D]: the index of the nearest row; the first of equals
    // Reductions and their converse.
    sum,        // along samples, positions or channels, where the result has extent 1
    broadcast,  // repeated along those
    // Movement.
    sliceRows,     // rows i0 .. i0 + R
    sliceColumns,  // of the last axis, i0 .. i0 + C
    padRows,       // zeros around, the operand starting at row i0
    padColumns,    // along the last axis, every operand at its offset and zeros between
    // Effects: they write parameters or state, and run after everything that reads the old values.
    update,  // one optimizer step over a set of parameters
    assign,  // state := value
    count
};

// Draws from its node's stream: other numbers in every repetition and step.
inline bool isRandom(Op op) {
    return op == Op::uniform || op == Op::normal || op == Op::drawRows || op == Op::dropout;
}

}  // namespace core
