// The 2-Wasserstein distance where it is known.
#include <QtTest>
#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/base/error.h"
#include "core/base/philox.h"
#include "core/data/points.h"
#include "core/data/transport.h"

using namespace core;

namespace {

std::vector<float> normals(int64_t count, uint64_t seed) {
    std::vector<float> x(static_cast<size_t>(count));
    for (size_t i = 0; i < x.size(); ++i) x[i] = philox::normalAt({.seed = seed}, i);
    return x;
}

// Of all pairings.
double byTrying(const std::vector<float>& a, const std::vector<float>& b) {
    const size_t n = a.size() / 2;
    std::vector<size_t> order(n);
    std::iota(order.begin(), order.end(), size_t(0));
    double least = HUGE_VAL;
    do {
        double sum = 0;
        for (size_t i = 0; i < n; ++i)
            for (size_t c = 0; c < 2; ++c)
                sum += std::pow(double(a[2 * i + c]) - double(b[2 * order[i] + c]), 2);
        least = std::min(least, sum);
    } while (std::next_permutation(order.begin(), order.end()));
    return std::sqrt(least / double(n));
}

}  // namespace

class TestTransport : public QObject {
    Q_OBJECT

  private slots:
    void noPairingIsShorter() {
        for (uint64_t seed = 0; seed < 20; ++seed) {
            std::vector<float> a = normals(14, 2 * seed), b = normals(14, 2 * seed + 1);
            if (seed % 3 == 0)
                for (float& x : b) x = std::round(x);  // with ties
            if (seed == 5) b = a;
            QVERIFY(std::abs(wasserstein2(a, b, 2) - byTrying(a, b)) < 1e-5);
        }
    }

    // On the line the sorted points belong together.
    void onTheLineItIsThatOfTheQuantiles() {
        std::vector<float> a = normals(500, 1), b = normals(500, 2);
        for (float& x : b) x = 2 * x + 1;
        const double distance = wasserstein2(a, b, 1);
        std::sort(a.begin(), a.end());
        std::sort(b.begin(), b.end());
        double sum = 0;
        for (size_t i = 0; i < a.size(); ++i) sum += std::pow(double(a[i]) - double(b[i]), 2);
        QVERIFY(std::abs(distance - std::sqrt(sum / 500)) < 1e-5);
    }

    void movingASetMovesItByThat() {
        const std::vector<float> a = pointSet("moons", 400, 1).points->values;
        std::vector<float> b = a;
        for (size_t i = 0; i < b.size(); i += 2) b[i] += 3, b[i + 1] -= 4;
        std::rotate(b.begin(), b.begin() + 100, b.end());
        QVERIFY(std::abs(wasserstein2(a, b, 2) - 5) < 1e-5);
    }

    // Between Gaussians it is |difference of means|^2 + (difference of deviations)^2 for each dimension.
    void largeSamplesApproachTheClosedForm() {
        std::vector<float> a = normals(2000, 1), b = normals(2000, 2);
        for (float& x : b) x = 3 * x + 2;
        const double expected = std::sqrt(2 * (4.0 + 4.0));
        QVERIFY(std::abs(wasserstein2(a, b, 2) / expected - 1) < 0.05);
    }

    void piecesGiveTheSame() {
        const std::vector<float> a = normals(600, 1), b = normals(600, 2);
        Pairing pairing(a, b, 2);
        int pieces = 1;
        while (!pairing.advance(3)) ++pieces;
        QVERIFY(pieces > 5);
        QCOMPARE(pairing.distance(), wasserstein2(a, b, 2));
    }

    void setsOfDifferentSizesAreRefused() {
        QVERIFY_THROWS_EXCEPTION(Error, wasserstein2(normals(6, 1), normals(8, 1), 2));
        QVERIFY_THROWS_EXCEPTION(Error, wasserstein2({}, {}, 2));
        QVERIFY_THROWS_EXCEPTION(Error, wasserstein2(normals(7, 1), normals(7, 1), 2));
    }
};

QTEST_APPLESS_MAIN(TestTransport)
#include "tst_transport.moc"
