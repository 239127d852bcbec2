// Generative adversarial networks (Goodfellow et al. 2014): two networks, one value function
// V(D, G) = E log D(x) + E log(1 - D(G(z))).
#include "core/data/fashion_mnist.h"
#include "core/data/points.h"
#include "core/lessons/gan/measures.h"
#include "core/lessons/lesson.h"
#include "core/nn/losses.h"
#include "core/nn/mlp.h"

namespace core::lessons {
namespace {

class Gan final : public Lesson {
  public:
    std::vector<Preset> presets() const override {
        return {
            {"figure1", {{"data", "gaussian"}, {"z_dim", "1"}, {"width", "64"}, {"batch", "512"}}, 6000},
            {"ring8", {{"k_d", "2"}}, 6000},
            {"grid25",
             {{"data", "grid25"},
              {"width", "192"},
              {"depth", "3"},
              {"batch", "768"},
              {"lr_g", "0.001"},
              {"r1", "0.01"}},
             9000},
            {"fashion",
             {{"data", "fashion"},
              {"z_dim", "32"},
              {"prior", "gaussian"},
              {"width", "256"},
              {"batch", "128"},
              {"r1", "1"},
              {"lr_d", "0.0005"}},
             6000},
            {"collapse",
             {{"k_g", "3"}, {"lr_g", "0.002"}, {"lr_d", "0.002"}, {"batch", "128"}, {"ema", "0"}},
             3000},
            {"vanishing", {{"loss", "minimax"}, {"k_d", "10"}, {"lr_d", "0.002"}, {"lr_g", "0.0001"}}, 1500}};
    }

    void open() override {
        CHECK(data != "fashion" || fashionMnistInstalled(),
              "Fashion-MNIST is not installed: `sudo apt install dataset-fashion-mnist` brings it; until "
              "then choose a built-in data set");
        const OwnData* file = own(data);
        const std::string wanted = file ? file->fingerprint : data.option();
        if (m_data && m_data->id == wanted) return;
        PointSet set;
        if (!file && !images()) set = pointSet(wanted, 1 << 16, 1);
        const TablePtr table = file ? file->train : images() ? fashionMnist(Split::train).images : set.points;
        m_data = std::make_shared<const RealData>(RealData{wanted, table, set.exact});
    }

    // ---- the algorithm

    void train(Recorder& r) override {
        r.phase("discriminator", [this] { return int(kD); });
        {
            r.stage("draw_data");
            const Mlp G = generator(r), D = discriminator(r, true);
            const Var x = r.probe("real", r.drawRows("data", m_data->table, batch));
            r.stage("draw_noise");
            const Var z = noise(r, "z_d", batch);
            r.stage("generate");
            const Var fake = detach(G(z));
            r.stage("d_forward");
            const Var a = r.probe("logits_real", D(x)), b = r.probe("logits_fake", D(fake));
            r.stage("d_loss");
            Var lossD = discriminatorLoss(r, a, b);
            if (const Var p = penalty(r, D, x, fake, a)) lossD = lossD + r.probe("penalty", p);
            r.probe("loss_d", lossD);
            r.probe("value", -(mean(softplus(-a)) + mean(softplus(b))));
            const Var dReal = r.probe("d_real", mean(probability(a)));
            const Var dFake = r.probe("d_fake", mean(probability(b)));
            r.probe("d_mean", 0.5f * (dReal + dFake));
            r.stage("d_gradients");
            const Gradients g = r.gradients(lossD, D.scope());
            r.probe("grad_norm_d", gradientNorm(g));
            r.stage("d_update");
            r.update(g, Adam{lrD, beta1, beta2});
        }
        r.phase("generator", [this] { return freezeG ? 0 : int(kG); });
        {
            r.stage("g_draw_noise");
            const Mlp G = generator(r), D = discriminator(r, false);  // D as it is after its update
            const Var z = noise(r, "z_g", batch);
            r.stage("g_generate");
            const Var fake = r.probe("fake", G(z));
            r.stage("g_forward");
            const Var b = D(fake);
            r.stage("g_loss");
            const Var lossG = r.probe("loss_g", generatorLoss(b));
            r.stage("g_gradients");
            const Gradients g = r.gradients(lossG, G.scope());
            r.probe("grad_norm_g", gradientNorm(g));
            r.stage("g_update");
            r.update(g, Adam{lrG, beta1, beta2}, {.average = averageDecay(r)});
        }
    }

    // ---- what is looked at

    void view(Recorder& r) override {
        const Mlp G = averagedGenerator(r), D = discriminator(r, false);
        const Var z = noise(r, "z", images() ? 64 : judgedSamples);
        const Var x = G(z);
        bothGradientNorms(r, generator(r), D);
        r.probe("real_rows", r.drawRows("rows", m_data->table, images() ? 64 : 1024));
        if (images()) {
            r.probe("sheet", x);
            viewInterpolation(r, G);
            return;
        }
        r.probe("samples", x);
        r.probe("samples_z", z);
        dimensions() == 1 ? viewLine(r, G, D) : viewPlane(r, G, D);
    }

    void evaluate(Recorder& r) override {
        if (!images()) return;
        r.probe("nearest_query", averagedGenerator(r)(noise(r, "nearest", 8)));
        r.probe("judged", averagedGenerator(r)(noise(r, "judged", 256)));
    }

    std::vector<Measure> measures() override {
        if (images()) return {spreadMeasure(m_data, "judged"), nearestImageMeasure(m_data)};
        const RealTarget target = [this] { return realTarget(); };
        std::vector<Measure> all;
        if (dimensions() == 1) all.push_back(lineMeasure(m_data, target));
        if (dimensions() == 2 && m_data->exact) all.push_back(planeMeasure(m_data, target));
        if (dimensions() == 2 && int(zDim) == 2) all.push_back(warpMeasure());
        all.push_back(divergenceMeasure(m_data));
        if (m_data->exact) all.push_back(coverageMeasure(m_data));
        all.push_back(spreadMeasure(m_data, "samples"));
        return all;
    }

    std::vector<const Knob*> idle() const override {
        std::vector<const Knob*> all;
        if (loss != "wgan-gp") all.push_back(&gp);
        if (loss != "minimax" && loss != "non-saturating") all.push_back(&smoothing);
        if (freezeG) all.insert(all.end(), {&kG, &lrG, &ema});
        return all;
    }

    Choice data{*this,
                "data",
                {"ring8", "grid25", "moons", "swiss-roll", "checkerboard", "spirals", "pinwheel", "circles",
                 "gaussian", "bimodal", "trimodal", "fashion"}};
    Choice prior{*this, "prior", {"uniform", "gaussian"}};
    Structural zDim{*this, "z_dim", 2, 1, 128};
    Structural width{*this, "width", 128, 4, 512};
    Structural depth{*this, "depth", 2, 1, 6};
    Structural batch{*this, "batch", 512, 16, 2048};
    Choice loss{*this, "loss", {"non-saturating", "minimax", "least-squares", "hinge", "wgan-gp"}};
    Knob r1{*this, {.name = "r1", .change = Change::structural, .initial = 0, .minimum = 0, .maximum = 100}};
    Schedule kD{*this, "k_d", 1, 0, 20}, kG{*this, "k_g", 1, 0, 20};
    Live lrD{*this, "lr_d", 1e-3, 1e-6, 1e-1, Live::logarithmic};
    Live lrG{*this, "lr_g", 5e-4, 1e-6, 1e-1, Live::logarithmic};
    Live beta1{*this, "beta1", 0.5, 0, 0.999, Live::linear};
    Live beta2{*this, "beta2", 0.999, 0.5, 0.9999, Live::linear};
    Live smoothing{*this, "smoothing", 1, 0.5, 1, Live::linear};
    Live ema{*this, "ema", 0.999, 0, 0.9999, Live::linear};
    Live gp{*this, "gp", 1, 0, 100, Live::linear};
    Switch spectral{*this, "spectral_norm"};
    Switch freezeG{*this, "freeze_g", Change::schedule};

  private:
    bool images() const { return own(data) ? own(data)->pictures : data == "fashion"; }
    int dimensions() const { return m_data->table->columns; }

    // ---- networks

    std::vector<int> sizes(int in, int out) const {
        std::vector<int> sizes(size_t(depth) + 2, width);
        sizes.front() = in;
        sizes.back() = out;
        return sizes;
    }
    // min(ema, (t + 1) / (t + 10)): the first steps are not held back by the initialisation.
    Var averageDecay(Recorder& r) const {
        const Var t = stepNumber(r), decay = ema.in(r);
        return decay - relu(decay - (t + 1) / (t + 10));
    }
    // What is seen and judged is the running average of G; with ema = 0 that is G itself.
    Mlp averagedGenerator(Recorder& r) const {
        return {r.scope("generator").averages(),
                sizes(zDim, dimensions()),
                relu,
                {.output = images() ? sigmoid : nullptr}};
    }
    Mlp generator(Recorder& r) const {
        return {
            r.scope("generator"), sizes(zDim, dimensions()), relu, {.output = images() ? sigmoid : nullptr}};
    }
    Mlp discriminator(Recorder& r, bool train) const {
        const auto act = [](Var x) { return leakyRelu(x, 0.2f); };
        return {r.scope("discriminator"),
                sizes(dimensions(), 1),
                act,
                {.spectralNorm = bool(spectral), .train = train}};
    }
    Var noise(Recorder& r, const std::string& stream, int count) const {
        const Shape shape{count, zDim};
        return prior == "uniform" ? r.uniform(stream, shape, -1, 1) : r.normal(stream, shape);
    }
    // What the logit says as a number to be compared with 1/2.
    Var probability(Var logit) const { return loss == "least-squares" ? logit : sigmoid(logit); }

    // ---- losses, from the logits a of real and b of fake rows

    Var discriminatorLoss(Recorder& r, Var a, Var b) const {
        if (loss == "least-squares")
            return 0.5f * (mean(square(a - 1)) + mean(square(b)));          // Mao et al. 2017
        if (loss == "hinge") return mean(relu(1 - a)) + mean(relu(1 + b));  // Lim and Ye 2017
        if (loss == "wgan-gp") return mean(b) - mean(a);                    // Arjovsky et al. 2017
        return bceLogits(a, smoothing.in(r)) + bceLogits(b, 0);
    }
    float realTarget() const {
        return loss == "minimax" || loss == "non-saturating" ? float(smoothing.value()) : 1;
    }
    Var generatorLoss(Var b) const {
        if (loss == "minimax") return -mean(softplus(b));         // E log(1 - D)
        if (loss == "non-saturating") return mean(softplus(-b));  // -E log D
        if (loss == "least-squares") return 0.5f * mean(square(b - 1));
        return -mean(b);
    }
    // WGAN-GP (Gulrajani et al. 2017) and R1 (Mescheder et al. 2018); empty if neither is on.
    Var penalty(Recorder& r, const Mlp& D, Var x, Var fake, Var a) const {
        Var total;
        if (loss == "wgan-gp") {
            const Var t = r.uniform("interpolate", {batch, 1});
            const Var between = t * x + (1 - t) * fake;
            const Var slope = r.gradient(sum(D(between)), {between})[0];
            total = mean(square(sqrt(sumColumns(square(slope)) + 1e-12f) - 1)) * gp.in(r);
        }
        if (r1.value() > 0) {
            const Var slope = r.gradient(sum(a), {x})[0];
            const Var p = float(r1.value() / 2) * mean(sumColumns(square(slope)));
            total = total ? total + p : p;
        }
        return total;
    }

    // ---- view plans

    // |grad_theta G| under both losses, one of them counterfactual, on the same samples.
    void bothGradientNorms(Recorder& r, const Mlp& G, const Mlp& D) const {
        const Var b = D(G(noise(r, "z_norms", 256)));
        r.probe("grad_norm_saturating", gradientNorm(r.gradients(-mean(softplus(b)), "generator")));
        r.probe("grad_norm_non_saturating", gradientNorm(r.gradients(mean(softplus(-b)), "generator")));
    }

    void viewLine(Recorder& r, const Mlp& G, const Mlp& D) const {
        std::vector<float> grid(lineGrid);
        for (int i = 0; i < lineGrid; ++i) grid[size_t(i)] = lineCoordinate(i);
        const Var x = r.probe("grid_x", r.constant({lineGrid, 1}, grid));
        r.probe("d_line", probability(D(x)));
        const Var z = int(zDim) == 1 ? priorGrid(r, 64) : noise(r, "z_lines", 64);
        r.probe("z_lines", concatColumns(sliceColumns(z, 0, 1), G(z)));
    }

    void viewPlane(Recorder& r, const Mlp& G, const Mlp& D) const {
        constexpr PlaneGrid plane = playingField;
        std::vector<float> grid;
        for (int j = 0; j < plane.side; ++j)
            for (int i = 0; i < plane.side; ++i) {
                grid.push_back(float(plane.coordinate(i)));
                grid.push_back(float(plane.coordinate(j)));
            }
        r.probe("d_field", probability(D(r.constant({plane.side * plane.side, 2}, grid))));

        // The sum over samples, so that each arrow is its own sample's gradient.
        const Var x = G(noise(r, "z_arrows", 256));
        const Var push = -r.gradient(256.0f * generatorLoss(D(x)), {x})[0];
        r.probe("arrows", concatColumns(x, push));
        if (int(zDim) == 2) r.probe("warp", G(priorGrid(r, warpGrid)));
    }

    // A regular grid of noise: over the uniform prior's range, or at the normal's quantiles.
    Var priorGrid(Recorder& r, int side) const {
        const auto at = [&](int i) {
            const double t = double(i) / (side - 1);
            return prior == "uniform" ? float(2 * t - 1) : float(5 * t - 2.5);
        };
        std::vector<float> z;
        if (int(zDim) == 1) {
            for (int i = 0; i < side; ++i) z.push_back(at(i));
            return r.constant({side, 1}, z);
        }
        for (int j = 0; j < side; ++j)
            for (int i = 0; i < side; ++i) z.insert(z.end(), {at(i), at(j)});
        return r.constant({side * side, 2}, z);
    }

    // Eight rows of nine: straight lines in z.
    void viewInterpolation(Recorder& r, const Mlp& G) const {
        constexpr int rows = 8, columns = 9;
        std::vector<float> mix(rows * columns * 2 * rows, 0);
        for (int i = 0; i < rows * columns; ++i) {
            const float t = float(i % columns) / (columns - 1);
            mix[size_t(i * 2 * rows + i / columns)] = 1 - t;
            mix[size_t(i * 2 * rows + rows + i / columns)] = t;
        }
        r.probe("lerp", G(matmul(r.constant({rows * columns, 2 * rows}, mix), noise(r, "lerp", 2 * rows))));
    }

    RealDataPtr m_data;
};

}  // namespace

std::unique_ptr<Lesson> gan() {
    return std::make_unique<Gan>();
}

}  // namespace core::lessons
