// The functions that lessons and networks are written in. All shapes are checked here; a mismatch
// throws an Error that names the operation and both shapes.
#pragma once

#include "core/graph/recorder.h"

namespace core {

// ---- pointwise; the second operand may be a row [1, C], a column [R, 1] or a scalar [1]
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
Var step(Var x);  // 1 where x > 0, else 0; gradient zero
Var clampMin(Var x, float low);

// ---- matrices: A [R, K], B [K, C] -> [R, C]
Var matmul(Var a, Var b);
Var matmulTransposedLeft(Var a, Var b);  // A^T B for A [K, R]
Var transpose(Var x);

// ---- reductions
Var sum(Var x);         // [1]
Var mean(Var x);        // [1]
Var sumRows(Var x);     // over the first axis: [1, C]
Var sumColumns(Var x);  // over all others: [R, 1]
Var sumTo(Var x, const Shape& shape);
Var broadcastTo(Var x, const Shape& shape);

// ---- movement
Var reshape(Var x, const Shape& shape);
Var sliceRows(Var x, int begin, int count);
Var sliceColumns(Var x, int begin, int count);
Var concatRows(Var x, Var y);
Var concatColumns(Var x, Var y);

// The same value with no way back for gradients.
Var detach(Var x);

}  // namespace core
