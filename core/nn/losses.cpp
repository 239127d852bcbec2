#include "core/nn/losses.h"

#include <numeric>

namespace core {

Var mse(Var x, Var y) {
    return mean(square(x - y));
}
Var huber(Var x, Var y, float delta) {
    const Var d = abs(x - y), clipped = d - relu(d - delta);
    return mean(clipped * (d - 0.5f * clipped));
}

Var bceLogits(Var logits, float target) {
    return mean(softplus(logits) - logits * target);
}
Var bceLogits(Var logits, Var target) {
    return mean(softplus(logits) - logits * target);
}
Var softmaxCrossEntropy(Var logits, Var index) {
    return mean(logSumExp(logits) - pick(logits, index));
}
Var hingeAbove(Var logits) {
    return mean(relu(1 - logits));
}
Var hingeBelow(Var logits) {
    return mean(relu(1 + logits));
}
Var symmetricInfoNce(Var x, Var y, Var scale) {
    CHECK(x.shape() == y.shape() && x.shape().rank() == 2,
          "symmetricInfoNce: expected two matrices of one shape, got {} and {}", x.shape().text(),
          y.shape().text());
    std::vector<float> rows(size_t(x.rows()));
    std::iota(rows.begin(), rows.end(), 0.0f);
    const Var diagonal = x.recorder().constant({x.rows(), 1}, std::move(rows));
    const Var logits = scale * matmul(x, transpose(y));
    return 0.5f * (softmaxCrossEntropy(logits, diagonal) + softmaxCrossEntropy(transpose(logits), diagonal));
}

Var bernoulliNats(Var logits, Var target) {
    return sumColumns(softplus(logits) - logits * target);
}
Var gaussianKl(Var mu, Var logvar) {
    return 0.5f * (square(mu) + exp(logvar) - 1 - logvar);
}

}  // namespace core
