// The optimizers' pass against their formulas in doubles.
#include <QtTest>

#include <cmath>
#include <limits>
#include <vector>

#include "problems.h"

using namespace problems;

namespace {

// Everything that a pass reads and writes, in float or in double.
template <class T>
struct Numbers {
    std::vector<T> p, m, v, average;
};

UpdateCall callOn(Numbers<float>& n, const std::vector<float>& gradient, Optimizer optimizer, bool averaged) {
    UpdateCall call;
    call.optimizer = optimizer;
    call.parameter = n.p.data();
    call.gradient = gradient.data();
    call.first = n.m.data();
    call.second = n.v.data();
    call.average = averaged ? n.average.data() : nullptr;
    call.rate = 1e-2f;
    call.beta1 = 0.9f;
    call.beta2 = 0.999f;
    call.epsilon = 1e-8f;
    call.decay = 0.1f;
    call.scale = 0.5f;
    call.keep = 0.75f;
    return call;
}

// One step in double precision, written as in the papers.
void follow(Numbers<double>& n, const std::vector<float>& gradient, const UpdateCall& call, int t) {
    const double beta1 = double(call.beta1), beta2 = double(call.beta2), rate = double(call.rate);
    for (size_t i = 0; i < gradient.size(); ++i) {
        const double g = double(call.scale) * double(gradient[i]);
        n.p[i] *= 1 - rate * double(call.decay);
        if (call.optimizer == Optimizer::adam) {
            n.m[i] = beta1 * n.m[i] + (1 - beta1) * g;
            n.v[i] = beta2 * n.v[i] + (1 - beta2) * g * g;
            n.p[i] -= rate * (n.m[i] / (1 - std::pow(beta1, t))) /
                      (std::sqrt(n.v[i] / (1 - std::pow(beta2, t))) + double(call.epsilon));
        } else if (call.optimizer == Optimizer::rmsProp) {
            n.v[i] = beta2 * n.v[i] + (1 - beta2) * g * g;
            n.p[i] -= rate * g / (std::sqrt(n.v[i]) + double(call.epsilon));
        } else {
            n.m[i] = beta1 * n.m[i] + g;
            n.p[i] -= rate * n.m[i];
        }
        n.average[i] = double(call.keep) * n.average[i] + (1 - double(call.keep)) * n.p[i];
    }
}

}  // namespace

class TestOptimizer : public QObject {
    Q_OBJECT

    static void addOptimizers() {
        QTest::addColumn<int>("optimizer");
        QTest::newRow("adam") << int(Optimizer::adam);
        QTest::newRow("rmsProp") << int(Optimizer::rmsProp);
        QTest::newRow("sgd") << int(Optimizer::sgd);
    }

  private slots:
    void thePassFollowsTheFormula_data() { addOptimizers(); }
    void thePassFollowsTheFormula() {
        QFETCH(int, optimizer);
        const int n = 1003, steps = 20;
        for (const KernelSet* set : sets()) {
            Maker maker;
            Numbers<float> numbers{maker.values(n), std::vector<float>(n), std::vector<float>(n),
                                   maker.values(n)};
            Numbers<double> exact{{numbers.p.begin(), numbers.p.end()},
                                  std::vector<double>(n),
                                  std::vector<double>(n),
                                  {numbers.average.begin(), numbers.average.end()}};
            for (int t = 1; t <= steps; ++t) {
                const std::vector<float> g = maker.values(n);
                UpdateCall call = callOn(numbers, g, Optimizer(optimizer), true);
                call.correction1 = float(1 - std::pow(double(call.beta1), t));
                call.correction2 = float(1 - std::pow(double(call.beta2), t));
                QVERIFY(set->update(call, 0, 500));
                QVERIFY(set->update(call, 500, n));
                follow(exact, g, call, t);
            }
            for (size_t i = 0; i < size_t(n); ++i) {
                const double bound = 3e-6 * (1 + std::abs(exact.p[i]));
                QVERIFY2(std::abs(double(numbers.p[i]) - exact.p[i]) < bound, set->name);
                QVERIFY2(std::abs(double(numbers.average[i]) - exact.average[i]) < bound, set->name);
            }
        }
    }

    void averagingChangesNothingElse_data() { addOptimizers(); }
    void averagingChangesNothingElse() {
        QFETCH(int, optimizer);
        for (const KernelSet* set : sets()) {
            Maker maker;
            const std::vector<float> g = maker.values(101);
            Numbers<float> with{maker.values(101), maker.values(101), maker.values(101, 0, 2),
                                maker.values(101)};
            Numbers<float> without = with;
            QVERIFY(set->update(callOn(with, g, Optimizer(optimizer), true), 0, 101));
            QVERIFY(set->update(callOn(without, g, Optimizer(optimizer), false), 0, 101));
            QVERIFY(sameBits(with.p, without.p) && sameBits(with.m, without.m) &&
                    sameBits(with.v, without.v));
            QVERIFY(!sameBits(with.average, without.average));
        }
    }

    void thePassGivesTheSameBitsInEverySet_data() { addOptimizers(); }
    void thePassGivesTheSameBitsInEverySet() {
        QFETCH(int, optimizer);
        std::vector<float> first;
        for (const KernelSet* set : sets()) {
            Maker maker;
            const std::vector<float> g = maker.values(777);
            Numbers<float> n{maker.values(777), maker.values(777), maker.values(777, 0, 2),
                             maker.values(777)};
            const UpdateCall call = callOn(n, g, Optimizer(optimizer), true);
            QVERIFY(set->update(call, 0, 100));
            QVERIFY(set->update(call, 100, 777));
            std::vector<float> all;
            for (const std::vector<float>* part : {&n.p, &n.m, &n.v, &n.average})
                all.insert(all.end(), part->begin(), part->end());
            if (first.empty()) first = all;
            QVERIFY2(sameBits(first, all), set->name);
        }
    }

    void aGradientThatIsNotFiniteIsReported() {
        const float broken[] = {std::numeric_limits<float>::infinity(),
                                -std::numeric_limits<float>::infinity(), std::nanf("")};
        for (const KernelSet* set : sets())
            for (float bad : broken)
                for (size_t at : {0, 50, 99, 100}) {
                    Numbers<float> n{
                        std::vector<float>(101, 1), std::vector<float>(101), std::vector<float>(101), {}};
                    std::vector<float> g(101, 1);
                    const UpdateCall call = callOn(n, g, Optimizer::adam, false);
                    g[7] = 3e38f;  // large is not broken
                    QVERIFY(set->finite(g.data(), 0, 101));
                    g[at] = bad;
                    QVERIFY(!set->finite(g.data(), 0, 101));
                    QVERIFY(!set->update(call, 0, 101));
                    QVERIFY(set->finite(g.data(), 0, int64_t(at)));
                    QVERIFY(set->update(call, int64_t(at) + 1, 101));
                }
    }
};

QTEST_APPLESS_MAIN(TestOptimizer)
#include "tst_optimizer.moc"
