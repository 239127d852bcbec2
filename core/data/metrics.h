// Figures that say how far a generator is from its data, each with a case where the answer is known.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "core/base/table.h"
#include "core/data/mixture.h"

namespace core {

// Jensen-Shannon divergence, in nats: 0 where equal, log 2 where apart (Lin 1991).

// Of two densities on the line, by adaptive quadrature over [lo, hi]; error below 1e-6 where both have their
// mass there.
double jsdQuadrature(const std::function<double(double)>& p, const std::function<double(double)>& q,
                     double lo, double hi);

// Of two lists of shares that each sum to one.
double jsdShares(std::span<const double> p, std::span<const double> q);

// C(G) = -log 4 + 2 JSD, the value of the game at the best discriminator (Goodfellow et al. 2014, theorem 1).
double gameValue(double jsd);

// Bins over [-extent, extent] on every axis; whatever lies outside is one bin more, the last.
// 24 bins of 0.25 resolve a mode of ring8 in about three bins: its baseline is 0.007 at n = 2000 and 0.001 at
// 10000; modes half as wide again cost 0.04, one mode of eight missing 0.05, four missing 0.22.
struct Bins {
    int perAxis = 24;
    double extent = 3;
};

std::vector<double> binShares(std::span<const float> points, int dimensions, const Bins& bins = {});
std::vector<double> binMasses(const Mixture& exact, const Bins& bins = {});  // by erf, exact

// JSD of the points' histogram against the exact mass of each bin. Biased upwards by about
// (occupied bins - 1) / (8 n): show jsdBaseline beside it.
double jsdHistogram(std::span<const float> points, const Mixture& exact, const Bins& bins = {});

// The same of two samples, for sets whose density is not known; the bias is the sum of both.
double jsdHistogram(std::span<const float> points, std::span<const float> others, int dimensions,
                    const Bins& bins = {});

// Real against real: jsdHistogram of n points drawn from the mixture itself, always with the same seed.
double jsdBaseline(const Mixture& exact, int64_t n, const Bins& bins = {});

// Modes

struct ModeCoverage {
    int covered = 0;  // modes with at least coveredShare of the points due to them within three sigma
    int modes = 0;
    double near = 0;  // share of all points within three sigma of some mode; 0.989 is ideal in the plane
    double kl = 0;    // of all points' nearest modes from the weights, nats; at most log(modes) of equal ones
    std::vector<double> shares;  // of all points, within three sigma of each mode; they sum to `near`
};
constexpr double coveredShare = 0.2;
ModeCoverage modeCoverage(std::span<const float> points, const Mixture& mixture);

// Samples

// Mean Euclidean distance of two different rows, over at most maxRows rows spread evenly through the sample.
double meanPairwiseDistance(std::span<const float> rows, int columns, int64_t maxRows = 512);

// Density on a rising grid by a Gaussian kernel; and Silverman's rule for its width (1986, eq. 3.31).
std::vector<double> kernelDensity1d(std::span<const float> samples, std::span<const double> grid,
                                    double bandwidth);
double silvermanBandwidth(std::span<const float> samples);

struct NearestRow {
    int64_t row = 0;
    double distance = 0;  // Euclidean; bytes count as byte / 255
};
// The row of the table closest to the query; the first of several.
NearestRow nearestRow(const Table& table, std::span<const float> query);

// The same for each row of the queries, [n, columns]: the rows themselves, bytes as byte / 255.
struct NearestRows {
    std::vector<float> rows, distances;
};
NearestRows nearestRows(const Table& table, std::span<const float> queries);

// Gaussians

// KL(N(mu, diag(exp(logvar))) || N(0, I)) in nats (Kingma and Welling 2013, appendix B).
double klDiagonalGaussian(std::span<const float> mu, std::span<const float> logvar);

// log of the sum of exponentials, without overflow; -infinity where there is nothing.
double logSumExp(std::span<const double> values);

}  // namespace core
