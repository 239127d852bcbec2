#include "core/graph/ops.h"

namespace core {
namespace {

const Node& nodeOf(Var x) {
    return x.recorder().node(x.id());
}
bool isFill(Var x) {
    return nodeOf(x).op == Op::fill;
}

Var unary(Op op, Var x, const char* name, float a = 0) {
    return x.recorder().add({.op = op, .shape = x.shape(), .inputs = {x.id()}, .a = a, .name = name});
}

bool fits(const Extents& small, const Extents& big) {
    return (small.samples == big.samples || small.samples == 1) &&
           ((small.height == big.height && small.width == big.width) || small.positions() == 1) &&
           (small.channels == big.channels || small.channels == 1);
}

// The shape of x (op) y where one of them may have extent 1 along an axis; throws if they do not fit.
Shape joint(Var x, Var y, const char* name) {
    const Shape &p = x.shape(), &q = y.shape();
    if (p == q) return p;
    const Shape& big = p.size() >= q.size() ? p : q;
    const Shape& small = p.size() >= q.size() ? q : p;
    CHECK(fits(small.extents(), big.extents()), "{}: expected equal shapes or extents of 1, got {} and {}",
          name, p.text(), q.text());
    return big;
}

Var binary(Op op, Var x, Var y, const char* name) {
    return x.recorder().add({.op = op, .shape = joint(x, y, name), .inputs = {x.id(), y.id()}, .name = name});
}

// The sum of values padded to one shape that nowhere meet is one node that places them all: the gradients of
// slices come together so.
Var sideBySide(Var x, Var y) {
    const Node &p = nodeOf(x), &q = nodeOf(y);
    if (p.op != Op::padColumns || q.op != Op::padColumns || !(p.shape == q.shape)) return {};
    if (p.inputs.size() + q.inputs.size() > 4) return {};
    Node both = p;
    for (size_t i = 0; i < q.inputs.size(); ++i) {
        const int begin = q.offsets[i], end = begin + x.recorder().node(q.inputs[i]).shape.channels();
        for (size_t k = 0; k < p.inputs.size(); ++k) {
            const int other = p.offsets[k];
            if (begin < other + x.recorder().node(p.inputs[k]).shape.channels() && other < end) return {};
        }
        both.inputs.push_back(q.inputs[i]);
        both.offsets.push_back(begin);
    }
    both.name = "concat";
    return x.recorder().add(std::move(both));
}

// Multiplying by a constant is an affine map: one operand less to read.
Var timesFill(Var x, Var constant, const Shape& shape) {
    const Var scaled = affine(x, nodeOf(constant).a, 0);
    return scaled.shape() == shape ? scaled : broadcastTo(scaled, shape);
}

}  // namespace

// ---- pointwise

Var operator+(Var x, Var y) {
    if (isFill(y) && nodeOf(y).a == 0 && joint(x, y, "add") == x.shape()) return x;
    if (const Var both = sideBySide(x, y)) return both;
    return binary(Op::add, x, y, "add");
}
Var operator-(Var x, Var y) {
    return binary(Op::subtract, x, y, "subtract");
}
Var operator*(Var x, Var y) {
    if (isFill(y)) return timesFill(x, y, joint(x, y, "multiply"));
    if (isFill(x)) return timesFill(y, x, joint(x, y, "multiply"));
    return binary(Op::multiply, x, y, "multiply");
}
Var operator/(Var x, Var y) {
    return binary(Op::divide, x, y, "divide");
}

Var affine(Var x, float scale, float shift) {
    if (scale == 1 && shift == 0) return x;
    Recorder& r = x.recorder();
    if (isFill(x)) return r.fill(x.shape(), scale * nodeOf(x).a + shift);
    return r.add(
        {.op = Op::affine, .shape = x.shape(), .inputs = {x.id()}, .a = scale, .b = shift, .name = "affine"});
}

Var exp(Var x) {
    return unary(Op::exp, x, "exp");
}
Var log(Var x) {
    return unary(Op::log, x, "log");
}
Var sqrt(Var x) {
    return unary(Op::sqrt, x, "sqrt");
}
Var square(Var x) {
    return unary(Op::square, x, "square");
}
Var abs(Var x) {
    return unary(Op::abs, x, "abs");
}
Var reciprocal(Var x) {
    return unary(Op::reciprocal, x, "reciprocal");
}
Var tanh(Var x) {
    return unary(Op::tanh, x, "tanh");
}
Var sigmoid(Var x) {
    return unary(Op::sigmoid, x, "sigmoid");
}
Var softplus(Var x) {
    return unary(Op::softplus, x, "softplus");
}
Var leakyRelu(Var x, float slope) {
    return unary(Op::leakyRelu, x, "leakyRelu", slope);
}
Var silu(Var x) {
    return unary(Op::silu, x, "silu");
}
Var gelu(Var x) {
    return unary(Op::gelu, x, "gelu");
}
Var erfGelu(Var x) {
    return unary(Op::erfGelu, x, "erfGelu");
}
Var sin(Var x) {
    return unary(Op::sine, x, "sin");
}
Var cos(Var x) {
    return unary(Op::cosine, x, "cos");
}
Var floor(Var x) {
    return unary(Op::floor, x, "floor");
}
Var dropout(Var x, const std::string& stream, Var p) {
    CHECK(p.shape().size() == 1, "dropout: expected a probability of shape [1], got {}", p.shape().text());
    Recorder& r = x.recorder();
    return r.add({.op = Op::dropout,
                  .shape = x.shape(),
                  .inputs = {x.id(), p.id()},
                  .stream = r.streamOf(stream),
                  .name = stream});
}
Var relu(Var x) {
    return unary(Op::leakyRelu, x, "relu", 0);
}
Var step(Var x) {
    return unary(Op::leakyStep, x, "step", 0);
}
Var clampMin(Var x, float low) {
    return relu(x - low) + low;
}

// ---- matrices

Var matmul(Var a, Var b) {
    CHECK(a.shape().rank() >= 2 && b.shape().rank() == 2 && a.shape().channels() == b.shape()[0],
          "matmul: expected [..., K] and [K, C], got {} and {}", a.shape().text(), b.shape().text());
    return a.recorder().add({.op = Op::matmul,
                             .shape = a.shape().withChannels(b.shape()[1]),
                             .inputs = {a.id(), b.id()},
                             .name = "matmul"});
}

Var matmulTransposedLeft(Var a, Var b) {
    const Shape &p = a.shape(), &q = b.shape();
    CHECK(p.rank() >= 2 && p.withChannels(1) == q.withChannels(1),
          "matmulTransposedLeft: expected [..., R] and [..., C], got {} and {}", p.text(), q.text());
    return a.recorder().add({.op = Op::matmul,
                             .shape = {p.channels(), q.channels()},
                             .inputs = {a.id(), b.id()},
                             .transposed = true,
                             .name = "matmul"});
}

Var transpose(Var x) {
    CHECK(x.shape().rank() == 2, "transpose: expected a matrix, got {}", x.shape().text());
    const Node& n = nodeOf(x);
    if (n.op == Op::transpose) return {x.recorder(), n.inputs[0]};
    return x.recorder().add({.op = Op::transpose,
                             .shape = {x.shape()[1], x.shape()[0]},
                             .inputs = {x.id()},
                             .name = "transpose"});
}

// ---- reductions

Var sumTo(Var x, Shape shape) {
    if (x.shape() == shape) return x;
    if (x.shape().size() == shape.size()) return reshape(x, shape);
    const Extents from = x.shape().extents(), to = shape.extents();
    const bool total = shape.size() == 1;
    CHECK(total || fits(to, from), "sum: expected extents of {} or 1, got {}", x.shape().text(),
          shape.text());
    Recorder& r = x.recorder();
    const int64_t summed = x.shape().size() / shape.size();
    if (isFill(x)) return r.fill(shape, nodeOf(x).a * float(summed));
    // Sample by sample first: that part is computed where x is.
    if (from.samples > 1 && from.positions() > 1 && to.samples == 1) {
        if (to.channels == 1 && (total || (to.positions() > 1 && from.channels > 1)))
            return sumTo(total ? sumColumns(x) : sumChannels(x), shape);
        if (to.positions() == 1) return sumTo(sumPositions(x), shape);
    }
    return r.add({.op = Op::sum, .shape = shape, .inputs = {x.id()}, .name = "sum"});
}

Var sum(Var x) {
    return sumTo(x, {1});
}
Var mean(Var x) {
    return affine(sum(x), 1.0f / float(x.shape().size()), 0);
}
Var sumRows(Var x) {
    return sumTo(x, {1, x.columns()});
}
Var sumColumns(Var x) {
    return sumTo(x, {x.rows(), 1});
}
Var sumChannels(Var x) {
    return sumTo(x, x.shape().withChannels(1));
}
Var sumPositions(Var x) {
    const Shape& s = x.shape();
    switch (s.rank()) {
        case 4:
            return sumTo(x, {s[0], 1, 1, s[3]});
        case 3:
            return sumTo(x, {s[0], 1, s[2]});
        default:
            return x;
    }
}

Var broadcastTo(Var x, const Shape& shape) {
    if (x.shape() == shape) return x;
    if (x.shape().size() == shape.size()) return reshape(x, shape);
    CHECK(fits(x.shape().extents(), shape.extents()), "broadcast: expected extents of {} or 1, got {}",
          shape.text(), x.shape().text());
    Recorder& r = x.recorder();
    if (isFill(x)) return r.fill(shape, nodeOf(x).a);
    return r.add({.op = Op::broadcast, .shape = shape, .inputs = {x.id()}, .name = "broadcast"});
}

// ---- movement

Var reshape(Var x, const Shape& shape) {
    if (x.shape() == shape) return x;
    CHECK(x.shape().size() == shape.size(), "reshape: expected {} elements, got {}", x.shape().text(),
          shape.text());
    Recorder& r = x.recorder();
    if (isFill(x)) return r.fill(shape, nodeOf(x).a);
    return r.add({.op = Op::reshape, .shape = shape, .inputs = {x.id()}, .name = "reshape"});
}

Var sliceRows(Var x, int begin, int count) {
    CHECK(x.shape().rank() == 2 && begin >= 0 && count > 0 && begin + count <= x.rows(),
          "sliceRows: expected rows within {}, got {} to {}", x.shape().text(), begin, begin + count);
    return x.recorder().add({.op = Op::sliceRows,
                             .shape = {count, x.columns()},
                             .inputs = {x.id()},
                             .offset = begin,
                             .name = "sliceRows"});
}

Var sliceColumns(Var x, int begin, int count) {
    CHECK(x.shape().rank() >= 2 && begin >= 0 && count > 0 && begin + count <= x.shape().channels(),
          "sliceColumns: expected columns within {}, got {} to {}", x.shape().text(), begin, begin + count);
    if (count == x.shape().channels()) return x;
    return x.recorder().add({.op = Op::sliceColumns,
                             .shape = x.shape().withChannels(count),
                             .inputs = {x.id()},
                             .offset = begin,
                             .name = "sliceColumns"});
}

Var concatRows(Var x, Var y) {
    CHECK(x.shape().rank() == 2 && y.shape().rank() == 2 && x.columns() == y.columns(),
          "concatRows: expected equal columns, got {} and {}", x.shape().text(), y.shape().text());
    Recorder& r = x.recorder();
    const Shape shape{x.rows() + y.rows(), x.columns()};
    return r.add({.op = Op::padRows, .shape = shape, .inputs = {x.id()}, .offset = 0, .name = "concat"}) +
           r.add(
               {.op = Op::padRows, .shape = shape, .inputs = {y.id()}, .offset = x.rows(), .name = "concat"});
}

Var concatColumns(Var x, Var y) {
    const Shape &p = x.shape(), &q = y.shape();
    CHECK(p.rank() >= 2 && p.withChannels(1) == q.withChannels(1),
          "concatColumns: expected equal shapes but for the last axis, got {} and {}", p.text(), q.text());
    return x.recorder().add({.op = Op::padColumns,
                             .shape = p.withChannels(p.channels() + q.channels()),
                             .inputs = {x.id(), y.id()},
                             .offsets = {0, p.channels()},
                             .name = "concat"});
}

Var detach(Var x) {
    return x.recorder().add(
        {.op = Op::reshape, .shape = x.shape(), .inputs = {x.id()}, .detached = true, .name = "detach"});
}

}  // namespace core
