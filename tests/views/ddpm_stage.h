// Frames as the lesson on diffusion would give them, with a run of the sampler and a branch of it.
#pragma once

#include "tests/support/trajectories.h"
#include "view_stage.h"

namespace ddpmstage {

using namespace viewstage;

constexpr int steps = 1000;

// The schedule of Ho et al.: beta from 1e-4 to 0.02.
inline Tensor scheduleOf() {
    Tensor t{{steps, 6}, {}};
    double abar = 1;
    for (int i = 0; i < steps; ++i) {
        const double beta = 1e-4 + (0.02 - 1e-4) * i / (steps - 1), before = abar;
        abar *= 1 - beta;
        const double ratio = i ? (1 - before) / (1 - abar) : 0, snr = abar / (1 - abar);
        const double weight = beta / (2 * (1 - beta) * (1 - abar));
        for (const double v : {beta, abar, snr, std::log(snr), weight, ratio}) t.values.push_back(float(v));
    }
    return t;
}

inline views::Vec modeOf(int i) {
    const float turn = 0.785398f * float(i % 8);
    return {2 * std::cos(turn), 2 * std::sin(turn)};
}

inline support::TrajectoryMaker makerOf(bool pictures, int runSteps = 50) {
    support::TrajectoryMaker maker;
    maker.steps = runSteps;
    maker.count = pictures ? 64 : 400;
    if (pictures) maker.sample = {side, side, 1};
    return maker;
}

// The run 1, and the branch 2 that leaves it at three fifths.
inline void addRuns(Frame& frame, bool pictures) {
    support::TrajectoryMaker maker = makerOf(pictures);
    core::Trajectory run = maker.make(1);
    maker.seed = 2;
    core::Trajectory branch = maker.make(2);
    branch.parent = 1;
    branch.forkStep = 30;
    for (int i = 0; i < 30; ++i) branch.steps[size_t(i)] = run.steps[size_t(i)];
    frame.samplings = support::samplings({run, branch});
}

inline Frame commonFrame(const std::string& data) {
    Frame frame;
    frame.lesson = "ddpm";
    frame.step = 2400;
    frame.settings = {{"timesteps", double(steps)}, {"sampler", 0}, {"sampler_steps", 50}};
    for (int k = 0; k < 6; ++k) frame.settings["drawn_" + std::to_string(k)] = 9 - 3.6 * k;
    frame.choices = {{"data", data}, {"schedule", "linear"}, {"sampler", "ddpm"}};
    auto& c = frame.channels;
    c["schedule"] = scheduleOf();
    c["schedule_linear"] =
        filled(steps, 1, [&](int i, int) { return c["schedule"].values[size_t(6 * i + 1)]; });
    c["loss_by_t"] = filled(16, 1, [](int i, int) { return 0.9f * std::exp(-float(i) / 5) + 0.06f; });
    for (int i = 0; i < 16; ++i)
        scalar(frame, i < 10 ? "loss_t0" + std::to_string(i) : "loss_t" + std::to_string(i),
               [i](double s) { return 0.9 * std::exp(-double(i) / 5) + 0.06 + 0.7 * std::exp(-s / 300); });
    scalar(frame, "loss", [](double s) { return 0.25 + 0.7 * std::exp(-s / 300); });
    scalar(frame, "bound_total", [](double) { return 1.9; });
    c["bound_bits"] =
        filled(18, 1, [](int i, int) { return i == 17 ? 2.9e-5f : 0.8f * std::exp(-0.4f * float(i)); });
    scalar(frame, "chain_ks", [](double) { return 0.031; });
    scalar(frame, "chain_ks_limit", [](double) { return 0.074; });
    c["time_embedding"] = filled(64, 32, [](int i, int k) {
        const double speed = std::pow(10000.0, -double(k % 16) / 16);
        return float(k < 16 ? std::sin(15.9 * i * speed) : std::cos(15.9 * i * speed));
    });
    c["time_mlp"] = filled(64, 32, [](int i, int k) { return std::sin(0.1f * float(i) + float(k)); });
    return frame;
}

inline Frame pointsFrame(const std::string& data) {
    Frame frame = commonFrame(data);
    auto& c = frame.channels;
    Dice dice(3);
    const double abar = double(c["schedule"].values[6 * 249 + 1]);
    const auto signal = float(std::sqrt(abar)), noise = float(std::sqrt(1 - abar));
    c["forward_x0"] = filled(1000, 2, [&](int i, int k) {
        const views::Vec m = modeOf(i);
        return (k ? m.y : m.x) + 0.15f * dice.normal();
    });
    c["forward_eps"] = filled(1000, 2, [&](int, int) { return dice.normal(); });
    const auto mixed = [&](int i, int k) {
        return signal * c["forward_x0"].values[size_t(2 * i + k)] +
               noise * c["forward_eps"].values[size_t(2 * i + k)];
    };
    c["forward_xt"] = filled(1000, 2, mixed);
    c["chain_xt"] = filled(500, 2, [&](int i, int k) { return mixed((7 * i + 3) % 1000, k); });
    c["predicted_eps"] = filled(64, 2, [&](int i, int k) {
        return 0.8f * c["forward_eps"].values[size_t(2 * i + k)] + 0.1f * dice.normal();
    });
    c["predicted_x0"] = filled(64, 2, [&](int i, int k) {
        return (mixed(i, k) - noise * c["predicted_eps"].values[size_t(2 * i + k)]) / signal;
    });
    c["predicted_v"] = filled(64, 2, [&](int i, int k) {
        return signal * c["predicted_eps"].values[size_t(2 * i + k)] -
               noise * c["predicted_x0"].values[size_t(2 * i + k)];
    });
    c["predicted_score"] =
        filled(64, 2, [&](int i, int k) { return -c["predicted_eps"].values[size_t(2 * i + k)] / noise; });
    const auto scoreAt = [](int n, int k, float bend) {
        const float x = -3.5f + 7 * (float(n % 24) + 0.5f) / 24, y = -3.5f + 7 * (float(n / 24) + 0.5f) / 24;
        const float r = std::max(0.2f, std::hypot(x, y)), pull = (2 - r) / r;
        return (k ? y : x) * pull + bend * std::sin(3 * (k ? x : y));
    };
    c["score_field"] = filled(576, 2, [&](int n, int k) { return scoreAt(n, k, 0.4f); });
    c["marginal"] = filled(96 * 96, 1, [](int n, int) {
        const float x = -3.5f + 7 * (float(n % 96) + 0.5f) / 96, y = -3.5f + 7 * (float(n / 96) + 0.5f) / 96;
        const float r = std::hypot(x, y) - 2;
        return std::exp(-r * r / 0.4f) / 8;
    });
    if (data == "ring8") {
        c["score_exact"] = filled(576, 2, [&](int n, int k) { return scoreAt(n, k, 0); });
        c["score_error"] =
            filled(576, 1, [](int n, int) { return 0.3f * std::abs(std::sin(0.2f * float(n))); });
        scalar(frame, "score_rmse", [](double s) { return 0.3 + std::exp(-s / 500); });
        c["loss_floor"] = filled(16, 1, [](int i, int) { return 0.8f * std::exp(-float(i) / 5) + 0.04f; });
    }
    c["posterior"] = {{1, 6}, {0.82f, 0.06f, 0.76f, 0.065f, 0.55f, 250}};
    scalar(frame, "w2", [](double s) { return 0.2 + 2 * std::exp(-s / 400); });
    scalar(frame, "w2_baseline", [](double) { return 0.12; });
    scalar(frame, "w2_count", [](double) { return 2000.0; });
    addRuns(frame, false);
    return frame;
}

inline Frame picturesFrame() {
    Frame frame = commonFrame("fashion");
    auto& c = frame.channels;
    Dice dice(5);
    const auto garments = [](int count) {
        Tensor t{{count, pixels}, std::vector<float>(size_t(count * pixels))};
        for (int i = 0; i < count; ++i)
            garment(float(i % 5) - 2, float(i % 3) - 1, 1, t.values.data() + size_t(i * pixels));
        for (float& v : t.values) v = 2 * v - 1;
        return t;
    };
    c["forward_x0"] = garments(16);
    c["forward_eps"] = filled(16, pixels, [&](int, int) { return dice.normal(); });
    const auto mixed = [&](int i, int k) {
        const auto at = size_t(i * pixels + k);
        return 0.7f * c["forward_x0"].values[at] + 0.7f * c["forward_eps"].values[at];
    };
    c["forward_xt"] = filled(16, pixels, mixed);
    c["chain_xt"] = filled(2, pixels, mixed);
    for (const char* channel : {"predicted_eps", "predicted_v", "predicted_score"})
        c[channel] = filled(4, pixels, [&](int, int) { return dice.normal(); });
    c["predicted_x0"] = garments(4);
    c["nearest_image"] = garments(1);
    scalar(frame, "nearest_distance", [](double) { return 6.2; });
    scalar(frame, "nearest_baseline", [](double) { return 9.1; });
    addRuns(frame, true);
    return frame;
}

const QStringList situations = {"ring8", "moons", "fashion"};
inline Frame frameOf(const QString& situation) {
    return situation == "fashion" ? picturesFrame() : pointsFrame(situation.toStdString());
}

class Stage : public PaneStage {
  public:
    Stage(int width, int height, views::Palette palette = views::Palette::dark, float scale = 1)
        : PaneStage("ddpm", width, height, palette, scale) {
        pane.setSamplingActions({.goTo = [this](double t) { times.push_back(t); },
                                 .move = [this](int by) { moves.push_back(by); },
                                 .sample =
                                     [this](const core::SamplingRequest& request) {
                                         asked.push_back(request);
                                         return int64_t(100 + asked.size());
                                     },
                                 .discard = [this](int64_t run) { discarded.push_back(run); }});
    }
    void stand(const views::SamplingPlace& place) {
        pane.setSamplingPlace(place);
        draw();
    }

    std::vector<double> times;
    std::vector<int> moves;
    std::vector<core::SamplingRequest> asked;
    std::vector<int64_t> discarded;
};

}  // namespace ddpmstage
