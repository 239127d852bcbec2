// Losses that more than one lesson needs. All return [1], a mean over the batch.
#pragma once

#include "core/graph/ops.h"

namespace core {

// -mean[t log sigma(a) + (1 - t) log(1 - sigma(a))] of logits a [B, 1] against one target t in [0, 1].
Var bceLogits(Var logits, float target);
Var bceLogits(Var logits, Var target);  // target [1] or the logits' shape

// sum over pixels of the Bernoulli cross-entropy, one number a row: [B, D] x [B, D] -> [B, 1], in nats.
Var bernoulliNats(Var logits, Var target);

// KL(N(mu, e^logvar) || N(0, I)) a dimension: [B, Z] -> [B, Z], in nats. (Kingma and Welling 2013, appendix
// B.)
Var gaussianKl(Var mu, Var logvar);

}  // namespace core
