// The linear-Gaussian model: evidence, posterior and bound agree with integrals and with each other.
#include <QtTest>
#include <cmath>

#include "core/base/error.h"
#include "core/data/linear_gaussian.h"

using core::LinearGaussian;

namespace {

// Three data dimensions, two latent ones.
LinearGaussian model() {
    return {3, 2, {1.0, 0.3, -0.5, 0.8, 0.2, -1.1}, {0.5, -1, 2}, 0.09};
}

double logNormal(double x, double mean, double variance) {
    return -0.5 * (std::log(2 * M_PI * variance) + (x - mean) * (x - mean) / variance);
}

bool near(double got, double expected, double tolerance) {
    if (std::abs(got - expected) <= tolerance) return true;
    qWarning("expected %.12g, got %.12g", expected, got);
    return false;
}

}  // namespace

class LinearGaussianTest : public QObject {
    Q_OBJECT

  private slots:
    void evidenceIsTheIntegralOverTheLatents() {
        const LinearGaussian m = model();
        const std::vector<double> x{0.9, -0.4, 1.2};
        const double w[3][2] = {{1.0, 0.3}, {-0.5, 0.8}, {0.2, -1.1}}, mu[3] = {0.5, -1, 2};
        const double h = 0.02;
        double sum = 0;
        for (double a = -7; a < 7; a += h)
            for (double b = -7; b < 7; b += h) {
                double logP = logNormal(a, 0, 1) + logNormal(b, 0, 1);
                for (int d = 0; d < 3; ++d) logP += logNormal(x[d], mu[d] + w[d][0] * a + w[d][1] * b, 0.09);
                sum += h * h * std::exp(logP);
            }
        QVERIFY(near(m.logEvidence(x), std::log(sum), 1e-9));
    }

    void oneDimensionIsAsByHand() {
        const LinearGaussian m(1, 1, {2}, {0.5}, 0.25);
        const std::vector<double> x{1.7};
        QVERIFY(near(m.logEvidence(x), logNormal(1.7, 0.5, 4.25), 1e-12));
        QVERIFY(near(m.posteriorMean(x)[0], 2 * 1.2 / 4.25, 1e-12));
        QVERIFY(near(m.posteriorCovariance()[0], 0.25 / 4.25, 1e-12));
    }

    void boundWithTheTruePosteriorIsTheEvidence() {
        const LinearGaussian m = model();
        const LinearGaussian::Draw draw = m.draw(20, 4);
        for (int i = 0; i < 20; ++i) {
            const std::vector<double> x(draw.x.begin() + 3 * i, draw.x.begin() + 3 * i + 3);
            const auto bound = m.bound(x, m.posteriorMean(x), m.posteriorCovariance());
            QVERIFY(near(bound.elbo(), m.logEvidence(x), 1e-10));
            QVERIFY(bound.kl > 0);
        }
    }

    void boundFallsShortByTheDivergenceFromThePosterior() {
        // In one dimension KL(N(m, s) || N(a, v)) = (log(v / s) + (s + (m - a)^2) / v - 1) / 2.
        const LinearGaussian m(1, 1, {2}, {0.5}, 0.25);
        const std::vector<double> x{1.7}, mean{0.1}, variance{0.3};
        const double a = m.posteriorMean(x)[0], v = m.posteriorCovariance()[0];
        const double gap = 0.5 * (std::log(v / 0.3) + (0.3 + (0.1 - a) * (0.1 - a)) / v - 1);
        QVERIFY(gap > 0.1);
        QVERIFY(near(m.logEvidence(x) - m.bound(x, mean, variance).elbo(), gap, 1e-12));
    }

    void boundIsNeverAboveTheEvidence() {
        const LinearGaussian m = model();
        const std::vector<double> x{0.9, -0.4, 1.2};
        const std::vector<double> best = m.posteriorMean(x);
        for (double off : {-0.3, 0.0, 0.2})
            for (double scale : {0.3, 1.0, 3.0}) {
                std::vector<double> covariance = m.posteriorCovariance();
                for (double& c : covariance) c *= scale;
                const std::vector<double> mean{best[0] + off, best[1] - off};
                const double gap = m.logEvidence(x) - m.bound(x, mean, covariance).elbo();
                if (off == 0 && scale == 1)
                    QVERIFY(near(gap, 0, 1e-10));
                else
                    QVERIFY(gap > 0.01);
            }
    }

    void drawsHaveTheCovarianceOfTheModel() {
        const LinearGaussian m = model();
        const int n = 200000;
        const LinearGaussian::Draw draw = m.draw(n, 6);
        QCOMPARE(draw.x.size(), size_t(3 * n));
        QCOMPARE(draw.z.size(), size_t(2 * n));
        const double w[3][2] = {{1.0, 0.3}, {-0.5, 0.8}, {0.2, -1.1}}, mu[3] = {0.5, -1, 2};
        for (int a = 0; a < 3; ++a) {
            double mean = 0;
            for (int i = 0; i < n; ++i) mean += draw.x[3 * i + a] / double(n);
            QVERIFY(near(mean, mu[a], 0.015));
            for (int b = 0; b < 3; ++b) {
                double covariance = 0;
                for (int i = 0; i < n; ++i)
                    covariance += (draw.x[3 * i + a] - mu[a]) * (draw.x[3 * i + b] - mu[b]) / n;
                const double expected = w[a][0] * w[b][0] + w[a][1] * w[b][1] + (a == b ? 0.09 : 0);
                QVERIFY(near(covariance, expected, 0.02));
            }
        }
        const LinearGaussian::Draw few = m.draw(5, 6);
        QVERIFY(std::equal(few.x.begin(), few.x.end(), draw.x.begin()));
        QVERIFY(std::equal(few.z.begin(), few.z.end(), draw.z.begin()));
        QVERIFY(m.draw(5, 7).x != few.x);
        // Without W only noise is left, and it is not the latents over again.
        const LinearGaussian::Draw apart = LinearGaussian(1, 1, {0}, {0}, 1).draw(5, 6);
        for (int i = 0; i < 5; ++i) QVERIFY(apart.x[i] != apart.z[i]);
    }

    void badModelsAreRefused() {
        QVERIFY_THROWS_EXCEPTION(core::Error, LinearGaussian(2, 1, {1}, {0, 0}, 1));
        QVERIFY_THROWS_EXCEPTION(core::Error, LinearGaussian(2, 1, {1, 1}, {0}, 1));
        QVERIFY_THROWS_EXCEPTION(core::Error, LinearGaussian(2, 1, {1, 1}, {0, 0}, 0));
        QVERIFY_THROWS_EXCEPTION(core::Error, LinearGaussian(2, 1, {1, std::nan("")}, {0, 0}, 1));
        const std::vector<double> two{0, 0}, one{0};
        QVERIFY_THROWS_EXCEPTION(core::Error, model().logEvidence(two));
        QVERIFY_THROWS_EXCEPTION(core::Error,
                                 model().bound(std::vector<double>(3), two, std::vector<double>{1, 2, 2, 1}));
    }
};

QTEST_GUILESS_MAIN(LinearGaussianTest)
#include "tst_linear_gaussian.moc"
