#include "core/data/codes.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "core/data/metrics.h"

namespace core {
namespace {

constexpr double activeVariance = 0.01;
constexpr float tellingNats = 0.1f;
constexpr auto logTwoPi = double(1.8378770664f);

}  // namespace

int activeUnits(std::span<const float> mu, int dimensions) {
    const size_t columns = size_t(dimensions), n = mu.size() / columns;
    int active = 0;
    for (size_t d = 0; d < columns; ++d) {
        double total = 0, squares = 0;
        for (size_t i = 0; i < n; ++i) {
            const double x = double(mu[i * columns + d]);
            total += x;
            squares += x * x;
        }
        active += squares / double(n) - std::pow(total / double(n), 2) > activeVariance;
    }
    return active;
}

std::vector<double> logAggregate(std::span<const float> z, std::span<const float> mu,
                                 std::span<const float> logvar, int dimensions, int count) {
    const size_t columns = size_t(dimensions), n = z.size() / columns, mixture = size_t(count);
    std::vector<double> density(n), terms(mixture);
    for (size_t i = 0; i < n; ++i) {
        for (size_t m = 0; m < mixture; ++m) {
            double total = 0;
            for (size_t d = 0; d < columns; ++d) {
                const double v = double(logvar[m * columns + d]);
                const double gap = double(z[i * columns + d]) - double(mu[m * columns + d]);
                total -= 0.5 * (gap * gap * std::exp(-v) + v + logTwoPi);
            }
            terms[m] = total;
        }
        density[i] = logSumExp(terms) - std::log(double(mixture));
    }
    return density;
}

std::array<int, 2> tellingPlane(std::span<const float> divergence) {
    const auto most = [&](int except) {
        int best = except == 0 ? 1 : 0;
        for (int k = best + 1; k < int(divergence.size()); ++k)
            if (k != except && divergence[size_t(k)] > divergence[size_t(best)]) best = k;
        return best;
    };
    const int first = most(-1), second = most(first);
    // What is left of silent codes is chance, and would change with every step.
    if (!(divergence[size_t(first)] >= tellingNats)) return {0, 1};
    return {std::min(first, second), std::max(first, second)};
}

Aggregate aggregateInThePlane(std::span<const float> mu, std::span<const float> logvar, int dimensions,
                              std::array<int, 2> plane, int side, double extent) {
    const size_t columns = size_t(dimensions), n = mu.size() / columns, places = size_t(side);
    const double cell = 2 * extent / (side - 1);
    Aggregate q{std::vector<float>(places * places, 0)};
    std::array<std::vector<float>, 2> axis{std::vector<float>(places), std::vector<float>(places)};
    for (size_t i = 0; i < n; ++i) {
        for (size_t d = 0; d < 2; ++d) {
            const size_t at = i * columns + size_t(plane[d]);
            const double sigma = std::max(std::exp(0.5 * double(logvar[at])), cell / 2);
            for (int k = 0; k < side; ++k) {
                const double u = (k * cell - extent - double(mu[at])) / sigma;
                axis[d][size_t(k)] = float(std::exp(-0.5 * u * u) / (sigma * std::sqrt(2 * M_PI)));
            }
        }
        for (size_t y = 0; y < places; ++y)
            for (size_t x = 0; x < places; ++x) q.field[y * places + x] += axis[1][y] * axis[0][x];
    }
    for (int y = 0; y < side; ++y)
        for (int x = 0; x < side; ++x) {
            float& p = q.field[size_t(y * side + x)];
            p /= float(n);
            const double a = x * cell - extent, b = y * cell - extent;
            const double logPrior = -0.5 * (a * a + b * b) - logTwoPi;
            if (p > 0) q.divergence += double(p) * (std::log(double(p)) - logPrior) * cell * cell;
        }
    return q;
}

double sampleVariance(std::span<const float> x) {
    double total = 0, squares = 0;
    for (const float v : x) total += double(v), squares += double(v) * double(v);
    const double n = double(x.size());
    return std::max(0.0, (squares - total * total / n) / (n - 1));
}

}  // namespace core
