// Losses and vector quantisation against their closed forms.
#include <QtTest>
#include <cmath>
#include <set>

#include "core/nn/layers.h"
#include "core/nn/losses.h"
#include "core/nn/quantise.h"
#include "tests/support/evaluation.h"

using namespace core;
using support::Evaluation;

namespace {

bool close(double x, double y, double tolerance = 2e-6) {
    return std::abs(x - y) <= tolerance * std::max(1.0, std::abs(y));
}

Var row(Recorder& r, std::vector<float> values) {
    const int n = int(values.size());
    return r.constant({1, n}, std::move(values));
}

}  // namespace

class TestLosses : public QObject {
    Q_OBJECT

  private slots:
    void hubersLossIsSquaredInsideAndStraightOutside() {
        Evaluation e([](Recorder& r) {
            const Var x = r.parameter("x", {1, 4}, {Initial::constant, 0});
            const Var loss = huber(x, row(r, {0.5f, -1, 3, -7}), 2);
            r.probe("loss", loss);
            r.probe("slope", r.gradient(loss, {x})[0]);
            r.probe("mse", mse(x, row(r, {0.5f, -1, 3, -7})));
        });
        // d = 0.5, 1: d^2 / 2; d = 3, 7: 2 (d - 1).
        QVERIFY(close(e.value("loss"), (0.125 + 0.5 + 4 + 12) / 4));
        QVERIFY(close(e.value("mse"), (0.25 + 1 + 9 + 49) / 4));
        const std::vector<float> slope = e.values("slope");
        const double expected[] = {-0.125, 0.25, -0.5, 0.5};
        for (size_t i = 0; i < 4; ++i) QVERIFY(close(slope[i], expected[i]));
    }

    void crossEntropyIsTheLogarithmOfTheChosen() {
        Evaluation e([](Recorder& r) {
            const Var logits = r.parameter("x", {2, 3}, {Initial::constant, 0});
            const Var shifted = logits + r.constant({2, 3}, {0, 1, 2, 500, 500, 501});
            const Var loss = softmaxCrossEntropy(shifted, r.constant({2, 1}, {2, 0}));
            r.probe("loss", loss);
            r.probe("slope", r.gradient(loss, {logits})[0]);
        });
        const double s = 1 + std::exp(1.0) + std::exp(2.0), t = 2 + std::exp(1.0);
        QVERIFY(close(e.value("loss"), (std::log(s) - 2 + std::log(t)) / 2, 3e-5));  // 500 has that much room
        const std::vector<float> slope = e.values("slope");
        const double expected[] = {1 / s, std::exp(1.0) / s, std::exp(2.0) / s - 1, 1 / t - 1,
                                   1 / t, std::exp(1.0) / t};
        for (size_t i = 0; i < 6; ++i) QVERIFY(close(slope[i], expected[i] / 2));
    }

    void hingesEndAtOne() {
        Evaluation e([](Recorder& r) {
            r.probe("above", hingeAbove(row(r, {2, 1, 0.25f, -3})));
            r.probe("below", hingeBelow(row(r, {2, -1, 0.25f, -3})));
        });
        QVERIFY(close(e.value("above"), (0 + 0 + 0.75 + 4) / 4));
        QVERIFY(close(e.value("below"), (3 + 0 + 1.25 + 0) / 4));
    }

    // Orthonormal pairs: every row and column of the logits is (scale, 0, 0, 0).
    void contrastOfOrthonormalPairsIsKnown() {
        Evaluation e([](Recorder& r) {
            std::vector<float> identity(16, 0), turned(16, 0);
            for (size_t i = 0; i < 4; ++i) identity[5 * i] = turned[4 * i + (i + 1) % 4] = 1;
            const Var x = r.constant({4, 4}, identity), y = r.constant({4, 4}, turned);
            r.probe("same", symmetricInfoNce(x, x, r.fill({1}, 3)));
            r.probe("other", symmetricInfoNce(x, y, r.fill({1}, 3)));
            r.probe("unit", l2Normalise(row(r, {3, 0, -4})));
            r.probe("zero", l2Normalise(row(r, {0, 0, 0})));
        });
        const double normaliser = std::log(std::exp(3.0) + 3);
        QVERIFY(close(e.value("same"), normaliser - 3));
        QVERIFY(close(e.value("other"), normaliser));
        QVERIFY(close(e.values("unit")[0], 0.6) && close(e.values("unit")[2], -0.8));
        QCOMPARE(e.values("zero"), (std::vector<float>{0, 0, 0}));
    }

    void divergenceOfGaussiansIsKnown() {
        Evaluation e([](Recorder& r) {
            r.probe("kl", gaussianKl(row(r, {0, 2, 0}), row(r, {0, 0, std::log(4.0f)})));
            r.probe("nats", bernoulliNats(row(r, {0, std::log(3.0f)}), row(r, {1, 0})));
        });
        const std::vector<float> kl = e.values("kl");
        QVERIFY(close(kl[0], 0) && close(kl[1], 2) && close(kl[2], 0.5 * (4 - 1 - std::log(4.0))));
        QVERIFY(close(e.value("nats"), std::log(2.0) + std::log(4.0)));
    }

    // ---- vector quantisation

    void theNearestRowIsChosenAndGradientsPassIt() {
        Evaluation e([](Recorder& r) {
            const Var codebook = r.parameter("codebook", {3, 2}, {Initial::constant, 0}) +
                                 r.constant({3, 2}, {0, 0, 10, 0, 0, 10});
            const Var x = r.parameter("x", {2, 2}, {Initial::constant, 0}) + r.constant({2, 2}, {7, 1, 1, 2});
            const Quantised q = quantise(x, codebook);
            r.probe("index", q.index);
            r.probe("code", q.code);
            r.probe("through", q.straightThrough);
            const Var leaf = r.parameter("x", {2, 2}, {}), rows = r.parameter("codebook", {3, 2}, {});
            const Var weighed = sum(q.straightThrough * r.constant({2, 2}, {1, 2, 3, 4}));
            r.probe("straight", r.gradient(weighed, {leaf})[0]);
            r.probe("none", r.gradient(weighed, {rows})[0]);
            const Var first = codebookLoss(x, q.code), second = commitmentLoss(x, q.code);
            r.probe("codebook_loss", first);
            r.probe("commitment", second);
            r.probe("to_rows", r.gradient(first + second, {rows})[0]);
            r.probe("to_x", r.gradient(first + second, {leaf})[0]);
        });
        QCOMPARE(e.values("index"), (std::vector<float>{1, 0}));
        QCOMPARE(e.values("code"), (std::vector<float>{10, 0, 0, 0}));
        QCOMPARE(e.values("through"), e.values("code"));
        QCOMPARE(e.values("straight"), (std::vector<float>{1, 2, 3, 4}));
        QCOMPARE(e.values("none"), std::vector<float>(6, 0));
        // x - code = (-3, 1), (1, 2): a mean of squares over four numbers, from either side.
        QVERIFY(close(e.value("codebook_loss"), 15.0 / 4) && close(e.value("commitment"), 15.0 / 4));
        QCOMPARE(e.values("to_rows"), (std::vector<float>{-0.5f, -1, 1.5f, -0.5f, 0, 0}));
        QCOMPARE(e.values("to_x"), (std::vector<float>{-1.5f, 0.5f, 0.5f, 1}));
    }

    void perplexityCountsTheRowsInUse() {
        Evaluation e([](Recorder& r) {
            r.probe("one", perplexity(r.fill({8, 1}, 3), 5));
            r.probe("four", perplexity(r.constant({8, 1}, {0, 1, 2, 3, 0, 1, 2, 3}), 5));
        });
        QVERIFY(close(e.value("one"), 1, 1e-5) && close(e.value("four"), 4, 1e-5));
    }

    // With decay 0 a row is the mean of the vectors that chose it, at once.
    void anAveragedCodebookFollowsItsVectors() {
        const auto record = [](float decay) {
            return [decay](Recorder& r) {
                const AveragedCodebook book(r.scope("book"), 2, 1);
                const Var x = r.constant({4, 1}, {1, 2, 3, 10}), index = r.constant({4, 1}, {0, 0, 0, 1});
                book.update(x, index, r.fill({1}, decay), r.fill({1}, 0), "restart");
                r.probe("rows", book.weight);
                r.probe("count", book.count);
            };
        };
        Evaluation at(record(0));
        at.run();
        QVERIFY(close(at.values("rows")[0], 2, 1e-4) && close(at.values("rows")[1], 10, 1e-4));
        QCOMPARE(at.values("count"), (std::vector<float>{3, 1}));
        // With decay 0.9 the counts run to 3 and 1 from 1 and 1, as 0.9^n.
        Evaluation slow(record(0.9f));
        for (int step = 0; step < 20; ++step) slow.run();
        const double left = std::pow(0.9, 20);
        QVERIFY(close(slow.values("count")[0], 3 - 2 * left, 1e-5) &&
                close(slow.values("count")[1], 1, 1e-5));
    }

    void aDeadRowStartsAgainAtAVectorOfTheBatch() {
        Evaluation e([](Recorder& r) {
            const AveragedCodebook book(r.scope("book"), 3, 1);
            const Var x = r.constant({4, 1}, {1, 2, 3, 4}), index = r.constant({4, 1}, {0, 0, 0, 0});
            book.update(x, index, r.fill({1}, 0), r.fill({1}, 0.5f), "restart");
            r.probe("rows", book.weight);
            r.probe("count", book.count);
        });
        std::set<float> seen;
        for (int step = 0; step < 40; ++step) {
            e.run();
            const std::vector<float> rows = e.values("rows"), count = e.values("count");
            QVERIFY(close(rows[0], 2.5, 1e-4));
            QCOMPARE(count, (std::vector<float>{4, 1, 1}));
            for (float x : {rows[1], rows[2]}) {
                QVERIFY(close(x, std::round(x), 1e-4) && x > 0.5f && x < 4.5f);
                seen.insert(std::round(x));
            }
        }
        QCOMPARE(seen.size(), size_t(4));
    }
};

QTEST_APPLESS_MAIN(TestLosses)
#include "tst_losses.moc"
