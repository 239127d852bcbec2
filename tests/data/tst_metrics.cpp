// Metrics: each stands beside a case whose answer is known.
#include <QtTest>
#include <cmath>
#include <random>

#include "core/base/error.h"
#include "core/data/metrics.h"

using core::Bins;
using core::Mixture;

namespace {

std::function<double(double)> normal(double mean, double sigma) {
    return [=](double x) {
        const double d = (x - mean) / sigma;
        return std::exp(-0.5 * d * d) / (sigma * std::sqrt(2 * M_PI));
    };
}

// The same modes, as many as are kept, each so many times as wide.
Mixture altered(const Mixture& mixture, double width, int kept) {
    std::vector<core::Component> modes = mixture.components();
    modes.resize(kept);
    for (core::Component& c : modes) c.sigma *= width;
    return {mixture.dimensions(), std::move(modes)};
}

bool near(double got, double expected, double tolerance) {
    if (std::abs(got - expected) <= tolerance) return true;
    qWarning("expected %.9g, got %.9g", expected, got);
    return false;
}

}  // namespace

class MetricsTest : public QObject {
    Q_OBJECT

  private slots:
    void jsdOfGaussiansIsAsKnown() {
        const double shifted = core::jsdQuadrature(normal(0, 1), normal(1, 1), -12, 13);
        QVERIFY(near(shifted, 0.111421, 1e-6));
        QVERIFY(near(core::gameValue(shifted), -1.163451, 1e-6));
        QVERIFY(near(core::jsdQuadrature(normal(0, 1), normal(3, 0.5), -12, 13), 0.630868, 1e-6));
        QVERIFY(near(core::jsdQuadrature(normal(3, 0.5), normal(0, 1), -12, 13), 0.630868, 1e-6));
    }

    void gameValueAtEqualityIsMinusLogFour() {
        for (const Mixture& mixture : {Mixture::gaussian(), Mixture::bimodal(), Mixture::trimodal()}) {
            const auto p = [&](double x) { return mixture.density(x); };
            QVERIFY(near(core::gameValue(core::jsdQuadrature(p, p, -6, 6)), -1.386294, 1e-5));
        }
        QVERIFY(near(core::gameValue(0), -std::log(4.0), 1e-15));
        QVERIFY(near(core::gameValue(std::log(2.0)), 0, 1e-15));
    }

    void jsdOfDensitiesApartIsLogTwo() {
        QVERIFY(near(core::jsdQuadrature(normal(-4, 0.05), normal(4, 0.05), -10, 10), std::log(2.0), 1e-6));
    }

    // Steps are where quadrature errs: two boxes that share half their length have JSD log(2) / 2.
    void jsdIsExactAcrossSteps() {
        const auto box = [](double from) {
            return [from](double x) { return x >= from && x < from + 1 ? 1.0 : 0.0; };
        };
        QVERIFY(near(core::jsdQuadrature(box(0.1), box(0.6), -1.7, 3.1), 0.5 * std::log(2.0), 1e-6));
        QVERIFY(near(core::jsdQuadrature(box(0.1), box(0.1), -1.7, 3.1), 0, 1e-12));
    }

    void jsdRefusesWhatIsNoDensity() {
        const auto negative = [](double) { return -1.0; };
        const auto nan = [](double) { return std::nan(""); };
        QVERIFY_THROWS_EXCEPTION(core::Error, core::jsdQuadrature(negative, normal(0, 1), -1, 1));
        QVERIFY_THROWS_EXCEPTION(core::Error, core::jsdQuadrature(normal(0, 1), nan, -1, 1));
        QVERIFY_THROWS_EXCEPTION(core::Error, core::jsdQuadrature(normal(0, 1), normal(0, 1), 1, 1));
    }

    void jsdOfSharesIsAsKnown() {
        const std::vector<double> a{1, 0}, b{0, 1}, c{0.5, 0.5};
        QVERIFY(near(core::jsdShares(a, b), std::log(2.0), 1e-15));
        QCOMPARE(core::jsdShares(a, a), 0.0);
        // (log(4/3) + log(2/3)/2 + log(2)/2) / 2
        QVERIFY(near(core::jsdShares(a, c),
                     0.5 * (std::log(4 / 3.0) + 0.5 * std::log(2 / 3.0) + 0.5 * std::log(2.0)), 1e-15));
        QVERIFY_THROWS_EXCEPTION(core::Error, core::jsdShares(a, std::vector<double>{1}));
    }

    void binsHoldTheMassOfTheDensity() {
        const Mixture plane(2, {{1, {0.3, -0.2}, 0.4}, {2, {-1, 1}, 0.7}, {1, {2.8, 0}, 0.5}});
        const Bins bins{10, 3};
        const std::vector<double> masses = core::binMasses(plane, bins);
        QCOMPARE(masses.size(), size_t(101));
        double total = 0;
        for (double mass : masses) total += mass;
        QVERIFY(near(total, 1, 1e-12));
        QVERIFY(masses.back() > 0.05);  // the third mode hangs over the edge
        const int sub = 60;
        const double side = 0.6 / sub;
        for (int row : {3, 4, 5, 9})
            for (int column : {0, 2, 5, 9}) {
                double sum = 0;
                for (int j = 0; j < sub; ++j)
                    for (int i = 0; i < sub; ++i)
                        sum += side * side *
                               plane.density(-3 + 0.6 * column + (i + 0.5) * side,
                                             -3 + 0.6 * row + (j + 0.5) * side);
                QVERIFY(near(masses[row * 10 + column], sum, 1e-5));
            }
        const std::vector<double> line = core::binMasses(Mixture(1, {{1, {0, 0}, 1}}), {2, 1});
        QCOMPARE(line.size(), size_t(3));
        QVERIFY(near(line[0], 0.341344746, 1e-9));
        QVERIFY(near(line[2], 0.317310508, 1e-9));
    }

    void everyPointFallsIntoOneBin() {
        const std::vector<float> points{-3, -3, 3,         3,       0,   0, 3.001f, 0, std::nanf(""),
                                        0,  0,  HUGE_VALF, -0.001f, 2.9f};
        const std::vector<double> shares = core::binShares(points, 2, {2, 3});
        QCOMPARE(shares, (std::vector<double>{1 / 7.0, 0, 1 / 7.0, 2 / 7.0, 3 / 7.0}));
        QCOMPARE(core::binShares(std::vector<float>{-1, 1, 5}, 1, {2, 3}),
                 (std::vector<double>{1 / 3.0, 1 / 3.0, 1 / 3.0}));
        QVERIFY_THROWS_EXCEPTION(core::Error, core::binShares(std::vector<float>{1, 2, 3}, 2));
        QVERIFY_THROWS_EXCEPTION(core::Error, core::binShares({}, 2));
        QVERIFY_THROWS_EXCEPTION(core::Error, core::binShares(points, 2, {0, 3}));
    }

    void baselineFallsAsOneOverTheCount_data() {
        QTest::addColumn<bool>("ring");
        QTest::newRow("ring8") << true;
        QTest::newRow("grid25") << false;
    }
    void baselineFallsAsOneOverTheCount() {
        QFETCH(bool, ring);
        const Mixture exact = ring ? Mixture::ring8() : Mixture::grid25();
        const double few = core::jsdBaseline(exact, 2000), many = core::jsdBaseline(exact, 20000);
        QVERIFY(few < 0.012 && core::jsdBaseline(exact, 10000) < 0.005);
        QVERIFY(many > 0 && few / many > 5 && few / many < 20);
        QCOMPARE(core::jsdBaseline(exact, 2000), few);
    }

    void jsdOfSamplesGrowsWithWhatIsWrong() {
        const Mixture exact = Mixture::ring8();
        const auto figure = [&](const Mixture& model) {
            return core::jsdHistogram(model.draw(10000, 77), exact);
        };
        const double good = figure(exact), wider = figure(altered(exact, 1.25, 8)),
                     wide = figure(altered(exact, 1.5, 8));
        const double half = figure(altered(exact, 1, 4));
        QVERIFY(good < 0.003 && good < wider && wider < 0.03 && wider < wide && wide < 0.06);
        // A quarter of log-mass: half the modes missing is JSD (log(4/3) + log(2/3)/2 + log(2)/2) / 2 =
        // 0.2158.
        QVERIFY(near(half, 0.2158, 0.005));
        QVERIFY(near(figure(Mixture(2, {{1, {0, 0}, 0.1}})), std::log(2.0), 1e-3));
    }

    void jsdOfTwoSamplesNeedsNoDensity() {
        const Mixture exact = Mixture::ring8();
        const std::vector<float> a = exact.draw(10000, 1), b = exact.draw(10000, 2);
        const std::vector<float> half = altered(exact, 1, 4).draw(10000, 3);
        QCOMPARE(core::jsdHistogram(a, a, 2), 0.0);
        QVERIFY(core::jsdHistogram(a, b, 2) < 0.006);
        QVERIFY(near(core::jsdHistogram(half, a, 2), 0.2158, 0.008));
    }

    void coverageCountsModes_data() {
        QTest::addColumn<bool>("ring");
        QTest::addColumn<int>("kept");
        QTest::newRow("8 of 8") << true << 8;
        QTest::newRow("4 of 8") << true << 4;
        QTest::newRow("1 of 8") << true << 1;
        QTest::newRow("25 of 25") << false << 25;
        QTest::newRow("7 of 25") << false << 7;
    }
    void coverageCountsModes() {
        QFETCH(bool, ring);
        QFETCH(int, kept);
        const Mixture exact = ring ? Mixture::ring8() : Mixture::grid25();
        const core::ModeCoverage c = core::modeCoverage(altered(exact, 1, kept).draw(20000, 5), exact);
        QCOMPARE(c.covered, kept);
        QCOMPARE(c.modes, exact.modes());
        QVERIFY(near(c.near, 1 - std::exp(-4.5), 0.003));
        QVERIFY(near(c.kl, std::log(double(exact.modes()) / kept), 0.002));
        double total = 0;
        for (double share : c.shares) total += share;
        QVERIFY(near(total, c.near, 1e-12));
    }

    void coverageAsksForAFifthOfWhatIsDue() {
        // Two modes, 1000 points: 500 are due to each, so that 100 suffice and 99 do not.
        const Mixture exact(1, {{1, {-1, 0}, 0.1}, {1, {1, 0}, 0.1}});
        std::vector<float> points(1000, -1.0f);
        std::fill_n(points.begin(), 100, 1.29f);
        QCOMPARE(core::modeCoverage(points, exact).covered, 2);
        points[0] = -1;
        QCOMPARE(core::modeCoverage(points, exact).covered, 1);
        // Beyond three sigma a point counts for no mode.
        std::fill_n(points.begin(), 500, 1.31f);
        const core::ModeCoverage far = core::modeCoverage(points, exact);
        QCOMPARE(far.covered, 1);
        QCOMPARE(far.near, 0.5);
        QVERIFY(near(far.kl, 0, 1e-12));
    }

    void smearedPointsAreNotNear() {
        const Mixture exact = Mixture::ring8();
        const core::ModeCoverage c = core::modeCoverage(altered(exact, 2, 8).draw(20000, 5), exact);
        QCOMPARE(c.covered, 8);
        QVERIFY(near(c.near, 1 - std::exp(-9 / 8.0), 0.01));
    }

    void pairwiseDistanceIsTheMeanOverPairs() {
        QVERIFY(near(core::meanPairwiseDistance(std::vector<float>{0, 0, 3, 4, 0, 0}, 2), 10 / 3.0, 1e-12));
        QCOMPARE(core::meanPairwiseDistance(std::vector<float>(2000, 0.7f), 2), 0.0);
        // Two independent N(0, I) in the plane are sqrt(pi) apart in the mean.
        const std::vector<float> points = Mixture(2, {{1, {0, 0}, 1}}).draw(20000, 3);
        const double subset = core::meanPairwiseDistance(points, 2);
        QVERIFY(near(subset, std::sqrt(M_PI), 0.1));
        QCOMPARE(core::meanPairwiseDistance(points, 2), subset);
        QVERIFY(near(core::meanPairwiseDistance(points, 2, 4000), std::sqrt(M_PI), 0.03));
        // The rows are taken from the whole sample: half at 0, half at 1.
        std::vector<float> halves(2000, 0);
        std::fill(halves.begin() + 1000, halves.end(), 1.0f);
        QVERIFY(near(core::meanPairwiseDistance(halves, 1), 0.5, 0.01));
        QVERIFY_THROWS_EXCEPTION(core::Error, core::meanPairwiseDistance(std::vector<float>{1, 2}, 2));
    }

    void kernelDensityOfOnePointIsTheKernel() {
        const std::vector<double> grid{-1, 0, 0.5, 2, 9};
        const std::vector<double> density = core::kernelDensity1d(std::vector<float>{0.5f}, grid, 0.4);
        for (size_t i = 0; i < grid.size(); ++i) QVERIFY(near(density[i], normal(0.5, 0.4)(grid[i]), 1e-13));
        QVERIFY_THROWS_EXCEPTION(core::Error, core::kernelDensity1d(std::vector<float>{1}, grid, 0));
    }

    void kernelDensityApproachesTheDensitySmoothed() {
        const std::vector<float> samples = Mixture(1, {{1, {0, 0}, 1}}).draw(50000, 8);
        std::vector<double> grid;
        for (int i = 0; i <= 400; ++i) grid.push_back(-5 + 0.025 * i);
        const std::vector<double> density = core::kernelDensity1d(samples, grid, 0.2);
        double total = 0;
        for (size_t i = 0; i < grid.size(); ++i) {
            total += 0.025 * density[i];
            QVERIFY(near(density[i], normal(0, std::sqrt(1.04))(grid[i]), 0.01));
        }
        QVERIFY(near(total, 1, 1e-4));
        // 0.9 n^(-1/5) for unit spread.
        QVERIFY(near(core::silvermanBandwidth(samples), 0.9 * std::pow(50000, -0.2), 0.002));
        QVERIFY(core::silvermanBandwidth(std::vector<float>(100, 2.0f)) > 0);
    }

    void klOfDiagonalGaussiansMatchesIntegration_data() {
        QTest::addColumn<double>("mu");
        QTest::addColumn<double>("logvar");
        for (double mu : {0.0, 0.5, -2.0})
            for (double logvar : {-4.0, -0.001, 0.0, 1.5}) QTest::addRow("%g %g", mu, logvar) << mu << logvar;
    }
    void klOfDiagonalGaussiansMatchesIntegration() {
        QFETCH(double, mu);
        QFETCH(double, logvar);
        const double m = float(mu), l = float(logvar), sigma = std::exp(0.5 * l), h = sigma / 50;
        double sum = 0;
        for (double x = m - 12 * sigma; x < m + 12 * sigma; x += h) {
            const double logQ = -0.5 * ((x - m) * (x - m) / (sigma * sigma) + l), logP = -0.5 * x * x;
            sum += h * std::exp(logQ) / std::sqrt(2 * M_PI) * (logQ - logP);
        }
        const std::vector<float> mus{float(mu), float(mu)}, logvars{float(logvar), float(logvar)};
        QVERIFY(near(core::klDiagonalGaussian(mus, logvars), 2 * sum, 1e-6));
    }

    void klAgainstThePriorItselfIsZero() {
        QCOMPARE(core::klDiagonalGaussian(std::vector<float>(5), std::vector<float>(5)), 0.0);
        QVERIFY_THROWS_EXCEPTION(core::Error,
                                 core::klDiagonalGaussian(std::vector<float>(5), std::vector<float>(4)));
    }

    void logSumExpNeitherOverflowsNorUnderflows() {
        QVERIFY(near(core::logSumExp(std::vector<double>{0, std::log(2.0)}), std::log(3.0), 1e-15));
        QVERIFY(near(core::logSumExp(std::vector<double>{1000, 1000}), 1000 + std::log(2.0), 1e-12));
        QVERIFY(near(core::logSumExp(std::vector<double>{-1000, -1001}), -1000 + std::log1p(std::exp(-1)),
                     1e-12));
        QCOMPARE(core::logSumExp({}), -HUGE_VAL);
        QCOMPARE(core::logSumExp(std::vector<double>{-HUGE_VAL, -HUGE_VAL}), -HUGE_VAL);
        QCOMPARE(core::logSumExp(std::vector<double>{-HUGE_VAL, 3}), 3.0);
        QCOMPARE(core::logSumExp(std::vector<double>{HUGE_VAL, 3}), HUGE_VAL);
    }

    void nearestRowIsTheOneAFullSearchFinds_data() {
        QTest::addColumn<int>("columns");
        QTest::addColumn<int>("range");
        QTest::newRow("pictures") << 784 << 256;
        QTest::newRow("odd width") << 37 << 256;
        QTest::newRow("nearly alike") << 50 << 2;  // rounding alone cannot decide these
        QTest::newRow("one column") << 1 << 256;
    }
    void nearestRowIsTheOneAFullSearchFinds() {
        QFETCH(int, columns);
        QFETCH(int, range);
        std::mt19937 random(4);
        core::Table bytes{500, columns, {}, {}}, floats{500, columns, {}, {}};
        for (int i = 0; i < 500 * columns; ++i) {
            bytes.bytes.push_back(uint8_t(random() % range));
            floats.values.push_back(float(bytes.bytes.back()) / 255);
        }
        for (int trial = 0; trial < 50; ++trial) {
            std::vector<float> query(columns);
            // Between and beyond whole grey levels.
            for (float& q : query) q = (float(random() % 10000) / 10000 * float(range + 2) - 1) / 255;
            int64_t best = -1;
            double least = HUGE_VAL;
            for (int64_t row = 0; row < 500; ++row) {
                double sum = 0;
                for (int c = 0; c < columns; ++c) {
                    const double d = bytes.bytes[row * columns + c] - 255.0 * query[c];
                    sum += d * d;
                }
                if (sum < least) {
                    least = sum;
                    best = row;
                }
            }
            const core::NearestRow a = core::nearestRow(bytes, query), b = core::nearestRow(floats, query);
            QCOMPARE(a.row, best);
            QVERIFY(near(a.distance, std::sqrt(least) / 255, 1e-9));
            QVERIFY(near(b.distance, std::sqrt(least) / 255, 1e-5));
        }
    }

    void nearestRowFindsARowItself() {
        core::Table table{3, 2, {}, {0, 0, 255, 0, 255, 0}};
        const core::NearestRow nearest = core::nearestRow(table, std::vector<float>{1, 0});
        QCOMPARE(nearest.row, 1);
        QCOMPARE(nearest.distance, 0.0);
        QVERIFY_THROWS_EXCEPTION(core::Error, core::nearestRow(table, std::vector<float>{1}));
        QVERIFY_THROWS_EXCEPTION(core::Error, core::nearestRow(table, std::vector<float>{1, std::nanf("")}));
        table.rows = 4;
        QVERIFY_THROWS_EXCEPTION(core::Error, core::nearestRow(table, std::vector<float>{1, 0}));
    }

    void nearestOfSixtyThousandPicturesIsQuick() {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || !defined(__OPTIMIZE__)
        QSKIP("timed in optimised builds only");
#endif
        std::mt19937 random(4);
        core::Table table{60000, 784, {}, std::vector<uint8_t>(60000 * 784)};
        for (size_t i = 0; i < table.bytes.size(); i += 4) {
            const uint32_t word = random();
            memcpy(&table.bytes[i], &word, 4);
        }
        const std::vector<float> query(784, 0.35f);
        double least = HUGE_VAL;
        for (int run = 0; run < 5; ++run) {  // the best of five: a neighbour may be busy
            QElapsedTimer timer;
            timer.start();
            QVERIFY(core::nearestRow(table, query).row >= 0);
            least = std::min(least, double(timer.nsecsElapsed()) * 1e-6);
        }
        QVERIFY2(least < 60, qPrintable(QString("%1 ms").arg(least)));
    }
};

QTEST_GUILESS_MAIN(MetricsTest)
#include "tst_metrics.moc"
