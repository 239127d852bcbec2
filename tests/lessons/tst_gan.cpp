// The GAN lesson, and what its theory says must be true.
#include <QtTest>

#include <cmath>

#include "core/cpu/executor.h"
#include "core/graph/gradient.h"
#include "core/nn/losses.h"
#include "core/session/run.h"
#include "tests/support/differences.h"
#include "tests/support/small.h"

using namespace core;
using support::Recording;
using support::small;

namespace {

std::vector<std::string> ganLosses() {
    return makeLesson("gan")->knob("loss").parameter().options;
}

}  // namespace

class TestGan : public QObject {
    Q_OBJECT

  private slots:
    // ---- the lesson in twenty lines: two networks, one game, eight modes
    void aGeneratorLearnsTheRingOfEight() {
#ifdef __SANITIZE_ADDRESS__
        QSKIP("ten minutes under this sanitizer; the same plans run in shorter tests");
#endif
        Run run({.lesson = "gan", .preset = "ring8", .seed = 1});
        QVERIFY(run.look({"jsd"}).scalar("jsd") > 0.3f);  // before: noise through an untrained network

        while (run.stepCount() < run.budget())
            if (!run.step()) QFAIL(run.problem().c_str());

        const Frame learned = run.look({"jsd", "modes_covered", "share_near", "collapse_alarm"});
        qInfo("%d of %d modes, %.0f%% near one, JSD %.3f (data against data %.3f)",
              int(learned.scalar("modes_covered")), int(learned.scalar("modes")),
              100.0 * double(learned.scalar("share_near")), double(learned.scalar("jsd")),
              double(learned.scalar("jsd_baseline")));
        QCOMPARE(learned.scalar("modes"), 8.0f);
        QCOMPARE(learned.scalar("modes_covered"), 8.0f);
        QVERIFY(learned.scalar("jsd") < 0.1f);
        QCOMPARE(learned.scalar("collapse_alarm"), 0.0f);
        // C(G) = -log 4 + 2 JSD, and the floor is -log 4.
        QVERIFY(std::abs(learned.scalar("c_g") + 1.3862944f - 2 * learned.scalar("jsd")) < 1e-5f);
    }

    void realRowsAreSeenBeforeTheFirstStepAndStandStill() {
        for (const char* preset : {"figure1", "ring8"}) {
            Run run(small("gan", preset));
            const Frame before = run.look({"real_rows"});
            QVERIFY(before.find("real_rows"));
            QCOMPARE(before.find("real_rows")->shape.rows(), int64_t(1024));
            for (int i = 0; i < 3; ++i) QVERIFY(run.step());
            const Frame after = run.look({"real_rows"});
            QCOMPARE(after.find("real_rows")->values, before.find("real_rows")->values);
        }
    }

    // ---- the losses

    void gradientsOfTheTwoLossesAreThoseOfThePaper() {
        Layout layout;
        Recorder r(layout, Recorder::Access::train);
        std::vector<float> logits;
        for (int i = -40; i <= 40; ++i) logits.push_back(float(i) / 4);
        const Var a = r.handle("a", {81, 1}, logits);
        // log(1 - sigma(a)) = -softplus(a), and -log sigma(a) = softplus(-a).
        const Var minimax = r.gradient(-sum(softplus(a)), {a})[0];
        const Var nonSaturating = r.gradient(sum(softplus(-a)), {a})[0];
        support::Interpreter oracle(std::make_shared<const Graph>(r.take()), layout);
        oracle.run(1, 0);
        for (size_t i = 0; i < logits.size(); ++i) {
            const double sigma = 1 / (1 + std::exp(-double(logits[i])));
            QVERIFY(std::abs(oracle.value(minimax.id())[i] + sigma) < 1e-12);
            QVERIFY(std::abs(oracle.value(nonSaturating.id())[i] + (1 - sigma)) < 1e-12);
        }
    }

    // The same of the lesson's own losses: D's last bias moves every logit alike.
    void theLessonsLossesPullOnLogitsAsThePaperSays_data() {
        QTest::addColumn<QString>("loss");
        QTest::newRow("minimax") << "minimax";
        QTest::newRow("non-saturating") << "non-saturating";
    }
    void theLessonsLossesPullOnLogitsAsThePaperSays() {
        QFETCH(QString, loss);
        const Recording recording(small("gan", "ring8", {{"loss", loss.toStdString()}, {"k_d", "0"}}));
        const Store store = recording.store(2);
        support::Interpreter oracle(recording.graph, recording.layout);
        const auto& nodes = recording.graph->nodes;
        // From the loss back to the logits: the first node with a row for each sample.
        const NodeId lossG = recording.graph->probes.at("loss_g");
        NodeId logits = lossG;
        while (nodes[size_t(logits)].op != Op::add) logits = nodes[size_t(logits)].inputs[0];
        NodeId bias = 0;
        while (nodes[size_t(bias)].name != "discriminator.4.bias") ++bias;
        const auto lossAt = [&](double shift) {
            oracle.load(store);
            oracle.leaf(bias)[0] += shift;
            oracle.run(1, 0);
            return oracle.value(lossG)[0];
        };
        const double slope = (lossAt(1e-5) - lossAt(-1e-5)) / 2e-5;
        lossAt(0);
        const std::vector<double>& rows = oracle.value(logits);
        QCOMPARE(rows.size(), size_t(17));
        double expected = 0;
        for (double a : rows) {
            const double sigma = 1 / (1 + std::exp(-a));
            expected -= (loss == "minimax" ? sigma : 1 - sigma) / double(rows.size());
        }
        QVERIFY2(std::abs(slope - expected) < 1e-7, qPrintable(QString("%1 %2").arg(slope).arg(expected)));
    }

    // WGAN-GP and R1 differentiate a gradient.
    void gradientsOfEveryLossMatchDifferences_data() {
        QTest::addColumn<QString>("loss");
        QTest::addColumn<QString>("r1");
        for (const std::string& loss : ganLosses()) {
            QTest::addRow("%s", loss.c_str()) << QString::fromStdString(loss) << "0";
            QTest::addRow("%s with R1", loss.c_str()) << QString::fromStdString(loss) << "3";
        }
    }
    void gradientsOfEveryLossMatchDifferences() {
        QFETCH(QString, loss);
        QFETCH(QString, r1);
        // G's loss is asked of a D that stands still: its update would depend on G as well.
        const auto recorded = [&](const char* kD) {
            return Recording(
                small("gan", "ring8", {{"loss", loss.toStdString()}, {"r1", r1.toStdString()}, {"k_d", kD}}));
        };
        const double d = support::gradientError(recorded("1"), "loss_d", 0);
        const double g = support::gradientError(recorded("0"), "loss_g", 1);
        QVERIFY2(d < 1e-5 && g < 1e-5, qPrintable(QString("D %1, G %2").arg(d).arg(g)));
    }

    // The penalty itself: gamma / 2 times the mean squared slope of D on the data, by differences of D.
    void r1IsTheSquaredSlopeOnData() {
        const Recording plain(small("gan", "ring8", {{"k_d", "1"}}));
        const Recording with(small("gan", "ring8", {{"k_d", "1"}, {"r1", "3"}}));
        const Store store = with.store(4);
        support::Interpreter oracle(with.graph, with.layout), moved(plain.graph, plain.layout);
        oracle.load(store);
        oracle.run(4, 0);
        // Moving every data point by the same small vector moves D's first bias by W times it.
        const auto& nodes = plain.graph->nodes;
        NodeId bias = 0, weight = 0;
        while (nodes[size_t(bias)].name != "discriminator.0.bias") ++bias;
        while (nodes[size_t(weight)].name != "discriminator.0.weight") ++weight;
        const auto logits = [&](int axis, double h) {
            moved.load(store);
            const std::vector<double> w = moved.leaf(weight);
            std::vector<double>& b = moved.leaf(bias);
            for (size_t i = 0; i < b.size(); ++i) b[i] += h * w[2 * i + size_t(axis)];
            moved.run(4, 0);
            return moved.value(plain.graph->probes.at("logits_real"));
        };
        double squares = 0;
        constexpr double h = 1e-6;
        for (int axis = 0; axis < 2; ++axis) {
            const std::vector<double> up = logits(axis, h), down = logits(axis, -h);
            for (size_t i = 0; i < up.size(); ++i)
                squares += std::pow((up[i] - down[i]) / (2 * h), 2) / double(up.size());
        }
        const double penalty = oracle.value(with.graph->probes.at("penalty"))[0];
        QVERIFY2(std::abs(penalty - 1.5 * squares) < 1e-4 * penalty,
                 qPrintable(QString("%1, expected %2").arg(penalty).arg(1.5 * squares)));
    }

    // ---- the best discriminator

    // Noise of eight dimensions gives G a smooth density, which samples can tell.
    void dReachesItsOptimumOnAFrozenGenerator() {
        Run run({.lesson = "gan",
                 .preset = "figure1",
                 .settings = {{"data", "bimodal"},
                              {"prior", "gaussian"},
                              {"z_dim", "8"},
                              {"lr_d", "0.002"},
                              {"ema", "0"}},
                 .seed = 1});
        for (int i = 0; i < 300; ++i) QVERIFY(run.step());
        run.set("freeze_g", 1);
        const Frame before = run.look({"d_gap", "jsd"});
        for (int i = 0; i < 2000; ++i) QVERIFY(run.step());
        run.set("lr_d", 3e-4);
        double value = 0;
        for (int i = 0; i < 600; ++i) {
            QVERIFY(run.step());
            if (i >= 500) value += double(run.look({}).scalar("value")) / 100;
        }
        const Frame after = run.look({"d_gap", "jsd", "value_ceiling"});
        qInfo("E|D - D*| from %.4f to %.4f; value %.4f, ceiling %.4f", double(before.scalar("d_gap")),
              double(after.scalar("d_gap")), value, double(after.scalar("value_ceiling")));
        QCOMPARE(after.scalar("jsd"), before.scalar("jsd"));  // G did stand still
        QVERIFY(before.scalar("d_gap") > 0.03f && after.scalar("d_gap") < 0.02f);
        QVERIFY(std::abs(value - double(after.scalar("value_ceiling"))) < 0.05);  // V climbs to C(G)
    }

    // Two points, p = (0.7, 0.3) and q = (0.2, 0.8): with smoothing s the optimum is s p / (p + q).
    // (Goodfellow 2016, section 4.2.)
    void labelSmoothingScalesTheOptimum() {
        for (float s : {1.0f, 0.9f, 0.6f}) {
            Layout layout;
            Recorder r(layout, Recorder::Access::train);
            std::vector<float> real(20, 0), fake(20, 0);
            for (int i = 0; i < 10; ++i) {
                real[size_t(2 * i + (i < 7 ? 0 : 1))] = 1;
                fake[size_t(2 * i + (i < 2 ? 0 : 1))] = 1;
            }
            const Var a = r.parameter("d.logit", {2, 1}, {Initial::constant, 0.3f});
            const Var loss = bceLogits(matmul(r.constant({10, 2}, real), a), r.fill({1}, s)) +
                             bceLogits(matmul(r.constant({10, 2}, fake), a), 0.0f);
            r.minimize(loss, "d", Adam{{0.02f}, {0.9f}});
            r.probe("d", sigmoid(a));
            const auto graph = std::make_shared<const Graph>(r.take());
            Store store;
            store.initialise(layout, 1, 1);
            cpu::Pool pool(1);
            cpu::Executor executor(compile(graph, layout, {}), store, pool);
            for (uint64_t i = 0; i < 3000; ++i) executor.run(1, i);
            const Tensor d = executor.read("d");
            QVERIFY(std::abs(d.values[0] - s * 0.7f / 0.9f) < 1e-3f);
            QVERIFY(std::abs(d.values[1] - s * 0.3f / 1.1f) < 1e-3f);
        }
    }

    // The lesson's smoothing reaches that loss: D on data far from every fake ends near s.
    void theLessonsSmoothingBoundsD() {
        Run run(small("gan", "ring8",
                      {{"smoothing", "0.7"}, {"freeze_g", "on"}, {"lr_d", "0.01"}, {"width", "32"}}));
        for (int i = 0; i < 800; ++i) QVERIFY(run.step());
        const float d = run.look({"d_real"}).scalar("d_real");
        QVERIFY2(std::abs(d - 0.7f) < 0.05f, qPrintable(QString::number(d)));
    }

    // ---- the dynamics

    // Dirac-GAN (Mescheder et al. 2018): data at 0, a fake at theta, D(x) = psi x; both players step at once.
    void simultaneousDescentSpiralsOutAndR1Damps() {
        const auto radii = [](float gamma) {
            Layout layout;
            Recorder r(layout, Recorder::Access::train);
            const Var theta = r.parameter("g.theta", {1, 1}, {Initial::constant, 0.8f});
            const Var psi = r.parameter("d.psi", {1, 1}, {Initial::constant, 0.5f});
            const Var x = r.constant({1, 1}, {0});
            const Var onReal = x * psi, onFake = theta * psi;
            Var lossD = mean(softplus(-onReal)) + mean(softplus(onFake));
            if (gamma > 0) lossD = lossD + 0.5f * gamma * mean(square(r.gradient(sum(onReal), {x})[0]));
            const Gradients d = r.gradients(lossD, "d"), g = r.gradients(-mean(softplus(onFake)), "g");
            r.update(d, Sgd{{0.1f}});
            r.update(g, Sgd{{0.1f}});
            r.probe("radius", sqrt(square(theta) + square(psi)));
            const auto graph = std::make_shared<const Graph>(r.take());
            Store store;
            store.initialise(layout, 2, 1);
            cpu::Pool pool(1);
            cpu::Executor executor(compile(graph, layout, {}), store, pool);
            std::vector<float> radius;
            for (uint64_t i = 0; i < 2000; ++i) {
                executor.run(1, i);
                radius.push_back(executor.read("radius").values[0]);
            }
            return radius;
        };
        const std::vector<float> free = radii(0), damped = radii(1);
        for (size_t i = 1; i < free.size(); ++i) QVERIFY(free[i] >= free[i - 1]);
        QVERIFY2(free.back() > 2 * free.front(), qPrintable(QString::number(free.back())));
        QVERIFY2(damped.back() < 0.01f * damped.front(), qPrintable(QString::number(damped.back())));
        // One step by hand: psi -= h sigma theta, theta += h sigma psi with the old psi.
        const double sigma = 1 / (1 + std::exp(-0.4));
        const double psi = 0.5 - 0.1 * sigma * 0.8, theta = 0.8 + 0.1 * sigma * 0.5;
        QVERIFY(std::abs(double(free[0]) - std::hypot(psi, theta)) < 1e-6);
    }

    void theCollapsePresetCollapses() {
        Run run({.lesson = "gan", .preset = "collapse", .seed = 1});
        while (run.stepCount() < run.budget())
            if (!run.step()) QFAIL(run.problem().c_str());
        const Frame frame = run.look({"modes_covered", "collapse_alarm"});
        qInfo("%d modes covered", int(frame.scalar("modes_covered")));
        QVERIFY(frame.scalar("modes_covered") <= 4.0f);
        QCOMPARE(frame.scalar("collapse_alarm"), 1.0f);
    }

    void theMinimaxLossStarvesTheGenerator() {
        Run run({.lesson = "gan", .preset = "vanishing", .seed = 1});
        for (int i = 0; i < 150; ++i) QVERIFY(run.step());
        const Frame frame = run.look({"grad_norm_saturating", "grad_norm_non_saturating"});
        const float minimax = frame.scalar("grad_norm_saturating");
        const float other = frame.scalar("grad_norm_non_saturating");
        qInfo("|gradient of G|: %.5f with minimax, %.5f counterfactual", double(minimax), double(other));
        QVERIFY(minimax < 0.1f * other);
    }
};

QTEST_GUILESS_MAIN(TestGan)
#include "tst_gan.moc"
