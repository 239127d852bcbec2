// Any order of commands, from any thread: the trainer never hangs, and what it shows can be replayed.
#include <QtTest>
#include <random>
#include <thread>

#include "tests/support/small.h"
#include "tests/support/watching.h"

using namespace support;

class TestTrainerOrder : public QObject {
    Q_OBJECT

  private slots:
    // Every command in every state: it never hangs, never falls over, and what is shown can be replayed.
    void anyOrderOfCommandsIsFine_data() {
        QTest::addColumn<int>("seed");
        for (int seed = 1; seed <= 4; ++seed) QTest::addRow("seed %d", seed) << seed;
    }
    void anyOrderOfCommandsIsFine() {
        QFETCH(int, seed);
        std::mt19937 engine{unsigned(seed)};
        const auto below = [&](int n) { return int(engine() % unsigned(n)); };
        Trainer trainer;
        trainer.open(small("gan", "ring8"));
        const std::pair<const char*, std::vector<double>> knobs[] = {
            {"lr_d", {1e-3, 1e-2, 5}}, {"k_d", {0, 1, 4}},  {"width", {8, 12, 0}},  {"data", {0, 1, 8}},
            {"batch", {16, 17, 40}},   {"loss", {0, 3, 4}}, {"freeze_g", {0, 1}},   {"nonsense", {1}},
            {"lr", {1e-3, 1e-2}},      {"beta", {0, 1, 9}}, {"free_bits", {0, 0.5}}};
        for (int i = 0; i < 500; ++i) {
            switch (below(20)) {
                case 0:
                    trainer.open(below(2) ? small("gan", "figure1") : small("vae", "linear-gaussian"));
                    break;
                case 1:
                case 2:
                case 3: {
                    const auto& [knob, values] = knobs[below(int(std::size(knobs)))];
                    trainer.set(knob, values[size_t(below(int(values.size())))]);
                    break;
                }
                case 4:
                    trainer.reset();
                    break;
                case 5:
                    trainer.newSeed(uint64_t(below(5)));
                    break;
                case 6:
                case 7:
                case 8:
                    trainer.run();
                    break;
                case 9:
                    trainer.pause();
                    break;
                case 10:
                case 11:
                    trainer.stepOnce();
                    break;
                case 12:
                case 13:
                    trainer.stageOnce();
                    break;
                case 14:
                    trainer.back();
                    break;
                case 15:
                    trainer.goTo(below(80) - 5);
                    break;
                case 16:
                    trainer.setStepsPerSecond(below(2) ? 0 : 200);
                    break;
                case 17:
                    trainer.watch(
                        below(2) ? std::set<std::string>{"samples", "codes", "loss_d", "jsd", "elbo_test"}
                                 : std::set<std::string>{"no such channel"});
                    break;
                case 18:
                    trainer.setHandle("latent_point", {0.5f, 1});
                    break;
                case 19:
                    if (below(4) == 0) trainer.share();
                    break;
            }
            const FramePtr frame = trainer.latest();
            QVERIFY(frame && frame->step >= 0);
            if (frame->running) QVERIFY(frame->stage.empty());
            if (below(3) == 0) std::this_thread::sleep_for(std::chrono::microseconds(below(4000)));
        }
        trainer.watch({"samples", "codes"});
        trainer.share();  // the queue is worked off
        trainer.run();
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
        const Clock::time_point start = Clock::now();
        trainer.pause();
        trainer.share();
        QVERIFY2(msSince(start) < promptly, qPrintable(QString::number(msSince(start))));
        const FramePtr frame = settled(trainer);
        QVERIFY(frame && !frame->running);
        if (frame->problem.empty()) compareWithReplay(trainer, *frame);
    }

    void commandsMayComeFromManyThreads() {
        Trainer trainer;
        trainer.open(small("gan", "ring8"));
        trainer.run();
        std::vector<std::thread> threads;
        for (int t = 0; t < 3; ++t)
            threads.emplace_back([&trainer, t] {
                for (int i = 0; i < 60; ++i) {
                    if (t == 0) trainer.set("lr_d", 1e-3 * (1 + i % 5));
                    if (t == 1) trainer.watch({i % 2 ? "samples" : "fake"});
                    if (t == 2) i % 7 ? trainer.stepOnce() : trainer.run();
                    trainer.latest();
                    std::this_thread::sleep_for(std::chrono::microseconds(300));
                }
            });
        for (std::thread& thread : threads) thread.join();
        const FramePtr frame = settled(trainer);
        QVERIFY(frame);
        compareWithReplay(trainer, *frame);
    }
};

QTEST_GUILESS_MAIN(TestTrainerOrder)
#include "tst_trainer_order.moc"
