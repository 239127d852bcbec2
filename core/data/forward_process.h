// The noising of diffusion models as numbers (Ho et al. 2020): schedules, the chain, and what is known
// exactly of data that are a mixture of Gaussians. abar[t] is the product of 1 - beta up to step t, abar[0]
// = 1.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/data/mixture.h"

namespace core {

// beta of step t, 1 <= t <= T.
double betaAt(std::span<const double> abar, int t);
// The variance of q(x_{t-1} | x_t, x_0) over beta; 0 at t = 1.
double posteriorShare(std::span<const double> abar, int t);

// The mean of q(x_{t-1} | x_t, x_0) is ofClean x_0 + ofState x_t (ibid., eq. 7).
struct PosteriorMean {
    double ofClean, ofState;
};
PosteriorMean posteriorMean(std::span<const double> abar, int t);

// What |eps - eps_theta|^2 weighs in the bound at sigma^2 = beta-tilde, in nats, twice over: beta^2 /
// (sigma^2 alpha (1 - abar)); infinite at t = 1, where sigma is 0.
double boundWeight(std::span<const double> abar, int t);

// KL(q(x_T | x_0) || N(0, I)) in bits for each dimension, where x_0 has this mean square.
double priorBits(double abarLast, double meanSquare);

// x_0 ... x_T of the chain, each [rows, columns], one step of noise after the other.
std::vector<std::vector<float>> forwardChain(std::span<const float> x0, std::span<const double> abar,
                                             uint64_t seed);

// The law of x_t where x_0 is drawn from the mixture: a mixture again.
Mixture diffused(const Mixture& data, double abar);

// E |eps - E[eps | x_t]|^2 for each dimension: what no network's loss goes below. By quadrature over the
// plane.
double lossFloor(const Mixture& data, double abar);

// The largest distance between the distribution functions of two samples (Smirnov 1939), and what 5 % of
// pairs of equal law exceed.
double smirnovDistance(std::vector<float> a, std::vector<float> b);
double smirnovLimit(int64_t a, int64_t b);

}  // namespace core
