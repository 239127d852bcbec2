// What noise does to data, by the numbers of the papers and in closed form.
#include <QtTest>
#include <cmath>

#include "core/base/error.h"
#include "core/base/philox.h"
#include "core/data/forward_process.h"

using namespace core;

namespace {

// T = 1000, beta 1e-4 -> 0.02.
std::vector<double> linear() {
    std::vector<double> abar = {1};
    for (int t = 1; t <= 1000; ++t)
        abar.push_back(abar.back() * (1 - (1e-4 + (0.02 - 1e-4) * (t - 1) / 999)));
    return abar;
}

std::vector<float> normals(size_t count, uint64_t seed) {
    std::vector<float> x(count);
    for (size_t i = 0; i < count; ++i) x[i] = philox::normalAt({.seed = seed}, i);
    return x;
}

}  // namespace

class TestForwardProcess : public QObject {
    Q_OBJECT

  private slots:
    void theLinearScheduleHasItsNumbers() {
        const std::vector<double> abar = linear();
        QVERIFY(std::abs(abar[1000] - 4.0358e-5) < 1e-9);
        QVERIFY(std::abs(abar[500] - 0.07859) < 1e-5);
        int first = 1;
        while (abar[size_t(first)] / (1 - abar[size_t(first)]) >= 1) ++first;
        QCOMPARE(first, 260);
        QVERIFY(std::abs(priorBits(abar[1000], 1) - 2.9e-5) < 5e-7);
        QVERIFY(std::abs(betaAt(abar, 1) - 1e-4) < 1e-12 && std::abs(betaAt(abar, 1000) - 0.02) < 1e-12);
    }

    void thePosteriorIsThatOfThePaper() {
        const std::vector<double> abar = linear();
        QVERIFY(std::abs(posteriorShare(abar, 2) - 0.45474) < 5e-6);
        QVERIFY(std::abs(posteriorShare(abar, 100) - 0.98191) < 5e-6);
        QCOMPARE(posteriorShare(abar, 1), 0.0);
        for (int t = 1; t <= 1000; ++t) {
            const PosteriorMean c = posteriorMean(abar, t);
            QVERIFY(std::abs(c.ofClean + c.ofState * std::sqrt(abar[size_t(t)]) -
                             std::sqrt(abar[size_t(t - 1)])) < 1e-9);
        }
        // beta^2 / (2 sigma^2 alpha (1 - abar)), twice over.
        const double beta = betaAt(abar, 300), variance = posteriorShare(abar, 300) * beta;
        QVERIFY(std::abs(boundWeight(abar, 300) - beta * beta / (variance * (1 - beta) * (1 - abar[300]))) <
                1e-12);
        QVERIFY(std::isinf(boundWeight(abar, 1)));
    }

    // KL(N(sqrt(abar) x, 1 - abar) || N(0, 1)) for x of mean square 4, by the formula of two Gaussians.
    void thePriorsTermIsADivergenceOfGaussians() {
        const double abar = 0.3, variance = 0.7, nats = 0.5 * (variance + abar * 4 - 1 - std::log(variance));
        QVERIFY(std::abs(priorBits(abar, 4) - nats / std::log(2)) < 1e-12);
    }

    // One step of noise after the other is as good as all at once, and the test would see if it were not.
    void theChainHasTheClosedFormsLaw() {
        const std::vector<double> abar = linear();
        std::vector<float> x0(4000);
        for (size_t i = 0; i < x0.size(); ++i) x0[i] = i % 2 ? 1.5f : -1.5f;
        const auto chain = forwardChain(x0, abar, 3);
        QCOMPARE(chain.size(), size_t(1001));
        for (int t : {1, 50, 200, 400, 1000}) {
            const std::vector<float> eps = normals(x0.size(), uint64_t(t));
            const auto closed = [&](double a) {
                std::vector<float> x = x0;
                for (size_t i = 0; i < x.size(); ++i)
                    x[i] = float(std::sqrt(a) * double(x[i]) + std::sqrt(1 - a) * double(eps[i]));
                return x;
            };
            const double limit = smirnovLimit(4000, 4000);
            QVERIFY(smirnovDistance(chain[size_t(t)], closed(abar[size_t(t)])) < limit);
            if (t < 300) QVERIFY(smirnovDistance(chain[size_t(t)], closed(abar[size_t(t)] * 0.75)) > limit);
        }
    }

    void smirnovsDistanceIsThatOfTheSteps() {
        QCOMPARE(smirnovDistance({1, 2, 3, 4}, {1, 2, 3, 4}), 0.0);
        QCOMPARE(smirnovDistance({1, 2}, {3, 4}), 1.0);
        QCOMPARE(smirnovDistance({1, 3}, {2, 2, 4, 4}), 0.5);
        QVERIFY(std::abs(smirnovLimit(100, 100) - 0.19206) < 1e-4);
        QVERIFY_THROWS_EXCEPTION(Error, smirnovDistance({}, {1}));
        // Of a hundred pairs of equal law about five are beyond the limit.
        int beyond = 0;
        for (uint64_t seed = 0; seed < 100; ++seed)
            beyond +=
                smirnovDistance(normals(200, 2 * seed), normals(200, 2 * seed + 1)) > smirnovLimit(200, 200);
        QVERIFY(beyond <= 11);
    }

    void aDiffusedMixtureIsOne() {
        const Mixture p = diffused(Mixture::ring8(), 0.36);
        QCOMPARE(p.modes(), 8);
        QVERIFY(std::abs(p.components()[0].mean[0] - 1.2) < 1e-6);
        QVERIFY(std::abs(p.components()[0].sigma - std::sqrt(0.36 * 0.01 + 0.64)) < 1e-12);
        QVERIFY(std::abs(p.components()[3].weight - 0.125) < 1e-12);
    }

    // Of N(0, s^2): eps given x has the variance abar s^2 / (abar s^2 + 1 - abar).
    void theFloorOfAGaussianIsKnown() {
        for (int dimensions : {1, 2})
            for (double abar : {0.99, 0.5, 0.01}) {
                const Mixture one(dimensions, {{1, {0, 0}, 0.7}});
                const double expected = abar * 0.49 / (abar * 0.49 + 1 - abar);
                QVERIFY2(std::abs(lossFloor(one, abar) - expected) < 1e-6,
                         qPrintable(QString("%1 %2").arg(lossFloor(one, abar)).arg(expected)));
            }
    }

    // Two far modes: the noise is known but for the width of a mode.
    void theFloorOfFarModesIsThatOfOne() {
        const Mixture far(1, {{1, {-40, 0}, 0.5}, {1, {40, 0}, 0.5}});
        QVERIFY(std::abs(lossFloor(far, 0.9) - 0.9 * 0.25 / (0.9 * 0.25 + 0.1)) < 1e-6);
    }
};

QTEST_APPLESS_MAIN(TestForwardProcess)
#include "tst_forward_process.moc"
