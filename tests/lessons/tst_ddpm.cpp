// ctest: long
// The DDPM lesson, and what its theory says must be true.
#include <QtTest>

#include <cmath>

#include "core/base/philox.h"
#include "core/data/forward_process.h"
#include "core/data/points.h"
#include "core/data/transport.h"
#include "core/nn/diffusion.h"
#include "core/session/run.h"
#include "core/session/sampler.h"
#include "tests/support/evaluation.h"
#include "tests/support/small.h"

using namespace core;
using support::Evaluation;
using support::small;

namespace {

void train(Run& run, int64_t to) {
    while (run.stepCount() < to)
        if (!run.step()) throw Error(run.problem());
}

TrajectoryPtr finished(Run& run) {
    while (run.sampleMore()) {
    }
    return run.samplings().published()->runs.back();
}

SamplingPath linearPath() {
    SamplingPath path;
    const std::vector<double> abar = linearAlphaBar(1000);
    for (int t = 1000; t > 0; --t) {
        const double a = abar[size_t(t - 1)];
        path.points.push_back({double(t), std::sqrt(a), std::sqrt(1 - a)});
    }
    path.points.push_back({0, 1, 0});
    return path;
}

// The mixture's own estimate of x_0 at each of the points [n, 2].
std::vector<double> exactClean(const Mixture& data, const PlannedEvaluation& e,
                               const std::vector<double>& x) {
    const Mixture p = diffused(data, e.signal * e.signal);
    std::vector<double> clean(x.size());
    for (size_t i = 0; i < x.size(); i += 2) {
        const std::array<double, 2> score = p.score(x[i], x[i + 1]);
        for (size_t c = 0; c < 2; ++c) clean[i + c] = (x[i + c] + e.noise * e.noise * score[c]) / e.signal;
    }
    return clean;
}

// Where the plan takes points [n, 2] with the exact score. `seen` is given the state after each evaluation.
template <class Seen>
std::vector<double> followed(const Mixture& data, const std::vector<PlannedEvaluation>& plan,
                             std::vector<double> x, Seen seen) {
    std::vector<double> lastClean, start;
    uint64_t step = 0;
    for (const PlannedEvaluation& e : plan) {
        const std::vector<double> clean = exactClean(data, e, x);
        if (e.y != PlannedEvaluation::stepStart) start = x;
        const std::vector<double>& y = e.y == PlannedEvaluation::lastClean ? lastClean : start;
        std::vector<double> next(x.size());
        for (size_t i = 0; i < x.size(); ++i)
            next[i] = e.keep * x[i] + e.clean * clean[i] + e.before * y[i] +
                      e.sigma * double(philox::normalAt({.seed = 12, .step = step}, i));
        if (e.y != PlannedEvaluation::stepStart) lastClean = clean;
        x = next;
        seen(x);
        ++step;
    }
    return x;
}

std::vector<float> drawnExactly(const Mixture& data, const SamplerOptions& options, int count) {
    std::vector<double> x(static_cast<size_t>(2 * count));
    for (size_t i = 0; i < x.size(); ++i) x[i] = double(philox::normalAt({.seed = 11}, i));
    x = followed(data, planSampler(pointsOf(linearPath(), options), options, 1), x, [](const auto&) {});
    return {x.begin(), x.end()};
}

double rmsOf(const std::vector<double>& a, const std::vector<double>& b) {
    double sum = 0;
    for (size_t i = 0; i < a.size(); ++i) sum += (a[i] - b[i]) * (a[i] - b[i]) / double(a.size());
    return std::sqrt(sum);
}

}  // namespace

class TestDdpm : public QObject {
    Q_OBJECT

  private slots:
    // ---- the lesson in twenty lines: noise is learned to be seen, and taken away again
    void noiseBecomesPointsOfTheRing() {
        Run run({.lesson = "ddpm", .preset = "plane-ring8", .settings = {{"timesteps", "200"}}, .seed = 1});
        run.sample(1, {.seed = 3, .count = 500});
        const TrajectoryPtr before = finished(run);  // by a network that has seen nothing

        while (run.stepCount() < 1500)
            if (!run.step()) QFAIL(run.problem().c_str());

        run.sample(2, {.seed = 3, .count = 500});
        const TrajectoryPtr after = finished(run);
        const std::vector<float> fresh = Mixture::ring8().draw(500, 4);
        const double far = wasserstein2(before->values(Trajectory::state, before->total), fresh, 2);
        const double near = wasserstein2(after->values(Trajectory::state, after->total), fresh, 2);
        qInfo("W2 to 500 fresh points: %.3f before, %.3f after 1500 steps", far, near);
        QVERIFY(far > 1 && near < 0.75);
        // Both began with the same noise, and every step of both can be looked at.
        QCOMPARE(after->values(Trajectory::state, 0), before->values(Trajectory::state, 0));
        QCOMPARE(after->steps.size(), size_t(after->total));
    }

    // ---- what must be true

    void theScheduleHasTheNumbersOfThePaper() {
        Run run(small("ddpm", "plane-ring8"));
        const Frame f = run.look({"schedule"});
        const Tensor& s = *f.find("schedule");  // beta, abar, SNR, log SNR, weight, share
        QCOMPARE(s.shape, (Shape{1000, 6}));
        const auto at = [&](int t, int column) { return double(s.values[size_t((t - 1) * 6 + column)]); };
        QVERIFY(std::abs(at(1000, 1) - 4.0358e-5) < 1e-8 && std::abs(at(500, 1) - 0.07859) < 1e-5);
        QVERIFY(at(259, 2) >= 1 && at(260, 2) < 1);
        QVERIFY(std::abs(at(1, 0) - 1e-4) < 1e-8 && std::abs(at(1000, 0) - 0.02) < 1e-6);
        QVERIFY(std::abs(at(2, 5) - 0.45474) < 1e-4 && std::abs(at(100, 5) - 0.98191) < 1e-4);
        QVERIFY(std::abs(at(300, 3) - std::log(at(300, 2))) < 1e-5);
    }

    void everyScheduleFallsFromDataToNoise_data() {
        QTest::addColumn<QString>("schedule");
        QTest::addColumn<QString>("steps");
        for (const char* schedule : {"linear", "cosine", "quadratic", "sigmoid", "drawn"})
            for (const char* steps : {"1000", "50", "2"})
                QTest::addRow("%s %s", schedule, steps) << schedule << steps;
    }
    void everyScheduleFallsFromDataToNoise() {
        QFETCH(QString, schedule);
        QFETCH(QString, steps);
        Run run(small("ddpm", "plane-ring8",
                      {{"schedule", schedule.toStdString()}, {"timesteps", steps.toStdString()}}));
        QVERIFY(run.step());
        const Frame f = run.look({"schedule", "forward_t", "abar", "t"});
        const std::vector<float>& s = f.find("schedule")->values;
        float before = 1;
        for (size_t row = 0; row < s.size(); row += 6) {
            QVERIFY(s[row] > 0 && s[row] < 1 && s[row + 1] < before && s[row + 1] > 0);
            before = s[row + 1];
        }
        if (steps != "2") QVERIFY(before < 0.02f);
        // What is trained on is what is shown.
        const std::vector<float>&t = f.find("t")->values, &abar = f.find("abar")->values;
        for (size_t i = 0; i < t.size(); ++i)
            QVERIFY(std::abs(abar[i] - s[size_t(t[i] - 1) * 6 + 1]) < 2e-6f + 2e-5f * abar[i]);
    }

    void aKnotOfTheDrawnScheduleActsWhileItTrains() {
        Run run(small("ddpm", "plane-ring8", {{"schedule", "drawn"}, {"timesteps", "100"}}));
        run.step();
        const float before = run.look({"schedule"}).find("schedule")->values[50 * 6 + 1];
        run.setHandle("drawn_2", {2});
        run.step();
        const Frame f = run.look({"schedule", "t", "abar"});
        QVERIFY(f.find("schedule")->values[50 * 6 + 1] > before + 0.05f);
        const std::vector<float>&t = f.find("t")->values, &abar = f.find("abar")->values;
        for (size_t i = 0; i < t.size(); ++i)
            QVERIFY(std::abs(abar[i] - f.find("schedule")->values[size_t(t[i] - 1) * 6 + 1]) < 1e-5f);
    }

    void thePosteriorsMeanAddsUp() {
        std::vector<double> abar = {1};
        for (double a : linearAlphaBar(1000)) abar.push_back(a);
        for (int t = 2; t <= 1000; ++t) {
            const PosteriorMean c = posteriorMean(abar, t);
            QVERIFY(std::abs(c.ofClean + c.ofState * std::sqrt(abar[size_t(t)]) -
                             std::sqrt(abar[size_t(t - 1)])) < 1e-9);
        }
        QVERIFY(std::abs(priorBits(abar.back(), 1) - 2.9e-5) < 5e-7);
    }

    // The draggable posterior: closed form on one side, the network's estimate on the other.
    void thePosteriorShownIsTheClosedForm() {
        Run run(small("ddpm", "plane-ring8"));
        run.setHandle("t", {100});
        run.setHandle("posterior", {1.2f, -0.3f, 0.8f, 0.1f});
        const std::vector<float> p = run.look({"posterior"}).find("posterior")->values;
        std::vector<double> abar = {1};
        for (double a : linearAlphaBar(1000)) abar.push_back(a);
        const PosteriorMean c = posteriorMean(abar, 100);
        QVERIFY(std::abs(double(p[0]) - (c.ofClean * 1.2 + c.ofState * 0.8)) < 1e-4);
        QVERIFY(std::abs(double(p[1]) - std::sqrt(posteriorShare(abar, 100) * betaAt(abar, 100))) < 1e-5);
        QCOMPARE(p[3], p[1]);  // sigma is beta-tilde
        QVERIFY(std::abs(p[4] - 0.5f * std::pow((p[0] - p[2]) / p[1], 2.0f)) < 1e-3f * std::max(1.0f, p[4]));
        QCOMPARE(p[5], 100.0f);
    }

    void theChainHasTheClosedFormsLaw_data() {
        QTest::addColumn<QString>("data");
        for (const char* data : {"ring8", "moons", "shapes"}) QTest::newRow(data) << data;
    }
    void theChainHasTheClosedFormsLaw() {
        QFETCH(QString, data);
        Run run(small("ddpm", "plane-ring8", {{"data", data.toStdString()}, {"channels", "8"}}));
        for (float t : {1.0f, 60.0f, 250.0f, 700.0f, 1000.0f}) {
            run.setHandle("t", {t});
            const Frame f = run.look({"chain_xt", "chain_ks", "chain_ks_limit", "forward_xt"});
            QCOMPARE(f.find("chain_xt")->shape.columns(), f.find("forward_xt")->shape.columns());
            QVERIFY2(f.scalar("chain_ks") < 1.3f * f.scalar("chain_ks_limit"),
                     qPrintable(QString::number(t)));
        }
    }

    void onePredictionInFourLanguages() {
        Evaluation e([](Recorder& r) {
            const Var x0 = r.normal("x0", {200, 2}), eps = r.normal("eps", {200, 2});
            const Var abar = r.uniform("abar", {200, 1}, 0.02f, 0.98f), x = qSample(x0, eps, abar);
            const Var v = velocityOf(x0, eps, abar), score = scoreFromNoise(eps, abar);
            r.probe("x0 from v", cleanFromVelocity(x, v, abar) - x0);
            r.probe("eps from v", noiseFromVelocity(x, v, abar) - eps);
            r.probe("eps from score", noiseFromScore(score, abar) - eps);
            r.probe("x0 from eps", (cleanFromNoise(x, eps, abar) - x0) * sqrt(abar));
            r.probe("eps from x0", (noiseFromClean(x, x0, abar) - eps) * sqrt(1 - abar));
        });
        for (const char* channel :
             {"x0 from v", "eps from v", "eps from score", "x0 from eps", "eps from x0"})
            for (float d : e.values(channel)) QVERIFY2(std::abs(d) < 1e-6f, channel);
    }

    void everyTargetLearnsTheSameNoise_data() {
        QTest::addColumn<QString>("target");
        for (const char* target : {"eps", "x0", "v", "score"}) QTest::newRow(target) << target;
    }
    void everyTargetLearnsTheSameNoise() {
        QFETCH(QString, target);
        Run run({.lesson = "ddpm",
                 .preset = "plane-ring8",
                 .settings = {{"target", target.toStdString()},
                              {"timesteps", "100"},
                              {"width", "32"},
                              {"batch", "128"}},
                 .seed = 1});
        train(run, 400);
        const Frame f = run.look({"loss_by_t", "predicted_eps", "predicted_x0", "predicted_v",
                                  "predicted_score", "forward_xt", "forward_abar"});
        // By itself no estimate at all has an error of 1; what is left at large t is little.
        QVERIFY2(f.find("loss_by_t")->values[12] < 0.35f,
                 qPrintable(QString::number(f.find("loss_by_t")->values[12])));
        const double a = double(f.scalar("forward_abar"));
        for (size_t i = 0; i < 20; ++i) {
            const double eps = double(f.find("predicted_eps")->values[i]),
                         x0 = double(f.find("predicted_x0")->values[i]);
            QVERIFY(std::abs(std::sqrt(a) * x0 + std::sqrt(1 - a) * eps -
                             double(f.find("forward_xt")->values[i])) < 1e-4);
            QVERIFY(std::abs(double(f.find("predicted_v")->values[i]) - std::sqrt(a) * eps +
                             std::sqrt(1 - a) * x0) < 1e-4);
            QVERIFY(std::abs(double(f.find("predicted_score")->values[i]) + eps / std::sqrt(1 - a)) < 1e-4);
        }
    }

    // dx/ds = x cos s, once around.
    void errorsFallWithTheOrderOfTheMethod_data() {
        QTest::addColumn<int>("order");
        for (int order : {1, 2, 4})
            QTest::newRow(order == 1 ? "Euler" : order == 2 ? "Heun" : "Runge-Kutta") << order;
    }
    void errorsFallWithTheOrderOfTheMethod() {
        QFETCH(int, order);
        // One Gaussian under the probability-flow equation: dx/ds = eps, s = noise / signal, from s = 3 to 1;
        // x over the signal keeps its number of deviations sqrt(0.25 + s^2).
        const auto error = [&](int steps) {
            Evaluation e([&](Recorder& r) {
                const float width = -2.0f / float(steps);
                Var x = r.fill({1, 1}, 1);
                const Var dt = r.fill({1}, width);
                const auto slope = [](Var at, float s) { return at * (s / (0.25f + s * s)); };
                for (int i = 0; i < steps; ++i) {
                    const float s = 3 + width * float(i);
                    const Var v1 = slope(x, s);
                    if (order == 1) x = eulerStep(x, v1, dt);
                    if (order == 2) x = heunStep(x, v1, slope(eulerStep(x, v1, dt), s + width), dt);
                    if (order < 4) continue;
                    const Var v2 = slope(eulerStep(x, v1, 0.5f * dt), s + width / 2);
                    const Var v3 = slope(eulerStep(x, v2, 0.5f * dt), s + width / 2);
                    x = rungeKuttaStep(x, v1, v2, v3, slope(eulerStep(x, v3, dt), s + width), dt);
                }
                r.probe("x", x);
            });
            return std::abs(double(e.value("x")) - std::sqrt(1.25 / 9.25));
        };
        const int coarse = order == 4 ? 3 : 16;
        const double slope = std::log2(error(coarse) / error(2 * coarse));
        QVERIFY2(std::abs(slope - order) < 0.35, qPrintable(QString::number(slope)));
    }

    // With the exact score of a mixture every sampler draws from the mixture: the distance to fresh points is
    // that of fresh points among themselves.
    void exactScoresGiveTheMixtureBack_data() {
        QTest::addColumn<QString>("sampler");
        QTest::addColumn<int>("steps");
        QTest::newRow("ddpm") << "ddpm" << 1000;
        QTest::newRow("ddim") << "ddim" << 150;
        QTest::newRow("heun") << "heun" << 60;
        QTest::newRow("dpm++") << "dpm++" << 60;
    }
    void exactScoresGiveTheMixtureBack() {
        QFETCH(QString, sampler);
        QFETCH(int, steps);
        constexpr int count = 800;
        const Mixture ring = Mixture::ring8();
        const std::vector<float> fresh = ring.draw(count, 100);
        std::vector<double> among;
        for (uint64_t seed = 101; seed < 109; ++seed)
            among.push_back(wasserstein2(ring.draw(count, seed), fresh, 2));
        double mean = 0, variance = 0;
        for (double w : among) mean += w / double(among.size());
        for (double w : among) variance += (w - mean) * (w - mean) / double(among.size() - 1);
        // The last step of a deterministic sampler takes the mean for the point: it must be a short one.
        const std::vector<float> drawn = drawnExactly(ring,
                                                      {.kind = sampler.toStdString(),
                                                       .spacing = sampler == "ddpm" ? "trailing" : "karras",
                                                       .steps = steps},
                                                      count);
        const double apart = wasserstein2(drawn, fresh, 2);
        qInfo("W2 %.3f, fresh points %.3f +- %.3f", apart, mean, std::sqrt(variance));
        QVERIFY(apart < mean + 3 * std::sqrt(variance));
        // The width of the modes too, which the transport between them hides.
        double spread = 0;
        for (size_t i = 0; i < drawn.size(); i += 2)
            spread +=
                std::pow(ring.nearestMode(double(drawn[i]), double(drawn[i + 1])).sigmas, 2) / count / 2;
        QVERIFY2(std::abs(spread - 1) < 0.12, qPrintable(QString::number(spread)));
    }

    // DDIM is Euler's rule for an equation that can be followed both ways: data become standard normal noise,
    // and what is lost when they come back halves with twice the steps.
    void dataComeBackFromTheirNoise() {
        const Mixture ring = Mixture::ring8();
        const std::vector<float> drawn = ring.draw(400, 5);
        const std::vector<double> data(drawn.begin(), drawn.end());
        const auto lost = [&](int steps) {
            const SamplerOptions options{.kind = "inversion", .spacing = "karras", .steps = steps};
            const auto plan = planSampler(pointsOf(linearPath(), options), options, 1);
            std::vector<float> noise;
            std::vector<double> back;  // where it began; the step to the clean end is no way back
            size_t done = 0;
            followed(ring, plan, data, [&](const auto& x) {
                if (++done == plan.size() / 2) noise.assign(x.begin(), x.end());
                if (done + 1 == plan.size()) back = x;
            });
            std::vector<float> normal;
            for (size_t i = 0; i < noise.size(); ++i) normal.push_back(philox::normalAt({.seed = 7}, i));
            const double ks = smirnovDistance(noise, normal),
                         limit = smirnovLimit(int64_t(noise.size()), int64_t(normal.size()));
            qInfo("%d steps: lost %.4f, KS %.4f of %.4f", steps, rmsOf(back, data), ks, limit);
            return std::pair(rmsOf(back, data), ks / limit);
        };
        const auto [coarse, coarseKs] = lost(200);
        const auto [fine, fineKs] = lost(400);
        const auto [finest, finestKs] = lost(800);
        QVERIFY(fineKs < 1 && finestKs < 1);
        QVERIFY(std::abs(coarse / fine - 2) < 0.3 && std::abs(fine / finest - 2) < 0.3);
        QVERIFY(finest < 0.02);
    }

    // Where the floor is known, the loss stays above it and comes near it; last at the smallest t.
    void theLossComesDownToItsFloor() {
        Run run({.lesson = "ddpm", .preset = "plane-ring8", .seed = 1});
        train(run, 2500);
        const Frame f = run.look({"loss_floor", "loss_by_t", "score_rmse"});
        const std::vector<float>&floor = f.find("loss_floor")->values, &loss = f.find("loss_by_t")->values;
        for (size_t b = 0; b < floor.size(); ++b) {
            QVERIFY2(loss[b] > 0.9f * floor[b] && loss[b] < floor[b] + (b < 4 ? 0.3f : 0.12f),
                     qPrintable(QString("bin %1: %2, floor %3").arg(b).arg(loss[b]).arg(floor[b])));
        }
    }

    void theBoundAddsUp() {
        Run run(small("ddpm", "plane-ring8"));
        const Frame f = run.look({"bound_bits", "bound_total"}, true);
        const std::vector<float>& bits = f.find("bound_bits")->values;
        QCOMPARE(bits.size(), size_t(18));
        double sum = 0;
        for (float b : bits) {
            QVERIFY(std::isfinite(b));
            sum += double(b);
        }
        QVERIFY(std::abs(sum - double(f.scalar("bound_total"))) < 1e-3 * std::abs(sum));
        // L_T of points whose mean square is near 2.
        QVERIFY(std::abs(double(bits.back()) - priorBits(4.0358e-5, 2.01)) < 1e-6);
    }

    void thePresetsReachTheirDistance_data() {
        QTest::addColumn<QString>("preset");
        for (const char* preset : {"plane-ring8", "plane-moons", "plane-swiss"})
            QTest::newRow(preset) << preset;
    }
    void thePresetsReachTheirDistance() {
        QFETCH(QString, preset);
        Run run({.lesson = "ddpm", .preset = preset.toStdString(), .seed = 1});
        train(run, run.budget());
        const Frame f = run.look({"w2", "w2_baseline"}, true);
        qInfo("%s: W2 %.3f, fresh points %.3f", qPrintable(preset), double(f.scalar("w2")),
              double(f.scalar("w2_baseline")));
        QVERIFY(f.scalar("w2_baseline") > 0.05f);
        QVERIFY(f.scalar("w2", 9) <= 1.5f * f.scalar("w2_baseline"));
    }
};

QTEST_GUILESS_MAIN(TestDdpm)
#include "tst_ddpm.moc"
