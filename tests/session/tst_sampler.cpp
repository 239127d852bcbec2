// The samplers as coefficients: the spacings of the papers, and steps whose results are known.
#include <QtTest>
#include <cmath>

#include "core/nn/diffusion.h"
#include "core/session/sampler.h"

using namespace core;

namespace {

// T = 1000, beta 1e-4 -> 0.02.
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

// x_t = t data + (1 - t) noise, 0 <= t <= 1.
SamplingPath straightPath() {
    SamplingPath path{.continuous = true, .unitVariance = false};
    for (int i = 0; i <= 100; ++i) path.points.push_back({i / 100.0, i / 100.0, 1 - i / 100.0});
    return path;
}

std::vector<int> timesOf(const std::vector<PathPoint>& points) {
    std::vector<int> times;
    for (const PathPoint& p : points) times.push_back(int(std::lround(p.t)));
    return times;
}

// Data N(0, 0.5^2): the best estimate of x_0 is linear in x.
double bestClean(double x, const PlannedEvaluation& e) {
    return x * e.signal * 0.25 / (e.signal * e.signal * 0.25 + e.noise * e.noise);
}

// What the plan makes of x without noise.
double follow(const std::vector<PlannedEvaluation>& plan, double x) {
    double lastClean = 0, start = x;
    bool first = true;
    for (const PlannedEvaluation& e : plan) {
        if (first) start = x;
        const double clean = bestClean(x, e);
        const double y = e.y == PlannedEvaluation::lastClean ? lastClean : start;
        x = e.keep * x + e.clean * clean + e.before * y;
        if (first) lastClean = clean;
        first = e.completes;
    }
    return x;
}

// The error of a sampler from a moderate amount of noise to the same amount, once.
double errorOf(const std::string& kind, int steps) {
    std::vector<PathPoint> points;
    for (int i = 0; i <= steps; ++i) {
        const double ratio = std::exp(-2 + 4.0 * i / steps), noise = 1 / std::hypot(1.0, ratio);
        points.push_back({double(steps - i), ratio * noise, noise});
    }
    const auto deviation = [](const PathPoint& p) { return std::hypot(0.5 * p.signal, p.noise); };
    const double exact = deviation(points.back()) / deviation(points.front());
    return std::abs(follow(planSampler(points, {.kind = kind}, 1), 1) - exact);
}

}  // namespace

class TestSampler : public QObject {
    Q_OBJECT

  private slots:
    // Lin et al. 2023, table 2.
    void spacingsAreThoseOfThePapers() {
        const SamplingPath path = linearPath();
        QCOMPARE(timesOf(spacedPoints(path, "leading", 5)), (std::vector<int>{801, 601, 401, 201, 1, 0}));
        QCOMPARE(timesOf(spacedPoints(path, "trailing", 5)), (std::vector<int>{1000, 800, 600, 400, 200, 0}));
        QCOMPARE(timesOf(spacedPoints(path, "linear", 5)), (std::vector<int>{1000, 750, 500, 251, 1, 0}));
        for (const char* spacing : {"leading", "trailing", "linear"}) {
            const std::vector<PathPoint> all = spacedPoints(path, spacing, 1000);
            QCOMPARE(all.size(), size_t(1001));
            for (int i = 0; i <= 1000; ++i) QCOMPARE(all[size_t(i)].t, double(1000 - i));
            QCOMPARE(spacedPoints(path, spacing, 2000).size(), size_t(1001));  // T steps at most
        }
    }

    // Equal steps of (noise / signal)^(1/7), from the first to the last (Karras et al. 2022, eq. 5).
    void karrasSpacingIsEvenInItsRoot() {
        const std::vector<PathPoint> points = spacedPoints(linearPath(), "karras", 12);
        QCOMPARE(points.size(), size_t(13));
        QCOMPARE(points.front().t, 1000.0);
        QVERIFY(std::abs(points[11].t - 1) < 1e-6);
        const auto root = [](const PathPoint& p) { return std::pow(p.noise / p.signal, 1 / 7.0); };
        const double apart = root(points[0]) - root(points[1]);
        for (size_t i = 1; i + 2 < points.size(); ++i) {
            QVERIFY(std::abs(root(points[i]) - root(points[i + 1]) - apart) < 1e-9);
            QVERIFY(std::abs(std::hypot(points[i].signal, points[i].noise) - 1) < 1e-12);
            QVERIFY(points[i].t > points[i + 1].t);
        }
    }

    void aStraightPathIsDividedEvenly() {
        const std::vector<PathPoint> points = spacedPoints(straightPath(), "trailing", 7);
        for (int i = 0; i <= 7; ++i) QVERIFY(std::abs(points[size_t(i)].t - i / 7.0) < 1e-12);
    }

    // c1 + c2 sqrt(abar_t) = sqrt(abar_{t-1}), and beta-tilde / beta at t = 2 and t = 100.
    void ancestralStepsHaveTheCoefficientsOfThePaper() {
        const std::vector<PathPoint> points = spacedPoints(linearPath(), "trailing", 1000);
        const auto narrow = planSampler(points, {.kind = "ddpm"}, 1);
        const auto wide = planSampler(points, {.kind = "ddpm", .wideVariance = true}, 1);
        QCOMPARE(narrow.size(), size_t(1000));
        for (const PlannedEvaluation& e : narrow)
            QVERIFY(std::abs(e.clean + e.keep * e.signal - e.step.signalNext) < 1e-9);
        const auto share = [&](int t) {
            const size_t i = size_t(1000 - t);
            return std::pow(narrow[i].sigma / wide[i].sigma, 2);
        };
        QVERIFY(std::abs(share(2) - 0.45474) < 5e-6 && std::abs(share(100) - 0.98191) < 5e-6);
        QCOMPARE(narrow.back().sigma, 0.0);  // the last step adds nothing
        QCOMPARE(wide.back().sigma, 0.0);
        QVERIFY(std::abs(wide[500].sigma -
                         std::sqrt(1 - std::pow(wide[500].signal / wide[500].step.signalNext, 2))) < 1e-9);
    }

    void ddimIsAncestralAtEtaOneAndDeterministicAtZero() {
        const std::vector<PathPoint> points = spacedPoints(linearPath(), "linear", 37);
        const auto ddpm = planSampler(points, {.kind = "ddpm"}, 1);
        const auto one = planSampler(points, {.kind = "ddim", .eta = 1}, 1);
        const auto zero = planSampler(points, {.kind = "ddim"}, 1),
                   euler = planSampler(points, {.kind = "euler"}, 1);
        for (size_t i = 0; i < ddpm.size(); ++i) {
            QVERIFY(std::abs(one[i].sigma - ddpm[i].sigma) < 1e-12);
            QVERIFY(std::abs(one[i].keep - ddpm[i].keep) < 1e-9 &&
                    std::abs(one[i].clean - ddpm[i].clean) < 1e-9);
            QCOMPARE(zero[i].sigma, 0.0);
            // Euler's step of dx/ds = eps, s = noise / signal, x over signal.
            QCOMPARE(euler[i].keep, zero[i].keep);
            const double eps = 0.7, clean = -0.4, x = zero[i].signal * clean + zero[i].noise * eps;
            const PathPoint &p = points[i], &next = points[i + 1];
            const double scaled = x / p.signal + (next.noise / next.signal - p.noise / p.signal) * eps;
            QVERIFY(std::abs(euler[i].keep * x + euler[i].clean * clean - next.signal * scaled) < 1e-9);
        }
    }

    void leavingOutTheNoiseLeavesTheMean() {
        const std::vector<PathPoint> points = spacedPoints(linearPath(), "trailing", 20);
        const auto full = planSampler(points, {.kind = "ddpm"}, 1);
        const auto bare = planSampler(points, {.kind = "ddpm", .addedNoise = 0}, 1);
        for (size_t i = 0; i < full.size(); ++i) {
            QCOMPARE(bare[i].keep, full[i].keep);
            QCOMPARE(bare[i].clean, full[i].clean);
            QCOMPARE(bare[i].sigma, 0.0);
        }
    }

    void heunAsksTwiceButForTheLastStep() {
        const auto plan = planSampler(spacedPoints(linearPath(), "trailing", 10), {.kind = "heun"}, 1);
        QCOMPARE(plan.size(), size_t(19));
        QCOMPARE(plan.back().step.evaluations, 19);
        QVERIFY(plan.back().completes && !plan.front().completes);
    }

    // Halving the step halves the error of the first order and quarters that of the second.
    void errorsFallWithTheirOrder_data() {
        QTest::addColumn<QString>("kind");
        QTest::addColumn<double>("order");
        QTest::newRow("ddim") << "ddim" << 1.0;
        QTest::newRow("euler") << "euler" << 1.0;
        QTest::newRow("heun") << "heun" << 2.0;
        QTest::newRow("dpm++") << "dpm++" << 2.0;
    }
    void errorsFallWithTheirOrder() {
        QFETCH(QString, kind);
        QFETCH(double, order);
        const std::string name = kind.toStdString();
        const double slope = std::log2(errorOf(name, 40) / errorOf(name, 80));
        QVERIFY2(std::abs(slope - order) < 0.15, qPrintable(QString::number(slope)));
    }

    // On a straight path Euler's step is x + dt v, and Heun's averages two.
    void flowsAreFollowedByTheSameSamplers() {
        const std::vector<PathPoint> points = spacedPoints(straightPath(), "trailing", 4);
        const auto euler = planSampler(points, {.kind = "euler"}, 1);
        for (const PlannedEvaluation& e : euler) {
            const double clean = 0.3, eps = -1.1, x = e.signal * clean + e.noise * eps;
            QVERIFY(std::abs(e.keep * x + e.clean * clean - (x + 0.25 * (clean - eps))) < 1e-12);
        }
        for (const char* kind : {"ddpm", "heun", "dpm++"})
            for (const PlannedEvaluation& e : planSampler(points, {.kind = kind}, 1))
                QVERIFY(std::isfinite(e.keep) && std::isfinite(e.clean) && std::isfinite(e.before));
    }

    void whatNobodyKnowsIsRefused() {
        QVERIFY_THROWS_EXCEPTION(Error, spacedPoints(linearPath(), "even", 5));
        QVERIFY_THROWS_EXCEPTION(Error,
                                 planSampler(spacedPoints(linearPath(), "linear", 5), {.kind = "plms"}, 1));
    }
};

QTEST_APPLESS_MAIN(TestSampler)
#include "tst_sampler.moc"
