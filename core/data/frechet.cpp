#include "core/data/frechet.h"

#include <Eigen/Dense>
#include <cmath>

#include "core/base/error.h"

namespace core {
namespace {

using Matrix = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

Eigen::Map<const Matrix> matrixOf(const FeatureMoments& m) {
    return {m.covariance.data(), Eigen::Index(m.mean.size()), Eigen::Index(m.mean.size())};
}

}  // namespace

FeatureMoments featureMoments(std::span<const float> rows, int d) {
    CHECK(d > 0 && rows.size() % size_t(d) == 0 && rows.size() > size_t(d),
          "featureMoments: expected more than one row of {}, got {} numbers", d, rows.size());
    const Eigen::Index n = Eigen::Index(rows.size()) / d;
    const Matrix x = Eigen::Map<const Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>>(
                         rows.data(), n, d)
                         .cast<double>();
    const Eigen::RowVectorXd mean = x.colwise().mean();
    const Matrix centred = x.rowwise() - mean;
    const Matrix covariance = centred.transpose() * centred / double(n - 1);
    return {{mean.begin(), mean.end()}, {covariance.data(), covariance.data() + d * d}};
}

double frechetDistance(const FeatureMoments& a, const FeatureMoments& b) {
    CHECK(a.mean.size() == b.mean.size() && !a.mean.empty(),
          "frechetDistance: expected as many features, got {} and {}", a.mean.size(), b.mean.size());
    double means = 0;
    for (size_t i = 0; i < a.mean.size(); ++i) means += std::pow(a.mean[i] - b.mean[i], 2);
    const Matrix ca = matrixOf(a), cb = matrixOf(b);
    // C C' has the eigenvalues of C^(1/2) C' C^(1/2), which is symmetric; what rounding makes negative is
    // zero.
    const Eigen::SelfAdjointEigenSolver<Matrix> solver(ca);
    const Matrix root = solver.eigenvectors() * solver.eigenvalues().cwiseMax(0).cwiseSqrt().asDiagonal() *
                        solver.eigenvectors().transpose();
    const Matrix product = root * cb * root;
    const Eigen::SelfAdjointEigenSolver<Matrix> both(0.5 * (product + product.transpose()),
                                                     Eigen::EigenvaluesOnly);
    return means + ca.trace() + cb.trace() - 2 * both.eigenvalues().cwiseMax(0).cwiseSqrt().sum();
}

}  // namespace core
