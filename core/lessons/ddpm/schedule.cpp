#include "core/lessons/ddpm/schedule.h"

#include <algorithm>
#include <cmath>

#include "core/data/forward_process.h"
#include "core/nn/diffusion.h"

namespace core::lessons {
namespace {

// The betas are those of T = 1000, scaled so that as much noise comes together in fewer steps.
double firstBeta(int steps) {
    return 0.1 / steps;
}

double lastBeta(int steps) {
    return 20.0 / steps;
}

}  // namespace

// log SNR at the knots, which may not rise.
std::array<double, scheduleKnots> NoiseSchedule::drawnLogSnr() const {
    std::array<double, scheduleKnots> snr{};
    for (size_t k = 0; k < scheduleKnots; ++k) {
        snr[k] = m_drawn[k]->value();
        if (k > 0) snr[k] = std::min(snr[k], snr[k - 1] - 0.01);
    }
    return snr;
}

// What each knot counts at step t, by linear interpolation.
std::array<double, scheduleKnots> NoiseSchedule::hats(int t) const {
    std::array<double, scheduleKnots> hat{};
    const double at = (scheduleKnots - 1) * double(t - 1) / (steps() - 1);
    const auto k = std::min(size_t(at), size_t(scheduleKnots - 2));
    hat[k] = 1 - (at - double(k));
    hat[k + 1] = at - double(k);
    return hat;
}

std::vector<double> NoiseSchedule::abars() const {
    std::vector<double> abar = {1};
    if (drawn()) {
        const std::array<double, scheduleKnots> snr = drawnLogSnr();
        for (int t = 1; t <= steps(); ++t) {
            const std::array<double, scheduleKnots> hat = hats(t);
            double logSnr = 0;
            for (size_t k = 0; k < scheduleKnots; ++k) logSnr += hat[k] * snr[k];
            abar.push_back(1 / (1 + std::exp(-logSnr)));
        }
        return abar;
    }
    const double first = firstBeta(steps()), last = lastBeta(steps());
    const std::vector<double> rest = m_formula == "cosine"      ? cosineAlphaBar(steps())
                                     : m_formula == "quadratic" ? quadraticAlphaBar(steps(), first, last)
                                     : m_formula == "sigmoid"   ? sigmoidAlphaBar(steps(), first, last)
                                                                : linearAlphaBar(steps(), first, last);
    abar.insert(abar.end(), rest.begin(), rest.end());
    return abar;
}

Var NoiseSchedule::abarAt(Recorder& r, Var t) const {
    Var table;
    if (drawn()) {
        Var snr, last;
        for (const Live* knot : m_drawn) {
            const Var own = reshape(knot->in(r), {1, 1});
            const Var limit = last ? last - 0.01f : own;
            last = last ? own - relu(own - limit) : own;
            snr = snr ? concatRows(snr, last) : last;
        }
        std::vector<float> weights;
        for (int step = 1; step <= steps(); ++step)
            for (double hat : hats(step)) weights.push_back(float(hat));
        table = concatRows(r.fill({1, 1}, 1),
                           sigmoid(matmul(r.constant({steps(), scheduleKnots}, weights), snr)));
    } else {
        const std::vector<double> abar = abars();
        table = r.constant({steps() + 1, 1}, {abar.begin(), abar.end()});
    }
    return reshape(gatherRows(table, t), {t.rows(), 1});
}

std::pair<int, int> NoiseSchedule::timesOf(int bin) const {
    int first = 0, last = 0;
    for (int t = 1; t <= steps(); ++t) {
        if (int(float(t - 1) * (float(timeBins) / float(steps()))) != bin) continue;
        if (first == 0) first = t;
        last = t;
    }
    return {first, last};
}

Tensor NoiseSchedule::curves() const {
    const std::vector<double> abar = abars();
    Tensor curves{{steps(), 6}, {}};
    for (int t = 1; t <= steps(); ++t) {
        const double a = abar[size_t(t)], snr = a / (1 - a);
        // sigma^2 is beta at t = 1, where beta-tilde is 0.
        const double weight = t == 1 ? 1 / (1 - betaAt(abar, 1)) : boundWeight(abar, t);
        for (double value : {betaAt(abar, t), a, snr, std::log(snr), weight, posteriorShare(abar, t)})
            curves.values.push_back(float(value));
    }
    return curves;
}

Tensor NoiseSchedule::linear() const {
    const std::vector<double> abar = linearAlphaBar(steps(), firstBeta(steps()), lastBeta(steps()));
    return {{steps(), 1}, {abar.begin(), abar.end()}};
}

}  // namespace core::lessons
