#include "core/lessons/ddpm/bound.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "core/data/forward_process.h"
#include "core/nn/diffusion.h"

namespace core::lessons {
namespace {

// Of the bound, for each bin.
int rowsOfBin(bool pictures) {
    return pictures ? 4 : 64;
}

// -log2 p(x_0 | x_1) for each dimension: a density of points, the probability of a grey level of pictures.
double lastBits(const std::vector<float>& x, const std::vector<float>& mu, double abar1, bool pictures) {
    const double deviation = std::sqrt(1 - abar1);
    const auto below = [&](double z) { return 0.5 * std::erfc(-z / (deviation * std::numbers::sqrt2)); };
    double nats = 0;
    for (size_t i = 0; i < x.size(); ++i) {
        const double apart = double(x[i]) - double(mu[i]);
        if (!pictures) {
            nats +=
                0.5 * std::pow(apart / deviation, 2) + std::log(deviation * std::sqrt(2 * std::numbers::pi));
        } else {
            const double high = x[i] > 0.999f ? 1 : below(apart + 1 / 255.0);
            const double low = x[i] < -0.999f ? 0 : below(apart - 1 / 255.0);
            nats -= std::log(std::max(high - low, 1e-12));
        }
    }
    return nats / double(x.size()) / std::numbers::ln2;
}

}  // namespace

// The terms at t > 1 are |eps - eps_theta|^2 weighed as sigma^2 = beta has it.
void recordBound(Recorder& r, const NoiseSchedule& schedule, const BoundInputs& in) {
    const int each = rowsOfBin(in.pictures), count = timeBins * each;
    std::vector<float> times;
    for (int b = 0; b < timeBins; ++b) {
        const auto [first, last] = schedule.timesOf(b);
        for (int i = 0; i < each; ++i)
            times.push_back(float(std::max(2, first + int((i + 0.5) / each * (last - first + 1)))));
    }
    const Var t = r.constant({count, 1}, times);
    const Var x0 = in.testRows("bound", count), eps = r.normal("bound_eps", x0.shape());
    const Var abar = schedule.abarAt(r, t), before = schedule.abarAt(r, t - 1), beta = 1 - abar / before;
    const Var miss = sumColumns(square(in.noise(qSample(x0, eps, abar), t, abar) - eps));
    const Var nats = affine(beta * before / (abar * (1 - abar)) * miss, 0.5f / float(x0.columns()), 0);
    r.probe("bound_terms", affine(sumColumns(reshape(nats, {timeBins, each})), 1.0f / float(each), 0));

    const Var one = r.fill({1, 1}, 1), ends = in.testRows("bound_end", each);
    const Var abar1 = schedule.abarAt(r, one);
    const Var x1 = qSample(ends, r.normal("bound_end_eps", ends.shape()), abar1);
    r.probe("bound_x0", ends);
    r.probe("bound_mean", cleanFromNoise(x1, in.noise(x1, one, abar1), abar1));
}

Measure boundMeasure(const NoiseSchedule& schedule, bool pictures, double meanSquare) {
    Measure m{{"bound_bits", "bound_total"}, {"bound_terms", "bound_x0", "bound_mean"}, nullptr};
    m.compute = [&schedule, pictures, meanSquare](std::map<std::string, Tensor>& c) {
        const std::vector<double> abar = schedule.abars();
        Tensor bits{{timeBins + 2, 1},
                    {float(lastBits(c["bound_x0"].values, c["bound_mean"].values, abar[1], pictures))}};
        for (int b = 0; b < timeBins; ++b) {
            const auto [first, last] = schedule.timesOf(b);
            double nats = 0;
            for (int t = std::max(first, 2); t <= last; ++t) {
                const double share = posteriorShare(abar, t);  // KL of the variances
                nats += double(c["bound_terms"].values[size_t(b)]) + 0.5 * (share - 1 - std::log(share));
            }
            bits.values.push_back(float(nats / std::numbers::ln2));
        }
        bits.values.push_back(float(priorBits(abar.back(), meanSquare)));
        double total = 0;
        for (float b : bits.values) total += double(b);
        c["bound_bits"] = std::move(bits);
        c["bound_total"] = scalar(total);
    };
    return m;
}

}  // namespace core::lessons
