// Stepping, playing and forking runs of a sampler, without a trainer.
#include <QSignalSpy>
#include <QTest>

#include "app/window/sampling_player.h"
#include "tests/support/trajectories.h"

using app::SamplingPlayer;
using core::Frame;
using support::TrajectoryMaker;

class TestSamplingPlayer : public QObject {
    Q_OBJECT

    std::vector<core::SamplingRequest> m_asked;
    struct Fork {
        int64_t run;
        int step;
        core::SamplingRequest request;
    };
    std::vector<Fork> m_forks;
    std::vector<int64_t> m_discarded;
    int64_t m_ids = 0;
    std::unique_ptr<SamplingPlayer> m_player;
    Frame m_frame;

    SamplingPlayer& player() { return *m_player; }
    int step() { return player().place().step; }
    int stage() { return player().place().stage; }
    void see(const std::vector<core::Trajectory>& runs) {
        m_frame.samplings = support::samplings(runs);
        player().follow(m_frame);
    }
    // A complete run on screen.
    void open(const TrajectoryMaker& maker = {}) {
        player().follow(m_frame);
        see({maker.make(m_ids)});
        QVERIFY(player().run());
    }

  private slots:
    void init() {
        m_asked.clear();
        m_forks.clear();
        m_discarded.clear();
        m_ids = 0;
        m_frame = {};
        m_frame.lesson = "any";
        m_frame.step = 100;
        m_frame.settings = {{"sampler", 0}, {"eta", 0}, {"lr", 0.1}, {"width", 8}};
        m_player = std::make_unique<SamplingPlayer>(
            SamplingPlayer::Source{.sample =
                                       [this](const core::SamplingRequest& request) {
                                           m_asked.push_back(request);
                                           return ++m_ids;
                                       },
                                   .fork =
                                       [this](int64_t run, int from, const core::SamplingRequest& request) {
                                           m_forks.push_back({run, from, request});
                                           return ++m_ids;
                                       },
                                   .discard = [this](int64_t run) { m_discarded.push_back(run); }});
        const std::vector<core::Parameter> knobs = {
            {.name = "lr", .change = core::Change::live},
            {.name = "width", .change = core::Change::structural, .initial = 8, .maximum = 64},
            {.name = "sampler", .change = core::Change::sampling, .options = {"a", "b"}},
            {.name = "eta", .change = core::Change::sampling}};
        player().setLesson(knobs, 4);
    }

    void lessonsWithoutASamplerAskForNothing() {
        player().setLesson({{.name = "lr"}}, 0);
        player().follow(m_frame);
        player().sample();
        player().play(+1);
        player().moveSteps(1);
        QVERIFY(!player().samples() && m_asked.empty() && !player().run());
        QCOMPARE(player().direction(), 0);
    }

    void theFirstRunIsAskedForAndSeenAsItGrows() {
        player().follow(m_frame);
        QCOMPARE(m_asked.size(), size_t(1));
        see({TrajectoryMaker{.done = 7}.make(1)});
        QVERIFY(player().run());
        QCOMPARE(step(), 7);
        see({TrajectoryMaker{}.make(1)});
        QCOMPARE(step(), 20);
        QCOMPARE(player().time(), 0.0);
    }

    void anotherRunIsNotShownBeforeItIsComplete() {
        open();
        m_frame.settings["eta"] = 1;
        player().follow(m_frame);
        see({TrajectoryMaker{}.make(1), TrajectoryMaker{.done = 7}.make(2)});
        QCOMPARE(player().place().run, int64_t(1));
        see({TrajectoryMaker{}.make(1), TrajectoryMaker{}.make(2)});
        QCOMPARE(player().place().run, int64_t(2));
        QCOMPARE(step(), 20);
    }

    void startingOverForgetsTheRun() {
        open();
        player().goToStep(4);
        player().startOver();
        QVERIFY(!player().run());
        QCOMPARE(m_discarded, std::vector<int64_t>{1});
        player().follow(m_frame);
        QCOMPARE(m_asked.size(), size_t(2));
    }

    void stepsGoBothWaysAndStopAtTheEnds() {
        open();
        player().moveSteps(-1);
        QCOMPARE(step(), 19);
        player().moveSteps(+5);
        QCOMPARE(step(), 20);
        player().goToStep(0);
        player().moveSteps(-1);
        QCOMPARE(step(), 0);
        QCOMPARE(player().time(), 1000.0);
        player().goToTime(510);
        QCOMPARE(step(), 10);
        player().goToTime(-5);
        QCOMPARE(step(), 20);
    }

    void stagesWalkThroughAStepAndBack() {
        open();
        player().goToStep(3);
        QCOMPARE(stage(), -1);
        for (int done = 1; done <= 3; ++done) {
            player().moveStages(+1);
            QCOMPARE(step(), 3);
            QCOMPARE(stage(), done);
        }
        player().moveStages(+1);
        QCOMPARE(step(), 4);
        QCOMPARE(stage(), 0);
        player().moveStages(-1);
        QCOMPARE(step(), 3);
        QCOMPARE(stage(), 3);
        player().moveSteps(-1);  // to the beginning of this step
        QCOMPARE(step(), 3);
        QCOMPARE(stage(), -1);
        player().goToStep(0);
        player().moveStages(-1);
        QCOMPARE(step(), 0);
        player().goToLast();
        player().moveStages(+1);
        QCOMPARE(step(), 20);
        QCOMPARE(stage(), -1);
    }

    void playsBothWaysAtTheChosenSpeed() {
        open();
        QSignalSpy playing(&player(), &SamplingPlayer::playing);
        player().setSpeed(10);
        player().play(+1);  // from the end it begins again
        QCOMPARE(step(), 0);
        QVERIFY(player().place().playing);
        player().advance(0.5);
        QCOMPARE(step(), 5);
        player().advance(0.05);
        QCOMPARE(step(), 5);
        player().advance(0.05);
        QCOMPARE(step(), 6);
        player().play(-1);
        player().advance(0.3);
        QCOMPARE(step(), 3);
        player().advance(9);
        QCOMPARE(step(), 0);
        QCOMPARE(player().direction(), 0);
        QCOMPARE(playing.count(), 3);
        player().setSpeed(0);  // all of it in six seconds
        player().play(+1);
        player().advance(3);
        QCOMPARE(step(), 10);
        player().play(+1);
        QCOMPARE(player().direction(), 0);
        QVERIFY(!player().place().playing);
    }

    void loopsWhenItIsToldTo() {
        open();
        player().setLoops(true);
        player().setSpeed(10);
        player().play(+1);
        player().advance(9);
        QCOMPARE(step(), 20);  // the end is seen
        player().advance(0.1);
        QCOMPARE(step(), 0);
        QCOMPARE(player().direction(), +1);
        player().play(-1);  // backwards it begins at the end
        QCOMPARE(step(), 20);
        player().advance(0.2);
        QCOMPARE(step(), 18);
    }

    void movingByHandStopsPlaying() {
        open();
        player().play(+1);
        player().goToStep(4);
        QCOMPARE(player().direction(), 0);
        QCOMPARE(step(), 4);
    }

    void samplingPlaysWhileItIsComputed() {
        open();
        player().sample();
        QCOMPARE(m_asked.size(), size_t(2));
        QCOMPARE(m_asked[1].seed, m_asked[0].seed);
        see({TrajectoryMaker{}.make(1), TrajectoryMaker{.done = 4}.make(2)});
        QCOMPARE(player().place().run, int64_t(2));
        QCOMPARE(m_discarded, std::vector<int64_t>{1});
        QCOMPARE(player().direction(), +1);
        player().setSpeed(10);
        player().advance(2);
        QCOMPARE(step(), 4);  // it waits for what is not there yet
        QCOMPARE(player().direction(), +1);
        see({TrajectoryMaker{}.make(2)});
        player().advance(0.2);
        QCOMPARE(step(), 6);
    }

    void otherDiceAreAnotherSeed() {
        open();
        player().otherDice();
        player().otherDice();
        QVERIFY(m_asked[1].seed != m_asked[0].seed && m_asked[2].seed != m_asked[1].seed);
        QCOMPARE(m_discarded, std::vector<int64_t>{2});  // it was asked for, and never seen
    }

    void forksLeaveTheRunAsItIs() {
        open();
        player().goToStep(12);
        player().forkWithOtherDice();
        QCOMPARE(m_forks.size(), size_t(1));
        QCOMPARE(m_forks[0].run, int64_t(1));
        QCOMPARE(m_forks[0].step, 12);
        QVERIFY(m_forks[0].request.seed != 1);
        QVERIFY(!m_forks[0].request.present);
        core::Trajectory branch = TrajectoryMaker{.seed = 2}.make(2);
        branch.parent = 1;
        branch.forkStep = 12;
        see({TrajectoryMaker{}.make(1), branch});
        QVERIFY(player().branch());
        QCOMPARE(player().run()->id, int64_t(1));
        QCOMPARE(step(), 12);
        player().fork({.changes = {{"eta", 1}}, .seed = 9, .present = true});
        QCOMPARE(m_discarded, std::vector<int64_t>{2});
        QCOMPARE(m_forks[1].request.changes.at("eta"), 1.0);
        player().dropBranch();
        QCOMPARE(m_discarded, (std::vector<int64_t>{2, 3}));
        QVERIFY(!player().place().branch);
        player().goToLast();  // nothing is left to fork
        player().forkWithOtherDice();
        QCOMPARE(m_forks.size(), size_t(2));
    }

    void keepsUpWithKnobsAtOnceAndStaysWhereItIs() {
        open();
        player().goToTime(300);
        const int before = step();
        m_frame.settings["eta"] = 1;
        player().follow(m_frame);
        QCOMPARE(m_asked.size(), size_t(2));
        m_frame.settings["eta"] = 0.5;  // turned on while that one is computed
        player().follow(m_frame);
        QCOMPARE(m_asked.size(), size_t(3));
        QCOMPARE(m_discarded, std::vector<int64_t>{2});
        see({TrajectoryMaker{}.make(1), TrajectoryMaker{}.make(3)});
        QCOMPARE(player().place().run, int64_t(3));
        QCOMPARE(step(), before);
        m_frame.settings["lr"] = 0.5;  // no sample looks different for it
        player().follow(m_frame);
        QCOMPARE(m_asked.size(), size_t(3));
    }

    void keepsUpWithTrainingInItsOwnTime() {
        open();
        m_frame.step = 101;
        player().follow(m_frame);
        QCOMPARE(m_asked.size(), size_t(1));  // the last one has hardly been seen
        QTRY_VERIFY_WITH_TIMEOUT((player().follow(m_frame), m_asked.size() == 2), 5000);
    }

    void keepsStillWhenToldToOrWhenThereIsABranch() {
        open();
        player().goToStep(5);
        player().forkWithOtherDice();
        m_frame.settings["eta"] = 1;
        player().follow(m_frame);
        QCOMPARE(m_asked.size(), size_t(1));
        player().dropBranch();
        player().setKeepsUp(false);
        player().follow(m_frame);
        QCOMPARE(m_asked.size(), size_t(1));
        player().setKeepsUp(true);
        player().follow(m_frame);
        QCOMPARE(m_asked.size(), size_t(2));
    }

    void aRunThatHadToGoIsForgotten() {
        open();
        player().setKeepsUp(false);
        see({});
        QVERIFY(!player().run());
        player().moveSteps(-1);
        player().moveStages(1);
        player().play(+1);
        QCOMPARE(player().direction(), 0);
        QCOMPARE(player().time(), 0.0);
    }
};

QTEST_GUILESS_MAIN(TestSamplingPlayer)
#include "tst_sampling_player.moc"
