#include "core/nn/sampling.h"

namespace core {

Var gumbel(Recorder& r, const std::string& stream, const Shape& shape) {
    // Strictly inside (0, 1): the draws are multiples of 2^-24.
    const Var u = affine(r.uniform(stream, shape), 1 - 0x1p-23f, 0x1p-24f);
    return -log(-log(u));
}

Var categorical(Var logits, const std::string& stream, Var temperature) {
    return argmax(logits / temperature + gumbel(logits.recorder(), stream, logits.shape()));
}

Var gumbelSoftmax(Var logits, const std::string& stream, Var temperature) {
    return softmax((logits + gumbel(logits.recorder(), stream, logits.shape())) / temperature);
}

}  // namespace core
