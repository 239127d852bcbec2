#include "core/nn/losses.h"

namespace core {

Var bceLogits(Var logits, float target) {
    return mean(softplus(logits) - logits * target);
}
Var bceLogits(Var logits, Var target) {
    return mean(softplus(logits) - logits * target);
}
Var bernoulliNats(Var logits, Var target) {
    return sumColumns(softplus(logits) - logits * target);
}
Var gaussianKl(Var mu, Var logvar) {
    return 0.5f * (square(mu) + exp(logvar) - 1 - logvar);
}

}  // namespace core
