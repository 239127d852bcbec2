// Noise schedules and samplers where the answer is known: Gaussian data, whose best prediction is linear, and
// equations with closed solutions.
#include <QtTest>
#include <cmath>
#include <numeric>

#include "core/nn/diffusion.h"
#include "tests/support/evaluation.h"

using namespace core;
using support::Evaluation;

namespace {

constexpr double spread = 0.5;  // of the data, N(0, spread^2)

bool close(double x, double y, double tolerance = 1e-5) {
    return std::abs(x - y) <= tolerance * std::max(1.0, std::abs(y));
}

Var number(Recorder& r, double value) {
    return r.fill({1}, float(value));
}

// E[eps | x] of data N(0, spread^2): sqrt(1 - abar) x / (abar spread^2 + 1 - abar).
double noiseShare(double abar) {
    return std::sqrt(1 - abar) / (abar * spread * spread + 1 - abar);
}

// abar from almost 0 to almost 1 in equal steps of log(alpha / sigma).
std::vector<double> path(int steps) {
    std::vector<double> out;
    for (int i = 0; i <= steps; ++i) {
        const double lambda = -3 + 6.0 * i / steps;
        out.push_back(1 / (1 + std::exp(-2 * lambda)));
    }
    return out;
}

// What x = 1 becomes along the path without noise; the deterministic flow of a Gaussian keeps x / deviation.
double exactScale() {
    const std::vector<double> ends = path(1);
    const auto deviation = [](double abar) { return std::sqrt(abar * spread * spread + 1 - abar); };
    return deviation(ends[1]) / deviation(ends[0]);
}

double ddimError(int steps) {
    Evaluation e([steps](Recorder& r) {
        Var x = r.constant({1, 1}, {1});
        const std::vector<double> abars = path(steps);
        for (int i = 0; i < steps; ++i) {
            const double a = abars[size_t(i)];
            x = ddimStep(x, x * float(noiseShare(a)), number(r, a), number(r, abars[size_t(i) + 1]),
                         number(r, 0), r.fill({1, 1}, 0));
        }
        r.probe("x", x);
    });
    return std::abs(double(e.value("x")) - exactScale());
}

double dpmSolverError(int steps) {
    Evaluation e([steps](Recorder& r) {
        Var x = r.constant({1, 1}, {1}), before;
        const std::vector<double> abars = path(steps);
        for (int i = 0; i < steps; ++i) {
            const Var a = number(r, abars[size_t(i)]), next = number(r, abars[size_t(i) + 1]);
            const Var x0 = cleanFromNoise(x, x * float(noiseShare(abars[size_t(i)])), a);
            const Var used =
                before ? dpmSolverPrediction(x0, before, number(r, abars[size_t(i) - 1]), a, next) : x0;
            x = dpmSolverStep(x, used, a, next);
            before = x0;
        }
        r.probe("x", x);
    });
    return std::abs(double(e.value("x")) - exactScale());
}

// dx/dt = -x from 1 over one unit of time.
double flowError(int steps, bool heun) {
    Evaluation e([=](Recorder& r) {
        Var x = r.constant({1, 1}, {1});
        const Var dt = number(r, 1.0 / steps);
        for (int i = 0; i < steps; ++i)
            x = heun ? heunStep(x, -x, -eulerStep(x, -x, dt), dt) : eulerStep(x, -x, dt);
        r.probe("x", x);
    });
    return std::abs(double(e.value("x")) - std::exp(-1.0));
}

std::pair<double, double> momentsOf(const std::vector<float>& x) {
    const double mean = std::accumulate(x.begin(), x.end(), 0.0) / double(x.size());
    double variance = 0;
    for (float v : x) variance += (v - mean) * (v - mean) / double(x.size());
    return {mean, variance};
}

}  // namespace

class TestDiffusion : public QObject {
    Q_OBJECT

  private slots:
    void schedulesAreThoseOfThePapers() {
        const std::vector<double> linear = linearAlphaBar(1000), cosine = cosineAlphaBar(1000);
        QCOMPARE(linear.size(), size_t(1000));
        QVERIFY(close(linear[0], 1 - 1e-4));
        QVERIFY(close(linear[999], 4.0358e-5, 1e-8));  // as DDPM's own code has it
        double direct = 1;
        for (int t = 0; t < 500; ++t) direct *= 1 - (1e-4 + (0.02 - 1e-4) * t / 999);
        QVERIFY(close(linear[499], direct));
        const auto f = [](double t) {
            return std::pow(std::cos((t + 0.008) / 1.008 * std::acos(-1.0) / 2), 2);
        };
        QVERIFY(close(cosine[0], f(0.001) / f(0)) && close(cosine[499], f(0.5) / f(0)));
        QVERIFY(cosine[999] >= 0.00099f * cosine[998] && cosine[999] <= 0.00101f * cosine[998]);
    }

    void timesAreWholeAndReachBothEnds() {
        Evaluation e([](Recorder& r) {
            const Var t = randomTimes(r, "t", 2000, 10);
            r.probe("t", t);
            r.probe("abar", alphaBarAt({0, 10, 20, 30, 40, 50, 60, 70, 80, 90}, t));
        });
        std::vector<int> counts(10, 0);
        const std::vector<float> t = e.values("t"), abar = e.values("abar");
        for (size_t i = 0; i < t.size(); ++i) {
            QVERIFY(t[i] == std::floor(t[i]) && t[i] >= 0 && t[i] < 10);
            QCOMPARE(abar[i], 10 * t[i]);
            ++counts[size_t(t[i])];
        }
        for (int count : counts) QVERIFY(std::abs(count - 200) < 5 * 14);  // sqrt(200) = 14
    }

    // A sample's own abar on images.
    void theForwardProcessKeepsVarianceAndIsInverted() {
        Evaluation e([](Recorder& r) {
            const Var x0 = r.normal("x", {3, 8, 8, 50}), eps = r.normal("eps", {3, 8, 8, 50});
            const Var abar = r.constant({3, 1}, {0.9f, 0.5f, 0.01f});
            const Var x = qSample(x0, eps, abar);
            r.probe("x", x);
            r.probe("back", cleanFromNoise(x, eps, abar) - x0);
            r.probe("noise", noiseFromClean(x, x0, abar) - eps);
            r.probe("halfway", interpolate(x0, eps, r.fill({1}, 0.5f)) - (x0 + eps) * 0.5f);
        });
        const auto [mean, variance] = momentsOf(e.values("x"));
        QVERIFY(std::abs(mean) < 0.04 && std::abs(variance - 1) < 0.05);
        for (const char* channel : {"back", "noise", "halfway"})
            for (float x : e.values(channel)) QVERIFY(std::abs(x) < 2e-5f);
    }

    void guidanceLeavesAwayFromTheUnconditional() {
        Evaluation e([](Recorder& r) {
            r.probe("v", guided(r.constant({1, 2}, {3, 1}), r.constant({1, 2}, {1, 1}), number(r, 4)));
        });
        QCOMPARE(e.values("v"), (std::vector<float>{9, 1}));
    }

    // The exact posterior of Gaussian data: each step's result has the next marginal.
    void ancestralSamplingKeepsTheMarginals() {
        constexpr double from = 0.3, to = 0.6;
        Evaluation e([](Recorder& r) {
            const double deviation = std::sqrt(from * spread * spread + 1 - from);
            const Var x = r.normal("x", {60000, 1}) * float(deviation);
            const Var eps = x * float(noiseShare(from)), noise = r.normal("noise", {60000, 1});
            r.probe("ddpm", ddpmStep(x, eps, number(r, from), number(r, to), noise));
            r.probe("ddim1", ddimStep(x, eps, number(r, from), number(r, to), number(r, 1), noise));
            r.probe("ddim0", ddimStep(x, eps, number(r, from), number(r, to), number(r, 0), noise));
            r.probe("last", ddpmStep(x, eps, number(r, from), number(r, 1), noise) -
                                cleanFromNoise(x, eps, number(r, from)));
        });
        const std::vector<float> ddpm = e.values("ddpm"), ddim = e.values("ddim1");
        for (size_t i = 0; i < ddpm.size(); ++i) QVERIFY(close(double(ddim[i]), double(ddpm[i])));
        for (float x : e.values("last")) QVERIFY(std::abs(x) < 1e-5f);
        // The step takes x_0 at its mean, so the data's remaining spread given x_t is missing from x_s:
        // coefficient sqrt(abar_s) beta / (1 - abar_t) of it.
        const double alpha = from / to,
                     left = spread * spread * (1 - from) / (from * spread * spread + 1 - from);
        const double share = std::sqrt(to) * (1 - alpha) / (1 - from);
        const double expected = to * spread * spread + 1 - to - share * share * left;
        const auto [mean, variance] = momentsOf(ddpm);
        QVERIFY2(std::abs(mean) < 0.02 && std::abs(variance - expected) < 0.02 * expected,
                 qPrintable(QString("%1, %2, expected %3").arg(mean).arg(variance).arg(expected)));
    }

    // Halving the step halves DDIM's error, and quarters that of the second-order solver.
    void solversConvergeAtTheirOrders() {
        const double ddim = ddimError(20) / ddimError(40);
        QVERIFY2(ddim > 1.8 && ddim < 2.2, qPrintable(QString::number(ddim)));
        const double dpm = dpmSolverError(12) / dpmSolverError(24);
        QVERIFY2(dpm > 3.2 && dpm < 5.5, qPrintable(QString::number(dpm)));
        QVERIFY(dpmSolverError(20) < ddimError(20) / 5);
        const double euler = flowError(10, false) / flowError(20, false);
        QVERIFY2(euler > 1.9 && euler < 2.15, qPrintable(QString::number(euler)));
        const double heun = flowError(5, true) / flowError(10, true);
        QVERIFY2(heun > 3.8 && heun < 4.6, qPrintable(QString::number(heun)));
    }

    // The solver's first step is DDIM's.
    void theFirstOrderSolverIsDdim() {
        Evaluation e([](Recorder& r) {
            const Var x = r.normal("x", {5, 3}), eps = r.normal("eps", {5, 3});
            const Var a = number(r, 0.2), next = number(r, 0.7);
            r.probe("difference", dpmSolverStep(x, cleanFromNoise(x, eps, a), a, next) -
                                      ddimStep(x, eps, a, next, number(r, 0), x));
        });
        for (float x : e.values("difference")) QVERIFY(std::abs(x) < 3e-6f);
    }

    // dx = -x dt + g dW ends at variance g^2 / 2 (1 - e^-2t) from 0.
    void theStochasticEquationReachesItsVariance() {
        Evaluation e([](Recorder& r) {
            Var x = r.fill({40000, 1}, 0);
            const Var dt = number(r, 0.01);
            for (int i = 0; i < 100; ++i)
                x = eulerMaruyamaStep(x, -x, number(r, 0.8), dt,
                                      r.normal("w" + std::to_string(i), {40000, 1}));
            r.probe("x", x);
        });
        const auto [mean, variance] = momentsOf(e.values("x"));
        // The scheme's own value: g^2 dt (1 - q^100) / (1 - q), q = (1 - dt)^2.
        const double q = 0.99 * 0.99, expected = 0.64 * 0.01 * (1 - std::pow(q, 100)) / (1 - q);
        QVERIFY(std::abs(mean) < 0.012 && std::abs(variance - expected) < 0.03 * expected);
    }
};

QTEST_APPLESS_MAIN(TestDiffusion)
#include "tst_diffusion.moc"
