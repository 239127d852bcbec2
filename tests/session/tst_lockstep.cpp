// Two trainers side by side: the same step on both while they run, and where they stop.
#include <QtTest>

#include <chrono>
#include <thread>

#include "core/session/lockstep.h"
#include "core/session/trainer.h"
#include "tests/support/small.h"

using namespace core;
using support::small;

namespace {

// A narrow network and one that takes many times as long.
struct Pair {
    Trainer a, b;
    std::shared_ptr<Lockstep> pace = std::make_shared<Lockstep>();

    Pair() {
        a.keepPace(pace, 0);
        b.keepPace(pace, 1);
        for (Trainer* t : {&a, &b}) t->watch({"samples"});
        a.open(small("gan", "ring8"));
        b.open(small("gan", "ring8", {{"width", "160"}, {"batch", "256"}}));
    }
    void run() {
        pace->release(0);
        pace->release(1);
        a.run();
        b.run();
    }
    void pause() {
        a.pause();
        b.pause();
        a.share();  // both have done as they were told
        b.share();
    }
};

bool both(Pair& pair, const std::function<bool(const Frame&, const Frame&)>& claim) {
    return QTest::qWaitFor([&] { return claim(*pair.a.latest(), *pair.b.latest()); }, 20'000);
}

int64_t stepOf(Trainer& trainer) {
    return Journal::fromLine(trainer.share()).step;
}

}  // namespace

class TestLockstep : public QObject {
    Q_OBJECT

  private slots:
    void neitherIsAheadByMoreThanAStep() {
        Pair pair;
        pair.run();
        QVERIFY(both(pair, [](const Frame& a, const Frame& b) { return a.step > 20 && b.step > 20; }));
        for (int i = 0; i < 50; ++i) {
            const int64_t before = stepOf(pair.b), a = stepOf(pair.a), after = stepOf(pair.b);
            QVERIFY2(a >= before - 1 && a <= after + 1,
                     qPrintable(QString("%1 between %2 and %3").arg(a).arg(before).arg(after)));
        }
    }

    void framesAreOfTheSameStep() {
        Pair pair;
        pair.run();
        QVERIFY(both(pair, [](const Frame& a, const Frame& b) { return a.step > 5 && b.step > 5; }));
        // The steps seen of one are those seen of the other.
        std::set<int64_t> ofA, ofB;
        for (int ms = 0; ms < 20000 && ofA.size() <= 8; ++ms) {
            ofA.insert(pair.a.latest()->step);
            ofB.insert(pair.b.latest()->step);
            std::this_thread::sleep_for(std::chrono::milliseconds(1));
        }
        QVERIFY2(ofA.size() > 8, qPrintable(QString::number(ofA.size())));
        std::vector<int64_t> shared;
        std::set_intersection(ofA.begin(), ofA.end(), ofB.begin(), ofB.end(), std::back_inserter(shared));
        QVERIFY2(shared.size() + 2 >= std::max(ofA.size(), ofB.size()),
                 qPrintable(QString("%1 of %2 and %3").arg(shared.size()).arg(ofA.size()).arg(ofB.size())));
    }

    void theyStopAtTheSameStep() {
        Pair pair;
        for (int i = 0; i < 30; ++i) {
            pair.run();
            std::this_thread::sleep_for(std::chrono::milliseconds(5 + i));
            pair.pause();
            QCOMPARE(stepOf(pair.a), stepOf(pair.b));
        }
        QVERIFY(stepOf(pair.a) > 10);
        pair.run();
        QVERIFY(both(pair, [](const Frame& a, const Frame& b) { return a.running && b.running; }));
        pair.a.stepOnce();
        pair.b.stepOnce();
        QCOMPARE(stepOf(pair.a), stepOf(pair.b));
    }

    void oneThatStandsStillDoesNotHoldTheOther() {
        Pair pair;
        pair.a.run();
        QVERIFY(both(pair, [](const Frame& a, const Frame& b) { return a.step > 30 && b.step == 0; }));
        pair.a.pause();
        // It catches up while the first one waits.
        pair.run();
        const int64_t there = stepOf(pair.a);
        QVERIFY(both(pair, [&](const Frame& a, const Frame& b) { return a.step > there && b.step > there; }));
    }

    void commandsAreAnsweredWhileOneWaits() {
        Pair pair;
        pair.b.set("width", 512);
        pair.b.set("batch", 2048);
        pair.run();
        QVERIFY(both(pair, [](const Frame& a, const Frame& b) { return a.running && b.running; }));
        for (int i = 0; i < 10; ++i) {
            const auto start = std::chrono::steady_clock::now();
            pair.a.set("lr_g", 0.001 + 0.0001 * i);
            pair.a.share();
            const auto ms =
                std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start);
            QVERIFY2(ms.count() < 300, qPrintable(QString::number(ms.count())));
        }
    }

    void theOtherMayGoAwayAtAnyTime() {
        Trainer a;
        for (int i = 0; i < 5; ++i) {
            const auto pace = std::make_shared<Lockstep>();
            a.keepPace(pace, 0);
            a.open(small("gan", "ring8"));
            a.run();
            {
                Trainer b;
                b.keepPace(pace, 1);
                b.open(small("gan", "ring8", {{"width", "100"}}));
                b.run();
                std::this_thread::sleep_for(std::chrono::milliseconds(30));
            }
            const int64_t step = stepOf(a);
            QVERIFY(QTest::qWaitFor([&] { return a.latest()->step > step + 10; }, 10'000));
        }
    }

    // The pace changes when a step is done, never what it does.
    void pacedRunsAreTheRunsTheyAreAlone() {
        Pair pair;
        pair.run();
        QVERIFY(both(pair, [](const Frame& a, const Frame& b) { return a.step > 30 && b.step > 30; }));
        pair.pause();
        Trainer alone;
        alone.watch({"samples"});
        alone.open(small("gan", "ring8"));
        const int64_t step = stepOf(pair.a);
        alone.goTo(step);
        const auto at = [&](Trainer& t) {
            FramePtr frame;
            (void)QTest::qWaitFor([&] {
                return (frame = t.latest())->step == step && !frame->running && frame->find("samples");
            });
            return frame->find("samples")->values;
        };
        QCOMPARE(at(alone), at(pair.a));
    }
};

QTEST_GUILESS_MAIN(TestLockstep)
#include "tst_lockstep.moc"
