#include "core/graph/gradient.h"

#include "core/graph/network_gradients.h"
#include "core/graph/ops.h"

namespace core {
namespace {

// The derivative of a function of one variable, elsewhere a kernel of its own.
Var slope(Op op, Var x) {
    return x.recorder().add({.op = op, .shape = x.shape(), .inputs = {x.id()}, .name = "slope"});
}

// What `dy`, the gradient of the loss at y, says of y's input number `which`. An empty Var means zero.
Var inputGradient(const Node& n, Var y, Var dy, int which) {
    Recorder& r = y.recorder();
    const Var x(r, n.inputs[0]);
    const Var other = n.inputs.size() > 1 ? Var(r, n.inputs[1]) : Var();
    switch (n.op) {
        case Op::reshape:
            return n.detached ? Var() : reshape(dy, x.shape());
        case Op::affine:
            return affine(dy, n.a, 0);
        case Op::exp:
            return dy * y;
        case Op::log:
            return dy / x;
        case Op::sqrt:
            return dy * affine(reciprocal(y), 0.5f, 0);
        case Op::square:
            return dy * affine(x, 2, 0);
        case Op::abs:
            return dy * r.add({.op = Op::sign, .shape = x.shape(), .inputs = {x.id()}, .name = "sign"});
        case Op::reciprocal:
            return -(dy * square(y));
        case Op::tanh:
            return dy * (1 - square(y));
        case Op::sigmoid:
            return dy * (y * (1 - y));
        case Op::softplus:
            return dy * sigmoid(x);
        case Op::leakyRelu:
            return dy * r.add({.op = Op::leakyStep,
                               .shape = x.shape(),
                               .inputs = {x.id()},
                               .a = n.a,
                               .name = "step"});
        case Op::leakyStep:
        case Op::sign:
        case Op::floor:
            return Var();
        case Op::silu:
            return dy * slope(Op::siluSlope, x);
        case Op::siluSlope: {
            const Var s = sigmoid(x);
            return dy * (s * (1 - s) * (2 + x * (1 - 2 * s)));
        }
        case Op::gelu:
            return dy * slope(Op::geluSlope, x);
        case Op::erfGelu:
            return dy * slope(Op::erfGeluSlope, x);
        case Op::erfGeluSlope:  // phi(x) (2 - x^2)
            return dy * (0.39894228040143268f * exp(affine(square(x), -0.5f, 0)) * (2 - square(x)));
        case Op::sine:
            return dy * cos(x);
        case Op::cosine:
            return -(dy * sin(x));
        case Op::dropout: {
            if (which == 1) return Var();
            Node same = n;
            same.inputs[0] = dy.id();
            return r.add(std::move(same));
        }

        case Op::add:
            return sumTo(dy, which == 0 ? x.shape() : other.shape());
        case Op::subtract:
            return which == 0 ? sumTo(dy, x.shape()) : sumTo(-dy, other.shape());
        case Op::multiply:
            return which == 0 ? sumTo(dy * other, x.shape()) : sumTo(dy * x, other.shape());
        case Op::divide:
            return which == 0 ? sumTo(dy / other, x.shape()) : sumTo(-(dy * y) / other, other.shape());

        case Op::matmul:
            if (!n.transposed)  // y = A B
                return which == 0 ? matmul(dy, transpose(other)) : matmulTransposedLeft(x, dy);
            // y = A^T B
            return which == 0 ? matmul(other, transpose(dy)) : matmul(x, dy);
        case Op::transpose:
            return transpose(dy);

        case Op::sum:
            return broadcastTo(dy, x.shape());
        case Op::broadcast:
            return sumTo(dy, x.shape());

        case Op::sliceRows:
            return r.add({.op = Op::padRows,
                          .shape = x.shape(),
                          .inputs = {dy.id()},
                          .offset = n.offset,
                          .name = "pad"});
        case Op::sliceColumns:
            return r.add({.op = Op::padColumns,
                          .shape = x.shape(),
                          .inputs = {dy.id()},
                          .offsets = {int(n.offset)},
                          .name = "pad"});
        case Op::padRows:
            return sliceRows(dy, int(n.offset), x.rows());
        case Op::padColumns:
            return sliceColumns(dy, n.offsets[size_t(which)],
                                r.node(n.inputs[size_t(which)]).shape.channels());
        case Op::uniform:
        case Op::normal:
        case Op::drawRows:
            return Var();
        default:
            return networkInputGradient(n, y, dy, which);
    }
}

}  // namespace

std::vector<Var> gradient(Var loss, const std::vector<Var>& wrt) {
    Recorder& r = loss.recorder();
    CHECK(loss.shape().size() == 1, "gradient: expected a loss of shape [1], got {}", loss.shape().text());
    const NodeId last = loss.id();

    // Only nodes that depend on one of wrt carry a gradient.
    std::vector<bool> depends(last + 1, false);
    for (Var v : wrt)
        if (v.id() <= last) depends[v.id()] = true;
    for (NodeId id = 0; id <= last; ++id)
        for (NodeId input : r.node(id).inputs) depends[id] = depends[id] || depends[input];

    std::vector<Var> total(last + 1);
    if (depends[last]) total[last] = r.fill(loss.shape(), 1);
    for (NodeId id = last; id >= 0; --id) {
        if (!total[id] || !depends[id]) continue;
        const Node n = r.node(id);  // a copy: recording moves the nodes
        for (int which = 0; which < int(n.inputs.size()); ++which) {
            const NodeId input = n.inputs[which];
            if (!depends[input]) continue;
            if (const Var share = inputGradient(n, Var(r, id), total[id], which))
                total[input] = total[input] ? total[input] + share : share;
        }
    }

    std::vector<Var> out;
    for (Var v : wrt) {
        const bool reached = v.id() <= last && total[v.id()];
        out.push_back(reached ? total[v.id()] : r.fill(v.shape(), 0));
    }
    return out;
}

}  // namespace core
