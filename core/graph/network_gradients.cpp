#include "core/graph/network_gradients.h"

#include "core/graph/ops.h"

namespace core {
namespace {

Var like(const Node& n, Op op, const Shape& shape, const std::vector<Var>& inputs, const char* name) {
    Node out{.op = op, .shape = shape, .name = name};
    for (Var v : inputs) out.inputs.push_back(v.id());
    out.a = n.a;
    out.offset = n.offset;
    out.window = n.window;
    out.stride = n.stride;
    out.parts = n.parts;
    out.causal = n.causal;
    return inputs[0].recorder().add(std::move(out));
}

// d weight of the convolution n of x, given dy. A matrix at first, whose rows the workers share.
Var weightGradient(const Node& n, Var x, Var dy) {
    const int k = n.window, in = x.shape().channels(), out = dy.shape().channels();
    return reshape(like(n, Op::convolutionWeight, {k * k * in, out}, {x, dy}, "convolutionWeight"),
                   {k, k, in, out});
}

// Convolution, its converse and its weight's gradient are closed under differentiation.
Var ofConvolution(const Node& n, Var x, Var other, Var dy, int which) {
    switch (n.op) {
        case Op::convolution:
            return which == 0 ? like(n, Op::convolutionTransposed, x.shape(), {dy, turnTaps(other)},
                                     "convTranspose2d")
                              : weightGradient(n, x, dy);
        case Op::convolutionTransposed:
            return which == 0 ? like(n, Op::convolution, x.shape(), {dy, turnTaps(other)}, "conv2d")
                              : turnTaps(weightGradient(n, dy, x));
        default: {  // convolutionWeight of x and `other`, the gradient of a convolution's result
            const Var w = reshape(dy, {n.window, n.window, x.shape().channels(), other.shape().channels()});
            return which == 0 ? like(n, Op::convolutionTransposed, x.shape(), {other, turnTaps(w)},
                                     "convTranspose2d")
                              : like(n, Op::convolution, other.shape(), {x, w}, "conv2d");
        }
    }
}

Var ofNormalise(const Node& n, Var x, Var dy, int which) {
    Recorder& r = x.recorder();
    const Var moments(r, n.inputs[1]);
    if (which == 1) return Var();  // the moments' share is in that of x
    if (which == 3) return sumTo(dy, r.node(n.inputs[3]).shape);
    if (which == 2) {
        Shape perSample = x.shape().rank() == 4   ? Shape{x.shape()[0], 1, 1, x.shape()[3]}
                          : x.shape().rank() == 3 ? Shape{x.shape()[0], 1, x.shape()[2]}
                                                  : x.shape();
        const Var share =
            like(n, Op::normaliseScaleGradient, perSample, {dy, x, moments}, "normaliseScaleGradient");
        return sumTo(share, r.node(n.inputs[2]).shape);
    }
    std::vector<Var> inputs = {dy, x, moments};
    if (n.inputs.size() > 2) inputs.emplace_back(r, n.inputs[2]);
    return like(n, Op::normaliseGradient, x.shape(), inputs, "normaliseGradient");
}

Var ofSoftmax(const Node& n, Var x, Var other, Var y, Var dy, int which) {
    if (n.op == Op::softmax) return like(n, Op::softmaxGradient, x.shape(), {dy, y}, "softmaxGradient");
    if (n.op == Op::logSumExp) return softmax(x) * dy;
    // dx = s (g - <g, s>) of g = x and the softmax s = other: linear in g, and symmetric.
    if (which == 0) return like(n, Op::softmaxGradient, x.shape(), {dy, other}, "softmaxGradient");
    return dy * (x - sumChannels(x * other)) - x * sumChannels(dy * other);
}

Var ofHeads(const Node& n, Var x, Var other, Var dy, int which) {
    const float scale = n.op == Op::headScores ? n.a : 1;
    const auto scaled = [&](Var v) { return affine(v, scale, 0); };
    switch (n.op) {
        case Op::headScores:  // a q k^T
            return which == 0 ? scaled(like(n, Op::headMix, x.shape(), {dy, other}, "headMix"))
                              : scaled(like(n, Op::headMixTransposed, other.shape(), {dy, x}, "headMix"));
        case Op::headMix:  // P v
        {
            if (which == 1) return like(n, Op::headMixTransposed, other.shape(), {x, dy}, "headMix");
            Node scores{.op = Op::headScores,
                        .shape = x.shape(),
                        .inputs = {dy.id(), other.id()},
                        .a = 1,
                        .parts = n.parts,
                        .name = "headScores"};
            return x.recorder().add(std::move(scores));
        }
        default:  // P^T x
        {
            if (which == 1) return like(n, Op::headMix, other.shape(), {x, dy}, "headMix");
            Node scores{.op = Op::headScores,
                        .shape = x.shape(),
                        .inputs = {other.id(), dy.id()},
                        .a = 1,
                        .parts = n.parts,
                        .name = "headScores"};
            return x.recorder().add(std::move(scores));
        }
    }
}

Var ofMovement(const Node& n, Var x, Var dy) {
    switch (n.op) {
        case Op::turnTaps:
            return turnTaps(dy);
        case Op::upsample:
            return sumPool(dy, n.window);
        case Op::sumPool:
            return upsample(dy, n.window);
        case Op::depthToSpace:
            return spaceToDepth(dy, n.window);
        case Op::spaceToDepth:
            return depthToSpace(dy, n.window);
        case Op::padImage:
            return cropImage(dy, int(n.offset));
        default:
            return like(n, Op::padImage, x.shape(), {dy}, "padImage");
    }
}

Var ofLookUp(const Node& n, Var x, Var other, Var dy, int which) {
    switch (n.op) {
        case Op::gatherRows:
            return which == 0 ? scatterRows(dy, other, x.shape()[0]) : Var();
        case Op::scatterRows:
            return which == 0 ? gatherRows(dy, other) : Var();
        case Op::pick:
            return which == 0 ? place(dy, other, x.shape().channels()) : Var();
        default:
            return which == 0 ? pick(dy, other) : Var();
    }
}

}  // namespace

Var networkInputGradient(const Node& n, Var y, Var dy, int which) {
    Recorder& r = y.recorder();
    const Var x(r, n.inputs[0]);
    const Var other = n.inputs.size() > 1 ? Var(r, n.inputs[1]) : Var();
    switch (n.op) {
        case Op::convolution:
        case Op::convolutionTransposed:
        case Op::convolutionWeight:
            return ofConvolution(n, x, other, dy, which);
        case Op::turnTaps:
        case Op::upsample:
        case Op::sumPool:
        case Op::depthToSpace:
        case Op::spaceToDepth:
        case Op::padImage:
        case Op::cropImage:
            return ofMovement(n, x, dy);
        case Op::softmax:
        case Op::softmaxGradient:
        case Op::logSumExp:
            return ofSoftmax(n, x, other, y, dy, which);
        case Op::topK:  // through what stayed
            return dy * step(affine(y, 1, 5e29f));
        case Op::normalise:
            return ofNormalise(n, x, dy, which);
        case Op::headScores:
        case Op::headMix:
        case Op::headMixTransposed:
            return ofHeads(n, x, other, dy, which);
        case Op::gatherRows:
        case Op::scatterRows:
        case Op::pick:
        case Op::place:
            return ofLookUp(n, x, other, dy, which);
        case Op::moments:  // reached through normalise, which answers for it
        case Op::argmax:
        case Op::nearestRow:
            return Var();
        default:
            throw Error(fmt::format("{}: expected an operation with a gradient, found none", n.name));
    }
}

}  // namespace core
