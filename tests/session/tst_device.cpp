// Runs on a card, by a plugin whose memory and arithmetic are the host's: everything that a run does on the
// CPU it does there too, and what goes wrong with a card costs nothing but the steps since a snapshot.
#include <QtTest>

#include "core/cuda/plugin.h"
#include "core/session/run.h"
#include "tests/support/small.h"
#include "tests/support/watching.h"

using namespace core;
using namespace support;

namespace {

// What the plugin is told, for as long as this lives.
class Told {
  public:
    explicit Told(const char* words) { qputenv("GENSCOPE_HOST_CARD", words); }
    ~Told() { qunsetenv("GENSCOPE_HOST_CARD"); }
    Told(const Told&) = delete;
    Told& operator=(const Told&) = delete;
};

RunRequest onCard(RunRequest request) {
    request.device = "cuda";
    request.exact = true;
    return request;
}

RunRequest gan(std::vector<std::pair<std::string, std::string>> extra = {}) {
    return onCard(small("gan", "ring8", std::move(extra)));
}

void train(Run& run, int64_t until) {
    while (run.stepCount() < until)
        if (run.steps(until - run.stepCount()) == 0) throw Error(run.problem());
}

double apart(const Buffer& a, const Buffer& b) {
    double worst = 0;
    for (size_t i = 0; i < a.size(); ++i) worst = std::max(worst, std::abs(double(a[i]) - double(b[i])));
    return worst;
}

}  // namespace

class TestDevice : public QObject {
    Q_OBJECT

  private slots:
    void initTestCase() { qputenv("GENSCOPE_CUDA_PLUGIN", HOST_CARD); }

    // ---- the same run

    void aCardTrainsWhatTheCpuTrains_data() { addPresets(); }
    void aCardTrainsWhatTheCpuTrains() {
        QFETCH(QString, lesson);
        QFETCH(QString, preset);
        if (lesson == "ddpm" && preset == "fashion") QSKIP("the host's card has no convolutions");
        const RunRequest request = small(lesson.toStdString(), preset.toStdString());
        Run here(request), there(onCard(request));
        QCOMPARE(there.device(), std::string("Host card, FP32"));
        train(here, 12);
        train(there, 12);
        const Weights &a = here.store().weights, &b = there.store().weights;
        QVERIFY2(apart(a.parameters, b.parameters) < 2e-4,
                 qPrintable(QString::number(apart(a.parameters, b.parameters))));
        for (size_t i = 0; i < a.counters.size(); ++i) QCOMPARE(b.counters[i].steps, a.counters[i].steps);
        const Frame expected = here.look(here.channelNames()), got = there.look(there.channelNames());
        QVERIFY(!expected.histories.empty());
        for (const auto& [channel, history] : expected.histories) {
            const auto& own = got.histories.at(channel).buckets();
            QCOMPARE(own.size(), history.buckets().size());
            for (size_t i = 0; i < own.size(); ++i) {
                QCOMPARE(own[i].step, history.buckets()[i].step);
                const float value = history.buckets()[i].mean;
                QVERIFY2(
                    std::abs(own[i].mean - value) <= 1e-3f * std::max(1.0f, std::abs(value)),
                    qPrintable(QString("%1: %2, not %3").arg(channel.c_str()).arg(own[i].mean).arg(value)));
            }
        }
        for (const auto& [channel, tensor] : expected.channels)
            QCOMPARE(got.find(channel) ? got.find(channel)->values.size() : 0, tensor.values.size());
    }

    void stepsTakenTogetherAreTheSameSteps() {
        Run together(gan()), alone(gan());
        QVERIFY(together.steps(1000) > 1);
        train(together, 43);
        while (alone.stepCount() < 43) QVERIFY(alone.step());
        QCOMPARE(together.parameterHash(), alone.parameterHash());
        const Frame a = together.look({}), b = alone.look({});
        for (const auto& [channel, history] : a.histories) {
            const auto &own = history.buckets(), &other = b.histories.at(channel).buckets();
            QCOMPARE(own.size(), size_t(43));
            for (size_t i = 0; i < own.size(); ++i) QCOMPARE(own[i].mean, other[i].mean);
        }
    }

    void lookingChangesNothing() {
        Run seen(gan()), unseen(gan());
        for (int i = 0; i < 20; ++i) {
            QVERIFY(seen.step());
            seen.look(seen.channelNames(), i % 7 == 0);
        }
        train(unseen, 20);
        QCOMPARE(seen.parameterHash(), unseen.parameterHash());
    }

    void stagesMakeTheSameStep() {
        Run whole(gan()), staged(gan());
        train(whole, 3);
        for (int i = 0; i < 3; ++i) {
            int stages = 1;
            while (!staged.stage()) ++stages;
            QVERIFY(stages > 1);
        }
        QCOMPARE(staged.parameterHash(), whole.parameterHash());
    }

    void goingBackAndForthEndsWhereItWas() {
        Run run(gan());
        std::vector<uint64_t> hashes = {run.parameterHash()};
        for (int i = 0; i < 40; ++i) {
            QVERIFY(run.step());
            hashes.push_back(run.parameterHash());
        }
        for (int64_t step : {39, 20, 33, 0, 40}) {
            run.goTo(step);
            QCOMPARE(run.stepCount(), step);
            QCOMPARE(run.parameterHash(), hashes[size_t(step)]);
        }
    }

    void knobsReachTheCard() {
        Run run(gan()), same(gan());
        train(run, 10);
        train(same, 10);
        run.set("lr_g", 5e-3);
        train(run, 20);
        train(same, 20);
        QVERIFY(run.parameterHash() != same.parameterHash());
        const uint64_t hash = run.parameterHash();
        const auto again = Run::replay(run.journal(), onCard(Run::requestOf(run.journal(), 1, {})));
        again->goTo(20);
        QCOMPARE(again->parameterHash(), hash);

        const uint64_t before = run.parameterHash();
        run.set("batch", 64);  // structural, but nothing has another shape
        QCOMPARE(run.parameterHash(), before);
        train(run, 25);
        run.set("depth", 3);
        train(run, 30);
        QCOMPARE(run.stepCount(), int64_t(30));
    }

    void aNumberThatIsNotFiniteIsFoundAmongStepsTakenTogether() {
        // Adam takes a number this large over the edge in the second step.
        const RunRequest wild = gan({{"lr_d", "0.1"}, {"lr_g", "0.1"}, {"loss", "non-saturating"}});
        Run run(wild), alone(wild);
        for (Run* one : {&run, &alone}) {
            train(*one, 16);
            one->plant("discriminator.0.weight", 1e38f);
        }
        while (alone.step()) QVERIFY(alone.stepCount() < 24);
        QVERIFY(alone.stepCount() > 16);
        QCOMPARE(run.steps(8), int64_t(0));
        QCOMPARE(run.stepCount(), alone.stepCount());
        QCOMPARE(run.problem(), alone.problem());
        QCOMPARE(run.parameterHash(), alone.parameterHash());
        QCOMPARE(run.look({}).histories.at("loss_d").buckets().size(), size_t(run.stepCount()));
    }

    void aPlantedNanIsNamed() {
        Run run(gan());
        train(run, 5);
        run.plant("generator.2.bias", std::nanf(""));
        const uint64_t before = run.parameterHash();
        QCOMPARE(run.steps(8), int64_t(0));
        QCOMPARE(run.stepCount(), int64_t(5));
        QCOMPARE(run.parameterHash(), before);
        QVERIFY2(run.problem().find("parameter generator.2.bias") != std::string::npos,
                 run.problem().c_str());
        run.goTo(4);
        QVERIFY(run.problem().empty());
    }

    void aRunMovesBetweenDevices() {
        Run run(small("gan", "ring8"));
        train(run, 10);
        const uint64_t hash = run.parameterHash();
        run.moveTo(gan());
        QCOMPARE(run.stepCount(), int64_t(10));
        QCOMPARE(run.parameterHash(), hash);
        QCOMPARE(run.device(), std::string("Host card, FP32"));
        train(run, 20);
        const uint64_t later = run.parameterHash();
        run.moveTo(small("gan", "ring8"));
        QVERIFY(run.device().starts_with("CPU"));
        QCOMPARE(run.parameterHash(), later);
        run.goTo(3);
        QCOMPARE(run.stepCount(), int64_t(3));
    }

    // ---- what goes wrong

    void whatIsWrongWithTheMachineIsOneSentence_data() {
        QTest::addColumn<QByteArray>("told");
        QTest::addColumn<QString>("says");
        QTest::newRow("no card") << QByteArray("none") << "no NVIDIA card answers";
        QTest::newRow("old driver") << QByteArray("old") << "the NVIDIA driver offers CUDA 11.4";
        QTest::newRow("other version") << QByteArray("version") << "of another build";
        QTest::newRow("refuses") << QByteArray("open 1 the card is in exclusive use") << "exclusive use";
        QTest::newRow("no memory") << QByteArray("allocate 3 out of memory") << "out of memory";
        QTest::newRow("no graph") << QByteArray("fill 2 an illegal instruction") << "illegal instruction";
    }
    void whatIsWrongWithTheMachineIsOneSentence() {
        QFETCH(QByteArray, told);
        QFETCH(QString, says);
        const Told plugin(told.constData());
        try {
            Run run(gan());
            QFAIL("opened");
        } catch (const DeviceError& e) {
            QVERIFY2(QString(e.what()).contains(says), e.what());
        }
        Trainer trainer;
        trainer.open(gan());
        trainer.run();
        const FramePtr frame = await(trainer, [](const Frame& f) { return !f.problem.empty(); });
        QVERIFY(frame && frame->deviceFailed && !frame->running);
        QVERIFY2(QString::fromStdString(frame->problem).contains(says), frame->problem.c_str());
        trainer.useDevice("cpu");
        trainer.stepOnce();
        const FramePtr well = awaitStep(trainer, 1);
        QVERIFY(well && well->problem.empty() && !well->deviceFailed);
        QVERIFY(well->device.starts_with("CPU"));
    }

    void aPluginThatIsNoneIsSaid() {
        const cuda::Availability missing = cuda::availability("/nonexistent.so");
        QVERIFY(!missing.there && missing.text.find("no CUDA plugin") != std::string::npos);
        const cuda::Availability wrong = cuda::availability(SOURCE_DIR "/README.md");
        QVERIFY(!wrong.there && wrong.text.find("cannot be loaded") != std::string::npos);
        QVERIFY(cuda::availability(HOST_CARD).there);
    }

    void aCardThatFailsPausesTheRunWithItsState_data() {
        QTest::addColumn<QByteArray>("told");
        QTest::newRow("a launch once") << QByteArray("replay 40 too many resources requested");
        QTest::newRow("a launch that is not captured") << QByteArray("record 1 too much shared memory");
        QTest::newRow("a look that is not captured") << QByteArray("record 2 too much shared memory");
        QTest::newRow("lost in a launch") << QByteArray("lost replay 40 the card has fallen off the bus");
        QTest::newRow("lost in a wait") << QByteArray("lost wait 40 an illegal memory access");
        QTest::newRow("lost in a snapshot") << QByteArray("lost download 12 an uncorrectable error");
        QTest::newRow("no memory to look") << QByteArray("allocate 20 out of memory");
    }
    void aCardThatFailsPausesTheRunWithItsState() {
        QFETCH(QByteArray, told);
        const std::string reason = told.mid(told.indexOf(' ', told.indexOf(' ', 5) + 1) + 1).toStdString();
        const Told plugin(told.constData());
        Trainer trainer;
        trainer.watch({"samples", "d_field", "loss_d"});
        trainer.open(gan());
        trainer.run();
        const FramePtr failed = await(trainer, [](const Frame& f) { return !f.problem.empty(); });
        QVERIFY(failed && failed->deviceFailed && !failed->running);
        const QString problem = QString::fromStdString(failed->problem);
        QVERIFY2(problem.count(". ") <= 1 && problem.contains(told.split(' ').last()), qPrintable(problem));
        QCOMPARE(failed->lesson, std::string("gan"));
        const int64_t step = failed->step;

        trainer.useDevice("cpu");
        const FramePtr kept =
            await(trainer, [&](const Frame& f) { return f.device.starts_with("CPU") && f.target < 0; });
        QVERIFY(kept && kept->problem.empty() && !kept->deviceFailed);
        QVERIFY(kept->step >= step);
        QVERIFY(!kept->running);
        trainer.run();
        const FramePtr goesOn = awaitStep(trainer, step + 20);
        QVERIFY(goesOn && goesOn->problem.empty());
        trainer.back();
        QVERIFY(settled(trainer));
    }

    void aFaultThatPassesCostsNothing() {
        uint64_t expected = 0;
        {
            Run run(gan());
            train(run, 60);
            expected = run.parameterHash();
        }
        const Told plugin("replay 5 the card is busy");
        Run run(gan());
        bool failed = false;
        while (run.stepCount() < 60) try {
                run.steps(60 - run.stepCount());
            } catch (const DeviceError&) {
                failed = true;
            }
        QVERIFY(failed);
        QCOMPARE(run.parameterHash(), expected);
    }

    void aDeviceThatIsNotToBeHadChangesNothing() {
        Trainer trainer;
        trainer.open(small("gan", "ring8"));
        trainer.run();
        QVERIFY(awaitStep(trainer, 5));
        const Told plugin("none");
        trainer.useDevice("cuda");
        const FramePtr frame = await(trainer, [](const Frame& f) { return !f.problem.empty(); });
        QVERIFY(frame && frame->running && !frame->deviceFailed);
        QVERIFY(frame->device.starts_with("CPU"));
        QVERIFY(awaitStep(trainer, frame->step + 5));
    }
};

QTEST_GUILESS_MAIN(TestDevice)
#include "tst_device.moc"
