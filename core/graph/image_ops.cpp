// Operations on images [B, H, W, C].
#include "core/graph/ops.h"

namespace core {
namespace {

void checkImage(Var x, const char* name) {
    CHECK(x.shape().rank() == 4, "{}: expected images [B, H, W, C], got {}", name, x.shape().text());
}

void checkKernel(Var x, Var weight, int stride, int padding, const char* name) {
    checkImage(x, name);
    const Shape& w = weight.shape();
    CHECK(w.rank() == 4 && w[0] == w[1], "{}: expected a weight [k, k, I, O], got {}", name, w.text());
    CHECK(w[2] == x.shape()[3], "{}: expected {} channels, got {} in {} and {}", name, w[2], x.shape()[3],
          x.shape().text(), w.text());
    CHECK(stride >= 1 && padding >= 0 && padding < w[0],
          "{}: expected a stride of at least 1 and a padding below {}, got {} and {}", name, w[0], stride,
          padding);
}

Var resized(Op op, Var x, const Shape& shape, int window, const char* name) {
    return x.recorder().add({.op = op, .shape = shape, .inputs = {x.id()}, .window = window, .name = name});
}

Var bordered(Op op, Var x, int by, int width, const char* name) {
    checkImage(x, name);
    const Shape& s = x.shape();
    CHECK(width >= 0 && s[1] + by > 0 && s[2] + by > 0, "{}: expected a width that fits {}, got {}", name,
          s.text(), width);
    if (width == 0) return x;
    return x.recorder().add({.op = op,
                             .shape = {s[0], s[1] + by, s[2] + by, s[3]},
                             .inputs = {x.id()},
                             .offset = width,
                             .name = name});
}

}  // namespace

Var conv2d(Var x, Var weight, int stride, int padding) {
    checkKernel(x, weight, stride, padding, "conv2d");
    const Shape &s = x.shape(), &w = weight.shape();
    const int height = s[1] + 2 * padding - w[0], width = s[2] + 2 * padding - w[0];
    CHECK(height >= 0 && width >= 0,
          "conv2d: expected images of at least {0} x {0} with their padding, got {1}", w[0], s.text());
    return x.recorder().add({.op = Op::convolution,
                             .shape = {s[0], height / stride + 1, width / stride + 1, w[3]},
                             .inputs = {x.id(), weight.id()},
                             .offset = padding,
                             .window = w[0],
                             .stride = stride,
                             .name = "conv2d"});
}

Var convTranspose2d(Var x, Var weight, int stride, int padding) {
    checkKernel(x, weight, stride, padding, "convTranspose2d");
    const Shape &s = x.shape(), &w = weight.shape();
    const auto extent = [&](int n) { return (n - 1) * stride - 2 * padding + w[0]; };
    CHECK(extent(s[1]) > 0 && extent(s[2]) > 0,
          "convTranspose2d: expected images larger than the padding, got {}", s.text());
    return x.recorder().add({.op = Op::convolutionTransposed,
                             .shape = {s[0], extent(s[1]), extent(s[2]), w[3]},
                             .inputs = {x.id(), weight.id()},
                             .offset = padding,
                             .window = w[0],
                             .stride = stride,
                             .name = "convTranspose2d"});
}

Var turnTaps(Var weight) {
    const Shape& s = weight.shape();
    CHECK(s.rank() == 4, "turnTaps: expected a weight [k, k, I, O], got {}", s.text());
    Recorder& r = weight.recorder();
    const Node& n = r.node(weight.id());
    if (n.op == Op::turnTaps) return {r, n.inputs[0]};
    return r.add(
        {.op = Op::turnTaps, .shape = {s[0], s[1], s[3], s[2]}, .inputs = {weight.id()}, .name = "turnTaps"});
}

Var upsample(Var x, int factor) {
    checkImage(x, "upsample");
    CHECK(factor >= 1, "upsample: expected a factor of at least 1, got {}", factor);
    const Shape& s = x.shape();
    return resized(Op::upsample, x, {s[0], s[1] * factor, s[2] * factor, s[3]}, factor, "upsample");
}

Var sumPool(Var x, int window) {
    checkImage(x, "sumPool");
    const Shape& s = x.shape();
    CHECK(window >= 1 && s[1] % window == 0 && s[2] % window == 0,
          "sumPool: expected extents divisible by {}, got {}", window, s.text());
    return resized(Op::sumPool, x, {s[0], s[1] / window, s[2] / window, s[3]}, window, "sumPool");
}

Var avgPool(Var x, int window) {
    return affine(sumPool(x, window), 1.0f / float(window * window), 0);
}

Var depthToSpace(Var x, int factor) {
    checkImage(x, "depthToSpace");
    const Shape& s = x.shape();
    CHECK(factor >= 1 && s[3] % (factor * factor) == 0,
          "depthToSpace: expected channels divisible by {}, got {}", factor * factor, s.text());
    return resized(Op::depthToSpace, x, {s[0], s[1] * factor, s[2] * factor, s[3] / (factor * factor)},
                   factor, "depthToSpace");
}

Var spaceToDepth(Var x, int factor) {
    checkImage(x, "spaceToDepth");
    const Shape& s = x.shape();
    CHECK(factor >= 1 && s[1] % factor == 0 && s[2] % factor == 0,
          "spaceToDepth: expected extents divisible by {}, got {}", factor, s.text());
    return resized(Op::spaceToDepth, x, {s[0], s[1] / factor, s[2] / factor, s[3] * factor * factor}, factor,
                   "spaceToDepth");
}

Var padImage(Var x, int width) {
    return bordered(Op::padImage, x, 2 * width, width, "padImage");
}

Var cropImage(Var x, int width) {
    return bordered(Op::cropImage, x, -2 * width, width, "cropImage");
}

}  // namespace core
