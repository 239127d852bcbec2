// Denoising diffusion probabilistic models (Ho et al. 2020): data are noised step by step until nothing is
// left of them, and a network that has learned to see the noise takes it away again.
#include <algorithm>
#include <cmath>

#include "core/data/points.h"
#include "core/lessons/ddpm/bound.h"
#include "core/lessons/ddpm/dataset.h"
#include "core/lessons/ddpm/measures.h"
#include "core/lessons/ddpm/schedule.h"
#include "core/lessons/lesson.h"
#include "core/nn/diffusion.h"
#include "core/nn/plane_net.h"
#include "core/nn/unet.h"

namespace core::lessons {
namespace {

constexpr int side = pictureSide;
constexpr int judgedSteps = 40;    // of the sampler that draws the points that are judged
constexpr int judgedOfRun = 500;   // points of a run of the sampler, at most
constexpr int frechetCount = 500;  // pictures, at least
constexpr int embedded = 64;       // times whose embedding is shown

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
        if (!m_data || m_data->id != (file ? file->fingerprint : data.option()))
            m_data = openDataset(data.option(), file);
    }

    // ---- the algorithm

    void train(Recorder& r) override {
        r.stage("draw_x0");
        const Var x0 = r.probe("x0", rows(r, "data", m_data->train, batch));
        r.stage("draw_t");
        const Var t = r.probe("t", randomTimes(r, "t", batch, timesteps) + 1);
        r.stage("draw_eps");
        const Var eps = r.probe("eps", r.normal("eps", x0.shape()));
        r.stage("noise");
        const Var abar = r.probe("abar", m_schedule.abarAt(r, t));
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
        const std::vector<double> abar = m_schedule.abars();
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

    std::vector<float> realSamples(int count, uint64_t seed) const override {
        return m_data->testRows(count, int64_t(seed % uint64_t(m_data->test->rows)) * count);
    }
    FigureWork judge(const Trajectory& run) override {
        std::vector<float> x = run.values(Trajectory::state, run.total);
        if (run.choices.at("sampler") == "inversion" && run.parent < 0)
            return roundTripFigures(run.values(Trajectory::state, 0),
                                    run.values(Trajectory::state, (run.total - 1) / 2), std::move(x));
        if (!pictures()) return planeFigures(std::move(x), m_data->test, judgedOfRun, m_data->baselines);
        // Fewer pictures than that say little of 64 features.
        if (data != "fashion" || run.count < frechetCount) return nullptr;
        return garmentFigures(std::move(x), m_data->train, m_data->baselines);
    }

    // ---- what is looked at

    void view(Recorder& r) override {
        const Var t = chosenTime(r), abar = m_schedule.abarAt(r, t);
        const int count = pictures() ? 16 : 1000, seen = pictures() ? 4 : 64;
        // The same that the chain begins with.
        const Var x0 =
            r.probe("forward_x0", r.constant({count, m_data->test->columns}, m_data->testRows(count)));
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
        recordBound(r, m_schedule,
                    {.testRows = [&](const std::string& stream,
                                     int count) { return rows(r, stream, m_data->test, count); },
                     .noise = [&](Var x, Var t, Var abar) { return averagedNoise(r, x, t, abar); },
                     .pictures = pictures()});
        if (!pictures()) r.probe("judged", drawn(r));
    }

    std::vector<Measure> measures() override {
        std::vector<Measure> all = {scheduleMeasure(m_schedule), chainMeasure(m_schedule, m_data),
                                    boundMeasure(m_schedule, pictures(), m_data->meanSquare)};
        if (pictures()) {
            all.push_back(nearestMeasure(m_data));
            return all;
        }
        all.push_back(distanceMeasure(m_data));
        all.push_back(marginalMeasure(m_data));
        if (m_data->exact) {
            all.push_back(scoreMeasure(m_data));
            all.push_back(floorMeasure(m_schedule, m_data));
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
    Structural width{*this, "width", 96, 8, 512};
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
    Choice sampler{
        *this, "sampler", {"ddpm", "ddim", "euler", "heun", "dpm++", "inversion"}, Change::sampling};
    Sampled samplerSteps{*this, "sampler_steps", 50, 1, 1000, true};
    Choice spacing{*this, "spacing", {"trailing", "leading", "linear", "karras"}, Change::sampling};
    Sampled eta{*this, "eta", 0, 0, 1};
    Choice sigma{*this, "sigma", {"beta-tilde", "beta"}, Change::sampling};
    Sampled addedNoise{*this, "added_noise", 1, 0, 1};
    Switch clip{*this, "clip", Change::sampling};
    Choice useEma{*this, "use_ema", {"on", "off"}, Change::sampling};

  private:
    bool pictures() const { return isOfPictures(data.option(), own(data)); }

    // Rows of the table; pictures in [-1, 1].
    Var rows(Recorder& r, const std::string& stream, const TablePtr& table, int count) const {
        const Var x = r.drawRows(stream, table, count);
        return pictures() ? 2 * x - 1 : x;
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
    Var averagedNoise(Recorder& r, Var x, Var t, Var abar) const {
        return noiseOf(averaged(r, x, t), x, abar);
    }

    // The mean square of the error by t, averaged over the last fifty steps or so.
    void keepByTime(Recorder& r, Var t, Var error) const {
        const Var each = detach(affine(sumColumns(square(error)), 1.0f / float(error.columns()), 0));
        std::vector<float> low, high;
        for (int b = 0; b < timeBins; ++b) {
            low.push_back(float(m_schedule.timesOf(b).first) - 0.5f);
            high.push_back(float(m_schedule.timesOf(b).second) + 0.5f);
        }
        const Shape both{t.rows(), timeBins};
        const Var wide = broadcastTo(t, both);
        const Var inBin =
            step(wide - r.constant({timeBins}, low)) * step(r.constant({timeBins}, high) - wide);
        const auto gathered = [&](Var x) { return reshape(sumRows(x), {timeBins, 1}); };
        const Var hits = gathered(inBin), hit = step(hits);
        const Var seen = r.state("loss_by_t.seen", {timeBins, 1}, {});
        const Var kept = r.state("loss_by_t.mean", {timeBins, 1}, {});
        const Var times = seen + hit, share = 0.02f + relu(reciprocal(clampMin(times, 1)) - 0.02f);
        const Var next = kept + hit * share * (gathered(inBin * each) / clampMin(hits, 1) - kept);
        r.probe("loss_by_t", next);
        for (int i = 0; i < timeBins; ++i)
            r.probe(fmt::format("loss_t{:02}", i), reshape(sliceRows(next, i, 1), {1}));
        r.assign(seen, times);
        r.assign(kept, next);
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
        for (int j = 0; j < arrowGrid.side; ++j)
            for (int i = 0; i < arrowGrid.side; ++i)
                grid.insert(grid.end(), {float(arrowGrid.coordinate(i)), float(arrowGrid.coordinate(j))});
        const Var x = r.constant({arrowGrid.side * arrowGrid.side, 2}, grid);
        r.probe("score_field", scoreFromNoise(averagedNoise(r, x, t, abar), abar));
    }

    // The first coordinate of q(x_{t-1} | x_t, x_0) and of what the network makes of it, for t > 1.
    void viewPosterior(Recorder& r, Var chosen) const {
        const Var points = r.handle("posterior", {1, 4}, {2, 0, 1, 0.5f});
        const Var x0 = sliceColumns(points, 0, 2), x = sliceColumns(points, 2, 2);
        const Var t = chosen + relu(2 - chosen);
        const Var abar = m_schedule.abarAt(r, t), before = m_schedule.abarAt(r, t - 1),
                  beta = 1 - abar / before;
        const Var estimate = cleanFromNoise(x, averagedNoise(r, x, t, abar), abar);
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

    // Every set lies there; where there is hardly any signal, a small error of eps leads far out of it.
    static Var inThePlane(Var x) {
        const auto extent = float(planeExtent);
        const Var low = x - relu(x - extent);
        return low + relu(-low - extent);
    }

    // Points drawn by DPM-Solver++(2M).
    Var drawn(Recorder& r) const {
        Var x = r.normal("judged", {judgedPoints, 2}), lastClean, lastAbar;
        const int count = std::min<int>(judgedSteps, timesteps);
        const auto at = [&](int k) {
            return m_schedule.abarAt(
                r, r.fill({1, 1}, float(std::lround(timesteps - double(k) * timesteps / count))));
        };
        for (int k = 0; k < count; ++k) {
            const Var t = r.fill({1, 1}, float(std::lround(timesteps - double(k) * timesteps / count)));
            const Var abar = at(k), next = at(k + 1);
            const Var clean = inThePlane(cleanFromNoise(x, averagedNoise(r, x, t, abar), abar));
            if (k + 1 == count) return clean;
            x = dpmSolverStep(x,
                              lastClean ? dpmSolverPrediction(clean, lastClean, lastAbar, abar, next) : clean,
                              abar, next);
            lastClean = clean;
            lastAbar = abar;
        }
        return x;
    }

    DatasetPtr m_data;
    const NoiseSchedule m_schedule{
        schedule, timesteps, {&drawn0, &drawn1, &drawn2, &drawn3, &drawn4, &drawn5}};
};

}  // namespace

std::unique_ptr<Lesson> ddpm() {
    return std::make_unique<Ddpm>();
}

}  // namespace core::lessons
