#include "core/data/forward_process.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "core/base/error.h"
#include "core/base/philox.h"

namespace core {

double betaAt(std::span<const double> abar, int t) {
    return 1 - abar[size_t(t)] / abar[size_t(t - 1)];
}

double posteriorShare(std::span<const double> abar, int t) {
    return (1 - abar[size_t(t - 1)]) / (1 - abar[size_t(t)]);
}

PosteriorMean posteriorMean(std::span<const double> abar, int t) {
    const double now = abar[size_t(t)], before = abar[size_t(t - 1)], beta = betaAt(abar, t);
    return {std::sqrt(before) * beta / (1 - now), std::sqrt(1 - beta) * (1 - before) / (1 - now)};
}

double boundWeight(std::span<const double> abar, int t) {
    const double beta = betaAt(abar, t);
    return beta / (posteriorShare(abar, t) * (1 - beta) * (1 - abar[size_t(t)]));
}

double priorBits(double abarLast, double meanSquare) {
    return 0.5 * (abarLast * meanSquare - abarLast - std::log1p(-abarLast)) / std::numbers::ln2;
}

std::vector<std::vector<float>> forwardChain(std::span<const float> x0, std::span<const double> abar,
                                             uint64_t seed) {
    std::vector<std::vector<float>> chain = {{x0.begin(), x0.end()}};
    for (size_t t = 1; t < abar.size(); ++t) {
        const double beta = betaAt(abar, int(t));
        const auto keep = float(std::sqrt(1 - beta)), add = float(std::sqrt(beta));
        const philox::Position at{.seed = seed, .stream = philox::streamOf("forward chain"), .step = t};
        std::vector<float> next = chain.back();
        for (size_t i = 0; i < next.size(); ++i) next[i] = keep * next[i] + add * philox::normalAt(at, i);
        chain.push_back(std::move(next));
    }
    return chain;
}

Mixture diffused(const Mixture& data, double abar) {
    std::vector<Component> components = data.components();
    const double shrink = std::sqrt(abar);
    for (Component& c : components) {
        for (double& m : c.mean) m *= shrink;
        c.sigma = std::sqrt(abar * c.sigma * c.sigma + 1 - abar);
    }
    return {data.dimensions(), std::move(components)};
}

// E[eps | x] is -sqrt(1 - abar) times the score, and E |eps|^2 = 1 = E |E[eps | x]|^2 + what is looked for.
double lossFloor(const Mixture& data, double abar) {
    const Mixture p = diffused(data, abar);
    double narrowest = 1e9, reach = 0;
    for (const Component& c : p.components()) {
        narrowest = std::min(narrowest, c.sigma);
        reach = std::max(reach, std::max(std::abs(c.mean[0]), std::abs(c.mean[1])) + 6 * c.sigma);
    }
    // The trapezoidal rule on smooth integrands that vanish at the ends: a sigma apart is exact to 1e-8.
    const double apart = narrowest;
    const int side = int(std::ceil(reach / apart));
    double explained = 0;
    const int rows = p.dimensions() == 2 ? side : 0;
    for (int j = -rows; j <= rows; ++j)
        for (int i = -side; i <= side; ++i) {
            const double x = i * apart, y = j * apart, density = p.density(x, y);
            if (density < 1e-14) continue;
            const std::array<double, 2> score = p.score(x, y);
            explained += density * (score[0] * score[0] + score[1] * score[1]);
        }
    explained *= (1 - abar) * std::pow(apart, p.dimensions());
    return 1 - explained / p.dimensions();
}

double smirnovDistance(std::vector<float> a, std::vector<float> b) {
    CHECK(!a.empty() && !b.empty(), "smirnovDistance: expected two samples, got {} and {} numbers", a.size(),
          b.size());
    std::sort(a.begin(), a.end());
    std::sort(b.begin(), b.end());
    double largest = 0;
    for (size_t i = 0, j = 0; i < a.size() && j < b.size();) {
        const float x = std::min(a[i], b[j]);
        while (i < a.size() && a[i] <= x) ++i;
        while (j < b.size() && b[j] <= x) ++j;
        largest = std::max(largest, std::abs(double(i) / double(a.size()) - double(j) / double(b.size())));
    }
    return largest;
}

double smirnovLimit(int64_t a, int64_t b) {
    return 1.3581 * std::sqrt((double(a) + double(b)) / (double(a) * double(b)));
}

}  // namespace core
