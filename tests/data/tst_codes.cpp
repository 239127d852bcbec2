// What is said of codes: which of them tell anything, and where they lie.
#include <QtTest>
#include <cmath>
#include <limits>
#include <numeric>

#include "core/data/codes.h"

using namespace core;

class CodesTest : public QObject {
    Q_OBJECT

    using Plane = std::array<int, 2>;

  private slots:
    void thePlaneIsOfTheTwoLargestDivergences() {
        QCOMPARE(tellingPlane(std::vector<float>{0.5f, 2, 0.1f, 3}), (Plane{1, 3}));
        QCOMPARE(tellingPlane(std::vector<float>{3, 2, 2.5f}), (Plane{0, 2}));
        QCOMPARE(tellingPlane(std::vector<float>{2, 3}), (Plane{0, 1}));
    }

    // After a collapse the largest of them is chance.
    void silentCodesLeaveTheFirstTwo() {
        QCOMPARE(tellingPlane(std::vector<float>{1e-4f, 2e-4f, 9e-4f, 5e-4f}), (Plane{0, 1}));
        QCOMPARE(tellingPlane(std::vector<float>(16, std::numeric_limits<float>::quiet_NaN())),
                 (Plane{0, 1}));
    }

    void theAggregateIsThatOfItsPlane() {
        // One Gaussian, N(m, diag(s^2)) in three dimensions, seen in the last two.
        constexpr int side = 64;
        constexpr double extent = 4;
        const std::vector<float> mu = {3, 0.5f, -1}, logvar = {-8, 2 * std::log(0.4f), 2 * std::log(0.6f)};
        const Aggregate q = aggregateInThePlane(mu, logvar, 3, {1, 2}, side, extent);
        const auto most = std::max_element(q.field.begin(), q.field.end()) - q.field.begin();
        const double cell = 2 * extent / (side - 1);
        const int64_t column = most % side, row = most / side;
        QVERIFY(std::abs(double(column) * cell - extent - 0.5) <= cell);
        QVERIFY(std::abs(double(row) * cell - extent + 1) <= cell);
        const double mass = std::accumulate(q.field.begin(), q.field.end(), 0.0) * cell * cell;
        QVERIFY(std::abs(mass - 1) < 1e-3);
        double divergence = 0;  // of diagonal Gaussians from the standard one
        for (const auto& [m, s] : {std::pair{0.5, 0.4}, {-1., 0.6}})
            divergence += 0.5 * (m * m + s * s - 1 - 2 * std::log(s));
        QVERIFY(std::abs(q.divergence - divergence) < 1e-3);
    }

    void codesThatVaryAreActive() {
        std::vector<float> mu;
        for (int i = 0; i < 100; ++i) mu.insert(mu.end(), {i % 2 ? 0.2f : -0.2f, i % 2 ? 0.05f : -0.05f});
        QCOMPARE(activeUnits(mu, 2), 1);  // variances 0.04 and 0.0025 about the threshold of 0.01
    }
};

QTEST_MAIN(CodesTest)
#include "tst_codes.moc"
