// Diffusion and flow matching: noise schedules, the forward process, guidance, and one step of each sampler.
// abar is the product of 1 - beta up to a time: x_t = sqrt(abar) x_0 + sqrt(1 - abar) eps. Times and abars
// are [1], or [B, 1] with one a sample; x is [B, ...].
#pragma once

#include <vector>

#include "core/graph/ops.h"

namespace core {

// ---- schedules: abar of steps 1 ... T
// beta rises linearly from first to last. (Ho et al. 2020, section 4.)
std::vector<double> linearAlphaBar(int steps, double first = 1e-4, double last = 0.02);
// abar falls as a squared cosine; no beta is above 0.999. (Nichol and Dhariwal 2021, eq. 17, s = 0.008.)
std::vector<double> cosineAlphaBar(int steps);
// The root of beta rises linearly, as in the code of Ho et al. 2020.
std::vector<double> quadraticAlphaBar(int steps, double first = 1e-4, double last = 0.02);
// beta rises along a sigmoid from -6 to 6, as in the code of Song et al. 2021a.
std::vector<double> sigmoidAlphaBar(int steps, double first = 1e-4, double last = 0.02);

// ---- training
// A whole number uniform in 0 ... count - 1 a sample, fresh at every step: [B, 1].
Var randomTimes(Recorder& r, const std::string& stream, int batch, int count);
// The schedule's entry at each index [B, 1]: [B, 1].
Var alphaBarAt(const std::vector<double>& schedule, Var index);
// sqrt(abar) x0 + sqrt(1 - abar) eps. (Ho et al. 2020, eq. 4.)
Var qSample(Var x0, Var eps, Var abar);
// (1 - t) x0 + t x1; its velocity is x1 - x0. (Lipman et al. 2023; Liu et al. 2023.)
Var interpolate(Var x0, Var x1, Var t);

// ---- predictions
// x_0 from x_t and the noise in it, and back.
Var cleanFromNoise(Var x, Var eps, Var abar);
Var noiseFromClean(Var x, Var x0, Var abar);
// v = sqrt(abar) eps - sqrt(1 - abar) x_0 (Salimans and Ho 2022): its value, and x_0 and eps from it.
Var velocityOf(Var x0, Var eps, Var abar);
Var cleanFromVelocity(Var x, Var v, Var abar);
Var noiseFromVelocity(Var x, Var v, Var abar);
// The score of the diffused data is -eps / sqrt(1 - abar), eps as it is expected given x.
Var scoreFromNoise(Var eps, Var abar);
Var noiseFromScore(Var score, Var abar);
// unconditional + scale (conditional - unconditional). (Ho and Salimans 2022, eq. 6 with w = scale - 1.)
Var guided(Var conditional, Var unconditional, Var scale);

// ---- one step of a sampler, from the time of abar to that of abarNext > abar
// Ancestral: the posterior's mean with this prediction, and its standard deviation times noise. (Ho et al.
// 2020, eq. 7 and 11.)
Var ddpmStep(Var x, Var eps, Var abar, Var abarNext, Var noise);
// eta = 0: no noise; eta = 1: as ddpmStep. (Song et al. 2021a, eq. 12 and 16.)
Var ddimStep(Var x, Var eps, Var abar, Var abarNext, Var eta, Var noise);
// What DPM-Solver++(2M) takes for x_0 in its second-order step: this prediction carried on along the line
// from the last one, which was made at abarBefore < abar. Use x0 itself in the first step and, where abarNext
// is 1, in the last. (Lu et al. 2022b, algorithm 2.)
Var dpmSolverPrediction(Var x0, Var x0Before, Var abarBefore, Var abar, Var abarNext);
// sigma' / sigma x + alpha' (1 - e^-h) x0. (ibid., algorithm 1 and 2)
Var dpmSolverStep(Var x, Var prediction, Var abar, Var abarNext);

// ---- one step of an ordinary or stochastic differential equation dx = v dt (+ g dW); dt may be negative
Var eulerStep(Var x, Var velocity, Var dt);
// With the velocity at x and at eulerStep(x, velocity, dt).
Var heunStep(Var x, Var velocity, Var velocityAhead, Var dt);
// With the velocities at x, twice half a step ahead, and a step ahead (Kutta 1901).
Var rungeKuttaStep(Var x, Var v1, Var v2, Var v3, Var v4, Var dt);
// x + drift dt + g sqrt(|dt|) noise.
Var eulerMaruyamaStep(Var x, Var drift, Var g, Var dt, Var noise);

}  // namespace core
