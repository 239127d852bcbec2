// What is kept of a run of a sampler, and what can be seen of it.
#include <QtTest>
#include <cmath>
#include <limits>

#include "core/base/half.h"
#include "core/base/philox.h"
#include "core/contract/sampling.h"

using namespace core;

namespace {

// Two samples of three numbers, two steps: x stays, and the network says what was planted. Kept is eps, or
// x_0.
Trajectory small(bool halves, bool ofClean = false) {
    Trajectory run{.id = 4, .count = 2, .sample = {3}, .clip = 1.5, .total = 2, .halves = halves};
    const std::vector<float> x = {1, 2, 3, -1, -2, -3}, eps = {0.5f, 0, 0, 0, 0, 0.25f};
    run.start = std::make_shared<Kept>(x, halves);
    for (int i = 0; i < 2; ++i) {
        KeptStep step;
        step.step = {
            .t = 2.0 - i, .tNext = 1.0 - i, .signal = 0.8, .noise = 0.6, .evaluations = i + 1, .seed = 9};
        step.step.sigma = i == 0 ? 0.5 : 0;
        std::vector<float> clean;
        for (size_t e = 0; e < x.size(); ++e) clean.push_back((x[e] - 0.6f * eps[e]) / 0.8f);
        step.ofClean = ofClean;
        step.estimate = Kept(ofClean ? clean : eps, halves);
        step.after = Kept(x, halves);
        step.extras["map"] = Kept(std::vector<float>{float(i)}, halves);
        run.steps.push_back(std::make_shared<KeptStep>(std::move(step)));
    }
    return run;
}

}  // namespace

class TestTrajectory : public QObject {
    Q_OBJECT

  private slots:
    void halvesAreTheNearestOnes() {
        // Every half survives the way to a float and back.
        for (uint32_t h = 0; h < 0x10000u; ++h) {
            const float value = fromHalf(uint16_t(h));
            if (std::isnan(value)) continue;
            QCOMPARE(toHalf(value), uint16_t(h));
        }
        QCOMPARE(fromHalf(0x3c00), 1.0f);
        QCOMPARE(fromHalf(0x0001), 0x1p-24f);
        QCOMPARE(fromHalf(toHalf(1 + 0x1p-11f)), 1.0f);             // a tie goes to the even one
        QCOMPARE(fromHalf(toHalf(1 + 3 * 0x1p-11f)), 1 + 0x1p-9f);  // and here upwards
        QVERIFY(std::isinf(fromHalf(toHalf(70000))));
        QVERIFY(std::isnan(fromHalf(toHalf(std::numeric_limits<float>::quiet_NaN()))));
        const philox::Position at{.seed = 3};
        for (uint64_t i = 0; i < 100000; ++i) {
            const float x = 4 * philox::normalAt(at, i);
            QVERIFY(std::abs(fromHalf(toHalf(x)) - x) <= 0x1p-11f * std::abs(x) + 0x1p-25f);
        }
    }

    void everyQuantityOfAStepFollowsFromWhatIsKept_data() {
        QTest::addColumn<bool>("halves");
        QTest::newRow("floats") << false;
        QTest::newRow("halves") << true;
    }
    void everyQuantityOfAStepFollowsFromWhatIsKept() {
        QFETCH(bool, halves);
        const Trajectory run = small(halves);
        QVERIFY(run.complete());
        QCOMPARE(run.evaluations(), 2);
        QCOMPARE(run.values(Trajectory::state, 0), (std::vector<float>{1, 2, 3, -1, -2, -3}));
        QCOMPARE(run.values(Trajectory::prediction, 1), (std::vector<float>{0.5f, 0, 0, 0, 0, 0.25f}));
        // (1 - 0.6 * 0.5) / 0.8 = 0.875; the others are beyond the limit but for -1 / 0.8.
        QCOMPARE(run.values(Trajectory::clean, 0),
                 (std::vector<float>{0.875f, 1.5f, 1.5f, -1.25f, -1.5f, -1.5f}));
        const std::vector<float> added = run.values(Trajectory::added, 0),
                                 mean = run.values(Trajectory::mean, 0);
        const philox::Position at{.seed = 9, .stream = philox::streamOf(Trajectory::noiseStream), .step = 0};
        for (size_t e = 0; e < 6; ++e) {
            QCOMPARE(added[e], 0.5f * philox::normalAt(at, e));
            QCOMPARE(mean[e], run.values(Trajectory::state, 1)[e] - added[e]);
        }
        QCOMPARE(run.values(Trajectory::added, 1), std::vector<float>(6, 0));
        QCOMPARE(run.values(Trajectory::mean, 1), run.values(Trajectory::state, 2));
        QCOMPARE(run.extra("map", 1), std::vector<float>{1});
        QVERIFY(run.extra("none", 1).empty());
    }

    // Which of the two is kept of an estimate makes no difference to what is seen.
    void eitherEstimateGivesTheOther() {
        const Trajectory one = small(false), other = small(false, true);
        for (auto q : {Trajectory::prediction, Trajectory::clean}) {
            const std::vector<float> x = one.values(q, 0), y = other.values(q, 0);
            for (size_t e = 0; e < x.size(); ++e) QVERIFY(std::abs(x[e] - y[e]) < 1e-6f);
        }
    }

    void oneSampleIsTheSameAloneAndAmongAll() {
        const Trajectory run = small(true);
        for (auto q : {Trajectory::state, Trajectory::prediction, Trajectory::clean, Trajectory::mean,
                       Trajectory::added}) {
            const std::vector<float> all = run.values(q, 0), second = run.values(q, 0, 1, 1);
            QCOMPARE(second, std::vector<float>(all.begin() + 3, all.end()));
        }
        QCOMPARE(run.path(1, 2), std::vector<float>(3, -3));
    }

    void whatIsNotThereIsRefused() {
        const Trajectory run = small(false);
        QVERIFY_THROWS_EXCEPTION(Error, run.values(Trajectory::state, 3));
        QVERIFY_THROWS_EXCEPTION(Error, run.values(Trajectory::clean, 2));
        QVERIFY_THROWS_EXCEPTION(Error, run.values(Trajectory::clean, -1));
        QVERIFY_THROWS_EXCEPTION(Error, run.values(Trajectory::state, 0, 1, 2));
        QVERIFY_THROWS_EXCEPTION(Error, run.path(2, 0));
        QCOMPARE(run.timeOf(0), 2.0);
        QCOMPARE(run.timeOf(2), 0.0);
        QVERIFY_THROWS_EXCEPTION(Error, run.timeOf(3));
    }
};

QTEST_APPLESS_MAIN(TestTrajectory)
#include "tst_trajectory.moc"
