// Random numbers and minibatches: the laws they follow.
#include <QtTest>

#include <algorithm>
#include <cmath>
#include <vector>

#include "problems.h"

using namespace problems;

namespace {

// The draw-th row that `rows`-row minibatches take from a table of `size` rows.
std::vector<int> drawnRows(const KernelSet& set, int size, int rows, int draws, uint64_t seed) {
    std::vector<float> table(size_t(size), 0), out(size_t(rows), 0);
    for (int i = 0; i < size; ++i) table[size_t(i)] = float(i);
    Call<float> call;
    call.op = Op::drawRows;
    call.rows = rows;
    call.columns = 1;
    call.out = out.data();
    call.tableValues = table.data();
    call.tableRows = size;
    std::vector<int> drawn;
    for (uint64_t step = 0; int(drawn.size()) < draws; ++step) {
        call.at = {seed, 5, step, 0};
        set.kernelFor(Op::drawRows)(call, 0, rows);
        for (float x : out) drawn.push_back(int(x));
    }
    drawn.resize(size_t(draws));
    return drawn;
}

}  // namespace

class TestKernelsRandom : public QObject {
    Q_OBJECT

  private slots:
    void drawRowsTakesEveryRowOncePerEpoch() {
        for (int size : {1, 2, 3, 17, 1000, 60000}) {
            const std::vector<int> drawn = drawnRows(bestKernels(), size, 7, 3 * size, 9);
            for (int epoch = 0; epoch < 3; ++epoch) {
                std::vector<int> seen(size_t(size), 0);
                for (int i = 0; i < size; ++i) ++seen[size_t(drawn[size_t(epoch * size + i)])];
                for (int times : seen) QCOMPARE(times, 1);
            }
        }
    }

    void drawRowsShufflesAnewEveryEpoch() {
        const int size = 1000;
        const std::vector<int> drawn = drawnRows(bestKernels(), size, 50, 2 * size, 9);
        int fixed = 0, repeated = 0;
        double rising = 0;
        for (int i = 0; i < size; ++i) {
            fixed += drawn[size_t(i)] == i;
            repeated += drawn[size_t(i)] == drawn[size_t(size + i)];
            if (i > 0) rising += drawn[size_t(i)] > drawn[size_t(i - 1)];
        }
        QVERIFY2(fixed < 8 && repeated < 8, "about one of each is expected");
        // Ascents of a random permutation: mean (n - 1) / 2, variance (n + 1) / 12.
        QVERIFY2(std::abs(rising - 499.5) < 5 * std::sqrt(1001.0 / 12), qPrintable(QString::number(rising)));
        QVERIFY(drawn != drawnRows(bestKernels(), size, 50, 2 * size, 10));
    }

    // Where the first row of a small table goes must be uniform over keys, or epochs are not fair.
    void drawRowsOrdersSmallTablesFairly() {
        const int size = 3, epochs = 6000;
        const std::vector<int> drawn = drawnRows(bestKernels(), size, 3, size * epochs, 1);
        int count[27] = {};
        for (int e = 0; e < epochs; ++e) {
            const int* d = drawn.data() + size * e;
            ++count[d[0] * 9 + d[1] * 3 + d[2]];
        }
        double chi = 0;
        for (int order : {0 * 9 + 1 * 3 + 2, 0 * 9 + 2 * 3 + 1, 1 * 9 + 0 * 3 + 2, 1 * 9 + 2 * 3 + 0,
                          2 * 9 + 0 * 3 + 1, 2 * 9 + 1 * 3 + 0})
            chi += std::pow(count[order] - epochs / 6.0, 2) / (epochs / 6.0);
        QVERIFY2(chi < 25.7, qPrintable(QString::number(chi)));  // chi-squared with 5 degrees, p = 1e-4
    }

    void normalsFollowTheirLaw() {
        const int n = 200000;
        std::vector<float> x(size_t(n), 0);
        Call<float> call;
        call.op = Op::normal;
        call.a = 0;
        call.b = 1;
        call.rows = n / 100;
        call.columns = 100;
        call.out = x.data();
        call.at = {1, 2, 3, 0};
        bestKernels().kernelFor(Op::normal)(call, 0, call.rows);
        double m1 = 0, m2 = 0, m3 = 0, m4 = 0, lag = 0;
        for (size_t i = 0; i < x.size(); ++i) {
            const double z = x[i];
            m1 += z;
            m2 += z * z;
            m3 += z * z * z;
            m4 += z * z * z * z;
            if (i > 0) lag += z * x[i - 1];
        }
        const double error = 4.5 / std::sqrt(double(n));
        QVERIFY(std::abs(m1 / n) < error);
        QVERIFY(std::abs(m2 / n - 1) < error * std::sqrt(2.0));
        QVERIFY(std::abs(m3 / n) < error * std::sqrt(15.0));
        QVERIFY(std::abs(m4 / n - 3) < error * std::sqrt(96.0));
        QVERIFY(std::abs(lag / n) < error);
        std::sort(x.begin(), x.end());
        double distance = 0;  // Kolmogorov and Smirnov
        for (int i = 0; i < n; ++i) {
            const double p = 0.5 * std::erfc(-double(x[size_t(i)]) / std::sqrt(2.0));
            distance = std::max({distance, p - double(i) / n, double(i + 1) / n - p});
        }
        QVERIFY2(distance < 1.95 / std::sqrt(double(n)), qPrintable(QString::number(distance)));  // p = 1e-3
    }

    void randomNumbersAreThoseDrawnOneByOne() {
        std::vector<float> x(1001, 0);
        Call<float> call;
        call.rows = 7;
        call.columns = 143;
        call.out = x.data();
        call.at = {99, 4, 123456789012ull, 3};
        call.a = 0;
        call.b = 1;
        for (const KernelSet* set : sets()) {
            set->kernelFor(Op::uniform)(call, 0, 7);
            for (size_t i = 0; i < x.size(); ++i) QCOMPARE(x[i], philox::uniformAt(call.at, i));
            set->kernelFor(Op::normal)(call, 0, 7);
            for (size_t i = 0; i < x.size(); ++i) QCOMPARE(x[i], philox::normalAt(call.at, i));
        }
    }
};

QTEST_APPLESS_MAIN(TestKernelsRandom)
#include "tst_kernels_random.moc"
