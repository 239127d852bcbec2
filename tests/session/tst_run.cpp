// One run, without its thread: same seed same bits, whatever was looked at, paused, gone back to or replayed.
#include <QtTest>

#include <cmath>
#include <random>

#include "core/data/fashion_mnist.h"
#include "core/session/run.h"
#include "tests/support/small.h"

using namespace core;
using support::small;

namespace {

uint64_t hashAfter(const RunRequest& request, int steps) {
    Run run(request);
    for (int i = 0; i < steps; ++i)
        if (!run.step()) throw Error(run.problem());
    return run.parameterHash();
}

// A knob of each kind turned on the way: live, schedule, structural.
struct Turn {
    int64_t step;
    const char* knob;
    double value;
};
const std::vector<Turn> turns = {{3, "lr_d", 0.01}, {3, "lr_g", 0.003}, {7, "k_d", 3},
                                 {12, "width", 20}, {12, "beta1", 0},   {18, "smoothing", 0.9},
                                 {25, "loss", 3},   {25, "batch", 40},  {31, "width", 12},
                                 {31, "k_g", 0},    {40, "k_g", 2},     {45, "r1", 1}};

void trainTurning(
    Run& run, int64_t to, const std::function<void()>& eachStep = [] {}) {
    while (run.stepCount() < to) {
        for (const Turn& t : turns)
            if (t.step == run.stepCount()) run.set(t.knob, t.value);
        if (!run.step()) throw Error(run.problem());
        eachStep();
    }
}

}  // namespace

class TestRun : public QObject {
    Q_OBJECT

    // Held for all runs, so that the pictures are read once.
    const ImageSet m_train = fashionMnist(Split::train), m_test = fashionMnist(Split::test);

  private slots:
    // ---- the same bits

    void lookingLeavesTrainingAlone_data() { support::addPresets(); }
    void lookingLeavesTrainingAlone() {
        QFETCH(QString, lesson);
        QFETCH(QString, preset);
        const RunRequest request = small(lesson.toStdString(), preset.toStdString());
        const uint64_t unseen = hashAfter(request, 6);
        Run run(request);
        for (int i = 0; i < 6; ++i) {
            const Frame frame = run.look(run.channelNames(), i == 3);
            QVERIFY(frame.step == i);
            if (i == 4) {  // the frames of slow mode too
                while (!run.stage()) run.look(run.channelNames());
            } else {
                QVERIFY(run.step());
            }
        }
        QCOMPARE(run.parameterHash(), unseen);
    }

    void everyChannelCanBeSeenAndIsFinite_data() { support::addPresets(); }
    void everyChannelCanBeSeenAndIsFinite() {
        QFETCH(QString, lesson);
        QFETCH(QString, preset);
        Run run(small(lesson.toStdString(), preset.toStdString()));
        QVERIFY(run.step());
        const Frame frame = run.look(run.channelNames(), true);
        for (const std::string& channel : run.channelNames()) {
            const Tensor* t = frame.find(channel);
            QVERIFY2(t, channel.c_str());
            QCOMPARE(int64_t(t->values.size()), t->shape.size());
            QVERIFY2(
                std::all_of(t->values.begin(), t->values.end(), [](float x) { return std::isfinite(x); }),
                channel.c_str());
        }
    }

    void threadsDoNotShow_data() { support::addPresets(); }
    void threadsDoNotShow() {
        QFETCH(QString, lesson);
        QFETCH(QString, preset);
        RunRequest request = small(lesson.toStdString(), preset.toStdString(), {{"batch", "133"}});
        const uint64_t alone = hashAfter(request, 8);
        for (int threads : {2, 4}) {
            request.threads = threads;
            QCOMPARE(hashAfter(request, 8), alone);
        }
    }

    void slowModeDoesTheSameStep_data() { support::addPresets(); }
    void slowModeDoesTheSameStep() {
        QFETCH(QString, lesson);
        QFETCH(QString, preset);
        const RunRequest request = small(lesson.toStdString(), preset.toStdString());
        Run whole(request), staged(request);
        for (int i = 0; i < 5; ++i) {
            QVERIFY(whole.step());
            if (i % 2 == 0) {  // some stages, then the rest at once
                for (int k = 0; k <= i; ++k) QVERIFY(!staged.stage());
                QVERIFY(!staged.nextStage().empty());
                QVERIFY(staged.step());
            } else {
                std::vector<std::string> seen;
                do seen.push_back(staged.nextStage());
                while (!staged.stage());
                const std::vector<std::string> names = staged.stageNames();
                for (size_t k = 1; k < seen.size(); ++k)
                    QVERIFY2(std::find(names.begin(), names.end(), seen[k]) != names.end(), seen[k].c_str());
            }
            QCOMPARE(staged.stepCount(), int64_t(i + 1));
            QVERIFY(staged.nextStage().empty());
            QCOMPARE(staged.parameterHash(), whole.parameterHash());
        }
    }

    void aReplayFromOneLineGivesTheSameBits() {
        Run run(small("gan", "ring8"));
        trainTurning(run, 60);
        const std::string line = run.journal().toLine();
        const auto again = Run::replay(Journal::fromLine(line), 2);
        again->goTo(60);
        QCOMPARE(again->stepCount(), int64_t(60));
        QCOMPARE(again->parameterHash(), run.parameterHash());
        QCOMPARE(again->settings(), run.settings());
        QCOMPARE(again->journal().toLine(), line);
    }

    void aLineThatIsNoJournalIsRefused_data() {
        QTest::addColumn<QString>("line");
        const char* lines[] = {
            "",
            "{}",
            "[]",
            "null",
            "{\"version\":2}",
            "{\"version\":1,\"lesson\":3,\"seed\":1,\"settings\":{},\"journal\":[]}",
            "{\"version\":1,\"lesson\":\"gan\",\"seed\":1,\"settings\":{},\"journal\":[[1,2]]}",
            "{\"version\":1,\"lesson\":\"gan\",\"seed\":1,\"settings\":{},\"journal\":[1]}",
            "[[[[[[[[[[[[[[[[[[[[[[[[["};
        for (const char* line : lines) QTest::newRow(*line ? line : "nothing") << line;
    }
    void aLineThatIsNoJournalIsRefused() {
        QFETCH(QString, line);
        QVERIFY_EXCEPTION_THROWN(Journal::fromLine(line.toStdString()), Error);
    }
    void whatALineLacksIsSaid() {
        const auto fault = [](const char* line) {
            try {
                Journal::fromLine(line);
            } catch (const Error& e) {
                return std::string(e.what());
            }
            return std::string();
        };
        QCOMPARE(fault(R"({"version":1,"lesson":"gan","settings":{},"journal":[]})"),
                 "journal: expected a field 'seed', found none");
        QCOMPARE(fault(R"({"version":1,"lesson":"gan","seed":"x","settings":{},"journal":[]})"),
                 "journal: seed: expected another kind of value, got \"x\"");
    }

    // ---- time

    void everyMomentIsTheSameWhenGoneBackTo() {
        Run run(small("gan", "ring8"));
        std::vector<uint64_t> hashes = {run.parameterHash()};
        std::vector<Frame> frames = {run.look({"real", "samples"})};
        QVERIFY(!frames[0].find("real") && !frames[0].find("loss_d"));  // nothing was drawn yet
        trainTurning(run, 70, [&] {
            hashes.push_back(run.parameterHash());
            frames.push_back(run.look({"real", "samples"}));
        });
        std::mt19937 engine(1);
        for (int i = 0; i < 60; ++i) {
            const int64_t target = int64_t(engine() % 71);
            run.goTo(target);
            QCOMPARE(run.stepCount(), target);
            QCOMPARE(run.furthest(), int64_t(70));
            // Where a structural change waits at this very step, it has happened already.
            const bool rebuilt = target == 12 || target == 25 || target == 31 || target == 45;
            if (!rebuilt) {
                QCOMPARE(run.parameterHash(), hashes[size_t(target)]);
                const Frame frame = run.look({"real", "samples"}), &first = frames[size_t(target)];
                for (const char* channel : {"real", "samples", "loss_d", "jsd"}) {
                    QCOMPARE(frame.find(channel) != nullptr, first.find(channel) != nullptr);
                    if (frame.find(channel))
                        QCOMPARE(frame.find(channel)->values, first.find(channel)->values);
                }
            }
            if (i % 3 == 0 && target < 70) {
                QVERIFY(run.step());
                QCOMPARE(run.parameterHash(), hashes[size_t(target) + 1]);
            }
        }
        run.goTo(80);  // past what was trained
        QCOMPARE(run.stepCount(), int64_t(80));
    }

    // No step is done again for it, and the curves are there.
    void whoLeavesComesBackAtOnce() {
        Run run(small("gan", "ring8"));
        trainTurning(run, 300);
        const Frame before = run.look({"real", "samples"});
        for (int64_t away : {0, 20, 299}) {
            run.goTo(away);
            QCOMPARE(run.look({}).histories.at("loss_d").buckets().size(), size_t(away));
            run.goTo(300, [] { return true; });
            QCOMPARE(run.stepCount(), int64_t(300));
            const Frame after = run.look({"real", "samples"});
            QCOMPARE(after.settings, before.settings);
            for (const char* channel : {"real", "samples", "loss_d"}) {
                QVERIFY2(before.find(channel) && after.find(channel), channel);
                QCOMPARE(after.find(channel)->values, before.find(channel)->values);
            }
            for (const auto& [channel, history] : before.histories)
                QCOMPARE(after.histories.at(channel).buckets().size(), history.buckets().size());
        }
    }

    void anInterruptedJourneyGoesOn() {
        Run run(small("gan", "ring8"));
        for (int i = 0; i < 50; ++i) QVERIFY(run.step());
        const uint64_t there = run.parameterHash();
        run.goTo(0);
        int asked = 0;
        run.goTo(45, [&] { return ++asked > 2; });
        QVERIFY(run.stepCount() > 0 && run.stepCount() < 45);
        run.goTo(50);
        QCOMPARE(run.parameterHash(), there);
    }

    void aKnobTurnedInThePastForgetsTheFuture() {
        Run run(small("gan", "ring8"));
        for (int i = 0; i < 40; ++i) QVERIFY(run.step());
        run.goTo(20);
        run.set("lr_g", 0.02);
        QCOMPARE(run.furthest(), int64_t(20));
        for (int i = 0; i < 15; ++i) QVERIFY(run.step());
        const uint64_t other = run.parameterHash();

        Run straight(small("gan", "ring8"));
        for (int i = 0; i < 20; ++i) QVERIFY(straight.step());
        straight.set("lr_g", 0.02);
        for (int i = 0; i < 15; ++i) QVERIFY(straight.step());
        QCOMPARE(straight.parameterHash(), other);
        run.goTo(10);
        run.goTo(35);
        QCOMPARE(run.parameterHash(), other);
        QCOMPARE(run.journal().entries.size(), size_t(1));
    }

    // While G rests its samples are those of the last step that trained it; on the way back too.
    void channelsOfAPhaseThatRestsAreThoseOfItsLastStep() {
        Run run(small("gan", "ring8"));
        const auto train = [&](int steps) {
            for (int i = 0; i < steps; ++i) QVERIFY(run.step());
        };
        train(20);
        run.set("k_g", 0);
        train(30);
        const Frame there = run.look({"fake"});
        run.set("k_g", 1);
        train(20);
        QVERIFY(run.look({"fake"}).find("fake")->values != there.find("fake")->values);
        run.goTo(40);
        const Frame back = run.look({"fake"});
        QCOMPARE(back.find("fake")->values, there.find("fake")->values);
        QCOMPARE(back.scalar("loss_g"), there.scalar("loss_g"));
        QCOMPARE(back.histories.at("loss_g").last(), there.histories.at("loss_g").last());
        run.goTo(70);
        QCOMPARE(run.look({"fake"}).step, int64_t(70));
        QVERIFY(run.look({"fake"}).find("fake")->values != there.find("fake")->values);
    }

    // A snapshot taken at the step of a change must not bring back what the knob was before it.
    void turningAKnobAgainAtTheSameStepIsRemembered() {
        Run run(small("gan", "ring8"));
        for (int i = 0; i < 30; ++i) QVERIFY(run.step());
        run.goTo(20);
        run.set("lr_g", 0.02);
        while (!run.stage()) {
        }
        run.goTo(20);
        run.set("lr_g", 0.0005);
        QVERIFY(run.step());
        const uint64_t next = run.parameterHash();
        for (int i = 0; i < 4; ++i) QVERIFY(run.step());
        const uint64_t there = run.parameterHash();
        run.goTo(21);
        QCOMPARE(run.settings().at("lr_g"), 0.0005);
        QCOMPARE(run.parameterHash(), next);
        run.goTo(20);
        QCOMPARE(run.settings().at("lr_g"), 0.0005);
        run.goTo(25);
        QCOMPARE(run.parameterHash(), there);
        const auto again = Run::replay(run.journal(), 1);
        again->goTo(25);
        QCOMPARE(again->parameterHash(), there);
    }

    void resetKeepsTheInitialisation() {
        Run run(small("gan", "ring8"));
        const uint64_t start = run.parameterHash();
        for (int i = 0; i < 9; ++i) QVERIFY(run.step());
        const uint64_t nine = run.parameterHash();
        const double rate = run.settings().at("lr_g");
        run.set("lr_g", 0.01);
        QVERIFY(run.step());
        run.reset(run.seed());
        QCOMPARE(run.parameterHash(), start);
        QCOMPARE(run.settings().at("lr_g"), 0.01);  // the knobs stay as they are
        run.set("lr_g", rate);
        for (int i = 0; i < 9; ++i) QVERIFY(run.step());
        QCOMPARE(run.parameterHash(), nine);
        run.reset(run.seed() + 1);
        QVERIFY(run.parameterHash() != start);
    }

    // ---- what is kept

    void historyLosesNoStep() {
        History history;
        double total = 0;
        for (int step = 1; step <= 50000; ++step) {
            const float value = std::sin(float(step) * 0.37f);
            history.add(step, value);
            total += double(value);
        }
        QVERIFY(history.buckets().size() <= History::capacity);
        int64_t count = 0, last = 0;
        double mean = 0;
        for (const History::Bucket& b : history.buckets()) {
            QVERIFY(b.low <= b.mean && b.mean <= b.high && b.step > last);
            QCOMPARE(b.step, last + b.count);
            count += b.count;
            mean += double(b.mean) * b.count;
            last = b.step;
        }
        QCOMPARE(count, int64_t(50000));
        QVERIFY(std::abs(mean - total) < 0.05);
        history.truncate(20000);
        QCOMPARE(history.buckets().back().step, int64_t(20000));
        count = 0;
        for (const History::Bucket& b : history.buckets()) count += b.count;
        QCOMPARE(count, int64_t(20000));
        history.truncate(-1);
        QVERIFY(history.empty());
    }

    void historiesFollowTheRunBackwards() {
        Run run(small("gan", "ring8", {{"width", "4"}, {"batch", "16"}}));
        for (int i = 0; i < 1500; ++i) QVERIFY(run.step());
        for (int64_t target : {int64_t(1201), int64_t(77), int64_t(1333)}) {
            run.goTo(target);
            const Frame frame = run.look({});
            int64_t count = 0;
            for (const History::Bucket& b : frame.histories.at("loss_d").buckets()) count += b.count;
            QCOMPARE(count, target);
            QCOMPARE(frame.histories.at("loss_d").buckets().back().step, target);
        }
    }

    void snapshotsStayInTheirBudget() {
        Timeline timeline;
        Snapshot snapshot;
        snapshot.weights.parameters.assign(100'000, 1);
        const int64_t bytes = 12 * 100'000;
        int64_t step = 0;
        for (int i = 0; i < 600; ++i, step += 16) {
            snapshot.applied = size_t(step);
            if (step >= timeline.nextDue(bytes)) timeline.add(step, snapshot);
            QVERIFY(int64_t(timeline.size()) * bytes <= Timeline::memoryBudget);
        }
        QVERIFY(3 * int64_t(timeline.size()) * bytes > Timeline::memoryBudget);  // and it is used
        // There is always one at or before any step, the present is dense, and the past becomes sparser.
        int64_t at = -1;
        QCOMPARE(timeline.before(0, at).applied, size_t(0));
        QCOMPARE(at, int64_t(0));
        int64_t previous = step, widest = 0;
        while (previous > 0) {
            const Snapshot& found = timeline.before(previous - 1, at);
            QCOMPARE(found.applied, size_t(at));
            const int64_t age = step - at;
            QVERIFY2(previous - at <= std::max<int64_t>(16, age), qPrintable(QString::number(at)));
            widest = std::max(widest, previous - at);
            previous = at;
        }
        QVERIFY(widest > 64);
        timeline.before(step - 40, at);
        QVERIFY(step - 40 - at <= 32);
        timeline.forgetAfter(100);
        timeline.before(1'000'000, at);
        QVERIFY(at <= 100);
    }
};

QTEST_GUILESS_MAIN(TestRun)
#include "tst_run.moc"
