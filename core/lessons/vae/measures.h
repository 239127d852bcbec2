// What the lesson's panels show beside the networks' answers: the latent dimensions in use, holes of the
// prior, the aggregate posterior, two estimators' variances, and the distance from the closed form.
#pragma once

#include "core/data/linear_gaussian.h"
#include "core/lessons/lesson.h"

namespace core::lessons {

Measure activityMeasure();
// Prior draws where the aggregate posterior, a mixture of the codes' Gaussians, is thinnest.
Measure holesMeasure();
Measure varianceMeasure();
// The plane of the two dimensions that say most, q(z) in it on a grid, and KL(q(z) || N(0, I)) there, in
// nats.
Measure aggregateMeasure();
// log p(x), the ELBO of the encoder without sampling, and their gap, in nats.
Measure exactMeasure(const LinearGaussian& model);

}  // namespace core::lessons
