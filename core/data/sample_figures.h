// Figures of merit of samples that were drawn, worked out a part at a time while other things go on.
#pragma once

#include <map>
#include <memory>
#include <vector>

#include "core/base/figure_work.h"
#include "core/base/table.h"

namespace core {

// What figures are of real data against real data, by the number of samples: worked out once.
using Baselines = std::shared_ptr<std::map<int, double>>;

// w2 of points [n, 2] to as many fresh ones, and w2_baseline of fresh ones to others; of w2_count points,
// `most` at most. Fewer points are farther apart, so that only figures of equal counts compare.
FigureWork planeFigures(std::vector<float> points, TablePtr fresh, int most, Baselines baselines);

// frechet of garments [n, 784] in [-1, 1] to the test set, by the features of the classifier that comes with
// the program, and frechet_baseline of as many of the training set; frechet_count, how many.
FigureWork garmentFigures(std::vector<float> pictures, TablePtr training, Baselines baselines);

// Of data taken to noise and back: round_trip, the root of the mean square that is lost; and noise_rms, that
// of the noise, 1 if it is standard normal.
FigureWork roundTripFigures(std::vector<float> data, std::vector<float> noise, std::vector<float> back);

}  // namespace core
