#include "core/data/mixture.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "core/base/error.h"
#include "core/base/math.h"
#include "core/base/philox.h"

namespace core {

Mixture::Mixture(int dimensions, std::vector<Component> components)
    : m_dimensions(dimensions), m_components(std::move(components)) {
    CHECK(dimensions == 1 || dimensions == 2, "mixture: expected 1 or 2 dimensions, got {}", dimensions);
    CHECK(!m_components.empty(), "mixture: expected at least one mode, got none");
    double total = 0;
    for (Component& c : m_components) {
        CHECK(c.weight > 0 && std::isfinite(c.weight), "mixture: expected a positive weight, got {}",
              c.weight);
        CHECK(c.sigma > 0 && std::isfinite(c.sigma), "mixture: expected a positive sigma, got {}", c.sigma);
        CHECK(std::isfinite(c.mean[0]) && std::isfinite(c.mean[1]),
              "mixture: expected a finite mean, got ({}, {})", c.mean[0], c.mean[1]);
        if (dimensions == 1) c.mean[1] = 0;
        total += c.weight;
    }
    CHECK(std::isfinite(total), "mixture: expected weights with a finite sum, got {}", total);
    double below = 0;
    for (Component& c : m_components) {
        c.weight /= total;
        below += c.weight;
        m_cumulative.push_back(below);
        m_logFactor.push_back(std::log(c.weight) -
                              dimensions * (std::log(c.sigma) + 0.5 * std::log(2 * std::numbers::pi)));
    }
    m_cumulative.back() = 1;
}

namespace {

double squaredSigmas(const Component& c, int dimensions, double x, double y) {
    const double dx = (x - c.mean[0]) / c.sigma;
    const double dy = dimensions == 2 ? (y - c.mean[1]) / c.sigma : 0;
    return dx * dx + dy * dy;
}

}  // namespace

double Mixture::density(double x, double y) const {
    double sum = 0;
    for (size_t k = 0; k < m_components.size(); ++k)
        sum += std::exp(m_logFactor[k] - 0.5 * squaredSigmas(m_components[k], m_dimensions, x, y));
    return sum;
}

double Mixture::logDensity(double x, double y) const {
    // The largest exponent is taken out first: far from every mode the plain sum is zero.
    double largest = -HUGE_VAL;
    for (size_t k = 0; k < m_components.size(); ++k)
        largest =
            std::max(largest, m_logFactor[k] - 0.5 * squaredSigmas(m_components[k], m_dimensions, x, y));
    double sum = 0;
    for (size_t k = 0; k < m_components.size(); ++k)
        sum += std::exp(m_logFactor[k] - 0.5 * squaredSigmas(m_components[k], m_dimensions, x, y) - largest);
    return largest + std::log(sum);
}

std::array<double, 2> Mixture::score(double x, double y) const {
    const double logP = logDensity(x, y);
    std::array<double, 2> gradient{};
    for (size_t k = 0; k < m_components.size(); ++k) {
        const Component& c = m_components[k];
        const double responsibility =
            std::exp(m_logFactor[k] - 0.5 * squaredSigmas(c, m_dimensions, x, y) - logP);
        const double factor = responsibility / (c.sigma * c.sigma);
        gradient[0] += factor * (c.mean[0] - x);
        if (m_dimensions == 2) gradient[1] += factor * (c.mean[1] - y);
    }
    return gradient;
}

Mixture::Nearest Mixture::nearestMode(double x, double y) const {
    Nearest nearest{0, HUGE_VAL};
    for (int k = 0; k < modes(); ++k) {
        const double d = squaredSigmas(m_components[k], m_dimensions, x, y);
        if (d < nearest.sigmas) nearest = {k, d};
    }
    nearest.sigmas = std::sqrt(nearest.sigmas);
    return nearest;
}

std::vector<float> Mixture::draw(int64_t count, uint64_t seed) const {
    CHECK(count >= 0 && count <= INT32_MAX, "mixture: expected 0 to {} points, got {}", INT32_MAX, count);
    const philox::Position at{.seed = seed, .stream = philox::streamOf("mixture")};
    std::vector<float> points(size_t(count) * m_dimensions);
    for (int64_t i = 0; i < count; ++i) {
        // One block a point: a word chooses the mode, two make the normal numbers.
        const philox::Block block = philox::draw(at, uint32_t(i));
        const double u = block.word[0] * 0x1p-32;
        const auto k =
            std::upper_bound(m_cumulative.begin(), m_cumulative.end() - 1, u) - m_cumulative.begin();
        const Component& c = m_components[k];
        float normal[2];
        philox::normalPair(block.word[2], block.word[3], normal[0], normal[1]);
        for (int d = 0; d < m_dimensions; ++d)  // one or two
            // NOLINTNEXTLINE(clang-analyzer-core.UndefinedBinaryOperatorResult)
            points[i * m_dimensions + d] = float(c.mean[d] + c.sigma * normal[d]);
    }
    return points;
}

Mixture Mixture::ring8() {
    std::vector<Component> modes;
    for (int k = 0; k < 8; ++k) {
        float c, s;
        math::cosSinTurn(float(k) / 8, c, s);
        modes.push_back({1, {2.0 * c, 2.0 * s}, 0.1});
    }
    return {2, std::move(modes)};
}

Mixture Mixture::grid25() {
    std::vector<Component> modes;
    for (int row = -2; row <= 2; ++row)
        for (int column = -2; column <= 2; ++column) modes.push_back({1, {1.2 * column, 1.2 * row}, 0.05});
    return {2, std::move(modes)};
}

Mixture Mixture::gaussian() {
    return {1, {{1, {0.5, 0}, 0.5}}};
}
Mixture Mixture::bimodal() {
    return {1, {{1, {-1.5, 0}, 0.3}, {1, {1.5, 0}, 0.3}}};
}
Mixture Mixture::trimodal() {
    return {1, {{0.2, {-1.8, 0}, 0.2}, {0.5, {0, 0}, 0.35}, {0.3, {1.7, 0}, 0.25}}};
}

}  // namespace core
