#include "core/lessons/vae/measures.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

#include "core/data/codes.h"
#include "core/data/metrics.h"

namespace core::lessons {
namespace {

using Channels = std::map<std::string, Tensor>;

constexpr int fieldSide = 64;
constexpr double fieldExtent = 4;

}  // namespace

Measure activityMeasure() {
    return {{"active_units", "collapse_alarm"}, {"codes"}, [](Channels& c) {
                const int active = activeUnits(c["codes"].values, int(c["codes"].shape.columns()));
                c["active_units"] = scalar(active);
                c["collapse_alarm"] = scalar(active == 0);
            }};
}

Measure holesMeasure() {
    return {{"holes", "hole_density"}, {"hole_z", "hole_pictures", "codes", "codes_logvar"}, [](Channels& c) {
                constexpr size_t kept = 16;
                constexpr int mixture = 500;
                const Tensor &z = c["hole_z"], &mu = c["codes"], &pictures = c["hole_pictures"];
                const auto n = size_t(z.shape.rows()), columns = size_t(pictures.shape.columns());
                const std::vector<double> density = logAggregate(
                    z.values, mu.values, c["codes_logvar"].values, int(z.shape.columns()), mixture);
                std::vector<size_t> order(n);
                std::iota(order.begin(), order.end(), size_t(0));
                std::sort(order.begin(), order.end(),
                          [&](size_t x, size_t y) { return density[x] < density[y]; });
                Tensor found{{int(kept), int(columns)}, {}}, logQ{{int(kept), 1}, {}};
                for (size_t k = 0; k < kept; ++k) {
                    const auto row = pictures.values.begin() + long(order[k] * columns);
                    found.values.insert(found.values.end(), row, row + long(columns));
                    logQ.values.push_back(float(density[order[k]]));
                }
                c["holes"] = std::move(found);
                c["hole_density"] = std::move(logQ);
            }};
}

Measure varianceMeasure() {
    return {{"variance_reparam", "variance_score"}, {"gradient_reparam", "gradient_score"}, [](Channels& c) {
                c["variance_reparam"] = scalar(sampleVariance(c["gradient_reparam"].values));
                c["variance_score"] = scalar(sampleVariance(c["gradient_score"].values));
            }};
}

Measure aggregateMeasure() {
    return {{"aggregate_field", "prior_gap", "plane_axes"},
            {"codes", "codes_logvar", "kl_dims"},
            [](Channels& c) {
                const Tensor &mu = c["codes"], &logvar = c["codes_logvar"];
                const std::array<int, 2> plane = tellingPlane(c["kl_dims"].values);
                Aggregate q = aggregateInThePlane(mu.values, logvar.values, int(mu.shape.columns()), plane,
                                                  fieldSide, fieldExtent);
                c["plane_axes"] = {{1, 2}, {float(plane[0]), float(plane[1])}};
                c["aggregate_field"] = {{fieldSide * fieldSide, 1}, std::move(q.field)};
                c["prior_gap"] = scalar(q.divergence);
            }};
}

Measure exactMeasure(const LinearGaussian& model) {
    return {{"log_p", "gap", "posterior_error", "exact_mean", "exact_sd"},
            {"exact_x", "encoder_mean", "encoder_logvar"},
            [model](Channels& c) {
                const auto dx = size_t(model.dataDimensions()), dz = size_t(model.latentDimensions());
                const auto n = size_t(c["exact_x"].shape.rows());
                const auto row = [](const Tensor& t, size_t i, size_t columns) {
                    return std::vector<double>(t.values.begin() + long(i * columns),
                                               t.values.begin() + long((i + 1) * columns));
                };
                double logP = 0, elbo = 0, error = 0;
                Tensor mean{{int(n), int(dz)}, {}}, sd{{1, int(dz)}, {}};
                for (size_t i = 0; i < n; ++i) {
                    const std::vector<double> x = row(c["exact_x"], i, dx),
                                              mu = row(c["encoder_mean"], i, dz);
                    const std::vector<double> logvar = row(c["encoder_logvar"], i, dz);
                    std::vector<double> covariance(dz * dz, 0);
                    for (size_t d = 0; d < dz; ++d) covariance[d * dz + d] = std::exp(logvar[d]);
                    const std::vector<double> truth = model.posteriorMean(x);
                    logP += model.logEvidence(x) / double(n);
                    elbo += model.bound(x, mu, covariance).elbo() / double(n);
                    for (size_t d = 0; d < dz; ++d) error += std::pow(mu[d] - truth[d], 2) / double(n * dz);
                    mean.values.insert(mean.values.end(), truth.begin(), truth.end());
                }
                for (size_t d = 0; d < dz; ++d)
                    sd.values.push_back(float(std::sqrt(model.posteriorCovariance()[d * dz + d])));
                c["log_p"] = scalar(logP);
                c["gap"] = scalar(logP - elbo);
                c["posterior_error"] = scalar(std::sqrt(error));
                c["exact_mean"] = std::move(mean);
                c["exact_sd"] = std::move(sd);
            }};
}

}  // namespace core::lessons
