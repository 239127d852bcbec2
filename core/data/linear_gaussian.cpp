#include "core/data/linear_gaussian.h"

#include <Eigen/Dense>
#include <cmath>
#include <numbers>

#include "core/base/error.h"
#include "core/base/philox.h"

namespace core {
namespace {

using Matrix = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
using MatrixView = Eigen::Map<const Matrix>;
using VectorView = Eigen::Map<const Eigen::VectorXd>;

std::vector<double> flat(const Matrix& m) {
    return {m.data(), m.data() + m.size()};
}
// log of the determinant from the triangular factor L: det = (product of the diagonal)^2.
double logDeterminant(const Eigen::LLT<Matrix>& factored) {
    return 2 * factored.matrixLLT().diagonal().array().log().sum();
}

}  // namespace

LinearGaussian::LinearGaussian(int x, int z, std::vector<double> w, std::vector<double> mu, double sigma2)
    : m_x(x), m_z(z), m_w(std::move(w)), m_mu(std::move(mu)), m_sigma2(sigma2) {
    CHECK(x > 0 && z > 0, "linear Gaussian: expected dimensions above zero, got {} and {}", x, z);
    CHECK(int64_t(m_w.size()) == int64_t(x) * z, "linear Gaussian: expected W with {} x {} numbers, got {}",
          x, z, m_w.size());
    CHECK(int(m_mu.size()) == x, "linear Gaussian: expected mu with {} numbers, got {}", x, m_mu.size());
    CHECK(sigma2 > 0 && std::isfinite(sigma2), "linear Gaussian: expected a positive variance, got {}",
          sigma2);
    const MatrixView W(m_w.data(), x, z);
    CHECK(W.allFinite(), "linear Gaussian: expected finite numbers in W, got others");

    const Matrix C = W * W.transpose() + sigma2 * Matrix::Identity(x, x);
    const Matrix M = W.transpose() * W + sigma2 * Matrix::Identity(z, z);
    const Eigen::LLT<Matrix> factorC(C), factorM(M);
    CHECK(factorC.info() == Eigen::Success && factorM.info() == Eigen::Success,
          "linear Gaussian: expected a positive definite covariance, got none with variance {}", sigma2);
    m_precision = flat(factorC.solve(Matrix::Identity(x, x)));
    m_logDeterminant = logDeterminant(factorC);
    m_posteriorMap = flat(factorM.solve(Matrix(W.transpose())));
    m_posteriorCovariance = flat(sigma2 * factorM.solve(Matrix::Identity(z, z)));
}

double LinearGaussian::logEvidence(std::span<const double> x) const {
    CHECK(int(x.size()) == m_x, "linear Gaussian: expected x with {} numbers, got {}", m_x, x.size());
    const Eigen::VectorXd d = VectorView(x.data(), m_x) - VectorView(m_mu.data(), m_x);
    const double mahalanobis = d.dot(MatrixView(m_precision.data(), m_x, m_x) * d);
    return -0.5 * (m_x * std::log(2 * std::numbers::pi) + m_logDeterminant + mahalanobis);
}

std::vector<double> LinearGaussian::posteriorMean(std::span<const double> x) const {
    CHECK(int(x.size()) == m_x, "linear Gaussian: expected x with {} numbers, got {}", m_x, x.size());
    const Eigen::VectorXd mean = MatrixView(m_posteriorMap.data(), m_z, m_x) *
                                 (VectorView(x.data(), m_x) - VectorView(m_mu.data(), m_x));
    return {mean.data(), mean.data() + m_z};
}

LinearGaussian::Bound LinearGaussian::bound(std::span<const double> x, std::span<const double> mean,
                                            std::span<const double> covariance) const {
    CHECK(int(x.size()) == m_x, "linear Gaussian: expected x with {} numbers, got {}", m_x, x.size());
    CHECK(int(mean.size()) == m_z && int64_t(covariance.size()) == int64_t(m_z) * m_z,
          "linear Gaussian: expected a mean of {} and a covariance of {} numbers, got {} and {}", m_z,
          m_z * m_z, mean.size(), covariance.size());
    const MatrixView W(m_w.data(), m_x, m_z), S(covariance.data(), m_z, m_z);
    const VectorView m(mean.data(), m_z);
    const Eigen::LLT<Matrix> factored(S);
    CHECK(factored.info() == Eigen::Success, "linear Gaussian: expected a positive definite covariance");

    // E_q |x - mu - W z|^2 = |x - mu - W m|^2 + tr(W S W^T)
    const Eigen::VectorXd residual = VectorView(x.data(), m_x) - VectorView(m_mu.data(), m_x) - W * m;
    const double expected = residual.squaredNorm() + (W * S).cwiseProduct(W).sum();
    return {-0.5 * (m_x * std::log(2 * std::numbers::pi * m_sigma2) + expected / m_sigma2),
            0.5 * (S.trace() + m.squaredNorm() - m_z - logDeterminant(factored))};
}

LinearGaussian::Draw LinearGaussian::draw(int64_t count, uint64_t seed) const {
    CHECK(count >= 0 && count <= INT32_MAX, "linear Gaussian: expected 0 to {} rows, got {}", INT32_MAX,
          count);
    const philox::Position latent{.seed = seed, .stream = philox::streamOf("linear gaussian z")};
    const philox::Position noise{.seed = seed, .stream = philox::streamOf("linear gaussian noise")};
    Draw draw{std::vector<float>(size_t(count) * m_x), std::vector<float>(size_t(count) * m_z)};
    for (int64_t i = 0; i < count; ++i) {
        float* z = draw.z.data() + i * m_z;
        for (int k = 0; k < m_z; ++k) z[k] = philox::normalAt(latent, uint64_t(i) * m_z + k);
        for (int d = 0; d < m_x; ++d) {
            double x = m_mu[d] + std::sqrt(m_sigma2) * philox::normalAt(noise, uint64_t(i) * m_x + d);
            for (int k = 0; k < m_z; ++k) x += m_w[size_t(d) * m_z + k] * z[k];
            draw.x[i * m_x + d] = float(x);
        }
    }
    return draw;
}

}  // namespace core
