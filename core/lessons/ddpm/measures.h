// What the lesson's panels show beside the network's answers: the chain, exact scores and densities, the
// floor of the loss, the training picture that is nearest. What is costly is kept from one time to the next.
#pragma once

#include "core/data/density.h"
#include "core/lessons/ddpm/dataset.h"
#include "core/lessons/ddpm/schedule.h"

namespace core::lessons {

constexpr PlaneGrid arrowGrid{24, 3.5}, densityGrid{96, 3.5};

Measure scheduleMeasure(const NoiseSchedule& schedule);
// Some of the test set taken through the chain one step at a time, against the closed form.
Measure chainMeasure(const NoiseSchedule& schedule, const DatasetPtr& data);
// The training picture closest to the query, and how far pictures of the test set are from theirs.
Measure nearestMeasure(const DatasetPtr& data);
// Points that were drawn to as many fresh ones, and what two sets of fresh points are apart.
Measure distanceMeasure(const DatasetPtr& data);
// The density of x_t: exact for mixtures, else from the points that were taken there.
Measure marginalMeasure(const DatasetPtr& data);

// ---- where the law of the data is known
Measure scoreMeasure(const DatasetPtr& data);
// The loss that is left when E[eps | x_t] is known, at each bin of t.
Measure floorMeasure(const NoiseSchedule& schedule, const DatasetPtr& data);

}  // namespace core::lessons
