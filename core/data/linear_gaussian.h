// Probabilistic PCA (Tipping and Bishop 1999): x = W z + mu + sigma eps, where evidence and posterior are
// exact.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace core {

// X data dimensions, Z latent dimensions; matrices are row-major.
class LinearGaussian {
  public:
    // W [X, Z], mu [X], variance of the noise sigma2 > 0.
    LinearGaussian(int x, int z, std::vector<double> w, std::vector<double> mu, double sigma2);

    int dataDimensions() const { return m_x; }
    int latentDimensions() const { return m_z; }

    // log p(x) = log N(x; mu, W W^T + sigma2 I), nats.
    double logEvidence(std::span<const double> x) const;

    // p(z|x) = N(M^-1 W^T (x - mu), sigma2 M^-1) with M = W^T W + sigma2 I. The covariance [Z, Z] is the same
    // for every x.
    std::vector<double> posteriorMean(std::span<const double> x) const;
    const std::vector<double>& posteriorCovariance() const { return m_posteriorCovariance; }

    // E_q log p(x|z) and KL(q || N(0, I)) for q = N(mean, covariance [Z, Z]), nats; the ELBO is their
    // difference.
    struct Bound {
        double reconstruction = 0, kl = 0;
        double elbo() const { return reconstruction - kl; }
    };
    Bound bound(std::span<const double> x, std::span<const double> mean,
                std::span<const double> covariance) const;

    struct Draw {
        std::vector<float> x, z;  // count rows each
    };
    Draw draw(int64_t count, uint64_t seed) const;

  private:
    int m_x, m_z;
    std::vector<double> m_w, m_mu;
    double m_sigma2;
    std::vector<double> m_posteriorMap;         // M^-1 W^T [Z, X]
    std::vector<double> m_posteriorCovariance;  // sigma2 M^-1 [Z, Z]
    std::vector<double> m_precision;            // (W W^T + sigma2 I)^-1 [X, X]
    double m_logDeterminant;                    // of W W^T + sigma2 I
};

}  // namespace core
