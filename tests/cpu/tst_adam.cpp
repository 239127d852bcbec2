// Adam's pass against its formula in doubles.
#include <QtTest>

#include <cmath>
#include <limits>
#include <vector>

#include "problems.h"

using namespace problems;

class TestAdam : public QObject {
    Q_OBJECT

  private slots:
    void adamFollowsTheFormula() {
        const int n = 1003, steps = 20;
        for (const KernelSet* set : sets()) {
            Maker maker;
            std::vector<float> p = maker.values(n), m(size_t(n), 0), v(size_t(n), 0);
            std::vector<double> P(p.begin(), p.end()), M(size_t(n), 0), V(size_t(n), 0);
            for (int t = 1; t <= steps; ++t) {
                const std::vector<float> g = maker.values(n);
                UpdateCall call;
                call.parameter = p.data();
                call.gradient = g.data();
                call.first = m.data();
                call.second = v.data();
                call.rate = 1e-2f;
                call.beta1 = 0.9f;
                call.beta2 = 0.999f;
                call.epsilon = 1e-8f;
                const double beta1 = double(call.beta1), beta2 = double(call.beta2);
                call.correction1 = float(1 - std::pow(beta1, t));
                call.correction2 = float(1 - std::pow(beta2, t));
                QVERIFY(set->adam(call, 0, 500));
                QVERIFY(set->adam(call, 500, n));
                for (size_t i = 0; i < size_t(n); ++i) {
                    M[i] = beta1 * M[i] + (1 - beta1) * double(g[i]);
                    V[i] = beta2 * V[i] + (1 - beta2) * double(g[i]) * double(g[i]);
                    P[i] -= double(call.rate) * (M[i] / (1 - std::pow(beta1, t))) /
                            (std::sqrt(V[i] / (1 - std::pow(beta2, t))) + double(call.epsilon));
                }
            }
            for (size_t i = 0; i < size_t(n); ++i)
                QVERIFY2(std::abs(double(p[i]) - P[i]) < 3e-6,
                         qPrintable(QString::number(double(p[i]) - P[i])));
        }
    }

    void adamGivesTheSameBitsInEverySet() {
        std::vector<float> first;
        for (const KernelSet* set : sets()) {
            Maker maker;
            const std::vector<float> g = maker.values(777);
            std::vector<float> p = maker.values(777), m = maker.values(777), v = maker.values(777, 0, 2);
            const UpdateCall call{p.data(), g.data(), m.data(), v.data(), 1e-3f,
                                  0.9f,     0.997f,   1e-8f,    0.5f,     0.1f};
            QVERIFY(set->adam(call, 0, 100));
            QVERIFY(set->adam(call, 100, 777));
            p.insert(p.end(), m.begin(), m.end());
            p.insert(p.end(), v.begin(), v.end());
            if (first.empty()) first = p;
            QVERIFY2(sameBits(first, p), set->name);
        }
    }

    void aGradientThatIsNotFiniteIsReported() {
        const float broken[] = {std::numeric_limits<float>::infinity(),
                                -std::numeric_limits<float>::infinity(), std::nanf("")};
        for (const KernelSet* set : sets())
            for (float bad : broken)
                for (size_t at : {0, 50, 99, 100}) {
                    std::vector<float> p(101, 1), g(101, 1), m(101, 0), v(101, 0);
                    const UpdateCall call{p.data(), g.data(), m.data(), v.data(), 1e-3f,
                                          0.9f,     0.999f,   1e-8f,    0.1f,     0.1f};
                    g[7] = 3e38f;  // large is not broken
                    QVERIFY(set->finite(g.data(), 0, 101));
                    g[at] = bad;
                    QVERIFY(!set->finite(g.data(), 0, 101));
                    QVERIFY(!set->adam(call, 0, 101));
                    QVERIFY(set->finite(g.data(), 0, int64_t(at)));
                    QVERIFY(set->adam(call, int64_t(at) + 1, 101));
                }
    }
};

QTEST_APPLESS_MAIN(TestAdam)
#include "tst_adam.moc"
