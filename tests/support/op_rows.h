// Every operation as a row of one table, and every optimizer in one graph, which each device's tests go
// through; adding an operation adds a row.
#pragma once

#include <cmath>
#include <random>

#include "core/graph/gradient.h"
#include "core/graph/ops.h"

namespace support {

using namespace core;

using Inputs = std::vector<Var>;

struct Row {
    const char* name;
    std::vector<Shape> inputs;
    std::function<Var(Recorder&, const Inputs&)> build;
    double low = -2, high = 2;  // of the inputs; never closer to a kink at zero than 0.1
    bool twice = true;          // has a gradient of the gradient that penalties may need
};

inline TablePtr smallTable() {
    auto table = std::make_shared<Table>(Table{11, 3, {}, {}});
    for (int i = 0; i < 33; ++i) table->values.push_back(float(i) / 7 - 2);
    return table;
}

inline Var signOf(Recorder& r, Var x) {
    return r.add({.op = Op::sign, .shape = x.shape(), .inputs = {x.id()}, .name = "sign"});
}

inline Var slopeOf(Op op, Var x) {
    return x.recorder().add({.op = op, .shape = x.shape(), .inputs = {x.id()}, .name = "slope"});
}

// Indices of five rows, one of them twice and one never.
inline Var someIndex(Recorder& r, const Shape& shape) {
    return r.constant(shape, {3, 0, 1, 4, 3, 1});
}

inline Var weightOfConvolution(Recorder& r, Var x, Var dy, int window, int stride, int padding) {
    return r.add({.op = Op::convolutionWeight,
                  .shape = {window, window, x.shape()[3], dy.shape()[3]},
                  .inputs = {x.id(), dy.id()},
                  .offset = padding,
                  .window = window,
                  .stride = stride,
                  .name = "weight"});
}

inline Var turnTapsOf(Recorder& r, Var w) {
    const Shape& s = w.shape();
    return r.add(
        {.op = Op::turnTaps, .shape = {s[0], s[1], s[3], s[2]}, .inputs = {w.id()}, .name = "turnTaps"});
}

inline Var scoresOf(Recorder& r, Var q, Var k, int heads, float scale) {
    return r.add({.op = Op::headScores,
                  .shape = {q.shape()[0], heads, q.shape()[1], k.shape()[1]},
                  .inputs = {q.id(), k.id()},
                  .a = scale,
                  .parts = heads,
                  .name = "scores"});
}

inline Var mixTransposedOf(Recorder& r, Var weights, Var x) {
    const Shape& p = weights.shape();
    return r.add({.op = Op::headMixTransposed,
                  .shape = {p[0], p[3], x.shape()[2]},
                  .inputs = {weights.id(), x.id()},
                  .parts = p[1],
                  .name = "mix"});
}

inline const std::vector<Row>& table() {
    using R = Recorder&;
    using In = const Inputs&;
    static const std::vector<Row> rows = {
        // ---- leaves that are computed
        {"fill", {{3, 5}}, [](R r, In x) { return x[0] * r.fill({3, 5}, 1.5f) + r.fill({1, 5}, 0.5f); }},
        {"uniform", {{7, 5}}, [](R r, In x) { return x[0] * r.uniform("u", {7, 5}, -1, 2); }},
        {"normal", {{7, 5}}, [](R r, In x) { return x[0] * r.normal("n", {7, 5}); }},
        {"drawRows", {{5, 3}}, [](R r, In x) { return x[0] * r.drawRows("d", smallTable(), 5); }},
        // ---- pointwise
        {"reshape", {{6, 5}}, [](R, In x) { return square(reshape(x[0], {3, 10})); }},
        {"affine", {{7, 5}}, [](R, In x) { return affine(x[0], -1.7f, 0.3f); }},
        {"exp", {{7, 5}}, [](R, In x) { return exp(x[0]); }},
        {"log", {{7, 5}}, [](R, In x) { return log(x[0]); }, 0.2, 3},
        {"sqrt", {{7, 5}}, [](R, In x) { return sqrt(x[0]); }, 0.2, 3},
        {"square", {{7, 5}}, [](R, In x) { return square(x[0]); }},
        {"abs", {{7, 5}}, [](R, In x) { return abs(x[0]); }},
        {"reciprocal", {{7, 5}}, [](R, In x) { return reciprocal(x[0]); }, 0.4, 3},
        {"tanh", {{7, 5}}, [](R, In x) { return tanh(x[0]); }},
        {"sigmoid", {{7, 5}}, [](R, In x) { return sigmoid(x[0]); }, -4, 4},
        {"softplus", {{7, 5}}, [](R, In x) { return softplus(x[0]); }, -4, 4},
        {"relu", {{7, 5}}, [](R, In x) { return relu(x[0]); }},
        {"leakyRelu", {{7, 5}}, [](R, In x) { return leakyRelu(x[0], 0.2f); }},
        {"step", {{7, 5}}, [](R, In x) { return x[0] * step(x[0]); }},
        {"sign", {{7, 5}}, [](R r, In x) { return x[0] * signOf(r, x[0]); }},
        {"clampMin", {{7, 5}}, [](R, In x) { return clampMin(x[0], 0); }},
        {"silu", {{7, 5}}, [](R, In x) { return silu(x[0]); }, -6, 6},
        {"siluSlope", {{7, 5}}, [](R, In x) { return slopeOf(Op::siluSlope, x[0]); }, -6, 6},
        {"gelu", {{7, 5}}, [](R, In x) { return gelu(x[0]); }, -4, 4, false},
        {"erfGelu", {{7, 5}}, [](R, In x) { return erfGelu(x[0]); }, -4, 4},
        {"erfGeluSlope", {{7, 5}}, [](R, In x) { return slopeOf(Op::erfGeluSlope, x[0]); }, -4, 4},
        {"sin", {{7, 5}}, [](R, In x) { return sin(x[0]); }, -9, 9},
        {"cos", {{7, 5}}, [](R, In x) { return cos(x[0]); }, -9, 9},
        {"floor", {{7, 5}}, [](R, In x) { return x[0] * floor(0.01f * x[0] + 1.5f); }},
        {"dropout", {{7, 5}}, [](R r, In x) { return square(dropout(x[0], "m", r.fill({1}, 0.3f))); }},
        {"detach", {{7, 5}}, [](R, In x) { return x[0] * detach(sigmoid(x[0])) * 0.0f + square(x[0]); }},
        // ---- pointwise on two, with each way of repeating the smaller
        {"add", {{7, 5}, {7, 5}}, [](R, In x) { return x[0] + x[1]; }},
        {"add a row", {{7, 5}, {1, 5}}, [](R, In x) { return x[0] + x[1]; }},
        {"add a vector", {{7, 5}, {5}}, [](R, In x) { return x[0] + x[1]; }},
        {"add a column", {{7, 5}, {7, 1}}, [](R, In x) { return x[0] + x[1]; }},
        {"add a scalar", {{7, 5}, {1}}, [](R, In x) { return x[0] + x[1]; }},
        {"add to a row", {{1, 5}, {7, 5}}, [](R, In x) { return x[0] + x[1]; }},
        {"subtract", {{7, 5}, {7, 5}}, [](R, In x) { return x[0] - x[1]; }},
        {"subtract a row", {{7, 5}, {1, 5}}, [](R, In x) { return x[0] - x[1]; }},
        {"subtract a column", {{7, 5}, {7, 1}}, [](R, In x) { return x[0] - x[1]; }},
        {"subtract a scalar", {{7, 5}, {1}}, [](R, In x) { return x[0] - x[1]; }},
        {"subtract from a column", {{7, 1}, {7, 5}}, [](R, In x) { return x[0] - x[1]; }},
        {"multiply", {{7, 5}, {7, 5}}, [](R, In x) { return x[0] * x[1]; }},
        {"multiply by a row", {{7, 5}, {1, 5}}, [](R, In x) { return x[0] * x[1]; }},
        {"multiply by a column", {{7, 5}, {7, 1}}, [](R, In x) { return x[0] * x[1]; }},
        {"multiply by a scalar", {{7, 5}, {1}}, [](R, In x) { return x[0] * x[1]; }},
        {"multiply a column", {{7, 1}, {7, 5}}, [](R, In x) { return x[0] * x[1]; }},
        {"multiply by itself", {{7, 5}}, [](R, In x) { return x[0] * x[0]; }},
        {"divide", {{7, 5}, {7, 5}}, [](R, In x) { return x[0] / x[1]; }, 0.4, 3},
        {"divide by a row", {{7, 5}, {1, 5}}, [](R, In x) { return x[0] / x[1]; }, 0.4, 3},
        {"divide by a column", {{7, 5}, {7, 1}}, [](R, In x) { return x[0] / x[1]; }, 0.4, 3},
        {"divide by a scalar", {{7, 5}, {1}}, [](R, In x) { return x[0] / x[1]; }, 0.4, 3},
        {"divide a row", {{1, 5}, {7, 5}}, [](R, In x) { return x[0] / x[1]; }, 0.4, 3},
        {"divide a scalar", {{1}, {7, 5}}, [](R, In x) { return x[0] / x[1]; }, 0.4, 3},
        {"divide tokens by channels", {{3, 5, 7}, {7}}, [](R, In x) { return x[0] / x[1]; }, 0.4, 3},
        {"divide tokens by samples", {{3, 5, 7}, {3, 1}}, [](R, In x) { return x[0] / x[1]; }, 0.4, 3},
        {"divide tokens by channels of samples", {{3, 5, 7}, {3, 7}},
         [](R, In x) { return x[0] / x[1]; }, 0.4, 3},
        {"divide tokens by positions", {{3, 5, 7}, {1, 5, 7}}, [](R, In x) { return x[0] / x[1]; }, 0.4, 3},
        {"divide tokens by one a position", {{3, 5, 7}, {3, 5, 1}},
         [](R, In x) { return x[0] / x[1]; }, 0.4, 3},
        {"divide one a position by tokens", {{1, 5, 1}, {3, 5, 7}},
         [](R, In x) { return x[0] / x[1]; }, 0.4, 3},
        {"divide images by channels of samples", {{2, 3, 5, 7}, {2, 1, 1, 7}},
         [](R, In x) { return x[0] / x[1]; }, 0.4, 3},
        // ---- matrices
        {"matmul", {{7, 5}, {5, 9}}, [](R, In x) { return matmul(x[0], x[1]); }},
        {"matmul of many tiles", {{37, 29}, {29, 53}}, [](R, In x) { return matmul(x[0], x[1]); }},
        {"matmul to one column", {{13, 17}, {17, 1}}, [](R, In x) { return matmul(x[0], x[1]); }},
        {"matmul with W^T", {{13, 7}, {5, 7}}, [](R, In x) { return matmul(x[0], transpose(x[1])); }},
        {"matmul transposed left", {{7, 5}, {7, 9}}, [](R, In x) { return matmulTransposedLeft(x[0], x[1]); }},
        {"matmul of samples and positions", {{3, 5, 7}, {7, 9}}, [](R, In x) { return matmul(x[0], x[1]); }},
        {"matmul of pixels", {{2, 3, 4, 5}, {5, 33}}, [](R, In x) { return matmul(x[0], x[1]); }},
        {"matmul transposed left of samples", {{3, 5, 7}, {3, 5, 9}}, [](R, In x) {
             return matmulTransposedLeft(x[0], x[1]);
         }},
        {"matmul transposed left of pixels", {{2, 3, 4, 5}, {2, 3, 4, 33}}, [](R, In x) {
             return matmulTransposedLeft(x[0], x[1]);
         }},
        {"transpose", {{7, 5}}, [](R, In x) { return square(transpose(x[0])); }},
        // ---- convolutions
        {"conv2d 3x3", {{2, 5, 6, 3}, {3, 3, 3, 5}}, [](R, In x) { return conv2d(x[0], x[1], 1, 1); }},
        {"conv2d 3x3, no padding", {{2, 5, 4, 3}, {3, 3, 3, 5}}, [](R, In x) { return conv2d(x[0], x[1], 1, 0); }},
        {"conv2d 3x3, two around", {{2, 3, 4, 2}, {3, 3, 2, 3}}, [](R, In x) { return conv2d(x[0], x[1], 1, 2); }},
        {"conv2d 3x3 of odd images, every other pixel", {{2, 7, 5, 3}, {3, 3, 3, 4}}, [](R, In x) { return conv2d(x[0], x[1], 2, 1); }},
        {"conv2d 3x3 of even images, every other pixel", {{2, 6, 8, 3}, {3, 3, 3, 4}}, [](R, In x) { return conv2d(x[0], x[1], 2, 1); }},
        {"conv2d 1x1", {{2, 5, 3, 5}, {1, 1, 5, 33}}, [](R, In x) { return conv2d(x[0], x[1], 1, 0); }, -0.5, 0.5},
        {"conv2d 1x1, every other pixel", {{2, 5, 4, 5}, {1, 1, 5, 3}}, [](R, In x) { return conv2d(x[0], x[1], 2, 0); }},
        {"conv2d 4x4, every other pixel", {{2, 6, 8, 3}, {4, 4, 3, 5}}, [](R, In x) { return conv2d(x[0], x[1], 2, 1); }},
        {"conv2d of patches", {{2, 4, 6, 3}, {2, 2, 3, 5}}, [](R, In x) { return conv2d(x[0], x[1], 2, 0); }},
        {"conv2d 1 channel to 33", {{2, 5, 4, 1}, {3, 3, 1, 33}}, [](R, In x) { return conv2d(x[0], x[1], 1, 1); }},
        {"conv2d 33 channels to 1", {{2, 5, 4, 33}, {3, 3, 33, 1}}, [](R, In x) { return conv2d(x[0], x[1], 1, 1); }, -0.5, 0.5},
        {"conv2d 13 channels to 17", {{2, 4, 3, 13}, {3, 3, 13, 17}}, [](R, In x) { return conv2d(x[0], x[1], 1, 1); }},
        {"convTranspose2d 3x3", {{2, 5, 4, 3}, {3, 3, 3, 5}}, [](R, In x) { return convTranspose2d(x[0], x[1], 1, 1); }},
        {"convTranspose2d 3x3, every other pixel", {{2, 3, 4, 3}, {3, 3, 3, 5}}, [](R, In x) { return convTranspose2d(x[0], x[1], 2, 1); }},
        {"convTranspose2d 4x4, every other pixel", {{2, 3, 4, 5}, {4, 4, 5, 3}}, [](R, In x) { return convTranspose2d(x[0], x[1], 2, 1); }},
        {"convTranspose2d of patches", {{2, 2, 3, 5}, {2, 2, 5, 3}}, [](R, In x) { return convTranspose2d(x[0], x[1], 2, 0); }},
        {"convTranspose2d with gaps", {{2, 3, 2, 3}, {2, 2, 3, 4}}, [](R, In x) { return convTranspose2d(x[0], x[1], 3, 0); }},
        {"convTranspose2d 4x4 to one channel", {{2, 3, 4, 17}, {4, 4, 17, 1}}, [](R, In x) { return convTranspose2d(x[0], x[1], 2, 1); }},
        {"weight of conv2d 3x3", {{2, 5, 4, 3}, {2, 5, 4, 5}}, [](R r, In x) { return weightOfConvolution(r, x[0], x[1], 3, 1, 1); }},
        {"weight of conv2d 3x3, every other pixel", {{2, 6, 5, 3}, {2, 3, 3, 5}}, [](R r, In x) { return weightOfConvolution(r, x[0], x[1], 3, 2, 1); }},
        {"weight of conv2d 1x1", {{2, 3, 4, 5}, {2, 3, 4, 3}}, [](R r, In x) { return weightOfConvolution(r, x[0], x[1], 1, 1, 0); }},
        {"turnTaps", {{3, 3, 5, 7}}, [](R r, In x) { return square(turnTapsOf(r, x[0])); }},
        // ---- attention
        {"scores of heads", {{2, 5, 9}, {2, 7, 9}}, [](R r, In x) { return scoresOf(r, x[0], x[1], 3, 0.7f); }},
        {"scores of one head", {{2, 3, 5}, {2, 3, 5}}, [](R r, In x) { return scoresOf(r, x[0], x[1], 1, 1); }},
        {"attend", {{2, 3, 5, 7}, {2, 7, 9}}, [](R, In x) { return attend(x[0], x[1]); }},
        {"attend from the keys", {{2, 3, 5, 7}, {2, 5, 9}}, [](R r, In x) { return mixTransposedOf(r, x[0], x[1]); }},
        // ---- reductions
        {"sum", {{7, 5}}, [](R, In x) { return sum(x[0]); }},
        {"mean", {{7, 5}}, [](R, In x) { return mean(square(x[0])); }},
        {"sumRows", {{19, 21}}, [](R, In x) { return sumRows(x[0]); }},
        {"sumColumns", {{7, 5}}, [](R, In x) { return sumColumns(x[0]); }},
        {"sumColumns, long", {{5, 37}}, [](R, In x) { return sumColumns(x[0]); }},
        {"broadcast a scalar", {{1}}, [](R, In x) { return broadcastTo(x[0], {7, 5}); }},
        {"broadcast a row", {{1, 5}}, [](R, In x) { return broadcastTo(x[0], {7, 5}); }},
        {"broadcast a column", {{7, 1}}, [](R, In x) { return broadcastTo(x[0], {7, 5}); }},
        {"sumChannels", {{3, 5, 21}}, [](R, In x) { return sumChannels(x[0]); }},
        {"sumChannels, short", {{2, 3, 5, 7}}, [](R, In x) { return sumChannels(x[0]); }},
        {"sumPositions", {{2, 3, 5, 7}}, [](R, In x) { return sumPositions(x[0]); }},
        {"sum of tokens", {{3, 5, 7}}, [](R, In x) { return sum(x[0]); }},
        {"sum of tokens to channels", {{3, 5, 7}}, [](R, In x) { return sumTo(x[0], {7}); }},
        {"sum of tokens to samples", {{3, 5, 7}}, [](R, In x) { return sumColumns(x[0]); }},
        {"sum of tokens to positions", {{3, 5, 7}}, [](R, In x) { return sumTo(x[0], {1, 5, 1}); }},
        {"sum of tokens over samples", {{3, 5, 7}}, [](R, In x) { return sumTo(x[0], {1, 5, 7}); }},
        {"broadcast channels", {{7}}, [](R, In x) { return broadcastTo(x[0], {3, 5, 7}); }},
        {"broadcast channels of samples", {{3, 7}}, [](R, In x) { return broadcastTo(x[0], {3, 5, 7}); }},
        {"broadcast positions", {{1, 5, 1}}, [](R, In x) { return broadcastTo(x[0], {3, 5, 7}); }},
        // ---- movement
        {"sliceRows", {{7, 5}}, [](R, In x) { return sliceRows(x[0], 2, 3); }},
        {"sliceColumns", {{7, 5}}, [](R, In x) { return sliceColumns(x[0], 1, 3); }},
        {"concatRows", {{7, 5}, {3, 5}}, [](R, In x) { return concatRows(x[0], x[1]); }},
        {"concatColumns", {{7, 5}, {7, 2}}, [](R, In x) { return concatColumns(x[0], x[1]); }},
        {"sliceColumns of images", {{2, 3, 5, 7}}, [](R, In x) { return sliceColumns(x[0], 2, 4); }},
        {"concatColumns of tokens", {{3, 5, 7}, {3, 5, 2}},
         [](R, In x) { return concatColumns(x[0], x[1]); }},
        {"slices side by side", {{3, 5, 7}}, [](R, In x) {
             return sliceColumns(x[0], 4, 2) * sliceColumns(x[0], 0, 2) + sliceColumns(x[0], 2, 2);
         }},
        // ---- images
        {"upsample", {{2, 3, 5, 7}}, [](R, In x) { return upsample(x[0], 2); }},
        {"sumPool", {{2, 6, 3, 7}}, [](R, In x) { return sumPool(x[0], 3); }},
        {"avgPool", {{2, 6, 4, 7}}, [](R, In x) { return avgPool(x[0], 2); }},
        {"depthToSpace", {{2, 3, 5, 12}}, [](R, In x) { return depthToSpace(x[0], 2); }},
        {"spaceToDepth", {{2, 6, 9, 2}}, [](R, In x) { return spaceToDepth(x[0], 3); }},
        {"padImage", {{2, 3, 5, 7}}, [](R, In x) { return padImage(x[0], 2); }},
        {"cropImage", {{2, 5, 7, 3}}, [](R, In x) { return cropImage(x[0], 1); }},
        // ---- along the last axis
        {"softmax of tokens", {{3, 5, 19}}, [](R, In x) { return softmax(x[0]); }},
        {"causalSoftmax", {{2, 3, 5, 5}}, [](R, In x) { return causalSoftmax(x[0]); }},
        {"softmaxGradient", {{7, 5}, {7, 5}}, [](R r, In x) {
             return r.gradient(sum(softmax(x[0]) * x[1]), {x[0]})[0];
         }},
        {"logSumExp", {{3, 5, 19}}, [](R, In x) { return logSumExp(x[0]); }},
        {"argmax", {{7, 5}}, [](R, In x) { return x[0] * (argmax(x[0]) + 1.0f); }},
        {"topK", {{7, 9}}, [](R, In x) { return softmax(topK(x[0], 4)); }},
        // ---- normalisation
        {"layerNorm", {{3, 5, 19}}, [](R, In x) { return layerNorm(x[0], 1e-2f); }, -2, 2, false},
        {"layerNorm of rows", {{5, 19}, {19}, {19}},
         [](R, In x) { return layerNorm(x[0], 1e-2f, x[1], x[2]); }, -2, 2, false},
        {"layerNorm, modulated", {{3, 5, 7}, {3, 7}, {3, 7}},
         [](R, In x) { return layerNorm(x[0], 1e-2f, x[1], x[2]); }, -2, 2, false},
        {"layerNorm of images", {{2, 3, 5, 7}, {7}, {7}},
         [](R, In x) { return layerNorm(x[0], 1e-2f, x[1], x[2]); }, -2, 2, false},
        {"groupNorm", {{2, 3, 5, 6}}, [](R, In x) { return groupNorm(x[0], 3, 1e-2f); }, -2, 2, false},
        {"groupNorm with a scale", {{2, 3, 5, 6}, {6}, {6}},
         [](R, In x) { return groupNorm(x[0], 2, 1e-2f, x[1], x[2]); }, -2, 2, false},
        {"groupNorm, modulated", {{3, 5, 6}, {3, 6}, {3, 6}},
         [](R, In x) { return groupNorm(x[0], 2, 1e-2f, x[1], x[2]); }, -2, 2, false},
        {"groupNorm of rows", {{5, 6}, {6}, {6}},
         [](R, In x) { return groupNorm(x[0], 2, 1e-2f, x[1], x[2]); }, -2, 2, false},
        {"batchNorm", {{5, 3}, {3}, {3}},
         [](R, In x) { return batchNorm(x[0], batchMoments(x[0]), 1e-2f, x[1], x[2]); }},
        {"batchNorm of images", {{2, 3, 5, 6}, {6}, {6}},
         [](R, In x) { return batchNorm(x[0], batchMoments(x[0]), 1e-2f, x[1], x[2]); }},
        // ---- look-up
        {"gatherRows", {{5, 7}}, [](R r, In x) { return gatherRows(x[0], someIndex(r, {2, 3})); }},
        {"scatterRows", {{2, 3, 7}}, [](R r, In x) { return scatterRows(x[0], someIndex(r, {2, 3}), 5); }},
        {"scatterRows of many",
         {{3, 700, 8}},
         [](R r, In x) {
             std::vector<float> index(3 * 700);
             for (size_t i = 0; i < index.size(); ++i) index[i] = i < 500 ? 2.0f : float(i * i % 5);
             return scatterRows(x[0], r.constant({3, 700}, std::move(index)), 6);
         }},
        {"pick", {{2, 3, 5}}, [](R r, In x) { return pick(x[0], someIndex(r, {2, 3, 1})); }},
        {"place", {{2, 3, 1}}, [](R r, In x) { return place(x[0], someIndex(r, {2, 3, 1}), 5); }},
        {"nearestRow", {{2, 3, 5}, {4, 5}}, [](R, In x) {
             const Var index = nearestRow(x[0], x[1]);
             return gatherRows(x[1], reshape(index, {2, 3})) * (x[0] + index);
         }},
        // ---- what networks and penalties are made of
        {"a layer", {{13, 7}, {5, 7}, {5}}, [](R, In x) {
             return leakyRelu(matmul(x[0], transpose(x[1])) + x[2], 0.2f);
         }},
        {"length of rows", {{7, 5}}, [](R, In x) { return sqrt(sumColumns(square(x[0])) + 1e-12f); }},
        {"softmax", {{7, 5}}, [](R, In x) { return exp(x[0]) / sumColumns(exp(x[0])); }},
        {"the gradient of a network", {{5, 3}, {4, 3}, {1, 4}}, [](R r, In x) {
             const Var d = matmul(tanh(matmul(x[0], transpose(x[1]))), transpose(x[2]));
             return square(sumColumns(square(r.gradient(sum(d), {x[0]})[0])) - 1);
         }},
    };
    return rows;
}

// A row recorded: y, the loss sum(w y^2 / 2 + v y) with fixed w and v, its gradients, and the loss of
// those with its own gradients.
struct Recorded {
    Layout layout;
    std::shared_ptr<const Graph> graph;
    std::vector<NodeId> inputs, first, second;
    NodeId loss = -1, penalty = -1;
};

inline std::vector<float> drawn(std::mt19937& engine, int64_t n, double low, double high) {
    std::uniform_real_distribution<double> spread(low, high);
    std::vector<float> values;
    while (int64_t(values.size()) < n) {
        const float x = float(spread(engine));
        if (low >= 0 || std::abs(x) > 0.1f) values.push_back(x);
    }
    return values;
}

inline std::unique_ptr<Recorded> record(const Row& row) {
    std::mt19937 engine(7);
    auto out = std::make_unique<Recorded>();
    Recorder r(out->layout, Recorder::Access::train);
    Inputs x;
    for (const Shape& shape : row.inputs)
        x.push_back(
            r.handle(fmt::format("x{}", x.size()), shape, drawn(engine, shape.size(), row.low, row.high)));
    const Var y = r.probe("y", row.build(r, x));
    const auto weights = [&] { return r.constant(y.shape(), drawn(engine, y.shape().size(), -1, 1)); };
    const Var loss = r.probe("loss", sum(0.5f * (weights() * square(y)) + weights() * y));
    const std::vector<Var> g = r.gradient(loss, x);
    Var penalty = r.fill({1}, 0);
    for (size_t i = 0; i < x.size(); ++i) {
        r.probe(fmt::format("g{}", i), g[i]);
        const Var u = r.constant(g[i].shape(), drawn(engine, g[i].shape().size(), -1, 1));
        penalty = penalty + sum(square(g[i]) + u * g[i]);
    }
    r.probe("penalty", penalty);
    const std::vector<Var> h = row.twice ? r.gradient(penalty, x) : std::vector<Var>();
    for (size_t i = 0; i < h.size(); ++i) r.probe(fmt::format("h{}", i), h[i]);
    for (Var v : x) out->inputs.push_back(v.id());
    for (Var v : g) out->first.push_back(v.id());
    for (Var v : h) out->second.push_back(v.id());
    out->loss = loss.id();
    out->penalty = penalty.id();
    out->graph = std::make_shared<const Graph>(r.take());
    return out;
}

// Every optimizer with its options, and an assignment; a phase runs twice.
inline std::shared_ptr<const Graph> recordUpdates(Layout& layout) {
    Recorder r(layout, Recorder::Access::train);
    r.phase("adam", [] { return 2; });
    const Var w = r.parameter("a.weight", {5, 3}, {Initial::uniform, 0.5f});
    const Var b = r.parameter("a.bias", {5}, {Initial::constant, 0.1f});
    const Var s = r.state("a.mean", {1, 5}, {Initial::normal, 1});
    const Var y = tanh(matmul(r.normal("x", {17, 3}), transpose(w)) + b + s);
    r.minimize(r.probe("loss", mean(square(y - 0.5f))), "a", Adam{{0.01f}, {0.9f}, {0.99f}, 1e-8f, {0.1f}},
               {.clip = {0.05f}, .average = r.fill({1}, 0.9f)});
    r.assign(s, 0.9f * s + (0.1f / 17) * sumRows(y));
    r.phase("sgd");
    const Var c = r.parameter("c", {3, 5}, {Initial::uniform, 0.5f});
    const Var all = matmul(r.uniform("u", {9, 3}, -1, 1), c) + s;
    r.update(r.gradients(mean(square(all) + sum(square(w))), "c"), Sgd{{0.05f}, {0.5f}});
    r.phase("rmsProp");
    const Var d = r.parameter("d", {3, 5}, {Initial::uniform, 0.5f});
    r.update(r.gradients(sum(square(d - c)), "d"), RmsProp{{0.01f}, {0.9f}}, {.average = r.fill({1}, 0.5f)});
    return std::make_shared<const Graph>(r.take());
}

}  // namespace support
