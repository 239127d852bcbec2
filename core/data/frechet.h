// The Frechet distance of two sets of features, each taken as one Gaussian (Heusel et al. 2017).
#pragma once

#include <span>
#include <vector>

namespace core {

struct FeatureMoments {
    std::vector<double> mean;        // [d]
    std::vector<double> covariance;  // [d, d], divided by n - 1
};

// Of rows [n, d], n > 1.
FeatureMoments featureMoments(std::span<const float> rows, int d);

// |m - m'|^2 + tr(C + C' - 2 (C C')^(1/2)). Of n samples each it is biased upwards by about d (d + 1) / (4 n)
// times the variance of a feature: show that of real samples beside it.
double frechetDistance(const FeatureMoments& a, const FeatureMoments& b);

}  // namespace core
