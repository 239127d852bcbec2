// Runs of the sampler beside training: what is kept, forks, budgets, and that training never notices.
#include <QtTest>
#include <cmath>
#include <ctime>

#include "core/cpu/peak.h"
#include "core/data/points.h"
#include "core/data/transport.h"
#include "core/session/run.h"
#include "core/session/trainer.h"
#include "tests/support/small.h"
#include "tests/support/watching.h"

using namespace core;
using support::Clock;
using support::small;

namespace {

RunRequest smallPlane() {
    return small("ddpm", "plane-ring8", {{"timesteps", "40"}, {"sampler_steps", "20"}});
}

TrajectoryPtr finished(Run& run, int64_t id) {
    while (run.sampleMore()) {
    }
    const TrajectoryPtr t = run.samplings().published()->find(id);
    if (!t) throw Error("the run was dropped");
    return t;
}

bool equal(const Trajectory& a, const Trajectory& b, int from, int to) {
    for (int i = from; i <= to; ++i)
        if (a.values(Trajectory::state, i) != b.values(Trajectory::state, i)) return false;
    return true;
}

double option(const Run& run, const std::string& knob, const std::string& text) {
    return run.lesson().knob(knob).parameter().parse(text);
}

}  // namespace

class TestSamplingRuns : public QObject {
    Q_OBJECT

  private slots:
    void everyStepIsKept() {
        Run run(smallPlane());
        run.step();
        run.sample(1, {.seed = 3, .count = 10});
        const TrajectoryPtr t = finished(run, 1);
        QVERIFY(t->complete());
        QCOMPARE(t->total, 20);
        QCOMPARE(t->evaluations(), 20);
        QCOMPARE(t->trainingStep, int64_t(1));
        QCOMPARE(t->choices.at("sampler"), "ddpm");
        QVERIFY(!t->halves);
        for (int i = 0; i < 20; ++i) {
            const SamplerStep& s = t->steps[size_t(i)]->step;
            QVERIFY(s.t > s.tNext && s.abarNext() > s.abar());
            // What is seen of a step adds up to the next state: the mean of the estimate, and the noise.
            const auto x = t->values(Trajectory::state, i), next = t->values(Trajectory::state, i + 1);
            const auto clean = t->values(Trajectory::clean, i), eps = t->values(Trajectory::prediction, i);
            const auto mean = t->values(Trajectory::mean, i), added = t->values(Trajectory::added, i);
            const double alpha = s.abar() / s.abarNext(), beta = 1 - alpha;
            for (size_t e = 0; e < x.size(); ++e) {
                QVERIFY(std::abs(mean[e] + added[e] - next[e]) < 1e-5f);
                const double expected = (double(x[e]) - beta / s.noise * double(eps[e])) / std::sqrt(alpha);
                QVERIFY(std::abs(double(mean[e]) - expected) < 1e-4 * std::max(1.0, std::abs(expected)));
                QVERIFY(std::abs(s.signal * double(clean[e]) + s.noise * double(eps[e]) - double(x[e])) <
                        1e-4);
            }
        }
    }

    void theSameSeedGivesTheSameStartForEverySampler() {
        Run run(smallPlane());
        const std::vector<std::string> kinds = {"ddpm", "ddim", "euler", "heun", "dpm++"};
        for (size_t i = 0; i < kinds.size(); ++i)
            run.sample(int64_t(i + 1),
                       {.changes = {{"sampler", option(run, "sampler", kinds[i])}}, .seed = 5});
        const auto first = finished(run, 1)->values(Trajectory::state, 0);
        for (size_t i = 1; i < kinds.size(); ++i)
            QCOMPARE(finished(run, int64_t(i + 1))->values(Trajectory::state, 0), first);
        QVERIFY(finished(run, 1)->values(Trajectory::state, 20) !=
                finished(run, 2)->values(Trajectory::state, 20));
    }

    void anInversionGoesFromDataToNoiseAndBack() {
        Run run(smallPlane());
        for (int i = 0; i < 300; ++i) run.step();
        const Settings inversion = {{"sampler", option(run, "sampler", "inversion")}, {"clip", 1}};
        run.sample(1, {.changes = inversion, .seed = 5});
        const TrajectoryPtr first = finished(run, 1);
        const int top = (first->total - 1) / 2;
        QCOMPARE(first->timeOf(0), 1.0);
        QCOMPARE(first->timeOf(top), 40.0);
        for (int i = 0; i < first->total; ++i)
            QVERIFY((first->timeOf(i + 1) > first->timeOf(i)) == (i < top));
        QCOMPARE(first->timeOf(first->total), 0.0);
        // It begins with rows of the test set, other ones for another seed.
        const PointSet test = pointSet("ring8", 8000, 2);
        const std::vector<float> data = first->values(Trajectory::state, 0);
        QVERIFY(std::equal(data.begin(), data.end(), test.points->values.begin() + 5 * int64_t(data.size())));
        QVERIFY(first->figures.at("round_trip") > 0 && first->figures.count("w2") == 0);
        // No dice, and more steps lose less.
        Settings finer = inversion;
        finer["sampler_steps"] = 40;
        run.sample(2, {.changes = finer, .seed = 5});
        QVERIFY(finished(run, 2)->figures.at("round_trip") < 0.6 * first->figures.at("round_trip"));
        run.sample(3, {.changes = inversion, .seed = 5});
        QVERIFY(equal(*finished(run, 3), *first, 0, first->total));
        // From the noise another sampler goes another way; so it does from the way up.
        for (int at : {top, 3}) {
            const int64_t id = 10 + at;
            run.fork(id, 1, at, {.changes = {{"sampler", option(run, "sampler", "ddpm")}}, .seed = 9});
            const TrajectoryPtr fork = finished(run, id);
            QVERIFY(fork->complete() && fork->problem.empty());
            QVERIFY(fork->values(Trajectory::state, fork->total) !=
                    first->values(Trajectory::state, first->total));
        }
    }

    // Bit for bit: alone, among others, and whatever the number of threads.
    void aSampleDoesNotDependOnTheBatchAroundIt_data() {
        QTest::addColumn<QString>("preset");
        QTest::newRow("plane") << "plane-ring8";
        QTest::newRow("pictures") << "fashion";
    }
    void aSampleDoesNotDependOnTheBatchAroundIt() {
        QFETCH(QString, preset);
        RunRequest request = small("ddpm", preset.toStdString(),
                                   {{"sampler_steps", "3"}, {"channels", "8"}, {"sampler", "ddpm"}});
        if (preset == "fashion") request.settings.emplace_back("data", "shapes");
        Run run(request);
        request.threads = 2;
        Run other(request);
        run.sample(1, {.seed = 8, .count = 5});
        run.sample(2, {.seed = 8, .count = 1});
        other.sample(1, {.seed = 8, .count = 37});
        const TrajectoryPtr five = finished(run, 1), one = finished(run, 2), many = finished(other, 1);
        for (int i = 0; i <= five->total; ++i) {
            QCOMPARE(one->values(Trajectory::state, i), five->values(Trajectory::state, i, 0, 1));
            QCOMPARE(many->values(Trajectory::state, i, 0, 5), five->values(Trajectory::state, i));
        }
    }

    void trainingDoesNotNoticeSampling() {
        Run run(smallPlane()), alone(smallPlane());
        for (int i = 0; i < 30; ++i) {
            if (i % 5 == 0) run.sample(i + 1, {.seed = uint64_t(i)});
            run.sampleMore();
            run.step();
            alone.step();
        }
        QCOMPARE(run.parameterHash(), alone.parameterHash());
        // And sampling goes on with the weights of the moment at which it began.
        const TrajectoryPtr begun = finished(run, 26);
        Run later(smallPlane());
        for (int i = 0; i < 25; ++i) later.step();
        later.sample(1, {.seed = 25});
        QVERIFY(equal(*begun, *finished(later, 1), 0, 20));
    }

    // With nothing changed a fork does what its parent did; the parent stays as it is in any case.
    void forksShareWhatWasBefore_data() {
        QTest::addColumn<QString>("sampler");
        QTest::addColumn<int>("at");
        for (const char* sampler : {"ddpm", "heun", "dpm++"})
            for (int at : {0, 7, 16, 19}) QTest::addRow("%s at %d", sampler, at) << sampler << at;
    }
    void forksShareWhatWasBefore() {
        QFETCH(QString, sampler);
        QFETCH(int, at);
        Run run(smallPlane());
        run.sample(1, {.changes = {{"sampler", option(run, "sampler", sampler.toStdString())}}, .seed = 2});
        const TrajectoryPtr first = finished(run, 1);
        const Trajectory before = *first;
        run.fork(2, 1, at, {.seed = 2, .present = false});
        run.fork(3, 1, at, {.changes = {{"sampler", option(run, "sampler", "ddpm")}}, .seed = 99});
        const TrajectoryPtr same = finished(run, 2), other = finished(run, 3);
        QCOMPARE(same->parent, int64_t(1));
        QCOMPARE(same->forkStep, at);
        QCOMPARE(same->total, 20);
        QVERIFY(sampler == "dpm++" ? equal(*same, *first, 0, at) : equal(*same, *first, 0, 20));
        QVERIFY(equal(*other, *first, 0, at));
        QVERIFY(other->values(Trajectory::state, 20) != first->values(Trajectory::state, 20) || at == 19);
        for (int i = 0; i < at; ++i) QCOMPARE(other->steps[size_t(i)].get(), first->steps[size_t(i)].get());
        const TrajectoryPtr after = run.samplings().published()->find(1);
        QVERIFY(equal(before, *after, 0, 20));
    }

    void aForkMayHaveAnotherNumberOfSteps() {
        Run run(smallPlane());
        run.sample(1, {.seed = 2});
        finished(run, 1);
        run.fork(2, 1, 10, {.changes = {{"sampler_steps", 40}}, .seed = 2});
        const TrajectoryPtr fork = finished(run, 2);
        QCOMPARE(fork->total, 30);  // ten steps, and half of forty
        QCOMPARE(fork->timeOf(10), finished(run, 1)->timeOf(10));
        QCOMPARE(fork->timeOf(30), 0.0);
        run.fork(3, 2, 20, {.changes = {{"sampler_steps", 4}}, .seed = 1});  // of a fork
        QCOMPARE(finished(run, 3)->total, 21);
        QVERIFY_THROWS_EXCEPTION(Error, run.fork(4, 1, 20, {}));
        QVERIFY_THROWS_EXCEPTION(Error, run.fork(4, 77, 0, {}));
        QVERIFY_THROWS_EXCEPTION(Error, run.fork(4, 1, 0, {.changes = {{"lr", 0.1}}}));
    }

    // Whoever turns a knob waits for the samples, not for what is said of them.
    void figuresFollowTheResult() {
        Run run(smallPlane());
        run.sample(1, {.seed = 3, .count = 700});
        const auto now = [&] { return run.samplings().published()->find(1); };
        while (!now()->complete()) QVERIFY(run.sampleMore());
        QVERIFY(now()->figures.empty() && run.samplings().active());
        const TrajectoryPtr judged = finished(run, 1);
        QVERIFY(!run.samplings().active());
        const std::vector<float> x = judged->values(Trajectory::state, 20, 0, 500);
        const PointSet fresh = pointSet("ring8", 8000, 2);
        const std::span<const float> all(fresh.points->values);
        QCOMPARE(judged->figures.at("w2"), wasserstein2(x, all.first(1000), 2));
        QCOMPARE(judged->figures.at("w2_baseline"),
                 wasserstein2(all.subspan(1000, 1000), all.first(1000), 2));
        QCOMPARE(judged->figures.at("w2_count"), 500.0);
        // A run that is not wanted any more is not judged.
        run.sample(2, {.seed = 4});
        while (!run.samplings().published()->find(2)->complete()) run.sampleMore();
        run.samplings().discard(2);
        QVERIFY(!run.samplings().active());
    }

    // 2000 points through 50 steps on two cores of 118 GFLOP/s; slower ones may take longer by as much. Where
    // others use the cores too, what counts is half of the time that this program had on them.
    void aKnobsEffectIsSeenAsItIsTurned() {
        Run run({.lesson = "ddpm", .preset = "plane-ring8", .seed = 1, .threads = 2});
        const double peak = cpu::measurePeak(2);
        const double allowed = 50 * std::max(1.0, 236 / peak) * support::slower;
        double best = 1e9;
        const Clock::time_point begun = Clock::now();
        for (int64_t id = 1; best >= allowed && support::msSince(begun) < 10000 * support::slower; ++id) {
            const Clock::time_point start = Clock::now();
            const std::clock_t spent = std::clock();
            run.sample(id, {.changes = {{"added_noise", 1 / double(id)}}, .seed = 3, .count = 2000});
            while (!run.samplings().published()->find(id)->complete()) run.sampleMore();
            const double share = 500.0 * double(std::clock() - spent) / CLOCKS_PER_SEC;
            best = std::min({best, support::msSince(start), share});
            run.samplings().discardAll();
        }
        qInfo("%.1f ms, at a peak of %.0f GFLOP/s", best, peak);
        QVERIFY(best < allowed);
    }

    // A long run is kept as halves; a fork goes on from the exact state all the same.
    void halvesAreForLookingOnly() {
        Run run(smallPlane());
        RunRequest request = small("ddpm", "fashion",
                                   {{"data", "shapes"},
                                    {"channels", "8"},
                                    {"sampler_steps", "25"},
                                    {"timesteps", "100"},
                                    {"sampler", "ddpm"}});
        Run pictures(request);
        pictures.sample(1, {.seed = 4, .count = 256});
        const TrajectoryPtr first = finished(pictures, 1);
        QVERIFY(first->halves);
        pictures.fork(2, 1, 21, {.seed = 4, .present = false});
        const TrajectoryPtr same = finished(pictures, 2);
        QVERIFY(equal(*first, *same, 0, 25));
    }

    void theOldestRunsAreDroppedFirst() {
        Run run(smallPlane());
        SamplingRuns& runs = run.samplings();
        runs = SamplingRuns(300'000);
        run.sample(1, {.count = 300});  // about 2.4 kB a state, 5 kB a step
        finished(run, 1);
        const int64_t one = runs.published()->bytes;
        QVERIFY(one > 90'000 && one < 300'000);
        for (int64_t id = 2; id < 6; ++id) {
            run.sample(id, {.count = 300});
            finished(run, id);
            QVERIFY(runs.published()->bytes <= 300'000);
        }
        QVERIFY(!runs.published()->find(1));
        QVERIFY(runs.published()->dropped >= 2);
        QVERIFY(!runs.published()->notice.empty());
        // One that is too long on its own ends and says why.
        run.sample(9, {.count = 10000});
        const TrajectoryPtr cut = finished(run, 9);
        QVERIFY(!cut->complete() && !cut->problem.empty());
    }

    void knobsOfTheSamplerAreNoneOfTraining() {
        Run run(smallPlane()), other(smallPlane());
        for (int i = 0; i < 6; ++i) run.step();
        run.goTo(3);
        run.set("sampler_steps", 5);
        run.setHandle("eta", {0.5f});
        QCOMPARE(run.furthest(), int64_t(6));  // the future is still there
        QVERIFY(run.journal().entries.empty());
        QCOMPARE(run.journal().initial.at("sampler_steps"), 5.0);
        run.goTo(0);
        QCOMPARE(run.settings().at("sampler_steps"), 5.0);
        QCOMPARE(run.settings().at("eta"), 0.5);
        for (int i = 0; i < 6; ++i) other.step();
        run.goTo(6);
        QCOMPARE(run.parameterHash(), other.parameterHash());
    }

    // A panel drags a knot of the schedule through a handle of the knob's name.
    void handlesOfAKnobsNameTurnIt() {
        Run run(small("ddpm", "plane-ring8", {{"schedule", "drawn"}}));
        run.setHandle("drawn_2", {1.5f});
        QCOMPARE(run.settings().at("drawn_2"), 1.5);
        QCOMPARE(run.journal().entries.size(), size_t(1));
    }

    // ---- the trainer

    void samplersRunWhilePausedAndWhileTraining() {
        Trainer trainer;
        trainer.open(smallPlane());
        const int64_t paused = trainer.sample({.seed = 1});
        QTRY_VERIFY(trainer.latest()->samplings && trainer.latest()->samplings->find(paused) &&
                    trainer.latest()->samplings->find(paused)->complete());
        QCOMPARE(trainer.latest()->step, int64_t(0));
        trainer.run();
        QTRY_VERIFY(trainer.latest()->step > 5);
        const int64_t a = trainer.sample({.seed = 1}), b = trainer.fork(paused, 10, {.seed = 7});
        QTRY_VERIFY(trainer.latest()->samplings->find(b) && trainer.latest()->samplings->find(b)->complete());
        QTRY_VERIFY(trainer.latest()->samplings->find(a)->complete());
        QVERIFY(trainer.latest()->samplings->find(a)->trainingStep > 5);
        trainer.discard(a);
        QTRY_VERIFY(!trainer.latest()->samplings->find(a));
        QVERIFY(trainer.latest()->running);
        trainer.discardAll();
        QTRY_VERIFY(trainer.latest()->samplings->runs.empty());
        trainer.fork(paused, 3, {});
        QTRY_VERIFY(trainer.latest()->problem.find("expected a run that is kept") != std::string::npos);
    }

    // A network that was trained elsewhere: it samples at once, and training goes on from it or begins anew.
    void aSavedRunIsOpened() {
        Run run(smallPlane());
        for (int i = 0; i < 4; ++i) run.step();
        const auto saved = std::make_shared<const SavedRun>(run.saved());
        Trainer trainer;
        trainer.open(small("gan", "ring8"));
        trainer.run();
        trainer.openSaved(saved, {});
        QTRY_COMPARE(trainer.latest()->lesson, std::string("ddpm"));
        QCOMPARE(trainer.latest()->step, int64_t(4));
        QVERIFY(!trainer.latest()->running);
        const int64_t id = trainer.sample({.seed = 2});
        QTRY_VERIFY(trainer.latest()->samplings->find(id) &&
                    trainer.latest()->samplings->find(id)->complete());
        run.sample(1, {.seed = 2});
        QVERIFY(equal(*trainer.latest()->samplings->find(id), *finished(run, 1), 0, 20));
        trainer.stepOnce();
        QTRY_COMPARE(trainer.latest()->step, int64_t(5));
        trainer.reset();
        QTRY_COMPARE(trainer.latest()->step, int64_t(0));
    }

    void aLessonWithoutASamplerSaysSo() {
        Trainer trainer;
        trainer.open(small("gan", "ring8"));
        trainer.sample({});
        QTRY_VERIFY(trainer.latest()->problem.find("sampling:") == 0);
    }
};

QTEST_GUILESS_MAIN(TestSamplingRuns)
#include "tst_sampling_runs.moc"
