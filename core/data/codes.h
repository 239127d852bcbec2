// Figures of the codes that an encoder gives its data: Gaussians N(mu, diag(exp(logvar))), one a row.
#pragma once

#include <array>
#include <span>
#include <vector>

namespace core {

// Dimensions whose posterior mean varies with x by more than 0.01 (Burda et al. 2016). mu is [n, dimensions].
int activeUnits(std::span<const float> mu, int dimensions);

// log q(z) in nats at each row of z, q the even mixture of the first `count` rows' Gaussians.
std::vector<double> logAggregate(std::span<const float> z, std::span<const float> mu,
                                 std::span<const float> logvar, int dimensions, int count);

// The two dimensions of the largest divergence in nats, in rising order: the plane that says most of the
// codes. Where none says anything, the first two; the latent space has two or more.
std::array<int, 2> tellingPlane(std::span<const float> divergence);

// q(z) in two dimensions at the points of a square grid over [-extent, extent]^2, row-major with the second
// rising, and KL(q || N(0, I)) there in nats. A Gaussian narrower than half a cell counts as that wide: it
// would fall between the points.
struct Aggregate {
    std::vector<float> field;
    double divergence = 0;
};
Aggregate aggregateInThePlane(std::span<const float> mu, std::span<const float> logvar, int dimensions,
                              std::array<int, 2> plane, int side, double extent);

// The unbiased variance of a sample.
double sampleVariance(std::span<const float> x);

}  // namespace core
