#include "core/nn/diffusion.h"

#include <algorithm>
#include <cmath>

namespace core {
namespace {

// e^-h of a step from abar to abarNext, h being the change of log(alpha / sigma).
Var decayOf(Var abar, Var abarNext) {
    return sqrt((1 - abarNext) / abarNext * abar / (1 - abar));
}

// The products of 1 - beta, beta being a function of the way from 0 to 1.
template <class Beta>
std::vector<double> alphaBars(int steps, Beta beta) {
    CHECK(steps > 1, "noise schedule: expected at least 2 steps, got {}", steps);
    std::vector<double> out;
    double abar = 1;
    for (int t = 0; t < steps; ++t) out.push_back(abar *= 1 - std::min(beta(double(t) / (steps - 1)), 0.999));
    return out;
}

}  // namespace

std::vector<double> linearAlphaBar(int steps, double first, double last) {
    return alphaBars(steps, [=](double way) { return first + (last - first) * way; });
}

std::vector<double> quadraticAlphaBar(int steps, double first, double last) {
    const double from = std::sqrt(first), to = std::sqrt(last);
    return alphaBars(steps,
                     [=](double way) { return (from + (to - from) * way) * (from + (to - from) * way); });
}

std::vector<double> sigmoidAlphaBar(int steps, double first, double last) {
    return alphaBars(steps,
                     [=](double way) { return first + (last - first) / (1 + std::exp(6 - 12 * way)); });
}

std::vector<double> cosineAlphaBar(int steps) {
    CHECK(steps > 1, "cosineAlphaBar: expected at least 2 steps, got {}", steps);
    constexpr double s = 0.008, halfPi = 1.5707963267948966;
    const auto f = [&](int t) {
        const double c = std::cos((double(t) / steps + s) / (1 + s) * halfPi);
        return c * c;
    };
    std::vector<double> out;
    double abar = 1;
    for (int t = 0; t < steps; ++t) {
        abar *= std::max(f(t + 1) / f(t), 0.001);
        out.push_back(abar);
    }
    return out;
}

// ---- training

Var randomTimes(Recorder& r, const std::string& stream, int batch, int count) {
    return floor(r.uniform(stream, {batch, 1}, 0, float(count)));
}

Var alphaBarAt(const std::vector<double>& schedule, Var index) {
    const Var table =
        index.recorder().constant({int(schedule.size()), 1}, {schedule.begin(), schedule.end()});
    return reshape(gatherRows(table, index), {index.rows(), 1});
}

Var qSample(Var x0, Var eps, Var abar) {
    return sqrt(abar) * x0 + sqrt(1 - abar) * eps;
}

Var interpolate(Var x0, Var x1, Var t) {
    return x0 + t * (x1 - x0);
}

// ---- predictions

Var cleanFromNoise(Var x, Var eps, Var abar) {
    return (x - sqrt(1 - abar) * eps) / sqrt(abar);
}

Var noiseFromClean(Var x, Var x0, Var abar) {
    return (x - sqrt(abar) * x0) / sqrt(1 - abar);
}

Var velocityOf(Var x0, Var eps, Var abar) {
    return sqrt(abar) * eps - sqrt(1 - abar) * x0;
}

Var cleanFromVelocity(Var x, Var v, Var abar) {
    return sqrt(abar) * x - sqrt(1 - abar) * v;
}

Var noiseFromVelocity(Var x, Var v, Var abar) {
    return sqrt(1 - abar) * x + sqrt(abar) * v;
}

Var scoreFromNoise(Var eps, Var abar) {
    return -eps / sqrt(1 - abar);
}

Var noiseFromScore(Var score, Var abar) {
    return -sqrt(1 - abar) * score;
}

Var guided(Var conditional, Var unconditional, Var scale) {
    return unconditional + scale * (conditional - unconditional);
}

// ---- samplers

Var ddpmStep(Var x, Var eps, Var abar, Var abarNext, Var noise) {
    const Var alpha = abar / abarNext, beta = 1 - alpha;
    const Var mean = (x - beta / sqrt(1 - abar) * eps) / sqrt(alpha);
    return mean + sqrt((1 - abarNext) / (1 - abar) * beta) * noise;
}

Var ddimStep(Var x, Var eps, Var abar, Var abarNext, Var eta, Var noise) {
    const Var sigma = eta * sqrt((1 - abarNext) / (1 - abar) * (1 - abar / abarNext));
    // Rounding may carry what is left of the noise's share below zero.
    const Var direction = sqrt(relu(1 - abarNext - square(sigma)));
    return sqrt(abarNext) * cleanFromNoise(x, eps, abar) + direction * eps + sigma * noise;
}

Var dpmSolverPrediction(Var x0, Var x0Before, Var abarBefore, Var abar, Var abarNext) {
    const Var h = log(decayOf(abar, abarNext)), hBefore = log(decayOf(abarBefore, abar));  // both negative
    return x0 + 0.5f * (h / hBefore) * (x0 - x0Before);
}

Var dpmSolverStep(Var x, Var prediction, Var abar, Var abarNext) {
    return sqrt((1 - abarNext) / (1 - abar)) * x +
           sqrt(abarNext) * (1 - decayOf(abar, abarNext)) * prediction;
}

Var eulerStep(Var x, Var velocity, Var dt) {
    return x + dt * velocity;
}

Var heunStep(Var x, Var velocity, Var velocityAhead, Var dt) {
    return x + 0.5f * dt * (velocity + velocityAhead);
}

Var rungeKuttaStep(Var x, Var v1, Var v2, Var v3, Var v4, Var dt) {
    return x + dt / 6 * (v1 + 2 * v2 + 2 * v3 + v4);
}

Var eulerMaruyamaStep(Var x, Var drift, Var g, Var dt, Var noise) {
    return x + dt * drift + g * sqrt(abs(dt)) * noise;
}

}  // namespace core
