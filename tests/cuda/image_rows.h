// Convolutions and normalised groups of the sizes that have kernels of their own on a card, and of sizes
// beside them.
#pragma once

#include "core/nn/layers.h"
#include "tests/support/op_rows.h"

namespace support {

struct ImageRow {
    Row row;
    double tolerance;  // of TF32 against FP32: the norm of the difference, of the whole
};

inline std::vector<ImageRow> imageRows() {
    std::vector<ImageRow> out;
    const auto add = [&](const char* name, double tolerance, std::vector<Shape> inputs,
                         std::function<Var(Recorder&, const Inputs&)> build) {
        out.push_back({{name, std::move(inputs), std::move(build), -1, 1, false}, tolerance});
    };
    // Their sums are in FP32 all the same.
    constexpr double norms = 1e-5, products = 2e-3;
    const auto norm = [&](const char* name, const Shape& x, int groups) {
        const Shape c{x[3]};
        add(name, norms, {x, c, c},
            [=](Recorder&, const Inputs& v) { return silu(groupNorm(v[0], groups, 1e-2f, v[1], v[2])); });
    };
    norm("groups of 4 channels", {5, 28, 28, 32}, 8);
    norm("groups of 8 channels", {3, 14, 14, 64}, 8);
    norm("groups of 12 channels", {2, 28, 28, 96}, 8);
    norm("groups of 16 channels", {3, 7, 7, 128}, 8);
    norm("groups of 32 channels", {3, 4, 4, 256}, 8);
    norm("three groups of an odd image", {3, 5, 7, 12}, 3);
    norm("groups of 6 channels", {2, 5, 7, 12}, 2);
    norm("groups of large images", {2, 72, 72, 32}, 2);
    add("groups without a scale", norms, {{2, 9, 5, 16}},
        [](Recorder&, const Inputs& v) { return groupNorm(v[0], 2, 1e-2f); });
    add("groups and what is added", norms, {{2, 9, 5, 16}, {16}, {16}},
        [](Recorder&, const Inputs& v) { return v[0] + tanh(groupNorm(v[0], 2, 1e-2f, v[1], v[2])); });
    add("groups, modulated", norms, {{3, 35, 16}, {3, 16}, {3, 16}},
        [](Recorder&, const Inputs& v) { return leakyRelu(groupNorm(v[0], 2, 1e-2f, v[1], v[2]), 0.1f); });
    add("groups of some of the channels", norms, {{3, 7, 5, 24}, {16}, {16}}, [](Recorder&, const Inputs& v) {
        return groupNorm(sliceColumns(v[0], 3, 16), 2, 1e-2f, v[1], v[2]);
    });
    const auto convolution = [&](const char* name, const Shape& x, int channels, int window, int stride,
                                 int padding) {
        add(name, products, {x, {window, window, x[3], channels}, {channels}},
            [=](Recorder&, const Inputs& v) { return silu(conv2d(v[0], v[1], stride, padding) + v[2]); });
    };
    convolution("3x3 of 32 channels", {3, 28, 28, 32}, 32, 3, 1, 1);
    convolution("3x3 of 64 channels", {2, 14, 14, 64}, 64, 3, 1, 1);
    convolution("3x3 of 96 channels to 32", {2, 28, 28, 96}, 32, 3, 1, 1);
    convolution("3x3 of 128 channels to 64", {5, 7, 7, 128}, 64, 3, 1, 1);
    convolution("3x3 of 64 channels to 192", {3, 8, 8, 64}, 192, 3, 1, 1);
    convolution("3x3 of small images", {9, 4, 4, 64}, 128, 3, 1, 1);
    convolution("3x3 of long images", {1, 3, 150, 32}, 64, 3, 1, 1);
    convolution("3x3 of 36 channels to 40", {3, 9, 11, 36}, 40, 3, 1, 1);
    convolution("3x3 without padding", {3, 9, 11, 32}, 32, 3, 1, 0);
    convolution("3x3 with two around", {3, 9, 11, 32}, 32, 3, 1, 2);
    convolution("3x3, every other pixel", {3, 14, 14, 64}, 64, 3, 2, 1);
    convolution("4x4, every other pixel", {3, 14, 14, 64}, 64, 4, 2, 1);
    convolution("5x5", {2, 9, 8, 32}, 32, 5, 1, 2);
    convolution("3x3 of one channel", {3, 28, 28, 1}, 32, 3, 1, 1);
    convolution("3x3 to one channel", {3, 28, 28, 32}, 1, 3, 1, 1);
    convolution("4x4 of one channel", {3, 28, 28, 1}, 64, 4, 2, 1);
    convolution("4x4 patches of 3 channels", {3, 16, 16, 3}, 32, 4, 2, 1);
    convolution("3x3 of 4 channels to 64", {3, 8, 8, 4}, 64, 3, 1, 1);
    convolution("3x3 of 64 channels to 4", {3, 8, 8, 64}, 4, 3, 1, 1);
    return out;
}

}  // namespace support
