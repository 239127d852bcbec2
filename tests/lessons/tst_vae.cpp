// The VAE lesson, and what its theory says must be true.
#include <QtTest>

#include <cmath>

#include "core/data/linear_gaussian.h"
#include "core/data/metrics.h"
#include "core/nn/losses.h"
#include "core/session/run.h"
#include "tests/support/differences.h"
#include "tests/support/small.h"

using namespace core;
using support::Recording;
using support::small;

namespace {

void train(Run& run, int64_t to) {
    while (run.stepCount() < to)
        if (!run.step()) throw Error(run.problem());
}

// The exact setting of the lesson, restated: x = W z + eps / 2 in four dimensions.
LinearGaussian exactModel() {
    return {4, 2, {1.2, 0.4, 0.9, -0.5, -0.3, 1.0, 0.6, 0.45}, {0, 0, 0, 0}, 0.25};
}

// Writes the true posterior into the encoder: mean A x through the ReLU pairs x = relu(x) - relu(-x).
void plantTruePosterior(Run& run) {
    const LinearGaussian model = exactModel();
    const auto at = [&](const std::string& name) {
        const int entry = run.layout().find(name);
        if (entry < 0) throw Error("no parameter " + name);
        const Layout::Entry& e = run.layout().entries()[size_t(entry)];
        float* values = run.store().weights.parameters.data() + e.offset;
        std::fill(values, values + e.shape.size(), 0.0f);
        return std::pair(values, e.shape.columns());
    };
    const auto [first, inputs] = at("enc.0.weight");
    const auto [second, width] = at("enc.2.weight");
    const auto [mu, hidden] = at("mu.weight");
    for (const char* zero : {"enc.0.bias", "enc.2.bias", "mu.bias", "logvar.weight"}) at(zero);
    const float* logvar = at("logvar.bias").first;
    for (int i = 0; i < 4; ++i) {
        first[2 * i * inputs + i] = 1;
        first[(2 * i + 1) * inputs + i] = -1;
        std::vector<double> unit(4, 0);
        unit[size_t(i)] = 1;
        const std::vector<double> column = model.posteriorMean(unit);  // of M^-1 W^T
        for (int z = 0; z < 2; ++z) {
            mu[z * hidden + 2 * i] = float(column[size_t(z)]);
            mu[z * hidden + 2 * i + 1] = -float(column[size_t(z)]);
        }
    }
    for (int i = 0; i < 8; ++i) second[i * width + i] = 1;
    for (int z = 0; z < 2; ++z)
        const_cast<float*>(logvar)[z] = float(std::log(model.posteriorCovariance()[size_t(3 * z)]));
}

}  // namespace

class TestVae : public QObject {
    Q_OBJECT

  private slots:
    // ---- the lesson in twenty lines: where everything is known, the bound is learned to be tight
    void theEncoderLearnsThePosterior() {
        Run run({.lesson = "vae", .preset = "linear-gaussian", .seed = 1});
        const Frame before = run.look({"log_p", "gap", "posterior_error"});
        QVERIFY(before.scalar("gap") > 0.5f);  // log p(x) = ELBO + KL(q(z|x) || p(z|x))

        while (run.stepCount() < run.budget())
            if (!run.step()) QFAIL(run.problem().c_str());

        const Frame learned = run.look({"log_p", "gap", "posterior_error"});
        qInfo("log p(x) %.3f, gap %.4f (before %.2f), error of the posterior mean %.3f (before %.2f)",
              double(learned.scalar("log_p")), double(learned.scalar("gap")), double(before.scalar("gap")),
              double(learned.scalar("posterior_error")), double(before.scalar("posterior_error")));
        QCOMPARE(learned.scalar("log_p"), before.scalar("log_p"));  // the data's own, whatever is learned
        QVERIFY(learned.scalar("gap") >= 0 && learned.scalar("gap") < 0.04f);
        QVERIFY(learned.scalar("posterior_error") < 0.08f);
    }

    // ---- the bound

    void klOfDiagonalGaussiansIsClosedForm() {
        Layout layout;
        Recorder r(layout, Recorder::Access::train);
        const std::vector<float> mean = {0, 1.5f, -2, 0.3f, 0, -0.7f}, logvar = {0, 0.4f, -1.2f, 2, -3, 0.1f};
        const Var kl = gaussianKl(r.handle("mu", {2, 3}, mean), r.handle("logvar", {2, 3}, logvar));
        support::Interpreter oracle(std::make_shared<const Graph>(r.take()), layout);
        oracle.run(1, 0);
        for (size_t i = 0; i < 6; ++i) {
            // The integral of q log(q / p) over twelve deviations to either side, by Simpson's rule.
            const double m = double(mean[i]), s = std::exp(double(logvar[i]) / 2);
            constexpr int n = 4000;
            double integral = 0;
            for (int k = 0; k <= n; ++k) {
                const double u = -12 + 24.0 * k / n, z = m + s * u;
                const double q = std::exp(-u * u / 2) / std::sqrt(2 * M_PI);
                const double term = q * (-u * u / 2 - std::log(s) + z * z / 2);
                integral += term * (k == 0 || k == n ? 1 : k % 2 ? 4 : 2) * 24 / n / 3;
            }
            const double got = oracle.value(kl.id())[i];
            QVERIFY2(std::abs(got - integral) < 1e-6,
                     qPrintable(QString("%1, expected %2").arg(got).arg(integral)));
            const float one[] = {mean[i]}, two[] = {logvar[i]};
            QVERIFY(std::abs(got - klDiagonalGaussian(one, two)) < 1e-6);
        }
    }

    // With the true posterior the gap closes, and every importance weight is p(x) itself.
    void theTruePosteriorMakesTheBoundTight() {
        Run run({.lesson = "vae", .preset = "linear-gaussian", .seed = 3, .threads = 1});
        plantTruePosterior(run);
        const Frame frame =
            run.look({"log_p", "gap", "posterior_error", "iwae_1", "iwae_8", "iwae_64", "elbo_test"}, true);
        QVERIFY2(std::abs(frame.scalar("gap")) < 1e-4f, qPrintable(QString::number(frame.scalar("gap"))));
        QVERIFY(frame.scalar("posterior_error") < 1e-5f);
        QVERIFY(std::abs(frame.scalar("iwae_1") - frame.scalar("iwae_8")) < 1e-4f);
        QVERIFY(std::abs(frame.scalar("iwae_1") - frame.scalar("iwae_64")) < 1e-4f);
        // 10000 other points: equal up to their spread.
        QVERIFY(std::abs(frame.scalar("elbo_test") - frame.scalar("log_p")) < 0.15f);
    }

    void moreImportanceSamplesTightenTheBound() {
        Run run({.lesson = "vae", .preset = "linear-gaussian", .seed = 2});
        for (int64_t steps : {0, 60, 300}) {
            train(run, steps);
            const Frame f = run.look({"iwae_1", "iwae_8", "iwae_64", "elbo_test", "log_p", "gap"}, true);
            const float one = f.scalar("iwae_1"), eight = f.scalar("iwae_8"), many = f.scalar("iwae_64");
            qInfo("step %d: %.3f %.3f %.3f, log p %.3f, gap %.3f", int(steps), double(one), double(eight),
                  double(many), double(f.scalar("log_p")), double(f.scalar("gap")));
            QVERIFY(one <= eight + 0.02f && eight <= many + 0.02f);
            QVERIFY(many - one > 0.3f * f.scalar("gap"));  // and it is not merely equal
            QVERIFY(many < f.scalar("log_p") + 0.35f);     // 400 points against 500 others
        }
    }

    void gradientsOfTheBoundMatchDifferences_data() {
        QTest::addColumn<QString>("preset");
        QTest::addColumn<QString>("knobs");
        QTest::newRow("linear-gaussian") << "linear-gaussian"
                                         << "";
        QTest::newRow("points, learned sigma") << "fashion2d"
                                               << "data=moons learn_sigma=on";
        QTest::newRow("points, free bits, beta 3") << "fashion2d"
                                                   << "data=ring8 free_bits=0.2 beta=3";
        QTest::newRow("pictures") << "fashion16"
                                  << "z_dim=3";
        QTest::newRow("pictures, annealing") << "fashion16"
                                             << "z_dim=3 anneal_steps=9 beta=2";
    }
    void gradientsOfTheBoundMatchDifferences() {
        QFETCH(QString, preset);
        QFETCH(QString, knobs);
        std::vector<std::pair<std::string, std::string>> extra = {{"width", "9"}, {"batch", "16"}};
        for (const QString& pair : knobs.split(' ', Qt::SkipEmptyParts))
            extra.emplace_back(pair.section('=', 0, 0).toStdString(), pair.section('=', 1).toStdString());
        const Recording recording(small("vae", preset.toStdString(), extra));
        const double error = support::gradientError(recording, "loss", 0, 6);
        QVERIFY2(error < 1e-5, qPrintable(QString::number(error)));
    }

    void theChannelsAddUpToTheBound() {
        Run run(small("vae", "fashion2d", {{"beta", "4"}, {"anneal_steps", "99"}}));
        for (int i = 0; i < 20; ++i) QVERIFY(run.step());
        const Frame f =
            run.look({"reconstruction", "kl", "elbo", "loss", "beta_now", "mu", "logvar", "z", "eps"});
        QVERIFY(std::abs(f.scalar("elbo") + f.scalar("reconstruction") + f.scalar("kl")) < 1e-3f);
        QVERIFY(std::abs(f.scalar("beta_now") - 4 * 20.0f / 100) < 1e-5f);
        QVERIFY(std::abs(f.scalar("loss") - f.scalar("reconstruction") -
                         f.scalar("beta_now") * f.scalar("kl")) < 1e-2f);
        const auto &mu = f.find("mu")->values, &logvar = f.find("logvar")->values;
        QVERIFY(std::abs(klDiagonalGaussian(mu, logvar) / 17 - double(f.scalar("kl"))) < 1e-4);
        for (size_t i = 0; i < mu.size(); ++i)  // z = mu + sigma eps
            QVERIFY(std::abs(f.find("z")->values[i] - mu[i] -
                             std::exp(logvar[i] / 2) * f.find("eps")->values[i]) < 1e-5f);
    }

    // ---- the weight of the KL

    void withoutThePriorTheKlGrows() {
        float kl[2];
        for (int i : {0, 1}) {
            Run run({.lesson = "vae",
                     .preset = "fashion16",
                     .settings = {{"beta", i ? "1" : "0"}, {"width", "64"}},
                     .seed = 1});
            train(run, 100);
            const float early = run.look({"kl"}).scalar("kl");
            train(run, 500);
            kl[i] = run.look({"kl"}).scalar("kl");
            if (i == 0) QVERIFY2(kl[0] > 1.5f * early, qPrintable(QString("%1 %2").arg(early).arg(kl[0])));
        }
        qInfo("KL %.1f nats with beta 0, %.1f with beta 1", double(kl[0]), double(kl[1]));
        QVERIFY(kl[0] > 4 * kl[1]);
    }

    void aLargeBetaCollapsesThePosterior() {
        Run collapsed({.lesson = "vae", .preset = "posterior-collapse", .seed = 1});
        train(collapsed, collapsed.budget());
        const Frame f = collapsed.look({"active_units", "collapse_alarm", "kl"});
        QCOMPARE(f.scalar("active_units"), 0.0f);
        QCOMPARE(f.scalar("collapse_alarm"), 1.0f);
        QVERIFY(f.scalar("kl") < 0.1f);
    }

    void anOrdinaryBetaKeepsUnitsActive() {
        Run run({.lesson = "vae", .preset = "fashion16", .settings = {{"width", "128"}}, .seed = 1});
        train(run, 400);
        const Frame f = run.look({"active_units", "collapse_alarm", "kl_dims", "kl"});
        QVERIFY(f.scalar("active_units") >= 3.0f);
        QCOMPARE(f.scalar("collapse_alarm"), 0.0f);
    }

    // ---- real data: the default network, far from its budget
    void fashionIsLearnedQuickly() {
        Run run({.lesson = "vae", .preset = "fashion16", .seed = 1});
        train(run, 300);
        const Frame f = run.look({"elbo_test", "iwae_1", "iwae_8", "iwae_64"}, true);
        qInfo("test ELBO %.1f nats after 300 steps", double(f.scalar("elbo_test")));
        QVERIFY(f.scalar("elbo_test") > -275.0f);
        QVERIFY(f.scalar("elbo_test") < -225.0f);  // PyTorch's after 4690 steps is about -238
        QVERIFY(f.scalar("iwae_1") < f.scalar("iwae_8") && f.scalar("iwae_8") < f.scalar("iwae_64"));
    }
};

QTEST_GUILESS_MAIN(TestVae)
#include "tst_vae.moc"
