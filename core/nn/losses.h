// Losses that more than one lesson needs. All return [1], a mean over the batch, where nothing else is said.
#pragma once

#include "core/graph/ops.h"

namespace core {

// ---- regression: x and y of one shape
Var mse(Var x, Var y);
// d^2 / 2 where |d| < delta, else delta (|d| - delta / 2), for d = x - y. (Huber 1964.)
Var huber(Var x, Var y, float delta = 1);

// ---- classification
// -mean[t log sigma(a) + (1 - t) log(1 - sigma(a))] of logits a [B, 1] against one target t in [0, 1].
Var bceLogits(Var logits, float target);
Var bceLogits(Var logits, Var target);  // target [1] or the logits' shape
// -mean log softmax(logits)[index]: [..., C], [..., 1] whole numbers.
Var softmaxCrossEntropy(Var logits, Var index);
// max(0, 1 - a) for what should be above 1, max(0, 1 + a) for what should be below -1. (Lim and Ye 2017.)
Var hingeAbove(Var logits);
Var hingeBelow(Var logits);
// Both directions of the contrastive loss between matching rows of x and y [B, E], which have unit length;
// the logits are scale x y^T, scale [1]. (Radford et al. 2021, figure 3.)
Var symmetricInfoNce(Var x, Var y, Var scale);

// ---- variational
// sum over pixels of the Bernoulli cross-entropy, one number a row: [B, D] x [B, D] -> [B, 1], in nats.
Var bernoulliNats(Var logits, Var target);
// KL(N(mu, e^logvar) || N(0, I)) a dimension: [B, Z] -> [B, Z], in nats. (Kingma and Welling 2013, appendix
// B.)
Var gaussianKl(Var mu, Var logvar);

}  // namespace core
