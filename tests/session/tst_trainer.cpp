// The trainer thread as a state machine: every command works in every state, soon, and frames stay true.
#include <QtTest>

#include <chrono>
#include <thread>

#include "core/session/run.h"
#include "core/session/trainer.h"
#include "tests/support/small.h"
#include "tests/support/watching.h"

using namespace core;
using namespace support;

class TestTrainer : public QObject {
    Q_OBJECT

  private slots:
    void anotherDataSetLeadsOutOfOneThatIsMissing() {
        const QByteArray before = qgetenv("GENSCOPE_FASHION_MNIST");
        qputenv("GENSCOPE_FASHION_MNIST", "/nonexistent");
        {
            Trainer trainer;
            trainer.open({.lesson = "vae", .preset = "fashion2d", .settings = {{"width", "16"}}});
            trainer.run();
            const FramePtr missing = await(trainer, [](const Frame& f) { return !f.problem.empty(); });
            QVERIFY(missing);
            QVERIFY(missing->problem.find("apt install") != std::string::npos);
            QCOMPARE(missing->choices.at("data"), std::string("fashion"));
            QCOMPARE(missing->settings.at("width"), 16.0);
            trainer.setHandle("latent_point", {0, 0});  // looking does not wipe the sentence away
            trainer.share();
            QVERIFY(!trainer.latest()->problem.empty());

            trainer.set("data", 1);
            trainer.run();
            const FramePtr shapes = awaitStep(trainer, 3);
            QVERIFY(shapes);
            QVERIFY(shapes->problem.empty());
            QCOMPARE(shapes->choices.at("data"), std::string("shapes"));
            QCOMPARE(shapes->settings.at("width"), 16.0);
        }
        before.isNull() ? qunsetenv("GENSCOPE_FASHION_MNIST") : qputenv("GENSCOPE_FASHION_MNIST", before);
    }

    void nothingIsOpenAtFirst() {
        Trainer trainer;
        QVERIFY(trainer.latest());
        QCOMPARE(trainer.share(), std::string());
        trainer.run();
        trainer.stepOnce();
        trainer.stageOnce();
        trainer.back();
        trainer.goTo(10);
        trainer.reset();
        trainer.newSeed(4);
        trainer.applyPreset("ring8");
        trainer.set("lr_d", 1);
        QCOMPARE(trainer.share(), std::string());
        trainer.open(small("gan", "ring8"));
        trainer.stepOnce();
        QVERIFY(awaitStep(trainer, 1));
    }

    void startThenPauseAtOnce() {
        Trainer trainer;
        trainer.open(small("gan", "ring8"));
        for (int i = 0; i < 20; ++i) {
            trainer.run();
            trainer.pause();
            const Clock::time_point start = Clock::now();
            trainer.share();
            if (i > 0) QVERIFY(msSince(start) < promptly);
            const FramePtr frame = settled(trainer);
            QVERIFY(frame && !frame->running && frame->stage.empty());
        }
        const int64_t step = trainer.latest()->step;
        std::this_thread::sleep_for(std::chrono::milliseconds(30));
        QCOMPARE(settled(trainer)->step, step);  // it really rests
    }

    // What is costly is worked out while the run rests, for the step that is seen.
    void aRestingRunGetsItsCostlyFigures() {
        Trainer trainer;
        trainer.watch({"elbo_test"});
        trainer.open(small("vae", "linear-gaussian"));
        for (int64_t step = 1; step <= 2; ++step) {
            trainer.stepOnce();
            const FramePtr frame =
                await(trainer, [&](const Frame& f) { return f.step == step && !f.awaitsFigures; });
            QVERIFY(frame && frame->find("elbo_test"));
            QCOMPARE(frame->histories.at("elbo_test").buckets().back().step, step);
        }
    }

    void resetWhileTraining() {
        Trainer trainer;
        trainer.open(small("gan", "ring8"));
        trainer.setStepsPerSecond(400);  // so that a frame is made before it has caught up
        trainer.run();
        for (int i = 0; i < 5; ++i) {
            const FramePtr far = awaitStep(trainer, 50);
            QVERIFY(far);
            trainer.reset();
            const FramePtr near = await(trainer, [&](const Frame& f) { return f.step < far->step; });
            QVERIFY(near && near->running);
            QCOMPARE(near->seed, far->seed);
        }
        trainer.newSeed(99);
        const FramePtr frame = await(trainer, [](const Frame& f) { return f.seed == 99; });
        QVERIFY(frame);
        compareWithReplay(trainer, *settled(trainer));
    }

    void openAnotherLessonWhileTrainingThenStop() {
        Trainer trainer;
        for (int i = 0; i < 4; ++i) {
            trainer.open(small("gan", "ring8"));
            trainer.run();
            QVERIFY(await(trainer, [](const Frame& f) { return f.lesson == "gan" && f.step > 5; }));
            trainer.open(small("vae", "linear-gaussian"));
            if (i % 2) trainer.pause();  // a run that is opened rests anyway
            const FramePtr frame = await(trainer, [](const Frame& f) { return f.lesson == "vae"; });
            QVERIFY(frame && !frame->running);
            QCOMPARE(frame->step, int64_t(0));
            QCOMPARE(settled(trainer)->step, int64_t(0));
        }
        trainer.open({.lesson = "no such lesson"});
        QVERIFY(await(trainer,
                      [](const Frame& f) { return f.problem.find("no such lesson") != std::string::npos; }));
        trainer.open(small("gan", "ring8"));
        trainer.stepOnce();
        QVERIFY(await(trainer, [](const Frame& f) { return f.step == 1 && f.problem.empty(); }));
    }

    void changeTheDataWhileTraining() {
        Trainer trainer;
        trainer.watch({"samples", "jsd"});
        trainer.open(small("gan", "ring8"));
        trainer.run();
        for (int data : {1, 8, 3, 0}) {  // grid25, gaussian on the line, swiss-roll, ring8
            trainer.set("data", data);
            const FramePtr frame = await(trainer, [=](const Frame& f) {
                return f.settings.count("data") && f.settings.at("data") == data && f.find("samples");
            });
            QVERIFY(frame);
            QVERIFY(frame->running);
            QCOMPARE(frame->find("samples")->shape[1], data == 8 ? 1 : 2);
            QVERIFY(awaitStep(trainer, frame->step + 5));
        }
        compareWithReplay(trainer, *settled(trainer));
    }

    void continuePastThePlannedEnd() {
        Trainer trainer;
        const RunRequest request = small("gan", "vanishing", {{"width", "4"}, {"batch", "16"}, {"k_d", "1"}});
        const int budget = Run(request).budget();
        trainer.open(request);
        trainer.run();
        QVERIFY(awaitStep(trainer, budget + 10));
        const int64_t there = settled(trainer)->step;
        trainer.stepOnce();
        QVERIFY(await(trainer, [=](const Frame& f) { return f.step == there + 1; }));
    }

    void stepsStagesAndBackFromAnyState() {
        Trainer trainer;
        trainer.watch({"samples"});
        trainer.open(small("gan", "ring8"));
        trainer.goTo(30);
        QVERIFY(await(trainer, [](const Frame& f) { return f.step == 30; }));
        trainer.stageOnce();
        trainer.stageOnce();
        const FramePtr half = await(trainer, [](const Frame& f) { return !f.stage.empty(); });
        QVERIFY(half);
        QCOMPARE(half->step, int64_t(30));
        trainer.back();  // to the beginning of the step that was begun
        QVERIFY(await(trainer, [](const Frame& f) { return f.stage.empty() && f.step == 30; }));
        trainer.back();
        trainer.back();
        const FramePtr earlier = await(trainer, [](const Frame& f) { return f.step == 28; });
        QVERIFY(earlier);
        compareWithReplay(trainer, *settled(trainer));
        trainer.stageOnce();
        trainer.run();
        QVERIFY(awaitStep(trainer, 60));
        trainer.stepOnce();  // ends the running
        QVERIFY(await(trainer, [](const Frame& f) { return !f.running && f.step > 60; }));
        trainer.run();
        trainer.stageOnce();
        QVERIFY(await(trainer, [](const Frame& f) { return !f.running && !f.stage.empty(); }));
        trainer.run();
        trainer.goTo(-5);
        QVERIFY(await(trainer, [](const Frame& f) { return !f.running && f.step == 0; }));
    }

    // One step back in a run that was saved after days.
    void aHopelessWayBackIsGivenUp() {
        const RunRequest request = small("gan", "ring8");
        Run run(request);
        QVERIFY(run.step());
        auto saved = std::make_shared<SavedRun>(run.saved());
        saved->journal.step = 1'000'000'000;
        Trainer trainer;
        trainer.openSaved(saved, {});
        QVERIFY(awaitStep(trainer, saved->journal.step));
        trainer.back();
        const FramePtr frame = await(trainer, [](const Frame& f) { return !f.problem.empty(); });
        QVERIFY(frame);
        QVERIFY2(frame->problem.find("Step 999999999 is no longer kept") == 0, frame->problem.c_str());
        QCOMPARE(frame->step, saved->journal.step);
        QVERIFY(!frame->running && frame->target == -1);
        trainer.goTo(0);
        QVERIFY(await(trainer, [](const Frame& f) { return f.step == 0; }));
        trainer.goTo(saved->journal.step);  // is kept
        QVERIFY(awaitStep(trainer, saved->journal.step));
    }

    void aLongWayIsShownOnTheWay() {
        Trainer trainer;
        const int64_t far = 1'000'000'000;
        trainer.open(small("gan", "ring8"));
        trainer.goTo(far);
        const FramePtr early = await(
            trainer, [](const Frame& f) { return f.step > 0; }, 10 * promptly);
        QVERIFY(early);
        QCOMPARE(early->target, far);
        const int64_t passed = early->step;
        QVERIFY(await(
            trainer, [=](const Frame& f) { return f.step > passed; }, 10 * promptly));
        trainer.goTo(5);
        QVERIFY(await(trainer, [](const Frame& f) { return f.step == 5 && f.target == -1; }));
    }

    void pauseIsHonouredAtFullSize() {
        Trainer trainer;
        trainer.watch({"samples", "d_field", "jsd", "modes_covered", "arrows"});
        trainer.open({.lesson = "gan", .preset = "ring8"});
        for (int i = 0; i < 5; ++i) {
            trainer.run();
            QVERIFY(awaitStep(trainer, 20 * (i + 1)));
            const Clock::time_point start = Clock::now();
            trainer.pause();
            QVERIFY(await(
                trainer, [](const Frame& f) { return !f.running; }, promptly));
            QVERIFY2(msSince(start) < promptly, qPrintable(QString::number(msSince(start))));
        }
    }

    void theSpeedLimitHolds() {
        Trainer trainer;
        trainer.open(small("gan", "ring8"));
        trainer.setStepsPerSecond(40);
        trainer.run();
        QVERIFY(awaitStep(trainer, 1));
        const Clock::time_point start = Clock::now();
        const int64_t first = trainer.latest()->step;
        QVERIFY(awaitStep(trainer, first + 20));
        QVERIFY(msSince(start) > 350);  // 20 steps are due in 500 ms
        trainer.setStepsPerSecond(0);
        QVERIFY(awaitStep(trainer, first + 200));
    }

    void framesAreImmutableAndStepsOnlyGrow() {
        Trainer trainer;
        trainer.watch({"samples", "fake", "loss_d"});
        trainer.open(small("gan", "ring8"));
        trainer.run();
        std::vector<std::pair<FramePtr, Frame>> kept;
        int64_t last = 0;
        const Clock::time_point start = Clock::now();
        while (msSince(start) < 700) {
            const FramePtr frame = trainer.latest();
            QVERIFY(frame->step >= last);
            last = frame->step;
            if (kept.empty() || kept.back().first != frame) kept.emplace_back(frame, *frame);
            std::this_thread::sleep_for(std::chrono::milliseconds(2));
        }
        QVERIFY(kept.size() > 2);
        trainer.set("width", 16);
        trainer.reset();
        QVERIFY(settled(trainer));
        for (const auto& [frame, copy] : kept) {
            QCOMPARE(frame->step, copy.step);
            QCOMPARE(frame->settings, copy.settings);
            QCOMPARE(frame->channels.size(), copy.channels.size());
            for (const auto& [name, tensor] : copy.channels)
                QCOMPARE(frame->find(name)->values, tensor.values);
        }
    }

    void refusedCommandsAreShownAndTrainingGoesOn() {
        Trainer trainer;
        trainer.open(small("gan", "ring8"));
        trainer.run();
        QVERIFY(awaitStep(trainer, 5));
        trainer.set("lr_d", 7);
        const FramePtr frame =
            await(trainer, [](const Frame& f) { return f.problem.find("lr_d") != std::string::npos; });
        QVERIFY(frame && frame->running);
        QVERIFY(awaitStep(trainer, frame->step + 5));
        trainer.set("lr_d", 0.001);
        QVERIFY(await(trainer, [](const Frame& f) { return f.problem.empty(); }));
    }

    // A lesson that cannot be built as it was asked for opens as soon as its knobs allow it.
    void aLessonThatCannotBeOpenedCanBeMended() {
        Trainer trainer;
        trainer.open(small("vae", "linear-gaussian", {{"z_dim", "3"}}));
        QVERIFY(await(trainer, [](const Frame& f) { return f.problem.find("z_dim") != std::string::npos; }));
        trainer.set("lr", 7);
        QVERIFY(await(trainer, [](const Frame& f) { return f.problem.find("lr") != std::string::npos; }));
        trainer.set("z_dim", 2);
        trainer.set("beta", 3);
        trainer.stepOnce();
        const FramePtr frame =
            await(trainer, [](const Frame& f) { return f.step == 1 && f.problem.empty(); });
        QVERIFY(frame);
        QCOMPARE(frame->settings.at("z_dim"), 2.0);
        QCOMPARE(frame->settings.at("beta"), 3.0);
    }

    void theDestructorJoinsWithinAStep() {
        for (const char* preset : {"ring8", "grid25"}) {
            auto trainer = std::make_unique<Trainer>();
            trainer->watch({"samples", "d_field", "warp", "jsd"});
            trainer->open({.lesson = "gan", .preset = preset});
            trainer->run();
            QVERIFY(awaitStep(*trainer, 3));
            trainer->latest();
            const Clock::time_point start = Clock::now();
            trainer.reset();
            QVERIFY2(msSince(start) < promptly, qPrintable(QString::number(msSince(start))));
        }
        Trainer().open(small("vae", "linear-gaussian"));  // before the command was even looked at
    }
};

QTEST_GUILESS_MAIN(TestTrainer)
#include "tst_trainer.moc"
