// Denoising diffusion probabilistic models (Ho et al. 2020): data are noised step by step until nothing is
// left of them, and a network that has learned to see the noise takes it away again.
#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

#include "core/data/density.h"
#include "core/data/fashion_mnist.h"
#include "core/data/forward_process.h"
#include "core/data/metrics.h"
#include "core/data/points.h"
#include "core/data/sample_figures.h"
#include "core/lessons/lesson.h"
#include "core/nn/diffusion.h"
#include "core/nn/plane_net.h"
#include "core/nn/unet.h"

namespace core::lessons {
namespace {

constexpr int side = 28;                        // of a picture
constexpr int bins = 16;                        // of t
constexpr int judged = 2000, judgedSteps = 40;  // points, and steps of the sampler that draws them
constexpr int binRows = 64;                     // of the bound, for each bin
constexpr int judgedOfRun = 500;                // points of a run of the sampler, at most
constexpr int frechetCount = 500;               // pictures, at least
constexpr size_t nearestRowsOfTest = 16;
constexpr int knots = 6;      // of the schedule drawn by hand
constexpr int embedded = 64;  // times whose embedding is shown
constexpr PlaneGrid arrows{24, 3.5}, plane{96, 3.5};

class Ddpm final : public Lesson {
  public:
    std::vector<Preset> presets() const override {
        return {
            {"plane-ring8", {}, 6000},
            {"plane-moons", {{"data", "moons"}}, 6000},
            {"plane-swiss", {{"data", "swiss-roll"}, {"target", "v"}}, 6000},
            {"fashion",
             {{"data", "fashion"}, {"batch", "64"}, {"lr", "0.0005"}, {"clip", "on"}, {"sampler", "ddim"}},
             9380},
            {"no-added-noise", {{"added_noise", "0"}}, 6000},
            {"too-few-steps", {{"sampler", "euler"}, {"sampler_steps", "4"}}, 6000},
            {"cosine-vs-linear", {{"schedule", "cosine"}, {"clip", "on"}}, 6000}};
    }

    void open() override {
        const OwnData* file = own(data);
        CHECK(!file || file->columns() > 1,
              "data: expected points in the plane or pictures, {} has points on the line", file->name);
        const std::string wanted = file ? file->fingerprint : data.option();
        if (m_loaded == wanted) return;
        m_exact.reset();
        if (file) {
            m_train = file->train;
            m_test = file->test;
        } else if (pictures()) {
            const bool shapes = data == "shapes";
            CHECK(shapes || fashionMnistInstalled(),
                  "Fashion-MNIST is not installed: `sudo apt install dataset-fashion-mnist` brings it; until "
                  "then choose "
                  "shapes or another built-in data set");
            m_train = shapes ? shapesTable(20000, 1).images : fashionMnist(Split::train).images;
            m_test = shapes ? shapesTable(10000, 2).images : fashionMnist(Split::test).images;
        } else {
            const PointSet set = pointSet(wanted, 1 << 16, 1);
            m_train = set.points;
            m_exact = set.exact;
            m_test = pointSet(wanted, 4 * judged, 2).points;
        }
        m_loaded = wanted;
        m_baselines = std::make_shared<std::map<int, double>>();
        m_apart.clear();
        m_distance = nullptr;
        m_meanSquare = meanSquare(*m_train);
        m_chain.clear();
        m_floor.clear();
    }

    // ---- the algorithm

    void train(Recorder& r) override {
        r.stage("draw_x0");
        const Var x0 = r.probe("x0", rows(r, "data", m_train, batch));
        r.stage("draw_t");
        const Var t = r.probe("t", randomTimes(r, "t", batch, timesteps) + 1);
        r.stage("draw_eps");
        const Var eps = r.probe("eps", r.normal("eps", x0.shape()));
        r.stage("noise");
        const Var abar = r.probe("abar", abarAt(r, t));
        const Var x = r.probe("x_t", qSample(x0, eps, abar));
        r.stage("predict");
        const Var out = r.probe("prediction", network(r.scope(""), x, t));
        r.stage("loss");
        const Var wanted = r.probe("target", targetOf(x0, eps, abar));
        // Scores are weighed by their variance, or the smallest t would be all there is (Song and Ermon
        // 2019).
        const Var error = target == "score" ? sqrt(1 - abar) * (out - wanted) : out - wanted;
        const Var loss = r.probe("loss", mean(square(error)));
        keepByTime(r, t, noiseOf(out, x, abar) - eps);
        r.stage("gradients");
        const Gradients g = r.gradients(loss, "");
        r.probe("grad_norm", gradientNorm(g));
        r.stage("update");
        r.update(g, Adam{lr, beta1, beta2}, {.average = averageDecay(r)});
    }

    // ---- sampling

    std::optional<SamplingSetup> sampling() const override {
        return pictures() ? SamplingSetup{.sample = {side, side, 1}, .count = 64, .clip = 1}
                          : SamplingSetup{.sample = {2}, .count = 1000, .clip = planeExtent};
    }
    SamplingPath samplingPath() const override {
        const std::vector<double> abar = abars();
        SamplingPath path;
        for (int t = timesteps; t > 0; --t)
            path.points.push_back({double(t), std::sqrt(abar[size_t(t)]), std::sqrt(1 - abar[size_t(t)])});
        path.points.push_back({0, 1, 0});
        return path;
    }
    Denoised denoise(Recorder& r, const Denoising& at) override {
        const Var out = network(r.scope(""), at.x, at.t);
        // With the scales themselves where 1 - abar would lose digits.
        if (target == "x0") return {out, (at.x - at.signal * out) / at.noise};
        if (target == "v") return {at.signal * at.x - at.noise * out, at.noise * at.x + at.signal * out};
        const Var eps = target == "score" ? -at.noise * out : out;
        return {(at.x - at.noise * eps) / at.signal, eps};
    }

    FigureWork judge(const Trajectory& run) override {
        std::vector<float> x = run.values(Trajectory::state, run.total);
        if (!pictures()) return planeFigures(std::move(x), m_test, judgedOfRun, m_baselines);
        // Fewer pictures than that say little of 64 features.
        if (data != "fashion" || run.count < frechetCount) return nullptr;
        return garmentFigures(std::move(x), m_train, m_baselines);
    }

    // ---- what is looked at

    void view(Recorder& r) override {
        const Var t = chosenTime(r), abar = abarAt(r, t);
        const int count = pictures() ? 16 : 1000, seen = pictures() ? 4 : 64;
        const Var x0 = r.probe("forward_x0", rows(r, "forward", m_test, count));
        const Var eps = r.probe("forward_eps", r.normal("forward_eps", x0.shape()));
        const Var x = r.probe("forward_xt", qSample(x0, eps, abar));
        r.probe("forward_abar", abar);
        viewPrediction(r, sliceRows(x, 0, seen), t, abar);
        viewEmbedding(r);
        if (pictures()) {
            r.probe("nearest_row",
                    r.handle("nearest_query", {1, side * side}, std::vector<float>(side * side, 0)));
            return;
        }
        viewField(r, t, abar);
        viewPosterior(r, t);
    }

    void evaluate(Recorder& r) override {
        evaluateBound(r);
        if (!pictures()) r.probe("judged", drawn(r));
    }

    std::vector<Measure> measures() override {
        std::vector<Measure> all = {scheduleCurves(), chain(), bound()};
        if (pictures()) {
            all.push_back(nearest());
            return all;
        }
        all.push_back(distance());
        all.push_back(marginal());
        if (m_exact) {
            all.push_back(exactScore());
            all.push_back(floors());
        }
        return all;
    }

    std::vector<const Knob*> idle() const override {
        std::vector<const Knob*> all;
        if (schedule != "drawn")
            all.insert(all.end(), {&drawn0, &drawn1, &drawn2, &drawn3, &drawn4, &drawn5});
        if (pictures())
            all.insert(all.end(), {&width, &depth});
        else
            all.push_back(&channels);
        if (sampler != "ddim") all.push_back(&eta);
        if (sampler != "ddpm" && sampler != "ddim") all.push_back(&addedNoise);
        return all;
    }

    Choice data{*this,
                "data",
                {"ring8", "grid25", "moons", "swiss-roll", "checkerboard", "spirals", "pinwheel", "circles",
                 "fashion", "shapes"}};
    Choice schedule{*this, "schedule", {"linear", "cosine", "quadratic", "sigmoid", "drawn"}};
    Structural timesteps{*this, "timesteps", 1000, 2, 1000};
    Choice target{*this, "target", {"eps", "x0", "v", "score"}};
    Structural width{*this, "width", 128, 8, 512};
    Structural depth{*this, "depth", 4, 2, 6};
    Choice channels{*this, "channels", {"32", "16", "8", "64"}};
    Structural batch{*this, "batch", 512, 16, 2048};
    Live lr{*this, "lr", 1e-3, 1e-6, 1e-1, Live::logarithmic};
    Live beta1{*this, "beta1", 0.9, 0, 0.999, Live::linear};
    Live beta2{*this, "beta2", 0.999, 0.5, 0.9999, Live::linear};
    Live ema{*this, "ema", 0.999, 0, 0.9999, Live::linear};
    Live drawn0{*this, "drawn_0", 9, -12, 12, Live::linear};
    Live drawn1{*this, "drawn_1", 2.5, -12, 12, Live::linear};
    Live drawn2{*this, "drawn_2", 0.7, -12, 12, Live::linear};
    Live drawn3{*this, "drawn_3", -0.7, -12, 12, Live::linear};
    Live drawn4{*this, "drawn_4", -2.5, -12, 12, Live::linear};
    Live drawn5{*this, "drawn_5", -9, -12, 12, Live::linear};
    Choice sampler{*this, "sampler", {"ddpm", "ddim", "euler", "heun", "dpm++"}, Change::sampling};
    Sampled samplerSteps{*this, "sampler_steps", 50, 1, 1000, true};
    Choice spacing{*this, "spacing", {"trailing", "leading", "linear", "karras"}, Change::sampling};
    Sampled eta{*this, "eta", 0, 0, 1};
    Choice sigma{*this, "sigma", {"beta-tilde", "beta"}, Change::sampling};
    Sampled addedNoise{*this, "added_noise", 1, 0, 1};
    Switch clip{*this, "clip", Change::sampling};
    Choice useEma{*this, "use_ema", {"on", "off"}, Change::sampling};

  private:
    using Channels = std::map<std::string, Tensor>;

    bool pictures() const { return own(data) ? own(data)->pictures : data == "fashion" || data == "shapes"; }

    // Rows of the table; pictures in [-1, 1].
    Var rows(Recorder& r, const std::string& stream, const TablePtr& table, int count) const {
        const Var x = r.drawRows(stream, table, count);
        return pictures() ? 2 * x - 1 : x;
    }
    static double meanSquare(const Table& table) {
        double sum = 0;
        for (float v : table.values) sum += double(v) * double(v);
        for (uint8_t v : table.bytes) sum += std::pow(v / 127.5 - 1, 2);
        return sum / double(table.rows * table.columns);
    }

    // ---- schedule: abar of steps 0 ... T

    // log SNR at the knots, which may not rise.
    std::array<double, knots> drawnSnr() const {
        std::array<double, knots> snr{drawn0.value(), drawn1.value(), drawn2.value(),
                                      drawn3.value(), drawn4.value(), drawn5.value()};
        for (size_t k = 1; k < knots; ++k) snr[k] = std::min(snr[k], snr[k - 1] - 0.01);
        return snr;
    }
    // What each knot counts at step t, by linear interpolation.
    std::array<double, knots> hats(int t) const {
        std::array<double, knots> hat{};
        const double at = (knots - 1) * double(t - 1) / (timesteps - 1);
        const auto k = std::min(size_t(at), size_t(knots - 2));
        hat[k] = 1 - (at - double(k));
        hat[k + 1] = at - double(k);
        return hat;
    }
    std::vector<double> abars() const {
        std::vector<double> abar = {1};
        if (schedule == "drawn") {
            const std::array<double, knots> snr = drawnSnr();
            for (int t = 1; t <= timesteps; ++t) {
                const std::array<double, knots> hat = hats(t);
                double logSnr = 0;
                for (size_t k = 0; k < knots; ++k) logSnr += hat[k] * snr[k];
                abar.push_back(1 / (1 + std::exp(-logSnr)));
            }
            return abar;
        }
        const std::vector<double> rest = schedule == "cosine" ? cosineAlphaBar(timesteps) : byBeta();
        abar.insert(abar.end(), rest.begin(), rest.end());
        return abar;
    }
    // The betas are those of T = 1000, scaled so that as much noise comes together in fewer steps.
    std::vector<double> byBeta() const {
        const double first = 0.1 / timesteps, last = 20.0 / timesteps;
        if (schedule == "quadratic") return quadraticAlphaBar(timesteps, first, last);
        if (schedule == "sigmoid") return sigmoidAlphaBar(timesteps, first, last);
        return linearAlphaBar(timesteps, first, last);
    }
    // At each t [B, 1], 0 ... T: [B, 1]. One that is drawn follows its knobs while it trains.
    Var abarAt(Recorder& r, Var t) const {
        const int count = timesteps + 1;
        Var table;
        if (schedule == "drawn") {
            const Live* const all[] = {&drawn0, &drawn1, &drawn2, &drawn3, &drawn4, &drawn5};
            Var snr, last;
            for (const Live* knot : all) {
                const Var own = reshape(knot->in(r), {1, 1});
                const Var limit = last ? last - 0.01f : own;
                last = last ? own - relu(own - limit) : own;
                snr = snr ? concatRows(snr, last) : last;
            }
            std::vector<float> weights;
            for (int t1 = 1; t1 <= timesteps; ++t1)
                for (double hat : hats(t1)) weights.push_back(float(hat));
            table =
                concatRows(r.fill({1, 1}, 1), sigmoid(matmul(r.constant({timesteps, knots}, weights), snr)));
        } else {
            const std::vector<double> abar = abars();
            table = r.constant({count, 1}, {abar.begin(), abar.end()});
        }
        return reshape(gatherRows(table, t), {t.rows(), 1});
    }

    // ---- the network, with the names of the reference; x [B, D] or [B, 28, 28, 1], t [B, 1] or [1, 1] in 1
    // ... T

    Var network(const Scope& scope, Var x, Var t) const {
        if (!pictures()) return PlaneNet(scope, width + int(width) % 2, depth)(x, t - 1);
        UNetSizes sizes;
        sizes.channels = std::stoi(channels.option());
        const Var out = UNet(scope, sizes)(reshape(x, {x.rows(), side, side, 1}), t - 1);
        return reshape(out, x.shape());
    }
    Var averaged(Recorder& r, Var x, Var t) const { return network(r.scope("").averages(), x, t); }
    // min(ema, (t + 1) / (t + 10)): the first steps are not held back by the initialisation.
    Var averageDecay(Recorder& r) const {
        const Var t = stepNumber(r), decay = ema.in(r);
        return decay - relu(decay - (t + 1) / (t + 10));
    }

    // One prediction in four languages.
    Var targetOf(Var x0, Var eps, Var abar) const {
        if (target == "x0") return x0;
        if (target == "v") return velocityOf(x0, eps, abar);
        return target == "score" ? scoreFromNoise(eps, abar) : eps;
    }
    Var noiseOf(Var out, Var x, Var abar) const {
        if (target == "x0") return noiseFromClean(x, out, abar);
        if (target == "v") return noiseFromVelocity(x, out, abar);
        return target == "score" ? noiseFromScore(out, abar) : out;
    }

    // The mean square of the error by t, averaged over the last fifty steps or so.
    void keepByTime(Recorder& r, Var t, Var error) const {
        const Var each = detach(affine(sumColumns(square(error)), 1.0f / float(error.columns()), 0));
        std::vector<float> low, high;
        for (int b = 0; b < bins; ++b) {
            low.push_back(float(timesOf(b).first) - 0.5f);
            high.push_back(float(timesOf(b).second) + 0.5f);
        }
        const Shape both{t.rows(), bins};
        const Var wide = broadcastTo(t, both);
        const Var inBin = step(wide - r.constant({bins}, low)) * step(r.constant({bins}, high) - wide);
        const auto gathered = [&](Var x) { return reshape(sumRows(x), {bins, 1}); };
        const Var hits = gathered(inBin), hit = step(hits);
        const Var seen = r.state("loss_by_t.seen", {bins, 1}, {});
        const Var kept = r.state("loss_by_t.mean", {bins, 1}, {});
        const Var times = seen + hit, share = 0.02f + relu(reciprocal(clampMin(times, 1)) - 0.02f);
        const Var next = kept + hit * share * (gathered(inBin * each) / clampMin(hits, 1) - kept);
        r.probe("loss_by_t", next);
        for (int i = 0; i < bins; ++i)
            r.probe(fmt::format("loss_t{:02}", i), reshape(sliceRows(next, i, 1), {1}));
        r.assign(seen, times);
        r.assign(kept, next);
    }
    // The first and last t of a bin; both 0 where T is so small that it has none.
    std::pair<int, int> timesOf(int bin) const {
        int first = 0, last = 0;
        for (int t = 1; t <= timesteps; ++t) {
            if (int(float(t - 1) * (float(bins) / float(int(timesteps)))) != bin) continue;
            if (first == 0) first = t;
            last = t;
        }
        return {first, last};
    }

    // ---- view plans

    // The handle `t`, brought to a step of the schedule.
    Var chosenTime(Recorder& r) const {
        const auto last = float(int(timesteps));
        const Var t = floor(r.handle("t", {1, 1}, {std::round(last / 4)}) + 0.5f), high = t - relu(t - last);
        return r.probe("forward_t", high + relu(1 - high));
    }

    void viewPrediction(Recorder& r, Var x, Var t, Var abar) const {
        const Var out = averaged(r, x, t), eps = noiseOf(out, x, abar), x0 = cleanFromNoise(x, eps, abar);
        r.probe("predicted_eps", eps);
        r.probe("predicted_x0", x0);
        r.probe("predicted_v", velocityOf(x0, eps, abar));
        r.probe("predicted_score", scoreFromNoise(eps, abar));
    }

    void viewEmbedding(Recorder& r) const {
        std::vector<float> times;
        for (int i = 0; i < embedded; ++i)
            times.push_back(float(std::lround((timesteps - 1.0) * i / (embedded - 1))));
        const int inner = pictures() ? std::stoi(channels.option()) : width + int(width) % 2;
        const int outer = pictures() ? 4 * inner : inner;
        const Scope scope = r.scope("").averages() / "t_mlp";
        const Var e = r.probe("time_embedding", sinusoidalEmbedding(r.constant({embedded, 1}, times), inner));
        r.probe("time_mlp", Linear(scope / 2, outer, outer)(silu(Linear(scope / 0, inner, outer)(e))));
    }

    void viewField(Recorder& r, Var t, Var abar) const {
        std::vector<float> grid;
        for (int j = 0; j < arrows.side; ++j)
            for (int i = 0; i < arrows.side; ++i)
                grid.insert(grid.end(), {float(arrows.coordinate(i)), float(arrows.coordinate(j))});
        const Var x = r.constant({arrows.side * arrows.side, 2}, grid);
        r.probe("score_field", scoreFromNoise(noiseOf(averaged(r, x, t), x, abar), abar));
    }

    // The first coordinate of q(x_{t-1} | x_t, x_0) and of what the network makes of it, for t > 1.
    void viewPosterior(Recorder& r, Var chosen) const {
        const Var points = r.handle("posterior", {1, 4}, {2, 0, 1, 0.5f});
        const Var x0 = sliceColumns(points, 0, 2), x = sliceColumns(points, 2, 2);
        const Var t = chosen + relu(2 - chosen);
        const Var abar = abarAt(r, t), before = abarAt(r, t - 1), beta = 1 - abar / before;
        const Var estimate = cleanFromNoise(x, noiseOf(averaged(r, x, t), x, abar), abar);
        const auto mean = [&](Var clean) {
            return sliceColumns(
                sqrt(before) * beta / (1 - abar) * clean + sqrt(1 - beta) * (1 - before) / (1 - abar) * x, 0,
                1);
        };
        const Var variance = (1 - before) / (1 - abar) * beta;
        const Var ours =
            variance + r.live(sigma.slot()) * (beta - variance);  // the knob's options are 0 and 1
        const Var q = mean(x0), p = mean(estimate), apart = q - p;
        const Var kl = 0.5f * (variance / ours - 1 - log(variance / ours) + square(apart) / ours);
        const Var both = concatColumns(concatColumns(q, sqrt(variance)), concatColumns(p, sqrt(ours)));
        r.probe("posterior", concatColumns(both, concatColumns(kl, t)));
    }

    // ---- evaluation

    // The terms of the bound at t > 1, |eps - eps_theta|^2 weighed as sigma^2 = beta has it, and x_0 at t
    // = 1.
    void evaluateBound(Recorder& r) const {
        const int each = pictures() ? binRows / 16 : binRows, count = bins * each;
        std::vector<float> times;
        for (int b = 0; b < bins; ++b) {
            const auto [first, last] = timesOf(b);
            for (int i = 0; i < each; ++i)
                times.push_back(float(std::max(2, first + int((i + 0.5) / each * (last - first + 1)))));
        }
        const Var t = r.constant({count, 1}, times);
        const Var x0 = rows(r, "bound", m_test, count), eps = r.normal("bound_eps", x0.shape());
        const Var abar = abarAt(r, t), before = abarAt(r, t - 1), beta = 1 - abar / before;
        const Var x = qSample(x0, eps, abar);
        const Var miss = sumColumns(square(noiseOf(averaged(r, x, t), x, abar) - eps));
        const Var nats = affine(beta * before / (abar * (1 - abar)) * miss, 0.5f / float(x0.columns()), 0);
        r.probe("bound_terms", affine(sumColumns(reshape(nats, {bins, each})), 1.0f / float(each), 0));

        const Var one = r.fill({1, 1}, 1), ends = rows(r, "bound_end", m_test, each);
        const Var abar1 = abarAt(r, one), x1 = qSample(ends, r.normal("bound_end_eps", ends.shape()), abar1);
        r.probe("bound_x0", ends);
        r.probe("bound_mean", cleanFromNoise(x1, noiseOf(averaged(r, x1, one), x1, abar1), abar1));
    }

    // Every set lies there; where there is hardly any signal, a small error of eps leads far out of it.
    static Var inThePlane(Var x) {
        const auto extent = float(planeExtent);
        const Var low = x - relu(x - extent);
        return low + relu(-low - extent);
    }

    // Points drawn by DPM-Solver++(2M).
    Var drawn(Recorder& r) const {
        Var x = r.normal("judged", {judged, 2}), lastClean, lastAbar;
        const int count = std::min<int>(judgedSteps, timesteps);
        const auto at = [&](int k) {
            return abarAt(r, r.fill({1, 1}, float(std::lround(timesteps - double(k) * timesteps / count))));
        };
        for (int k = 0; k < count; ++k) {
            const Var t = r.fill({1, 1}, float(std::lround(timesteps - double(k) * timesteps / count)));
            const Var abar = at(k), next = at(k + 1);
            const Var clean = inThePlane(cleanFromNoise(x, noiseOf(averaged(r, x, t), x, abar), abar));
            if (k + 1 == count) return clean;
            x = dpmSolverStep(x,
                              lastClean ? dpmSolverPrediction(clean, lastClean, lastAbar, abar, next) : clean,
                              abar, next);
            lastClean = clean;
            lastAbar = abar;
        }
        return x;
    }

    // ---- measures

    // Rows t = 1 ... T: beta, abar, SNR, its log, the bound's weight, beta-tilde / beta.
    Measure scheduleCurves() const {
        return {{"schedule"}, {}, [this](Channels& c) {
                    const std::vector<double> abar = abars();
                    Tensor curves{{int(timesteps), 6}, {}};
                    for (int t = 1; t <= timesteps; ++t) {
                        const double a = abar[size_t(t)], snr = a / (1 - a);
                        // sigma^2 is beta at t = 1, where beta-tilde is 0.
                        const double weight = t == 1 ? 1 / (1 - betaAt(abar, 1)) : boundWeight(abar, t);
                        for (double value :
                             {betaAt(abar, t), a, snr, std::log(snr), weight, posteriorShare(abar, t)})
                            curves.values.push_back(float(value));
                    }
                    c["schedule"] = std::move(curves);
                }};
    }

    // Some of the test set taken through the chain one step at a time, against the closed form.
    Measure chain() {
        return {{"chain_xt", "chain_ks", "chain_ks_limit"}, {"forward_t", "forward_xt"}, [this](Channels& c) {
                    const int columns = m_test->columns;
                    const int64_t count = pictures() ? 2 : 500;
                    const std::vector<double> abar = abars();
                    if (m_chain.size() != abar.size() || m_chainAbar != abar) {
                        std::vector<float> x0;
                        for (int64_t i = 0; i < count * columns; ++i)
                            x0.push_back(m_test->values.empty() ? float(m_test->bytes[size_t(i)]) / 127.5f - 1
                                                                : m_test->values[size_t(i)]);
                        m_chain = forwardChain(x0, abar, 1);
                        m_chainAbar = abar;
                    }
                    const std::vector<float>& x = m_chain[size_t(c["forward_t"].values[0])];
                    const std::vector<float>& closed = c["forward_xt"].values;
                    // One number of each sample: they are independent.
                    const auto first = [&](const std::vector<float>& all) {
                        std::vector<float> out;
                        const size_t apart = pictures() ? 1 : size_t(columns);
                        for (size_t i = 0; i < all.size(); i += apart) out.push_back(all[i]);
                        return out;
                    };
                    const std::vector<float> a = first(x), b = first(closed);
                    c["chain_xt"] = {{int(count), columns}, x};
                    c["chain_ks"] = scalar(smirnovDistance(a, b));
                    c["chain_ks_limit"] = scalar(smirnovLimit(int64_t(a.size()), int64_t(b.size())));
                }};
    }

    // Bits for each dimension: L_0, the bins of t, L_T.
    Measure bound() const {
        return {
            {"bound_bits", "bound_total"}, {"bound_terms", "bound_x0", "bound_mean"}, [this](Channels& c) {
                const std::vector<double> abar = abars();
                const double bitsOfNat = 1 / std::numbers::ln2;
                Tensor bits{{bins + 2, 1}, {float(lastBits(c, abar[1]))}};
                for (int b = 0; b < bins; ++b) {
                    const auto [first, last] = timesOf(b);
                    double nats = 0;
                    for (int t = std::max(first, 2); t <= last; ++t) {
                        const double share = posteriorShare(abar, t);  // KL of the variances
                        nats +=
                            double(c["bound_terms"].values[size_t(b)]) + 0.5 * (share - 1 - std::log(share));
                    }
                    bits.values.push_back(float(nats * bitsOfNat));
                }
                bits.values.push_back(float(priorBits(abar.back(), m_meanSquare)));
                double total = 0;
                for (float b : bits.values) total += double(b);
                c["bound_bits"] = std::move(bits);
                c["bound_total"] = scalar(total);
            }};
    }
    // -log2 p(x_0 | x_1) for each dimension: a density of points, the probability of a grey level of
    // pictures.
    double lastBits(Channels& c, double abar1) const {
        const std::vector<float>&x = c["bound_x0"].values, &mu = c["bound_mean"].values;
        const double deviation = std::sqrt(1 - abar1);
        const auto below = [&](double z) { return 0.5 * std::erfc(-z / (deviation * std::numbers::sqrt2)); };
        double nats = 0;
        for (size_t i = 0; i < x.size(); ++i) {
            const double apart = double(x[i]) - double(mu[i]);
            if (!pictures()) {
                nats += 0.5 * std::pow(apart / deviation, 2) +
                        std::log(deviation * std::sqrt(2 * std::numbers::pi));
            } else {
                const double high = x[i] > 0.999f ? 1 : below(apart + 1 / 255.0);
                const double low = x[i] < -0.999f ? 0 : below(apart - 1 / 255.0);
                nats -= std::log(std::max(high - low, 1e-12));
            }
        }
        return nats / double(x.size()) / std::numbers::ln2;
    }

    // The training picture closest to the query, and how far pictures of the test set are from theirs: one
    // more of them each time, until there are enough for a mean.
    Measure nearest() {
        return {
            {"nearest_image", "nearest_distance", "nearest_baseline"}, {"nearest_row"}, [this](Channels& c) {
                std::vector<float> query = c["nearest_row"].values;
                for (float& v : query) v = 0.5f * (v + 1);
                const bool another = m_apart.size() < std::min(nearestRowsOfTest, size_t(m_test->rows));
                if (another) {
                    const auto begin = int64_t(m_apart.size()) * side * side;
                    for (int64_t i = begin; i < begin + side * side; ++i)
                        query.push_back(m_test->values.empty() ? float(m_test->bytes[size_t(i)]) / 255
                                                               : m_test->values[size_t(i)]);
                }
                const NearestRows found = nearestRows(*m_train, query);
                if (another) m_apart.push_back(2 * double(found.distances[1]));
                Tensor image{{1, side * side}, {}};
                for (int i = 0; i < side * side; ++i) image.values.push_back(2 * found.rows[size_t(i)] - 1);
                c["nearest_image"] = std::move(image);
                c["nearest_distance"] = scalar(2 * double(found.distances[0]));
                double sum = 0;
                for (double apart : m_apart) sum += apart;
                c["nearest_baseline"] = scalar(sum / double(m_apart.size()));
            }};
    }

    // To as many fresh points, and what two sets of fresh points are apart.
    Measure distance() {
        Measure m{{"w2", "w2_baseline"}, {"judged"}, nullptr};
        m.computePart = [this](Channels& c) {
            if (!m_distance || m_judged != c["judged"].values) {
                m_judged = c["judged"].values;
                m_distance = planeFigures(m_judged, m_test, judged, m_baselines);
            }
            std::map<std::string, double> figures;
            if (!m_distance(figures)) return false;
            m_distance = nullptr;
            for (const auto& [name, value] : figures) c[name] = scalar(value);
            return true;
        };
        return m;
    }

    // The density of x_t: exact for mixtures, else from the points that were taken there.
    Measure marginal() const {
        return {{"marginal"}, {"forward_xt", "forward_abar"}, [this](Channels& c) {
                    std::vector<float> density;
                    if (m_exact) {
                        const Mixture p = diffused(*m_exact, double(c["forward_abar"].values[0]));
                        for (int j = 0; j < plane.side; ++j)
                            for (int i = 0; i < plane.side; ++i)
                                density.push_back(float(p.density(plane.coordinate(i), plane.coordinate(j))));
                    } else {
                        density = planeDensity(c["forward_xt"].values, plane, 0.12);
                    }
                    c["marginal"] = column(std::move(density));
                }};
    }

    Measure exactScore() const {
        return {{"score_exact", "score_error", "score_rmse"},
                {"score_field", "forward_abar"},
                [this](Channels& c) {
                    const Mixture p = diffused(*m_exact, double(c["forward_abar"].values[0]));
                    const std::vector<float>& learned = c["score_field"].values;
                    Tensor exact{{arrows.side * arrows.side, 2}, {}};
                    std::vector<float> error;
                    double weighed = 0, weight = 0;  // where points are
                    for (int j = 0; j < arrows.side; ++j)
                        for (int i = 0; i < arrows.side; ++i) {
                            const double x = arrows.coordinate(i), y = arrows.coordinate(j);
                            const std::array<double, 2> s = p.score(x, y);
                            const double dx = double(learned[exact.values.size()]) - s[0];
                            const double dy = double(learned[exact.values.size() + 1]) - s[1];
                            exact.values.insert(exact.values.end(), {float(s[0]), float(s[1])});
                            error.push_back(float(std::hypot(dx, dy)));
                            const double density = p.density(x, y);
                            weighed += density * (dx * dx + dy * dy);
                            weight += density;
                        }
                    c["score_exact"] = std::move(exact);
                    c["score_error"] = column(std::move(error));
                    c["score_rmse"] = scalar(std::sqrt(weighed / weight));
                }};
    }

    // The loss that is left when E[eps | x_t] is known, at the middle of each bin of t.
    Measure floors() {
        return {{"loss_floor"}, {}, [this](Channels& c) {
                    const std::vector<double> abar = abars();
                    if (m_floor.empty() || m_floorAbar != abar) {
                        m_floor.clear();
                        m_floorAbar = abar;
                        for (int b = 0; b < bins; ++b) {
                            const auto [first, last] = timesOf(b);
                            double sum = 0;
                            for (double at : {1 / 6.0, 3 / 6.0, 5 / 6.0})
                                sum += lossFloor(*m_exact,
                                                 abar[size_t(first + std::lround(at * (last - first)))]) /
                                       3;
                            m_floor.push_back(float(sum));
                        }
                    }
                    c["loss_floor"] = column(m_floor);
                }};
    }

    std::string m_loaded;  // the built-in set, or the fingerprint of a file
    TablePtr m_train, m_test;
    std::optional<Mixture> m_exact;  // of the training points, where it is known
    double m_meanSquare = 1;
    Baselines m_baselines;        // of the data set
    std::vector<double> m_apart;  // pictures of the test set from those of training
    FigureWork m_distance;        // under way, of these points
    std::vector<float> m_judged;
    std::vector<std::vector<float>> m_chain;
    std::vector<double> m_chainAbar, m_floorAbar;
    std::vector<float> m_floor;
};

}  // namespace

std::unique_ptr<Lesson> ddpm() {
    return std::make_unique<Ddpm>();
}

}  // namespace core::lessons
