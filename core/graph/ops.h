// The functions that lessons and networks are written in. All shapes are checked here; a mismatch
// throws an Error that names the operation and both shapes.
#pragma once

#include "core/graph/recorder.h"

namespace core {

// ---- pointwise; along samples, positions or channels one operand may have extent 1 and is repeated: [C],
// [B, 1], [B, C] (for each sample), [1, N, C] (for each position) and [1] all fit [B, N, C]
Var operator+(Var x, Var y);
Var operator-(Var x, Var y);
Var operator*(Var x, Var y);
Var operator/(Var x, Var y);
Var affine(Var x, float scale, float shift);  // scale x + shift
inline Var operator+(Var x, float c) {
    return affine(x, 1, c);
}
inline Var operator+(float c, Var x) {
    return affine(x, 1, c);
}
inline Var operator-(Var x, float c) {
    return affine(x, 1, -c);
}
inline Var operator-(float c, Var x) {
    return affine(x, -1, c);
}
inline Var operator*(Var x, float c) {
    return affine(x, c, 0);
}
inline Var operator*(float c, Var x) {
    return affine(x, c, 0);
}
inline Var operator/(Var x, float c) {
    return affine(x, 1 / c, 0);
}
inline Var operator-(Var x) {
    return affine(x, -1, 0);
}
Var exp(Var x);
Var log(Var x);
Var sqrt(Var x);
Var square(Var x);
Var abs(Var x);
Var reciprocal(Var x);
Var tanh(Var x);
Var sigmoid(Var x);
Var softplus(Var x);  // log(1 + e^x)
Var relu(Var x);
Var leakyRelu(Var x, float slope);
Var silu(Var x);     // x sigmoid(x)
Var gelu(Var x);     // x Phi(x), by its tanh approximation (Hendrycks and Gimpel 2016)
Var erfGelu(Var x);  // x Phi(x)
Var sin(Var x);
Var cos(Var x);
Var floor(Var x);
// Zero with probability p [1], else x / (1 - p); the mask is drawn from the stream of this name.
Var dropout(Var x, const std::string& stream, Var p);
Var step(Var x);  // 1 where x > 0, else 0; gradient zero
Var clampMin(Var x, float low);

// ---- matrices: A [..., K], B [K, C] -> [..., C]
Var matmul(Var a, Var b);
Var matmulTransposedLeft(Var a, Var b);  // A^T B for A [..., R], B [..., C], over all other axes: [R, C]
Var transpose(Var x);                    // of a matrix

// ---- images [B, H, W, I] and weights [k, k, I, O]
Var conv2d(Var x, Var weight, int stride, int padding);  // [B, (H + 2 padding - k) / stride + 1, ..., O]
Var convTranspose2d(Var x, Var weight, int stride,
                    int padding);  // [B, (H - 1) stride - 2 padding + k, ..., O]
Var turnTaps(Var weight);          // [k, k, I, O] -> [k, k, O, I]
Var upsample(Var x, int factor);   // nearest: each pixel factor x factor times
Var sumPool(Var x, int window);
Var avgPool(Var x, int window);
// [B, H, W, k k C] <-> [B, k H, k W, C]: channel (u k + v) C + c is pixel (u, v) of its block.
Var depthToSpace(Var x, int factor);
Var spaceToDepth(Var x, int factor);
Var padImage(Var x, int width);  // zeros around
Var cropImage(Var x, int width);

// ---- along the last axis
Var softmax(Var x);
Var causalSoftmax(Var x);  // [B, heads, T, S]: over s <= t
Var logSumExp(Var x);      // [..., 1]
Var argmax(Var x);         // [..., 1], a whole number; the first of equals
Var topK(Var x, int k);    // x where it is among the k largest of its row, else -1e30

// ---- normalisation; scale and shift [C] or, for each sample, [B, C]; both or neither
// Over the channels of each position (Ba et al. 2016).
Var layerNorm(Var x, float epsilon, Var scale = {}, Var shift = {});
// Over all positions and a group of channels (Wu and He 2018).
Var groupNorm(Var x, int groups, float epsilon, Var scale = {}, Var shift = {});
// Over all samples and positions of each channel (Ioffe and Szegedy 2015); x [..., C], scale and shift [C].
struct BatchMoments {
    Var mean, variance;  // [1, C]; the variance is divided by the count
};
BatchMoments batchMoments(Var x);
Var batchNorm(Var x, const BatchMoments& moments, float epsilon, Var scale, Var shift);

// ---- attention (Vaswani et al. 2017): q [B, T, D], k and v [B, S, D], the channels being heads side by side
Var attentionScores(Var q, Var k, int heads);  // q k^T / sqrt(d): [B, heads, T, S]
Var attentionWeights(Var q, Var k, int heads,
                     bool causal = false);  // softmax(q k^T / sqrt(d)): [B, heads, T, S]
Var attend(Var weights, Var v);             // [B, T, D]

// ---- look-up; an index is a whole number kept as a float
Var gatherRows(Var table, Var index);         // [K, D], [B, N] -> [B, N, D]
Var scatterRows(Var x, Var index, int rows);  // [B, N, D], [B, N] -> [rows, D], sums of the rows of x
Var pick(Var x, Var index);                   // [..., C], [..., 1] -> [..., 1]
Var place(Var x, Var index, int channels);    // [..., 1], [..., 1] -> [..., channels], zeros elsewhere
Var nearestRow(Var x, Var table);             // [..., D], [K, D] -> [..., 1], the first of equals

// ---- reductions
Var sum(Var x);           // [1]
Var mean(Var x);          // [1]
Var sumRows(Var x);       // over the first axis: [1, C]
Var sumColumns(Var x);    // over all others: [R, 1]
Var sumChannels(Var x);   // over the last axis: [..., 1]
Var sumPositions(Var x);  // [B, N, C] -> [B, 1, C], [B, H, W, C] -> [B, 1, 1, C]
Var sumTo(Var x, Shape shape);
Var broadcastTo(Var x, const Shape& shape);

// ---- movement
Var reshape(Var x, const Shape& shape);
Var sliceRows(Var x, int begin, int count);
Var sliceColumns(Var x, int begin, int count);  // of the last axis
Var concatRows(Var x, Var y);
Var concatColumns(Var x, Var y);  // along the last axis

// The same value with no way back for gradients.
Var detach(Var x);

}  // namespace core
