// Mixtures of Gaussians: what is closed form agrees with sums, differences and draws.
#include <QtTest>
#include <cmath>

#include "core/base/error.h"
#include "core/data/mixture.h"
#include "tests/support/refusal.h"

using core::Component;
using core::Mixture;

namespace {

Mixture named(const QString& name) {
    if (name == "ring8") return Mixture::ring8();
    if (name == "grid25") return Mixture::grid25();
    if (name == "gaussian") return Mixture::gaussian();
    if (name == "bimodal") return Mixture::bimodal();
    return Mixture::trimodal();
}

void everyMixture() {
    QTest::addColumn<QString>("name");
    for (const char* name : {"ring8", "grid25", "gaussian", "bimodal", "trimodal"})
        QTest::newRow(name) << name;
}

}  // namespace

class MixtureTest : public QObject {
    Q_OBJECT

  private slots:
    void densityIntegratesToOne_data() { everyMixture(); }
    void densityIntegratesToOne() {
        QFETCH(QString, name);
        const Mixture mixture = named(name);
        const double step = 0.02;
        double sum = 0;
        for (int i = -200; i <= 200; ++i) {
            if (mixture.dimensions() == 1) sum += step * mixture.density(i * step);
            for (int j = -200; j <= 200 && mixture.dimensions() == 2; ++j)
                sum += step * step * mixture.density(i * step, j * step);
        }
        QVERIFY2(std::abs(sum - 1) < 1e-9, qPrintable(QString::number(sum, 'g', 12)));
    }

    void logDensityIsTheLogOfTheDensity_data() { everyMixture(); }
    void logDensityIsTheLogOfTheDensity() {
        QFETCH(QString, name);
        const Mixture mixture = named(name);
        for (double x = -2.9; x < 3; x += 0.37)
            for (double y = -2.9; y < 3; y += 0.41)
                if (const double p = mixture.density(x, y); p > 1e-300)
                    QVERIFY(std::abs(mixture.logDensity(x, y) - std::log(p)) < 1e-9);
    }

    void logDensityStaysFiniteFarFromEveryMode() {
        const Mixture mixture(1, {{1, {0, 0}, 0.5}});
        QCOMPARE(mixture.density(100), 0.0);
        const double expected = -0.5 * 200 * 200 - std::log(0.5 * std::sqrt(2 * M_PI));
        QVERIFY(std::abs(mixture.logDensity(100) - expected) < 1e-9);
        QVERIFY(std::abs(mixture.score(100)[0] + 400) < 1e-9);
    }

    void scoreMatchesDifferences_data() { everyMixture(); }
    void scoreMatchesDifferences() {
        QFETCH(QString, name);
        const Mixture mixture = named(name);
        const double h = 1e-5;
        for (double x = -2.93; x < 3; x += 0.29)
            for (double y = -2.91; y < 3; y += 0.31) {
                const auto score = mixture.score(x, y);
                const double dX = (mixture.logDensity(x + h, y) - mixture.logDensity(x - h, y)) / (2 * h);
                const double dY = (mixture.logDensity(x, y + h) - mixture.logDensity(x, y - h)) / (2 * h);
                // On a ridge between two modes the curvature reaches |difference of means|^2 / sigma^4.
                QVERIFY(std::abs(score[0] - dX) < 1e-4 * std::max(1.0, std::abs(dX)));
                QVERIFY(std::abs(score[1] - dY) < 1e-4 * std::max(1.0, std::abs(dY)));
            }
    }

    void drawsHaveTheWeightsMeansAndWidthsOfTheModes_data() { everyMixture(); }
    void drawsHaveTheWeightsMeansAndWidthsOfTheModes() {
        QFETCH(QString, name);
        const Mixture mixture = named(name);
        const int n = 200000, d = mixture.dimensions();
        const std::vector<float> points = mixture.draw(n, 42);
        QCOMPARE(int(points.size()), n * d);
        struct Sums {
            double count = 0, mean[2] = {}, square[2] = {};
        };
        std::vector<Sums> sums(mixture.modes());
        for (int i = 0; i < n; ++i) {
            Sums& s = sums[mixture.nearestMode(points[i * d], d == 2 ? points[i * d + 1] : 0).mode];
            ++s.count;
            for (int a = 0; a < d; ++a) {
                const double off = points[i * d + a] - mixture.components()[&s - sums.data()].mean[a];
                s.mean[a] += off;
                s.square[a] += off * off;
            }
        }
        for (int k = 0; k < mixture.modes(); ++k) {
            const Component& c = mixture.components()[k];
            // The modes of trimodal meet at 3.3 sigma: 0.1 % may change sides.
            const double slack = 5 * std::sqrt(c.weight * n) + 0.001 * n;
            QVERIFY(std::abs(sums[k].count - c.weight * n) < slack);
            for (int a = 0; a < d; ++a) {
                QVERIFY(std::abs(sums[k].mean[a] / sums[k].count) < 0.05 * c.sigma);
                QVERIFY(std::abs(std::sqrt(sums[k].square[a] / sums[k].count) / c.sigma - 1) < 0.03);
            }
        }
    }

    void drawsDependOnTheSeedAndNotOnTheCount() {
        const Mixture mixture = Mixture::ring8();
        const std::vector<float> many = mixture.draw(1000, 7), few = mixture.draw(10, 7);
        QCOMPARE(std::vector<float>(many.begin(), many.begin() + 20), few);
        QCOMPARE(mixture.draw(1000, 7), many);
        QVERIFY(mixture.draw(1000, 8) != many);
        QVERIFY(mixture.draw(0, 7).empty());
    }

    void nearestModeIsCountedInItsOwnSigmas() {
        const Mixture mixture(1, {{1, {0, 0}, 0.1}, {1, {2, 0}, 1}});
        const auto nearest = mixture.nearestMode(0.5);  // five sigmas from the narrow, 1.5 from the wide
        QCOMPARE(nearest.mode, 1);
        QVERIFY(std::abs(nearest.sigmas - 1.5) < 1e-12);
        QCOMPARE(mixture.nearestMode(0.05).mode, 0);
    }

    void weightsAreDividedByTheirSum() {
        const Mixture mixture(2, {{3, {0, 0}, 1}, {1, {1, 1}, 1}});
        QCOMPARE(mixture.components()[0].weight, 0.75);
        QCOMPARE(mixture.components()[1].weight, 0.25);
    }

    void badComponentsAreRefused_data() {
        QTest::addColumn<int>("dimensions");
        QTest::addColumn<double>("weight");
        QTest::addColumn<double>("mean");
        QTest::addColumn<double>("sigma");
        QTest::addColumn<QString>("message");
        const double nan = std::nan(""), inf = HUGE_VAL;
        QTest::newRow("three dimensions") << 3 << 1.0 << 0.0 << 1.0 << "expected 1 or 2 dimensions, got 3";
        QTest::newRow("no weight") << 2 << 0.0 << 0.0 << 1.0 << "expected a positive weight, got 0";
        QTest::newRow("negative weight") << 2 << -1.0 << 0.0 << 1.0 << "expected a positive weight, got -1";
        QTest::newRow("NaN weight") << 2 << nan << 0.0 << 1.0 << "expected a positive weight, got nan";
        QTest::newRow("no width") << 1 << 1.0 << 0.0 << 0.0 << "expected a positive sigma, got 0";
        QTest::newRow("infinite width") << 1 << 1.0 << 0.0 << inf << "expected a positive sigma, got inf";
        QTest::newRow("NaN mean") << 1 << 1.0 << nan << 1.0 << "expected a finite mean, got (nan, 0)";
    }
    void badComponentsAreRefused() {
        QFETCH(int, dimensions);
        QFETCH(double, weight);
        QFETCH(double, mean);
        QFETCH(double, sigma);
        QFETCH(QString, message);
        const QString got = support::refusalOf([&] { Mixture(dimensions, {{weight, {mean, 0}, sigma}}); });
        QVERIFY2(got.contains(message), qPrintable(got));
        QVERIFY_THROWS_EXCEPTION(core::Error, Mixture(2, {}));
    }
};

QTEST_GUILESS_MAIN(MixtureTest)
#include "tst_mixture.moc"
