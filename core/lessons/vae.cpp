// The variational autoencoder (Kingma and Welling 2013): an encoder q(z|x), a decoder p(x|z), and the
// bound log p(x) >= E_q log p(x|z) - KL(q(z|x) || p(z)).
#include <cmath>

#include "core/data/fashion_mnist.h"
#include "core/data/points.h"
#include "core/lessons/lesson.h"
#include "core/lessons/vae/measures.h"
#include "core/nn/losses.h"
#include "core/nn/mlp.h"

namespace core::lessons {
namespace {

constexpr int codeCount = 2000, exactCount = 500, pathSteps = 9, manifoldSide = 15;
constexpr int pieces = 10, iwaeSamples = 64, iwaeImages = 40;  // of each piece
constexpr float logTwoPi = 1.8378770664f;

class Vae final : public Lesson {
  public:
    std::vector<Preset> presets() const override {
        return {{"fashion2d", {{"z_dim", "2"}}, 9380},
                {"fashion16", {}, 4690},
                {"linear-gaussian", {{"data", "linear-gaussian"}, {"z_dim", "2"}, {"width", "64"}}, 4000},
                {"posterior-collapse", {{"beta", "100"}}, 1500}};
    }

    void open() override {
        const OwnData* file = own(data);
        CHECK(!file || file->columns() > 1,
              "data: expected points in the plane or pictures, {} has points on the line", file->name);
        if (file) {
            m_loaded = file->fingerprint;
            m_train = file->train;
            m_test = file->test;
            m_labels = file->labels;
            return;
        }
        if (pictures()) {
            if (m_loaded == data.option()) return;
            const bool shapes = data == "shapes";
            CHECK(shapes || fashionMnistInstalled(),
                  "Fashion-MNIST is not installed: `sudo apt install dataset-fashion-mnist` brings it; until "
                  "then choose shapes or another built-in data set");
            const ImageSet train = shapes ? shapesTable(20000, 1) : fashionMnist(Split::train);
            const ImageSet test = shapes ? shapesTable(10000, 2) : fashionMnist(Split::test);
            m_loaded = data.option();
            m_train = train.images;
            m_test = test.images;
            auto labels = std::make_shared<Table>(Table{.rows = test.images->rows, .columns = 1});
            labels->values.assign(test.labels.begin(), test.labels.end());
            m_labels = labels;
            return;
        }
        m_loaded.clear();
        m_labels = nullptr;
        if (exact()) {
            CHECK(int(zDim) == exactLatents, "z_dim: expected {} with linear-gaussian data, got {}",
                  exactLatents, int(zDim));
            m_train = asTable(m_model.draw(1 << 16, 1).x);
            m_test = asTable(m_model.draw(10000, 2).x);
        } else {
            m_train = pointSet(data.option(), 1 << 16, 1).points;
            m_test = pointSet(data.option(), 10000, 2).points;
        }
    }

    // ---- the algorithm

    void train(Recorder& r) override {
        r.stage("draw_data");
        const Var x = r.probe("real", r.drawRows("data", m_train, batch));
        r.stage("encode");
        const Posterior q = encode(r, x);
        r.probe("mu", q.mu);
        r.probe("logvar", q.logvar);
        r.stage("sample_eps");
        const Var eps = r.probe("eps", r.normal("eps", q.mu.shape()));
        r.stage("reparameterise");
        const Var z = r.probe("z", q.mu + exp(0.5f * q.logvar) * eps);
        r.stage("decode");
        const Var out = decode(r, z);
        r.probe("recon", expected(out));
        r.stage("reconstruction");
        const Var reconstruction = r.probe("reconstruction", mean(nats(r, x, out)));
        r.probe("distortion", reconstruction);
        r.stage("kl");
        const Var perDimension =
            affine(sumRows(gaussianKl(q.mu, q.logvar)), 1.0f / float(int(batch)), 0);  // [1, Z]
        const Var kl = r.probe("kl", sum(perDimension));
        r.probe("rate", kl);
        r.probe("elbo", -(reconstruction + kl));
        const Var free = freeBits.in(r);
        const Var paid = sum(relu(perDimension - free) + free);
        const Var loss = r.probe("loss", reconstruction + r.probe("beta_now", weight(r)) * paid);
        r.stage("gradients");
        const Gradients g = r.gradients(loss, "");
        r.probe("grad_norm", gradientNorm(g));
        r.stage("update");
        r.update(g, Adam{lr, beta1, beta2});
    }

    // ---- what is looked at

    void view(Recorder& r) override {
        const Var x = r.drawRows("codes", m_test, codeCount);
        const Posterior q = encode(r, x);
        r.probe("codes", q.mu);
        r.probe("codes_logvar", q.logvar);
        if (m_labels) r.probe("codes_label", r.drawRows("codes", m_labels, codeCount));
        r.probe("kl_dims", affine(sumRows(gaussianKl(q.mu, q.logvar)), 1.0f / codeCount, 0));

        const Var inputs = r.probe("inputs", r.drawRows("inputs", m_test, 16));
        r.probe("reconstructed", expected(decode(r, encode(r, inputs).mu)));
        r.probe("prior_samples", expected(decode(r, r.normal("prior", {pictures() ? 64 : 1000, zDim}))));
        if (!pictures()) r.probe("real_points", r.drawRows("points", m_test, 1000));
        const Var candidates = r.probe("hole_z", r.normal("holes", {256, zDim}));
        r.probe("hole_pictures", expected(decode(r, candidates)));

        const Shape one{1, zDim};
        r.probe("decoded_point",
                expected(decode(r, r.handle("latent_point", one, std::vector<float>(size_t(zDim), 0)))));
        viewReparameterisation(r, sliceRows(inputs, 0, 1));
        viewGradientPaths(r, sliceRows(inputs, 0, 1));
        if (pictures()) viewPictures(r);
        if (exact()) {
            const Var points = r.probe("exact_x", r.drawRows("exact", m_test, exactCount));
            const Posterior p = encode(r, points);
            r.probe("encoder_mean", p.mu);
            r.probe("encoder_logvar", p.logvar);
            r.probe("encoder_sd", affine(sumRows(exp(0.5f * p.logvar)), 1.0f / exactCount, 0));
        }
    }

    // The whole test set, and importance-weighted bounds on a part of it (Burda et al. 2016).
    void evaluate(Recorder& r) override {
        const Var x = r.drawRows("test", m_test, int(m_test->rows) / pieces);
        const Posterior q = encode(r, x);
        const Var z = q.mu + exp(0.5f * q.logvar) * r.normal("test_eps", q.mu.shape());
        const Var reconstruction = mean(nats(r, x, decode(r, z)));
        const Var kl = affine(sum(gaussianKl(q.mu, q.logvar)), 1.0f / float(x.rows()), 0);
        r.probe("elbo_test", -(reconstruction + kl));

        const Var some = r.drawRows("iwae", m_test, iwaeImages);
        const Posterior p = encode(r, some);
        std::vector<float> repeat(size_t(iwaeImages) * iwaeSamples * iwaeImages, 0);
        for (int i = 0; i < iwaeImages * iwaeSamples; ++i)
            repeat[size_t(i * iwaeImages + i / iwaeSamples)] = 1;
        const Var each = r.constant({iwaeImages * iwaeSamples, iwaeImages}, repeat);
        const Var mu = matmul(each, p.mu), logvar = matmul(each, p.logvar);
        const Var eps = r.normal("iwae_eps", mu.shape());
        const Var drawn = mu + exp(0.5f * logvar) * eps;
        // log w = log p(x|z) + log p(z) - log q(z|x); the constants of the two Gaussians cancel.
        const Var logW = sumColumns(0.5f * (square(eps) + logvar - square(drawn))) -
                         nats(r, matmul(each, some), decode(r, drawn));
        const Var rows = reshape(logW, {iwaeImages, iwaeSamples});
        for (int k : {1, 8, 64})
            r.probe("iwae_" + std::to_string(k), mean(logMeanExp(sliceColumns(rows, 0, k))));
    }
    int evaluationPieces() const override { return pieces; }

    std::vector<Measure> measures() override {
        std::vector<Measure> all = {activityMeasure(), holesMeasure(), varianceMeasure(), aggregateMeasure()};
        if (exact()) all.push_back(exactMeasure(m_model));
        return all;
    }

    std::vector<const Knob*> idle() const override {
        if (exact()) return {&likelihood, &sigmaX, &learnSigma};
        if (bernoulli()) return {&sigmaX, &learnSigma};
        std::vector<const Knob*> all;
        if (!pictures()) all.push_back(&likelihood);
        if (learnSigma) all.push_back(&sigmaX);
        return all;
    }

    Choice data{
        *this, "data", {"fashion", "shapes", "ring8", "moons", "swiss-roll", "pinwheel", "linear-gaussian"}};
    Structural zDim{*this, "z_dim", 16, 2, 64};
    Structural width{*this, "width", 400, 8, 1024};
    Structural depth{*this, "depth", 2, 1, 4};
    Choice likelihood{*this, "likelihood", {"bernoulli", "gaussian"}};
    Live sigmaX{*this, "sigma_x", 0.2, 0.01, 2, Live::logarithmic};
    Switch learnSigma{*this, "learn_sigma"};
    Live beta{*this, "beta", 1, 0, 100, Live::linear};
    Live annealSteps{*this, "anneal_steps", 0, 0, 10000, Live::linear};
    Live freeBits{*this, "free_bits", 0, 0, 4, Live::linear};
    Structural batch{*this, "batch", 128, 16, 1024};
    Live lr{*this, "lr", 1e-3, 1e-6, 1e-1, Live::logarithmic};
    Live beta1{*this, "beta1", 0.9, 0, 0.999, Live::linear};
    Live beta2{*this, "beta2", 0.999, 0.5, 0.9999, Live::linear};

  private:
    struct Posterior {
        Var mu, logvar;  // [B, Z]
    };

    bool exact() const { return data == "linear-gaussian"; }
    bool pictures() const { return own(data) ? own(data)->pictures : data == "fashion" || data == "shapes"; }
    // Points have no Bernoulli likelihood.
    bool bernoulli() const { return pictures() && likelihood == "bernoulli"; }
    static TablePtr asTable(std::vector<float> x) {
        const int columns = exactDimensions;
        return std::make_shared<const Table>(Table{int64_t(x.size()) / columns, columns, std::move(x), {}});
    }

    // ---- networks, with the names of the reference: enc.0, enc.2, mu, logvar, dec.0, dec.2, dec.4

    Posterior encode(Recorder& r, Var x) const {
        std::vector<int> sizes(size_t(depth) + 1, width);
        sizes.front() = m_train->columns;
        const Var h = Mlp(r.scope("enc"), sizes, relu, {.output = relu})(x);
        return {Linear(r.scope("mu"), width, zDim)(h), Linear(r.scope("logvar"), width, zDim)(h)};
    }
    // Logits of pixels, or the means of a Gaussian.
    Var decode(Recorder& r, Var z) const {
        if (exact()) return matmul(z, r.constant({exactLatents, exactDimensions}, exactWeightT));
        std::vector<int> sizes(size_t(depth) + 2, width);
        sizes.front() = zDim;
        sizes.back() = m_train->columns;
        return Mlp(r.scope("dec"), sizes, relu)(z);
    }
    Var expected(Var out) const { return bernoulli() ? sigmoid(out) : out; }

    // -log p(x|z), [B, 1].
    Var nats(Recorder& r, Var x, Var out) const {
        if (bernoulli()) return bernoulliNats(out, x);
        if (exact()) return gaussianNats(x, out, r.fill({1}, std::log(exactSigma)));
        const Var logSigma =
            learnSigma ? r.parameter("log_sigma", {1}, {Initial::constant, -1.5f}) : log(sigmaX.in(r));
        return gaussianNats(x, out, logSigma);
    }
    static Var gaussianNats(Var x, Var mean, Var logSigma) {
        const Var z = (x - mean) * exp(-logSigma);
        return sumColumns(0.5f * square(z)) + float(x.columns()) * (logSigma + 0.5f * logTwoPi);
    }

    // beta, reached linearly over anneal_steps.
    Var weight(Recorder& r) const {
        const Var t = (stepNumber(r) + 1) / (annealSteps.in(r) + 1);
        return beta.in(r) * (1 - relu(1 - t));
    }
    // log of the mean of exponentials along a row of K columns, K a power of two: [R, K] -> [R, 1].
    static Var logMeanExp(Var x) {
        const float count = float(x.columns());
        while (x.columns() > 1) {
            const int half = x.columns() / 2;
            const Var a = sliceColumns(x, 0, half), b = sliceColumns(x, half, half);
            x = a + softplus(b - a);
        }
        return x - std::log(count);
    }

    // ---- view plans

    void viewReparameterisation(Recorder& r, Var x) const {
        const Posterior q = encode(r, x);
        const Var sigma = exp(0.5f * q.logvar);
        const Var eps = r.handle("drag_eps", {1, zDim}, std::vector<float>(size_t(zDim), 0.7f));
        const Var z = q.mu + sigma * eps;
        r.probe("drag_input", x);
        r.probe("drag_mu", q.mu);
        r.probe("drag_sigma", sigma);
        r.probe("drag_z", z);
        r.probe("drag_decoded", expected(decode(r, z)));
    }

    // d E log p(x|z) / d mu_1 by both estimators, one number a draw of eps.
    void viewGradientPaths(Recorder& r, Var x) const {
        constexpr int draws = 256;
        const Posterior q = encode(r, x);
        const Var eps = r.normal("paths", {draws, zDim});
        const Var sigma = exp(0.5f * q.logvar);
        const Var z = detach(q.mu + sigma * eps);
        const Var logP = -nats(r, broadcastTo(x, {draws, x.columns()}), decode(r, z));
        const Var reparam = r.gradient(sum(logP), {z})[0];
        r.probe("gradient_reparam", sliceColumns(reparam, 0, 1));
        r.probe("gradient_score", logP * sliceColumns(eps / sigma, 0, 1));  // log p d log q / d mu
    }

    void viewPictures(Recorder& r) const {
        const int columns = m_test->columns;
        std::vector<float> ends;
        for (int64_t row : {0, 5})
            for (int i = 0; i < columns; ++i)
                ends.push_back(float(m_test->bytes[size_t(row * columns + i)]) / 255);
        const Var z = encode(r, r.handle("path_ends", {2, columns}, ends)).mu;
        const auto [lerp, slerp] = paths(sliceRows(z, 0, 1), sliceRows(z, 1, 1));
        r.probe("path_lerp", expected(decode(r, lerp)));
        r.probe("path_slerp", expected(decode(r, slerp)));

        const Var drawing = r.handle("drawing", {1, columns}, std::vector<float>(size_t(columns), 0));
        const Posterior drawn = encode(r, drawing);
        r.probe("drawn_mu", drawn.mu);
        r.probe("drawn_logvar", drawn.logvar);
        r.probe("drawn_recon", expected(decode(r, drawn.mu)));
        if (int(zDim) == 2)
            r.probe("manifold",
                    expected(decode(r, r.constant({manifoldSide * manifoldSide, 2}, quantileGrid()))));
    }

    // From a to b [1, Z] along a line, and along the great circle with the length changing linearly.
    // Halving an arc needs only the sum of its ends, so the circle's points come by bisection.
    static std::pair<Var, Var> paths(Var a, Var b) {
        const auto length = [](Var x) { return sqrt(sum(square(x)) + 1e-12f); };
        const auto unit = [&](Var x) { return x / length(x); };
        std::array<Var, pathSteps> arc;
        arc.front() = unit(a);
        arc.back() = unit(b);
        for (int span = pathSteps - 1; span > 1; span /= 2)
            for (int i = 0; i + span < pathSteps; i += span)
                arc[size_t(i + span / 2)] = unit(arc[size_t(i)] + arc[size_t(i + span)]);
        Var line, circle;
        for (int i = 0; i < pathSteps; ++i) {
            const float t = float(i) / (pathSteps - 1);
            const Var straight = (1 - t) * a + t * b;
            const Var round = arc[size_t(i)] * ((1 - t) * length(a) + t * length(b));
            line = line ? concatRows(line, straight) : reshape(straight, a.shape());
            circle = circle ? concatRows(circle, round) : round;
        }
        return {line, circle};
    }

    // The normal's quantiles, z2 falling from the top row.
    static std::vector<float> quantileGrid() {
        std::vector<double> at;
        for (int i = 0; i < manifoldSide; ++i) at.push_back(normalQuantile((i + 0.5) / manifoldSide));
        std::vector<float> grid;
        for (int j = manifoldSide - 1; j >= 0; --j)
            for (int i = 0; i < manifoldSide; ++i)
                grid.insert(grid.end(), {float(at[size_t(i)]), float(at[size_t(j)])});
        return grid;
    }
    static double normalQuantile(double p) {
        double x = 0;
        for (int i = 0; i < 60; ++i)  // Newton on the normal's distribution function
            x -= (0.5 * std::erfc(-x / std::sqrt(2.0)) - p) * std::sqrt(2 * M_PI) * std::exp(x * x / 2);
        return x;
    }

    // The exact setting: x = W z + sigma eps with orthogonal columns, so that the true posterior is diagonal.
    static constexpr float exactSigma = 0.5f;
    static constexpr int exactDimensions = 4, exactLatents = 2;
    inline static const std::vector<double> exactWeight = {1.2,  0.4, 0.9, -0.5,
                                                           -0.3, 1.0, 0.6, 0.45};  // [X, Z]
    inline static const std::vector<float> exactWeightT = {1.2f, 0.9f, -0.3f, 0.6f, 0.4f, -0.5f, 1.0f, 0.45f};
    const LinearGaussian m_model{exactDimensions, exactLatents, exactWeight, {0, 0, 0, 0}, 0.25};

    std::string m_loaded;  // which pictures these are, so that they are not read again
    TablePtr m_train, m_test, m_labels;
};

}  // namespace

std::unique_ptr<Lesson> vae() {
    return std::make_unique<Vae>();
}

}  // namespace core::lessons
