// Runs on data of the user's own: a change like any other, journaled, replayed, refused without harm.
#include <QtTest>
#include <cmath>

#include "core/session/run.h"
#include "core/session/trainer.h"
#include "tests/support/small.h"

using namespace core;
using support::small;

namespace {

TablePtr table(int64_t rows, int columns, bool bytes) {
    Table t{rows, columns, {}, {}};
    for (int64_t i = 0; i < rows * columns; ++i)
        bytes ? t.bytes.push_back(uint8_t(i * 37)) : t.values.push_back(float(std::sin(double(i))) * 2);
    return std::make_shared<const Table>(std::move(t));
}

OwnDataPtr own(const std::string& name, int columns, int64_t rows = 100) {
    auto data = std::make_shared<OwnData>();
    data->name = name;
    data->path = "/somewhere/" + name;
    data->fingerprint = name;
    data->pictures = columns > 2;
    data->train = table(rows, columns, columns > 2);
    data->test = table(std::max<int64_t>(10, rows / 5), columns, columns > 2);
    return data;
}

void train(Run& run, int steps) {
    for (int i = 0; i < steps; ++i) QVERIFY(run.step());
}

}  // namespace

class TestOwnData : public QObject {
    Q_OBJECT

  private slots:
    // Points on the line, in the plane and pictures, few of them: every figure can be computed.
    void everyLessonTrainsOnIt_data() {
        QTest::addColumn<QString>("lesson");
        QTest::addColumn<int>("columns");
        QTest::newRow("gan, line") << "gan" << 1;
        QTest::newRow("gan, plane") << "gan" << 2;
        QTest::newRow("gan, pictures") << "gan" << 784;
        QTest::newRow("vae, plane") << "vae" << 2;
        QTest::newRow("vae, pictures") << "vae" << 784;
    }
    void everyLessonTrainsOnIt() {
        QFETCH(QString, lesson);
        QFETCH(int, columns);
        RunRequest request = small(lesson.toStdString(), "", {{"data", lesson == "gan" ? "ring8" : "moons"}});
        Run run(request);
        train(run, 3);
        run.openData(own("mine.csv", columns, 27));
        train(run, 3);
        const Frame frame = run.look(run.channelNames(), true);
        QCOMPARE(frame.choices.at("data"), std::string("mine.csv"));
        QCOMPARE(frame.ownData.size(), size_t(1));
        QCOMPARE(int(frame.find("real")->shape.columns()), columns);
        for (const auto& [channel, tensor] : frame.channels)
            for (const float value : tensor.values)
                QVERIFY2(std::isfinite(value) || channel == "hole_density", channel.c_str());
    }

    void figuresOfAStepAreThoseOfTheDataThatItHas() {
        Run run(small("gan", "grid25"));
        const Frame before = run.look(run.channelNames());
        QVERIFY(before.histories.contains("d_gap"));
        run.openData(own("mine.csv", 2));
        const Frame after = run.look(run.channelNames());
        for (const char* channel : {"pairwise_baseline", "value_ceiling", "c_g", "jsd"}) {
            QVERIFY2(after.scalar(channel) != before.scalar(channel), channel);
            QCOMPARE(after.histories.at(channel).last(), after.scalar(channel));
            QCOMPARE(after.histories.at(channel).buckets().size(), size_t(1));
        }
        QVERIFY(!after.histories.contains("d_gap"));  // the density is not known
        run.set("data", 0);
        const Frame other = run.look(run.channelNames());
        QCOMPARE(other.histories.at("d_gap").last(), other.scalar("d_gap"));
    }

    void openingIsJournaledAndReplayed() {
        const OwnDataPtr first = own("a.csv", 2), second = own("b.csv", 2);
        Run run(small("gan", "ring8"));
        train(run, 4);
        run.openData(first);
        train(run, 4);
        run.openData(second);
        train(run, 2);
        run.openData(first);  // the same file again is the same option
        train(run, 2);
        run.set("data", 0);
        train(run, 2);
        QCOMPARE(run.lesson().offered().size(), size_t(2));
        QCOMPARE(run.journal().entries.size(), size_t(4));

        const Journal journal = Journal::fromLine(run.journal().toLine());
        QCOMPARE(journal.files.size(), size_t(2));
        const auto again = Run::replay(journal, 2, {first, second});
        again->goTo(run.stepCount());
        QCOMPARE(again->parameterHash(), run.parameterHash());
        QCOMPARE(again->preset(), run.preset());
        run.goTo(6);  // back into the first file
        QCOMPARE(run.look({}).choices.at("data"), std::string("a.csv"));

        QVERIFY_EXCEPTION_THROWN(Run::replay(journal, 1, {first}), Error);
        QVERIFY_EXCEPTION_THROWN(Run::replay(journal, 1, {second, first}), Error);
    }

    void theJournalKeepsItsFilesThroughAReset() {
        const OwnDataPtr mine = own("a.csv", 2);
        Run run(small("gan", "ring8"));
        run.openData(mine);
        run.reset(9);
        train(run, 3);
        const auto again = Run::replay(Journal::fromLine(run.journal().toLine()), 1, {mine});
        again->goTo(3);
        QCOMPARE(again->parameterHash(), run.parameterHash());
    }

    void aRequestMayBeginWithIt() {
        RunRequest request = small("gan", "ring8", {{"data", "a.csv"}});
        request.ownData = {own("a.csv", 2)};
        Run run(request);
        QCOMPARE(run.look({}).choices.at("data"), std::string("a.csv"));
    }

    void twoFilesOfOneNameAreTwoOptions() {
        Run run(small("gan", "ring8"));
        run.openData(own("ring8", 2));
        QCOMPARE(run.look({}).choices.at("data"), std::string("ring8 (2)"));
    }

    // Points on the line are none of the VAE's: the run stays what it was, to the bit.
    void whatALessonRefusesChangesNothing() {
        Run run(small("vae", "", {{"data", "moons"}})), other(small("vae", "", {{"data", "moons"}}));
        train(run, 3);
        train(other, 5);
        QVERIFY_EXCEPTION_THROWN(run.openData(own("line.csv", 1)), Error);
        QCOMPARE(run.lesson().offered().size(), size_t(0));
        train(run, 2);
        QCOMPARE(run.parameterHash(), other.parameterHash());
        QCOMPARE(run.journal().entries.size(), size_t(0));
        QCOMPARE(run.journal().files.size(), size_t(0));
    }

    void theTrainerOpensSharesAndReplays() {
        const OwnDataPtr mine = own("a.csv", 2);
        Trainer trainer;
        trainer.open(small("gan", "ring8"));
        for (int i = 0; i < 5; ++i) trainer.stepOnce();
        trainer.openData(mine);
        trainer.set("lr_g", 0.002);
        for (int i = 0; i < 5; ++i) trainer.stepOnce();
        const Journal journal = Journal::fromLine(trainer.share());
        QCOMPARE(journal.step, int64_t(10));
        QCOMPARE(journal.preset, std::string("ring8"));

        Trainer other;
        other.watch({"samples"});
        trainer.watch({"samples"});
        other.open(small("vae", "linear-gaussian"));
        other.replay(journal, {mine});
        const auto at = [](Trainer& t) {
            FramePtr frame;
            (void)QTest::qWaitFor(
                [&] {
                    frame = t.latest();
                    return frame->step == 10 && frame->find("samples") && frame->lesson == "gan";
                },
                20'000);
            return frame;
        };
        const FramePtr here = at(trainer), there = at(other);
        QVERIFY(there->find("samples") && here->find("samples"));
        QCOMPARE(there->find("samples")->values, here->find("samples")->values);
        QCOMPARE(there->settings, here->settings);
        QCOMPARE(other.share(), trainer.share());

        // A line that cannot be replayed leaves the run as it is.
        Journal wrong = journal;
        wrong.initial["no such knob"] = 1;
        other.replay(wrong, {mine});
        QVERIFY(QTest::qWaitFor([&] { return !other.latest()->problem.empty(); }));
        QCOMPARE(other.share(), trainer.share());
    }
};

QTEST_GUILESS_MAIN(TestOwnData)
#include "tst_own_data.moc"
