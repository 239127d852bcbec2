// Frames as the VAE would give them.
#pragma once

#include <limits>

#include "view_stage.h"
#include "views/lessons/vae/situation.h"

namespace vaestage {

using namespace viewstage;

// codeOf(i) gives the first two numbers of picture i.
inline Tensor pictures(int count, float blur, auto codeOf) {
    Tensor t{{count, pixels}, std::vector<float>(size_t(count) * pixels)};
    for (int i = 0; i < count; ++i) {
        const views::Vec z = codeOf(i);
        garment(z.x, z.y, blur, t.values.data() + size_t(i) * pixels);
    }
    return t;
}

inline views::Vec centreOf(int label) {
    const float turn = float(label) * 2.39996f, radius = 0.75f * std::sqrt(float(label) + 0.3f);
    return {radius * std::cos(turn), radius * std::sin(turn)};
}

// What a run in the middle of its training would publish: everything but the data itself.
inline Frame codesFrame(const std::string& data, int zDim) {
    Frame frame;
    frame.lesson = "vae";
    frame.step = 1500;
    frame.settings = {{"z_dim", double(zDim)}, {"beta", 1}, {"free_bits", 0}};
    frame.choices = {{"data", data}, {"likelihood", "bernoulli"}};
    auto& c = frame.channels;
    Dice dice(1);
    c["codes_label"] = filled(2000, 1, [](int i, int) { return float(i % 10); });
    c["codes"] = filled(2000, zDim, [&](int i, int k) {
        const views::Vec centre = centreOf(i % 10);
        return k < 2 ? (k ? centre.y : centre.x) + 0.34f * dice.normal()
                     : 0.9f / float(1 + k % 5) * dice.normal();
    });
    c["codes_logvar"] =
        filled(2000, zDim, [&](int, int k) { return k % 7 == 6 ? 0.f : -4.2f + 0.4f * dice.normal(); });
    c["aggregate_field"] = filled(64 * 64, 1, [](int n, int) {
        const float x = -4 + float(n % 64) * 8 / 63, y = -4 + float(n / 64) * 8 / 63;
        float q = 0;
        for (int k = 0; k < 10; ++k) {
            const views::Vec m = centreOf(k);
            q += std::exp(-((x - m.x) * (x - m.x) + (y - m.y) * (y - m.y)) / 0.28f) / (0.28f * 3.14159f) / 10;
        }
        return q;
    });
    c["plane_axes"] = {{1, 2}, {0, 1}};
    c["drag_mu"] = filled(1, zDim, [](int, int k) { return k == 0 ? 1.2f : k == 1 ? 1.9f : 0.1f; });
    c["drag_sigma"] = filled(1, zDim, [](int, int k) { return k == 0 ? 0.3f : 0.2f; });
    c["drag_z"] = filled(1, zDim, [](int, int k) { return k == 0 ? 1.5f : k == 1 ? 1.8f : 0.1f; });
    c["kl_dims"] = filled(1, zDim, [](int, int k) { return k % 4 == 3 ? 0.002f : 3.6f / float(1 + k % 5); });
    c["gradient_reparam"] = filled(256, 1, [&](int, int) { return 1.5f + 1.2f * dice.normal(); });
    c["gradient_score"] = filled(256, 1, [&](int, int) { return 1.5f + 42 * dice.normal(); });

    const auto fall = [](double from, double to, double scale) {
        return [=](double s) { return to + (from - to) * std::exp(-s / scale) + 2 * std::sin(s * 12.9) / 3; };
    };
    scalar(frame, "reconstruction", fall(520, 241, 90));
    scalar(frame, "kl", [](double s) { return 6.6 * (1 - std::exp(-s / 60)) + 0.1 * std::sin(s * 7); });
    scalar(frame, "elbo", [&](double s) { return -fall(520, 247.6, 90)(s); });
    scalar(frame, "elbo_test", [&](double s) { return -fall(520, 249.1, 90)(s - std::fmod(s, 100)); });
    scalar(frame, "rate", [](double s) { return 6.6 * (1 - std::exp(-s / 60)) + 0.05 * std::sin(s * 7); });
    scalar(frame, "distortion", fall(520, 241, 90));
    scalar(frame, "beta_now", [](double s) { return s < 500 ? 4. : s < 1000 ? 2. : 1.; });
    scalar(frame, "iwae_1", [&](double s) { return -fall(520, 249.1, 90)(s); });
    scalar(frame, "iwae_8", [&](double s) { return -fall(520, 246.3, 90)(s); });
    scalar(frame, "iwae_64", [&](double s) { return -fall(520, 245.2, 90)(s); });
    scalar(frame, "loss", fall(520, 247.6, 90));
    scalar(frame, "active_units", [&](double) { return zDim > 2 ? zDim - 5. : zDim; });
    scalar(frame, "collapse_alarm", [](double) { return 0.; });
    scalar(frame, "variance_reparam", [](double) { return 1.44; });
    scalar(frame, "variance_score", [](double) { return 1764.; });
    scalar(frame, "prior_gap", [](double) { return 0.213; });
    return frame;
}

inline Frame imagesFrame(int zDim) {
    Frame frame = codesFrame("fashion", zDim);
    auto& c = frame.channels;
    const Tensor codes = c.at("codes");
    const auto code = [&](int i) {
        return views::Vec{codes.values[size_t(i * zDim)], codes.values[size_t(i * zDim + 1)]};
    };
    Dice dice(2);
    if (zDim == 2)
        c["manifold"] = pictures(225, 2, [](int i) { return views::vae::manifoldPlace(i / 15, i % 15, 15); });
    c["inputs"] = pictures(16, 0.5f, code);
    c["reconstructed"] = pictures(16, 2, code);
    c["prior_samples"] = pictures(64, 2, [&](int) { return views::Vec{dice.normal(), dice.normal()}; });
    const auto between = [&](int i) {
        const float t = float(i) / 8;
        return code(0) * (1 - t) + code(1) * t;
    };
    c["path_lerp"] = pictures(9, 2, between);
    c["path_slerp"] =
        pictures(9, 2, [&](int i) { return between(i) * (1 + 0.6f * std::sin(float(i) / 2.9f)); });
    c["decoded_point"] = pictures(1, 2, [](int) { return views::Vec{0.4f, -1}; });
    c["drag_input"] = pictures(1, 0.5f, [](int) { return views::Vec{1.2f, 1.9f}; });
    c["drag_decoded"] = pictures(1, 2, [](int) { return views::Vec{1.5f, 1.8f}; });
    c["drawn_recon"] = pictures(1, 2, [](int) { return views::Vec{-1, -0.5f}; });
    c["drawn_mu"] = filled(1, zDim, [](int, int k) { return k == 0 ? -1 : -0.5f; });
    c["drawn_logvar"] = filled(1, zDim, [](int, int) { return -2.4f; });
    c["holes"] = pictures(16, 3, [](int i) {
        return views::Vec{3 * std::cos(float(i)), 3 * std::sin(float(i))};
    });
    c["hole_density"] = filled(16, 1, [](int i, int) { return -11.2f + 0.2f * float(i); });
    return frame;
}

inline views::Vec moon(int i, Dice& dice) {
    const float turn = 3.14159f * float(i % 500) / 500;
    const bool upper = i % 2 == 0;
    return {(upper ? std::cos(turn) - 0.5f : 0.5f - std::cos(turn)) * 1.7f + 0.12f * dice.normal(),
            (upper ? std::sin(turn) - 0.25f : 0.25f - std::sin(turn)) * 1.7f + 0.12f * dice.normal()};
}

inline Frame pointsFrame() {
    Frame frame = codesFrame("moons", 2);
    auto& c = frame.channels;
    c.erase("codes_label");
    Dice dice(3);
    const auto cloud = [&](int n, float noise) {
        Tensor t{{n, 2}, {}};
        for (int i = 0; i < n; ++i) {
            const views::Vec p = moon(i * 7, dice);
            t.values.push_back(p.x + noise * dice.normal());
            t.values.push_back(p.y + noise * dice.normal());
        }
        return t;
    };
    c["real_points"] = cloud(1000, 0);
    c["prior_samples"] = cloud(1000, 0.25f);
    c["real"] = cloud(128, 0);
    c["recon"] = c["real"];
    for (float& v : c["recon"].values) v += 0.15f * dice.normal();
    c["decoded_point"] = c["drag_input"] = c["drag_decoded"] = {{1, 2}, {0.7f, -0.4f}};
    c["holes"] = cloud(16, 1);
    c["hole_density"] = filled(16, 1, [](int, int) { return -7.f; });
    // A density of real numbers: the reconstruction's cost goes below zero.
    frame.histories.erase("reconstruction");
    scalar(frame, "reconstruction", [](double s) { return -0.8 + 4 * std::exp(-s / 100); });
    return frame;
}

inline Frame exactFrame() {
    Frame frame = codesFrame("linear-gaussian", 2);
    auto& c = frame.channels;
    c.erase("codes_label");
    Dice dice(4);
    c["exact_mean"] = filled(500, 2, [&](int, int) { return 0.9f * dice.normal(); });
    c["encoder_mean"] = c["exact_mean"];
    for (float& v : c["encoder_mean"].values) v = 0.9f * v + 0.1f * dice.normal();
    c["exact_sd"] = {{1, 2}, {0.31f, 0.52f}};
    c["encoder_sd"] = {{1, 2}, {0.36f, 0.47f}};
    c["decoded_point"] = filled(1, 8, [](int, int k) { return std::sin(float(k)); });
    c["drag_input"] = c["drag_decoded"] = c["decoded_point"];
    scalar(frame, "log_p", [](double s) { return -9.1 - 4 * std::exp(-s / 200); });
    scalar(frame, "gap", [](double s) { return 0.14 + 3 * std::exp(-s / 150); });
    frame.histories.erase("elbo_test");
    scalar(frame, "elbo_test",
           [](double s) { return -9.24 - 4 * std::exp(-s / 200) - 3 * std::exp(-s / 150); });
    scalar(frame, "posterior_error", [](double s) { return 0.05 + std::exp(-s / 150); });
    return frame;
}

inline Frame frameOf(const QString& situation) {
    if (situation == "plane") return imagesFrame(2);
    if (situation == "deep") return imagesFrame(16);
    if (situation == "points") return pointsFrame();
    return exactFrame();
}
const QStringList situations = {"plane", "deep", "points", "exact"};

class Stage : public PaneStage {
  public:
    Stage(int width, int height, views::Palette palette = views::Palette::dark, float scale = 1)
        : PaneStage("vae", width, height, palette, scale) {}
};

}  // namespace vaestage
