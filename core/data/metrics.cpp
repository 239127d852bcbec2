#include "core/data/metrics.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "core/base/error.h"

namespace core {
namespace {

int64_t rowsOf(std::span<const float> values, int columns, const char* place) {
    CHECK(columns > 0, "{}: expected at least one column, got {}", place, columns);
    CHECK(!values.empty() && values.size() % columns == 0,
          "{}: expected whole rows of {} numbers, got {} numbers", place, columns, values.size());
    return int64_t(values.size()) / columns;
}

// p log(2 p / (p + q)) + q log(2 q / (p + q)), halved: what a place with densities p and q adds to the JSD.
double jsdTerm(double p, double q) {
    const double m = 0.5 * (p + q);
    return 0.5 * ((p > 0 ? p * std::log(p / m) : 0) + (q > 0 ? q * std::log(q / m) : 0));
}

// Simpson's rule over [a, b], halved until it agrees with its own halves.
struct Simpson {
    const std::function<double(double)>& f;
    double tolerance;  // per unit of length

    double integrate(double a, double b, double fa, double fm, double fb, int depth) const {
        const double m = 0.5 * (a + b), whole = (b - a) / 6 * (fa + 4 * fm + fb);
        const double fl = f(0.5 * (a + m)), fr = f(0.5 * (m + b));
        const double halves = (b - a) / 12 * (fa + 4 * fl + 2 * fm + 4 * fr + fb);
        const double error = (halves - whole) / 15;
        if (depth == 0 || std::abs(error) <= tolerance * (b - a)) return halves + error;
        return integrate(a, m, fa, fl, fm, depth - 1) + integrate(m, b, fm, fr, fb, depth - 1);
    }
};

}  // namespace

double jsdQuadrature(const std::function<double(double)>& p, const std::function<double(double)>& q,
                     double lo, double hi) {
    CHECK(lo < hi && std::isfinite(hi - lo), "jsd: expected a finite interval, got [{}, {}]", lo, hi);
    const std::function<double(double)> integrand = [&](double x) {
        const double px = p(x), qx = q(x);
        CHECK(px >= 0 && qx >= 0 && std::isfinite(px + qx), "jsd: expected densities, got {} and {} at {}",
              px, qx, x);
        return jsdTerm(px, qx);
    };
    // Panels narrow enough that no mode of a lesson falls between their points.
    constexpr int panels = 512, depth = 16;
    const Simpson simpson{integrand, 1e-8 / (hi - lo)};
    double sum = 0, fa = integrand(lo);
    for (int i = 0; i < panels; ++i) {
        const double a = lo + (hi - lo) * i / panels, b = lo + (hi - lo) * (i + 1) / panels;
        const double fm = integrand(0.5 * (a + b)), fb = integrand(b);
        sum += simpson.integrate(a, b, fa, fm, fb, depth);
        fa = fb;
    }
    return sum;
}

double jsdShares(std::span<const double> p, std::span<const double> q) {
    CHECK(p.size() == q.size(), "jsd: expected as many shares on both sides, got {} and {}", p.size(),
          q.size());
    double sum = 0;
    for (size_t i = 0; i < p.size(); ++i) sum += jsdTerm(p[i], q[i]);
    return std::max(sum, 0.0);
}

double gameValue(double jsd) {
    return -std::log(4.0) + 2 * jsd;
}

namespace {

void checkBins(const Bins& bins) {
    CHECK(bins.perAxis > 0 && bins.perAxis <= 4096, "histogram: expected 1 to 4096 bins an axis, got {}",
          bins.perAxis);
    CHECK(bins.extent > 0 && std::isfinite(bins.extent), "histogram: expected a positive extent, got {}",
          bins.extent);
}

// The bin of a coordinate, -1 outside; the upper edge belongs to the last bin. NaN is outside.
int binOf(double x, const Bins& bins) {
    if (!(x >= -bins.extent && x <= bins.extent)) return -1;
    return std::min(int((x + bins.extent) / (2 * bins.extent) * bins.perAxis), bins.perAxis - 1);
}

}  // namespace

std::vector<double> binShares(std::span<const float> points, int dimensions, const Bins& bins) {
    checkBins(bins);
    CHECK(dimensions == 1 || dimensions == 2, "histogram: expected 1 or 2 dimensions, got {}", dimensions);
    const int64_t n = rowsOf(points, dimensions, "histogram");
    const int64_t inside = dimensions == 1 ? bins.perAxis : int64_t(bins.perAxis) * bins.perAxis;
    std::vector<int64_t> counts(inside + 1);
    for (int64_t i = 0; i < n; ++i) {
        const int column = binOf(points[i * dimensions], bins);
        const int row = dimensions == 2 ? binOf(points[i * dimensions + 1], bins) : 0;
        ++counts[column < 0 || row < 0 ? inside : int64_t(row) * bins.perAxis + column];
    }
    std::vector<double> shares(counts.size());
    for (size_t i = 0; i < counts.size(); ++i) shares[i] = double(counts[i]) / double(n);
    return shares;
}

std::vector<double> binMasses(const Mixture& exact, const Bins& bins) {
    checkBins(bins);
    const int n = bins.perAxis, rows = exact.dimensions() == 2 ? n : 1;
    std::vector<double> masses(size_t(n) * rows + 1);
    // An isotropic Gaussian is a product: its mass in a bin is that of the column times that of the row.
    const auto along = [&](double mean, double sigma) {
        std::vector<double> mass(n);
        const auto below = [&](int edge) {
            const double x = -bins.extent + 2 * bins.extent * edge / n;
            return 0.5 * std::erfc((mean - x) / (sigma * std::numbers::sqrt2));
        };
        for (int i = 0; i < n; ++i) mass[i] = below(i + 1) - below(i);
        return mass;
    };
    for (const Component& c : exact.components()) {
        const std::vector<double> column = along(c.mean[0], c.sigma);
        const std::vector<double> row = rows > 1 ? along(c.mean[1], c.sigma) : std::vector<double>{1};
        for (int j = 0; j < rows; ++j)
            for (int i = 0; i < n; ++i) masses[size_t(j) * n + i] += c.weight * row[j] * column[i];
    }
    double inside = 0;
    for (double mass : masses) inside += mass;
    masses.back() = std::max(0.0, 1 - inside);
    return masses;
}

double jsdHistogram(std::span<const float> points, const Mixture& exact, const Bins& bins) {
    return jsdShares(binShares(points, exact.dimensions(), bins), binMasses(exact, bins));
}

double jsdHistogram(std::span<const float> points, std::span<const float> others, int dimensions,
                    const Bins& bins) {
    return jsdShares(binShares(points, dimensions, bins), binShares(others, dimensions, bins));
}

double jsdBaseline(const Mixture& exact, int64_t n, const Bins& bins) {
    constexpr uint64_t seed = 20140610;  // fixed, so that the line under a curve does not move
    return jsdHistogram(exact.draw(n, seed), exact, bins);
}

ModeCoverage modeCoverage(std::span<const float> points, const Mixture& mixture) {
    const int dimensions = mixture.dimensions();
    const int64_t n = rowsOf(points, dimensions, "mode coverage");
    ModeCoverage coverage;
    coverage.modes = mixture.modes();
    std::vector<int64_t> all(mixture.modes()), close(mixture.modes());
    int64_t anyClose = 0;
    for (int64_t i = 0; i < n; ++i) {
        const auto [mode, sigmas] =
            mixture.nearestMode(points[i * dimensions], dimensions == 2 ? points[i * dimensions + 1] : 0);
        ++all[mode];
        if (sigmas <= 3) {
            ++close[mode];
            ++anyClose;
        }
    }
    for (int k = 0; k < mixture.modes(); ++k) {
        const double weight = mixture.components()[k].weight, share = double(all[k]) / double(n);
        coverage.shares.push_back(double(close[k]) / double(n));
        if (double(close[k]) >= coveredShare * weight * double(n)) ++coverage.covered;
        if (share > 0) coverage.kl += share * std::log(share / weight);
    }
    coverage.near = double(anyClose) / double(n);
    coverage.kl = std::max(coverage.kl, 0.0);
    return coverage;
}

double meanPairwiseDistance(std::span<const float> rows, int columns, int64_t maxRows) {
    const int64_t n = rowsOf(rows, columns, "pairwise distance"), used = std::min(n, maxRows);
    CHECK(used >= 2, "pairwise distance: expected at least two rows, got {}", used);
    const auto row = [&](int64_t i) { return &rows[i * n / used * columns]; };
    double sum = 0;
    for (int64_t i = 0; i < used; ++i)
        for (int64_t j = 0; j < i; ++j) {
            const float *a = row(i), *b = row(j);
            double squared = 0;
            for (int c = 0; c < columns; ++c) squared += double(a[c] - b[c]) * (a[c] - b[c]);
            sum += std::sqrt(squared);
        }
    return sum / (0.5 * double(used) * double(used - 1));
}

std::vector<double> kernelDensity1d(std::span<const float> samples, std::span<const double> grid,
                                    double bandwidth) {
    const int64_t n = rowsOf(samples, 1, "kernel density");
    CHECK(bandwidth > 0 && std::isfinite(bandwidth), "kernel density: expected a positive bandwidth, got {}",
          bandwidth);
    std::vector<float> sorted;
    for (float x : samples)
        if (std::isfinite(x)) sorted.push_back(x);
    std::sort(sorted.begin(), sorted.end());
    const double factor = 1 / (double(n) * bandwidth * std::sqrt(2 * std::numbers::pi));
    std::vector<double> density;
    for (double x : grid) {
        // Beyond eight bandwidths a sample adds less than 1e-14 of its peak.
        auto it = std::lower_bound(sorted.begin(), sorted.end(), float(x - 8 * bandwidth));
        double sum = 0;
        for (; it != sorted.end() && *it <= x + 8 * bandwidth; ++it) {
            const double d = (x - *it) / bandwidth;
            sum += std::exp(-0.5 * d * d);
        }
        density.push_back(factor * sum);
    }
    return density;
}

double silvermanBandwidth(std::span<const float> samples) {
    const int64_t n = rowsOf(samples, 1, "bandwidth");
    std::vector<float> sorted(samples.begin(), samples.end());
    for (float x : sorted) CHECK(std::isfinite(x), "bandwidth: expected finite samples, got {}", x);
    std::sort(sorted.begin(), sorted.end());
    double mean = 0, squares = 0;
    for (float x : sorted) mean += x / double(n);
    for (float x : sorted) squares += (x - mean) * (x - mean);
    const double sigma = std::sqrt(squares / double(std::max<int64_t>(n - 1, 1)));
    const double quartiles = (sorted[(3 * n) / 4] - sorted[n / 4]) / 1.349;
    const double spread = quartiles > 0 ? std::min(sigma, quartiles) : sigma;
    // A collapsed generator has no spread at all: a thin spike is then the truth.
    return std::max(0.9 * spread * std::pow(double(n), -0.2), 1e-3);
}

double klDiagonalGaussian(std::span<const float> mu, std::span<const float> logvar) {
    CHECK(mu.size() == logvar.size(), "kl: expected as many means as log variances, got {} and {}", mu.size(),
          logvar.size());
    double sum = 0;
    for (size_t i = 0; i < mu.size(); ++i) {
        // expm1 keeps the digits where the variance is close to one.
        const double m = mu[i], l = logvar[i];
        sum += 0.5 * (m * m + std::expm1(l) - l);
    }
    return sum;
}

double logSumExp(std::span<const double> values) {
    double largest = -HUGE_VAL;
    for (double v : values) largest = std::max(largest, v);
    if (!std::isfinite(largest)) return largest;
    double sum = 0;
    for (double v : values) sum += std::exp(v - largest);
    return largest + std::log(sum);
}

}  // namespace core
