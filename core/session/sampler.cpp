#include "core/session/sampler.h"

#include <algorithm>
#include <cmath>

namespace core {
namespace {

PathPoint between(const PathPoint& a, const PathPoint& b, double share, bool unitVariance) {
    const auto mix = [share](double x, double y) { return x + share * (y - x); };
    PathPoint p{mix(a.t, b.t), mix(a.signal, b.signal), mix(a.noise, b.noise)};
    const double length = unitVariance ? std::hypot(p.signal, p.noise) : 1;
    return {p.t, p.signal / length, p.noise / length};
}

// At a place between 0, the noisiest point, and the number of points - 1.
PathPoint pointAt(const SamplingPath& path, double place) {
    const auto last = double(path.points.size() - 1);
    place = std::clamp(path.continuous ? place : std::round(place), 0.0, last);
    const auto i = std::min(size_t(place), path.points.size() - 2);
    return between(path.points[i], path.points[i + 1], place - double(i), path.unitVariance);
}

// noise / signal falls along the path: the point where it has this value.
PathPoint pointOfRatio(const SamplingPath& path, double ratio) {
    const auto of = [](const PathPoint& p) { return p.noise / p.signal; };
    size_t i = 0;
    while (i + 3 < path.points.size() && of(path.points[i + 1]) > ratio) ++i;
    const double from = of(path.points[i]), to = of(path.points[i + 1]);
    const double share = std::clamp(std::log(ratio / from) / std::log(to / from), 0.0, 1.0);
    PathPoint p = between(path.points[i], path.points[i + 1], share, path.unitVariance);
    if (path.unitVariance) {
        p.signal = 1 / std::hypot(1.0, ratio);
        p.noise = ratio * p.signal;
    }
    return p;
}

struct Coefficients {
    double keep, clean, before, sigma;
};

// log(signal / noise)
double logRatio(const PathPoint& p) {
    return std::log(p.signal) - std::log(p.noise);
}

// The posterior of the earlier state given x and x_0 (Ho et al. 2020, eq. 7), for any path.
Coefficients posteriorStep(const PathPoint& p, const PathPoint& next, bool wideVariance) {
    const double alpha = p.signal / next.signal, variance = p.noise * p.noise;
    const double beta = variance - alpha * alpha * next.noise * next.noise;
    const double share = next.noise * next.noise / variance;
    return {alpha * share, next.signal * beta / variance, 0,
            next.noise > 0 ? std::sqrt(wideVariance ? beta : share * beta) : 0};
}

// x' = signal' x_0 + sqrt(noise'^2 - sigma^2) eps + sigma z (Song et al. 2021a, eq. 12).
Coefficients impliedStep(const PathPoint& p, const PathPoint& next, double eta) {
    const double sigma = eta > 0 ? eta * posteriorStep(p, next, false).sigma : 0;
    const double direction = std::sqrt(std::max(next.noise * next.noise - sigma * sigma, 0.0)) / p.noise;
    return {direction, next.signal - direction * p.signal, 0, sigma};
}

// DPM-Solver++(2M): x_0 carried on along the line from the last estimate (Lu et al. 2022b, algorithm 2).
Coefficients multistep(const PathPoint& last, const PathPoint& p, const PathPoint& next) {
    Coefficients c = impliedStep(p, next, 0);
    if (next.noise == 0 || last.signal == 0) return c;
    const double r = 0.5 * (logRatio(next) - logRatio(p)) / (logRatio(p) - logRatio(last));
    return {c.keep, c.clean * (1 + r), -c.clean * r, 0};
}

}  // namespace

SamplerOptions samplerOptions(const Lesson& lesson, const Settings& settings) {
    SamplerOptions options;
    for (const Knob* knob : lesson.knobs()) {
        const Parameter& p = knob->parameter();
        const auto found = settings.find(p.name);
        if (p.change != Change::sampling || found == settings.end()) continue;
        const double value = found->second;
        if (p.name == "sampler") options.kind = p.options[size_t(value)];
        if (p.name == "spacing") options.spacing = p.options[size_t(value)];
        if (p.name == "sampler_steps") options.steps = int(value);
        if (p.name == "eta") options.eta = value;
        if (p.name == "sigma") options.wideVariance = p.options[size_t(value)] == "beta";
        if (p.name == "added_noise") options.addedNoise = value;
    }
    return options;
}

std::vector<PathPoint> spacedPoints(const SamplingPath& path, const std::string& spacing, int steps) {
    const int most = int(path.points.size()) - 1;  // steps from point to point
    const int n = path.continuous ? steps : std::min(steps, most);
    std::vector<PathPoint> points;
    for (int k = 0; k < n; ++k) {
        const double share = double(k) / n, even = n == 1 ? 0 : double(k) / (n - 1);
        const int stride = most / n;
        if (spacing == "trailing") {
            points.push_back(pointAt(path, share * most));
        } else if (spacing == "leading") {
            points.push_back(pointAt(path, most - 1 - double((n - 1 - k) * stride)));
        } else if (spacing == "linear") {
            points.push_back(pointAt(path, even * (most - 1)));
        } else if (spacing == "karras") {
            const auto root = [](const PathPoint& p) { return std::pow(p.noise / p.signal, 1 / 7.0); };
            const size_t first = path.points[0].signal > 0 ? 0 : 1;
            const double from = root(path.points[first]), to = root(path.points[size_t(most - 1)]);
            points.push_back(k == 0 ? path.points[first]
                                    : pointOfRatio(path, std::pow(from + even * (to - from), 7.0)));
        } else {
            throw Error(
                fmt::format("spacing: expected trailing, leading, linear or karras, got '{}'", spacing));
        }
    }
    points.push_back(path.points.back());
    return points;
}

std::vector<PathPoint> pointsOf(const SamplingPath& path, const SamplerOptions& options) {
    std::vector<PathPoint> back = spacedPoints(path, options.spacing, options.steps);
    if (options.kind != "inversion") return back;
    const PathPoint& first = path.points[path.points.size() - 2];
    if (back[back.size() - 2].noise > first.noise) back.insert(back.end() - 1, first);
    std::vector<PathPoint> points(back.rbegin() + 1, back.rend());
    points.insert(points.end(), back.begin() + 1, back.end());
    return points;
}

std::vector<PlannedEvaluation> planSampler(const std::vector<PathPoint>& points,
                                           const SamplerOptions& options, uint64_t seed, int evaluations) {
    std::vector<PlannedEvaluation> plan;
    for (size_t i = 0; i + 1 < points.size(); ++i) {
        const PathPoint &p = points[i], &next = points[i + 1];
        Coefficients c{};
        if (options.kind == "inversion" || next.noise > p.noise) {
            c = impliedStep(p, next, 0);
        } else if (options.kind == "ddpm") {
            c = posteriorStep(p, next, options.wideVariance);
        } else if (options.kind == "ddim") {
            c = impliedStep(p, next, options.eta);
        } else if (options.kind == "euler" || options.kind == "heun") {
            c = impliedStep(p, next, 0);
        } else if (options.kind == "dpm++") {
            c = i == 0 ? impliedStep(p, next, 0) : multistep(points[i - 1], p, next);
        } else {
            throw Error(fmt::format("sampler: expected ddpm, ddim, euler, heun, dpm++ or inversion, got '{}'",
                                    options.kind));
        }
        c.sigma *= options.addedNoise;
        SamplerStep step{.t = p.t,
                         .tNext = next.t,
                         .signal = p.signal,
                         .noise = p.noise,
                         .signalNext = next.signal,
                         .noiseNext = next.noise,
                         .sigma = c.sigma,
                         .evaluations = ++evaluations,
                         .seed = seed};
        PlannedEvaluation first{.t = p.t, .signal = p.signal, .noise = p.noise};
        first.keep = c.keep;
        first.clean = c.clean;
        first.before = c.before;
        first.sigma = c.sigma;
        first.y = c.before != 0 ? PlannedEvaluation::lastClean : PlannedEvaluation::nothing;
        // The network is not asked at the clean end: the last step is Euler's.
        const bool twice = options.kind == "heun" && next.noise > 0 && next.noise < p.noise;
        first.completes = !twice;
        if (twice) step.evaluations = ++evaluations;
        first.step = step;
        plan.push_back(first);
        if (!twice) continue;
        // x + 1/2 (the change by the first estimate) + 1/2 (dsignal x_0' + dnoise eps'), from the end of the
        // first: the trapezoidal rule for both integrals.
        const double dSignal = next.signal - p.signal, dNoise = next.noise - p.noise;
        PlannedEvaluation second{.t = next.t, .signal = next.signal, .noise = next.noise};
        second.keep = 0.5 + 0.5 * dNoise / next.noise;
        second.clean = 0.5 * (dSignal - dNoise * next.signal / next.noise);
        second.before = 0.5;
        second.y = PlannedEvaluation::stepStart;
        second.step = step;
        plan.push_back(second);
    }
    return plan;
}

}  // namespace core
