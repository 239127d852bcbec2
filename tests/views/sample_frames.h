// Frames of a GAN whose numbers are known in closed form, for tests and pictures of panels.
#pragma once

#include <cmath>
#include <numbers>
#include <random>

#include "core/contract/frame.h"

namespace samples {

using core::Frame;
using core::Tensor;

inline Tensor column(std::vector<float> values) {
    const int n = int(values.size());
    return {{n, 1}, std::move(values)};
}

inline Tensor pairs(std::vector<float> values) {
    const int n = int(values.size() / 2);
    return {{n, 2}, std::move(values)};
}

inline double normal(double x, double mean, double sigma) {
    const double u = (x - mean) / sigma;
    return std::exp(-u * u / 2) / (sigma * std::sqrt(2 * std::numbers::pi));
}

// Everything that does not depend on what a point is, as after 3000 steps.
inline void addScalars(Frame& f, bool exact) {
    f.lesson = "gan";
    f.step = 3000;
    f.running = true;
    f.device = "CPU, 2 threads";
    f.choices["loss"] = "non-saturating";
    f.choices["prior"] = "uniform";
    f.settings["z_dim"] = 2;
    std::mt19937 rng(5);
    std::normal_distribution<float> noise;
    const auto add = [&](const char* name, double from, double to, double jitter) {
        for (int step = 1; step <= 3000; ++step) {
            const double t = 1 - std::exp(-step / 600.0);
            f.histories[name].add(step, float((from + (to - from) * t) * (1 + jitter * double(noise(rng)))));
        }
        f.channels[name] = {{1}, {f.histories[name].last()}};
    };
    add("loss_d", 0.6, 1.36, 0.06);
    add("loss_g", 2.4, 0.72, 0.1);
    add("value", -0.5, -1.36, 0.05);
    add("grad_norm_d", 2, 0.05, 0.3);
    add("grad_norm_g", 0.8, 0.02, 0.3);
    add("d_real", 0.9, 0.52, 0.03);
    add("d_fake", 0.1, 0.48, 0.05);
    add("d_mean", 0.5, 0.5, 0.01);
    add("grad_norm_saturating", 0.01, 0.0311, 0.1);
    add("grad_norm_non_saturating", 1, 0.0294, 0.1);
    add("pairwise_distance", 0.6, 2.35, 0.03);
    add("pairwise_baseline", 2.5, 2.5, 0);
    add("collapse_alarm", 0, 0, 0);
    if (exact) {
        add("value_ceiling", -0.2, -1.29, 0.01);
        add("c_g", -0.2, -1.29, 0.01);
        add("jsd", 0.6, 0.0471, 0.01);
        add("jsd_baseline", 0.012, 0.012, 0);
        add("d_gap", 0.3, 0.0213, 0.05);
        add("modes_covered", 7, 7, 0);
        add("modes", 8, 8, 0);
        add("share_near", 0.1, 0.924, 0.01);
    }
    std::vector<float> real(512), fake(512);
    for (float& a : real) a = 0.4f + noise(rng);
    for (float& a : fake) a = -0.6f + 1.4f * noise(rng);
    f.channels["logits_real"] = column(real);
    f.channels["logits_fake"] = column(fake);
}

// Data N(-1, 0.5²) and N(1, 0.5²) in equal parts; the generator N(0.2, 0.9²).
inline Frame lineFrame() {
    Frame f;
    addScalars(f, true);
    f.choices["data"] = "bimodal";
    std::mt19937 rng(1);
    std::normal_distribution<float> noise;
    std::vector<float> real(512), samples(2000);
    for (size_t i = 0; i < real.size(); ++i) real[i] = (i % 2 ? -1.f : 1.f) + 0.5f * noise(rng);
    for (float& x : samples) x = 0.2f + 0.9f * noise(rng);
    f.channels["real_rows"] = column(real);
    f.channels["samples"] = column(samples);
    std::vector<float> grid(400), d(400), star(400), p(400), q(400), lines;
    for (size_t i = 0; i < 400; ++i) {
        const double x = 7.0 * double(i) / 399 - 3.5;
        grid[i] = float(x);
        p[i] = float(0.5 * normal(x, -1, 0.5) + 0.5 * normal(x, 1, 0.5));
        q[i] = float(normal(x, 0.2, 0.9));
        star[i] = p[i] / (p[i] + q[i]);
        d[i] = float(0.5 + 0.8 * (double(star[i]) - 0.5) + 0.04 * std::sin(3 * x));
    }
    for (int i = 0; i < 64; ++i) {
        const double z = 2.0 * i / 63 - 1;
        lines.insert(lines.end(), {float(z), float(0.2 + 1.6 * std::atanh(0.97 * z) * 0.6)});
    }
    f.channels["grid_x"] = column(grid);
    f.channels["d_line"] = column(d);
    f.channels["d_star"] = column(star);
    f.channels["p_data"] = column(p);
    f.channels["p_g"] = column(q);
    f.channels["z_lines"] = pairs(lines);
    f.channels["mode_counts"] = pairs({0.45f, 0.5f, 0.55f, 0.5f});
    f.channels["mode_centres"] = pairs({-1, 0, 1, 0});
    f.channels["modes"] = f.channels["modes_covered"] = {{1}, {2}};
    return f;
}

// Data: eight modes on a circle of radius 2; the generator misses the last and strays between the others.
inline Frame planeFrame() {
    Frame f;
    addScalars(f, true);
    f.choices["data"] = "ring8";
    std::mt19937 rng(2);
    std::normal_distribution<float> noise;
    std::uniform_real_distribution<float> uniform(-1, 1);
    constexpr double sigma = 0.12;
    const auto centre = [](int k) {
        const double t = 2 * std::numbers::pi * k / 8;
        return std::pair{2 * std::cos(t), 2 * std::sin(t)};
    };
    std::vector<float> real, points, z;
    for (int i = 0; i < 512; ++i) {
        const auto [x, y] = centre(i % 8);
        real.insert(real.end(),
                    {float(x + sigma * double(noise(rng))), float(y + sigma * double(noise(rng)))});
    }
    // G bends the square onto a wide ring: the angle from z_1, the radius from z_2.
    const auto generate = [](double a, double b) {
        const double t = std::numbers::pi * a * 0.86 + 0.6 + 0.09 * std::sin(8 * std::numbers::pi * a);
        const double r = 1.9 + 0.35 * b;
        return std::pair{r * std::cos(t), r * std::sin(t)};
    };
    for (int i = 0; i < 2000; ++i) {
        const float a = uniform(rng), b = uniform(rng);
        const auto [x, y] = generate(double(a), double(b));
        points.insert(points.end(), {float(x), float(y)});
        z.insert(z.end(), {a, b});
    }
    std::vector<float> field, star, arrows, warp, det;
    const auto dOf = [&](double x, double y) {
        double p = 0;
        for (int k = 0; k < 8; ++k) {
            const auto [cx, cy] = centre(k);
            p += normal(x, cx, 0.2) * normal(y, cy, 0.2) / 8;
        }
        const double r = std::hypot(x, y),
                     q = normal(r, 1.9, 0.2) / (2 * std::numbers::pi * std::max(0.3, r));
        return (p + 1e-3) / (p + q + 2e-3);
    };
    for (int j = 0; j < 96; ++j) {
        for (int i = 0; i < 96; ++i) {
            const double x = -3.5 + 7 * (i + 0.5) / 96, y = -3.5 + 7 * (j + 0.5) / 96;
            const double d = dOf(x, y);
            star.push_back(float(d));
            field.push_back(float(1 / (1 + std::exp(-1.6 * std::log(d / (1 - d)) - 0.3 * std::sin(x)))));
        }
    }
    for (size_t i = 0; i < 256; ++i) {
        const double x = double(points[2 * i]), y = double(points[2 * i + 1]), h = 0.01;
        arrows.insert(arrows.end(), {float(x), float(y), float((dOf(x + h, y) - dOf(x - h, y)) / h),
                                     float((dOf(x, y + h) - dOf(x, y - h)) / h)});
    }
    for (int j = 0; j < 33; ++j) {
        for (int i = 0; i < 33; ++i) {
            const double a = i / 16.0 - 1, b = j / 16.0 - 1, h = 1e-4;
            const auto [x, y] = generate(a, b);
            const auto [xa, ya] = generate(a + h, b);
            const auto [xb, yb] = generate(a, b + h);
            warp.insert(warp.end(), {float(x), float(y)});
            det.push_back(float(std::abs((xa - x) * (yb - y) - (xb - x) * (ya - y)) / (h * h)));
        }
    }
    f.channels["real_rows"] = pairs(real);
    f.channels["samples"] = pairs(points);
    f.channels["samples_z"] = pairs(z);
    f.channels["d_field"] = column(field);
    f.channels["d_star_field"] = column(star);
    f.channels["arrows"] = {{256, 4}, arrows};
    f.channels["warp"] = pairs(warp);
    f.channels["warp_det"] = column(det);
    std::vector<float> counts;
    for (int k = 0; k < 8; ++k)
        counts.insert(counts.end(), {k == 7 ? 0.004f : 0.1f + 0.02f * float(k % 4), 0.125f});
    f.channels["mode_counts"] = pairs(counts);
    return f;
}

// Pictures: discs of growing radius, so that every place of a sheet can be told from the others.
inline Tensor discs(int n) {
    Tensor t{{n, 784}, {}};
    for (int i = 0; i < n; ++i) {
        const double radius = 3 + 10.0 * i / std::max(1, n - 1);
        for (int p = 0; p < 784; ++p) {
            const double d = std::hypot(p % 28 - 13.5, p / 28 - 13.5);
            t.values.push_back(float(std::clamp(radius - d, 0.0, 1.0) * (0.55 + 0.45 * d / 14)));
        }
    }
    return t;
}

inline Frame imageFrame() {
    Frame f;
    addScalars(f, false);
    f.choices["data"] = "fashion";
    f.settings["z_dim"] = 32;
    f.channels["real_rows"] = discs(32);
    f.channels["sheet"] = discs(64);
    f.channels["lerp"] = discs(72);
    f.channels["nearest_query"] = discs(8);
    f.channels["nearest_image"] = discs(8);
    f.channels["nearest_distance"] = column({6.1f, 5.2f, 7.3f, 4.4f, 6.5f, 8.6f, 5.7f, 6.8f});
    return f;
}

}  // namespace samples
