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

// The shape of x (op) y where one of them may be a row, a column or a scalar; throws if they do not fit.
Shape joint(Var x, Var y, const char* name) {
    const Shape &p = x.shape(), &q = y.shape();
    if (p == q) return p;
    const Shape& big = p.size() >= q.size() ? p : q;
    const Shape& small = p.size() >= q.size() ? q : p;
    const bool rowsFit = small.rows() == big.rows() || small.rows() == 1;
    const bool columnsFit = small.columns() == big.columns() || small.columns() == 1;
    CHECK(rowsFit && columnsFit, "{}: expected equal shapes or a row, column or scalar, got {} and {}", name,
          p.text(), q.text());
    return big;
}

Var binary(Op op, Var x, Var y, const char* name) {
    return x.recorder().add({.op = op, .shape = joint(x, y, name), .inputs = {x.id(), y.id()}, .name = name});
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
    CHECK(a.shape().rank() == 2 && b.shape().rank() == 2 && a.shape()[1] == b.shape()[0],
          "matmul: expected [R, K] and [K, C], got {} and {}", a.shape().text(), b.shape().text());
    return a.recorder().add({.op = Op::matmul,
                             .shape = {a.shape()[0], b.shape()[1]},
                             .inputs = {a.id(), b.id()},
                             .name = "matmul"});
}

Var matmulTransposedLeft(Var a, Var b) {
    CHECK(a.shape().rank() == 2 && b.shape().rank() == 2 && a.shape()[0] == b.shape()[0],
          "matmulTransposedLeft: expected [K, R] and [K, C], got {} and {}", a.shape().text(),
          b.shape().text());
    return a.recorder().add({.op = Op::matmul,
                             .shape = {a.shape()[1], b.shape()[1]},
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

Var sumTo(Var x, const Shape& shape) {
    if (x.shape() == shape) return x;
    if (x.shape().size() == shape.size()) return reshape(x, shape);
    const bool scalar = shape.size() == 1;
    const bool row = !scalar && shape.rows() == 1 && shape.columns() == x.columns();
    const bool column = !scalar && shape.columns() == 1 && shape.rows() == x.rows();
    CHECK(scalar || row || column, "sum: expected a row, column or scalar of {}, got {}", x.shape().text(),
          shape.text());
    Recorder& r = x.recorder();
    if (isFill(x)) return r.fill(shape, nodeOf(x).a * float(x.shape().size() / shape.size()));
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

Var broadcastTo(Var x, const Shape& shape) {
    if (x.shape() == shape) return x;
    if (x.shape().size() == shape.size()) return reshape(x, shape);
    const bool rowsFit = x.rows() == shape.rows() || x.rows() == 1;
    const bool columnsFit = x.columns() == shape.columns() || x.columns() == 1;
    CHECK(rowsFit && columnsFit, "broadcast: expected a row, column or scalar of {}, got {}", shape.text(),
          x.shape().text());
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
    CHECK(x.shape().rank() == 2 && begin >= 0 && count > 0 && begin + count <= x.columns(),
          "sliceColumns: expected columns within {}, got {} to {}", x.shape().text(), begin, begin + count);
    return x.recorder().add({.op = Op::sliceColumns,
                             .shape = {x.rows(), count},
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
    CHECK(x.shape().rank() == 2 && y.shape().rank() == 2 && x.rows() == y.rows(),
          "concatColumns: expected equal rows, got {} and {}", x.shape().text(), y.shape().text());
    Recorder& r = x.recorder();
    const Shape shape{x.rows(), x.columns() + y.columns()};
    return r.add({.op = Op::padColumns, .shape = shape, .inputs = {x.id()}, .offset = 0, .name = "concat"}) +
           r.add({.op = Op::padColumns,
                  .shape = shape,
                  .inputs = {y.id()},
                  .offset = x.columns(),
                  .name = "concat"});
}

Var detach(Var x) {
    return x.recorder().add(
        {.op = Op::reshape, .shape = x.shape(), .inputs = {x.id()}, .detached = true, .name = "detach"});
}

}  // namespace core
