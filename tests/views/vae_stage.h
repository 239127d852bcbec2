// Frames as the VAE would give them, and a pane without a window to show them in.
#pragma once

#include <QImage>
#include <QOffscreenSurface>
#include <QOpenGLContext>
#include <QOpenGLFramebufferObject>
#include <QOpenGLFunctions>
#include <QSurfaceFormat>
#include <QtTest>
#include <cmath>
#include <limits>
#include <numbers>
#include "views/lessons/vae/situation.h"
#include "views/pane.h"

namespace vaestage {

using core::Frame;
using core::Tensor;

constexpr int side = 28, pixels = side * side;

// A stream of standard normal numbers, the same in every run.
class Dice {
  public:
    explicit Dice(uint64_t seed) : m_state(seed * 2 + 1) {}
    float uniform() {
        m_state = m_state * 6364136223846793005ull + 1442695040888963407ull;
        return float((m_state >> 40) + 0.5) / float(1 << 24);
    }
    float normal() {
        return std::sqrt(-2 * std::log(uniform())) * std::cos(2 * std::numbers::pi_v<float> * uniform());
    }

  private:
    uint64_t m_state;
};

inline float edge(float inside) {
    return 1 / (1 + std::exp(-4 * inside));
}

// A garment that changes smoothly with its code: sleeves with z_1, from trousers to a dress with z_2.
inline void garment(float z1, float z2, float blur, float* out) {
    const float sleeve = 4 + 7 * edge(z1), flare = 0.25f * z2, waist = 5 + 0.8f * z1;
    const float split = edge(-z2 - 0.6f), grey = 0.55f + 0.35f * std::sin(1.7f * z1 - z2);
    for (int j = 0; j < side; ++j)
        for (int i = 0; i < side; ++i) {
            const float x = float(i) - 13.5f, y = float(j) - 13.5f, sharp = 1 / blur;
            const float half = std::max(2.5f, waist + flare * (y + 10) * 0.5f);
            float ink = edge(sharp * (half - std::abs(x))) * edge(sharp * (11.5f - std::abs(y)));
            const float arm = edge(sharp * (2.2f - std::abs(y + 8 - std::abs(x) * 0.35f))) *
                              edge(sharp * (sleeve + 2 - std::abs(x)));
            ink = std::max(ink, arm * (1 - split));
            ink *= 1 - split * edge(sharp * (1.2f - std::abs(x))) * edge(sharp * (y + 5));
            out[j * side + i] =
                ink * std::clamp(grey, 0.2f, 1.f) * (1 - 0.12f * std::abs(std::sin(x * 0.9f)));
        }
}

inline Tensor filled(int rows, int columns, auto value) {
    Tensor t{{rows, columns}, std::vector<float>(size_t(rows) * size_t(columns))};
    for (int i = 0; i < rows; ++i)
        for (int k = 0; k < columns; ++k) t.values[size_t(i * columns + k)] = value(i, k);
    return t;
}

// codeOf(i) gives the first two numbers of picture i.
inline Tensor pictures(int count, float blur, auto codeOf) {
    Tensor t{{count, pixels}, std::vector<float>(size_t(count) * pixels)};
    for (int i = 0; i < count; ++i) {
        const views::Vec z = codeOf(i);
        garment(z.x, z.y, blur, t.values.data() + size_t(i) * pixels);
    }
    return t;
}

inline void scalar(Frame& frame, const std::string& name, auto valueAt) {
    core::History& history = frame.histories[name];
    for (int64_t step = 1; step <= frame.step; step += 4) history.add(step, float(valueAt(double(step))));
    frame.channels[name] = {{1}, {history.last()}};
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
        const float t = float(i) / 9;
        return code(0) * (1 - t) + code(1) * t;
    };
    c["path_lerp"] = pictures(10, 2, between);
    c["path_slerp"] =
        pictures(10, 2, [&](int i) { return between(i) * (1 + 0.6f * std::sin(float(i) / 2.9f)); });
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

inline Frame withoutChannels(Frame frame) {
    frame.channels.clear();
    frame.histories.clear();
    frame.step = 0;
    return frame;
}

// A pane on an offscreen surface, and the hand that moves over it.
class Stage {
  public:
    Stage(int width, int height, views::Palette palette = views::Palette::dark, float scale = 1)
        : m_width(width), m_height(height) {
        m_surface.create();
        m_context.create();
        m_context.makeCurrent(&m_surface);
        m_target = std::make_unique<QOpenGLFramebufferObject>(width, height);
        pane.initialise();
        pane.resize(width, height, 1);
        pane.setTheme({.palette = palette, .scale = scale, .moves = false});
        pane.setLesson("vae");
        pane.setHandle(
            [this](const std::string& name, const std::vector<float>& values) { handles[name] = values; });
    }
    ~Stage() {
        pane.release();
        m_target.reset();
        m_context.doneCurrent();
    }

    void show(const Frame& frame) {
        pane.setFrame(std::make_shared<const Frame>(frame));
        draw();
    }
    void draw() {
        m_target->bind();
        for (int i = 0; i < 12 && (i < 3 || pane.wantsFrame()); ++i) pane.render(m_target->handle());
    }
    QImage picture() { return m_target->toImage().convertToFormat(QImage::Format_RGB32); }
    GLenum error() { return m_context.functions()->glGetError(); }
    void move(views::Vec to) {
        pane.mouseMove(to.x, to.y);
        draw();
    }
    void press(views::Vec at) {
        move(at);
        pane.mousePress(at.x, at.y);
        draw();
    }
    void release(views::Vec at) {
        pane.mouseRelease(at.x, at.y);
        draw();
    }
    views::Rect body(const std::string& panel) const {
        for (const auto& p : pane.panelRects())
            if (p.id == panel) return p.body;
        return {};
    }

    views::Pane pane;
    std::map<std::string, std::vector<float>> handles;

  private:
    int m_width, m_height;
    QOffscreenSurface m_surface;
    QOpenGLContext m_context;
    std::unique_ptr<QOpenGLFramebufferObject> m_target;
};

inline int differences(const QImage& a, const QImage& b, views::Rect where) {
    int n = 0;
    for (int y = int(where.y0); y < int(where.y1); ++y)
        for (int x = int(where.x0); x < int(where.x1); ++x) n += a.pixel(x, y) != b.pixel(x, y);
    return n;
}

inline int coloured(const QImage& image, views::Rect where, views::Rgba colour) {
    int n = 0;
    for (int y = int(where.y0); y < int(where.y1); ++y)
        for (int x = int(where.x0); x < int(where.x1); ++x)
            n += image.pixel(x, y) == qRgb(colour.r, colour.g, colour.b);
    return n;
}

// Where pictures for the eye go, if somebody asks for them.
inline void keep(const QImage& image, const QString& name) {
    const QString folder = qEnvironmentVariable("GENSCOPE_TEST_PICTURES");
    if (!folder.isEmpty()) image.save(folder + "/" + name + ".png");
}

}  // namespace vaestage
