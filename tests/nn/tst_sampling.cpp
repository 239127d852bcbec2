// Draws from categorical distributions, and sequences drawn code by code.
#include <QtTest>
#include <cmath>

#include "core/nn/code_prior.h"
#include "core/nn/sampling.h"
#include "tests/support/evaluation.h"

using namespace core;
using support::Evaluation;

namespace {

const std::vector<float> logits = {0, 1, -1, 2, 0.5f};

std::vector<double> softmaxOf(double temperature) {
    std::vector<double> p;
    double total = 0;
    for (float x : logits) total += std::exp(double(x) / temperature);
    for (float x : logits) p.push_back(std::exp(double(x) / temperature) / total);
    return p;
}

Var repeated(Recorder& r, int count) {
    return broadcastTo(r.constant({1, 5}, logits), {count, 5});
}

std::vector<int> countsOf(const std::vector<float>& draws) {
    std::vector<int> counts(logits.size(), 0);
    for (float draw : draws) ++counts.at(size_t(draw));
    return counts;
}

}  // namespace

class TestSampling : public QObject {
    Q_OBJECT

  private slots:
    void drawsHaveTheirProbabilities_data() {
        QTest::addColumn<double>("temperature");
        for (double t : {1.0, 0.5, 3.0}) QTest::addRow("%g", t) << t;
    }
    void drawsHaveTheirProbabilities() {
        QFETCH(double, temperature);
        constexpr int count = 40000;
        Evaluation e([=](Recorder& r) {
            r.probe("draw", categorical(repeated(r, count), "draw", r.fill({1}, float(temperature))));
        });
        const std::vector<int> counts = countsOf(e.values("draw"));
        const std::vector<double> p = softmaxOf(temperature);
        double chi2 = 0;  // 4 degrees of freedom: above 23.5 once in ten thousand
        for (size_t i = 0; i < p.size(); ++i) chi2 += std::pow(counts[i] - count * p[i], 2) / (count * p[i]);
        QVERIFY2(chi2 < 23.5, qPrintable(QString::number(chi2)));
    }

    void eachStepDrawsAfresh() {
        Evaluation e(
            [](Recorder& r) { r.probe("draw", categorical(repeated(r, 100), "draw", r.fill({1}, 1))); });
        const std::vector<float> first = e.values("draw");
        e.run();
        QVERIFY(e.values("draw") != first);
    }

    void onlyTheLargestAreDrawn() {
        Evaluation e([](Recorder& r) {
            r.probe("draw", categorical(topK(repeated(r, 5000), 2), "draw", r.fill({1}, 2)));
        });
        const std::vector<int> counts = countsOf(e.values("draw"));
        QVERIFY(counts[0] == 0 && counts[2] == 0 && counts[4] == 0);
        const double p = 1 / (1 + std::exp(0.5));  // of the second: e^(1/2) against e^(2/2)
        QVERIFY(std::abs(counts[1] - 5000 * p) < 5 * std::sqrt(5000 * p * (1 - p)));
    }

    void gumbelsNoiseHasItsMoments() {
        Evaluation e([](Recorder& r) { r.probe("g", gumbel(r, "g", {50000, 1})); });
        double mean = 0, squares = 0;
        for (float x : e.values("g")) {
            QVERIFY(std::isfinite(x));
            mean += x / 50000.0;
            squares += double(x) * x / 50000.0;
        }
        QVERIFY(std::abs(mean - 0.57722) < 0.03);                   // Euler's constant
        QVERIFY(std::abs(squares - mean * mean - 1.64493) < 0.05);  // pi^2 / 6
    }

    // A low temperature puts all weight on what the same noise makes the draw.
    void theRelaxedDrawTendsToTheDraw() {
        Evaluation e([](Recorder& r) {
            const Var x = repeated(r, 500);
            r.probe("draw", categorical(x, "draw", r.fill({1}, 1)));
            r.probe("relaxed", gumbelSoftmax(x, "draw", r.fill({1}, 0.01f)));
            r.probe("argmax", argmax(gumbelSoftmax(x, "draw", r.fill({1}, 5))));
        });
        const std::vector<float> draw = e.values("draw"), relaxed = e.values("relaxed");
        int sharp = 0;
        for (size_t i = 0; i < draw.size(); ++i) sharp += relaxed[5 * i + size_t(draw[i])] > 0.99f;
        QVERIFY(sharp > 460);
        QCOMPARE(e.values("argmax"), draw);
    }

    // One position at a time with cached keys and values gives the logits of the whole sequence at once.
    void theCachedStepIsTheWholeSequence() {
        constexpr int length = 7, codes = 5, samples = 3;
        const CodePriorSizes sizes{.codes = codes, .length = length, .width = 16, .depth = 2, .heads = 4};
        std::vector<float> index;
        for (int i = 0; i < samples * length; ++i) index.push_back(float((i * 3 + i / 4) % codes));
        Evaluation e([&](Recorder& r) {
            const CodePrior prior(r.scope(""), sizes);
            const Var sequence = r.constant({samples, length}, index);
            r.probe("whole", prior(sequence));
            std::vector<CausalBlock::Cache> caches;
            for (int block = 0; block < sizes.depth; ++block) {
                // What stands in the cache before does not matter.
                const Var old = r.fill({samples, length, sizes.width}, 100);
                caches.push_back({old, old});
            }
            for (int i = 0; i < length; ++i) {
                const Var before = i == 0 ? r.fill({samples, 1}, float(prior.startToken()))
                                          : sliceColumns(sequence, i - 1, 1);
                r.probe("at" + std::to_string(i), prior.next(before, r.fill({1}, float(i)), caches));
            }
        });
        const std::vector<float> whole = e.values("whole");
        for (int i = 0; i < length; ++i) {
            const std::vector<float> one = e.values("at" + std::to_string(i));
            for (int b = 0; b < samples; ++b)
                for (int c = 0; c < codes; ++c) {
                    const float expected = whole[size_t((b * length + i) * codes + c)];
                    QVERIFY(std::abs(one[size_t(b * codes + c)] - expected) < 2e-5f);
                }
        }
    }
};

QTEST_APPLESS_MAIN(TestSampling)
#include "tst_sampling.moc"
