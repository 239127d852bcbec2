// Products of awkward extents: matrices of several axes, convolutions and attention.
#pragma once

#include "maker.h"

namespace problems {

// Matrices of more than two axes.
inline void addPositions(std::vector<Problem>& all, Maker& maker) {
    for (const core::Extents& a : {core::Extents{7, 1, 5, 3}, {3, 4, 5, 17}, {6, 3, 33, 65}, {2, 8, 65, 211}})
        for (int64_t columns : {1, 5, 40, 131}) {
            Problem p = maker.make(Op::matmul, {a.samples, a.height, a.width, columns});
            maker.operand(p, 0, a, -1, 1);
            maker.operand(p, 1, a.channels, columns, -1, 1);
            p.name = "matmul of positions";
            p.tolerance = 1e-5;
            Problem t = maker.make(Op::matmul, a.channels, columns);
            maker.operand(t, 0, a, -1, 1);
            maker.operand(t, 1, {a.samples, a.height, a.width, columns}, -1, 1);
            t.call.transposed = true;
            t.name = "matmul transposed of positions";
            t.tolerance = 5e-5;
            all.push_back(std::move(p));
            all.push_back(std::move(t));
        }
}

inline void addConvolutions(std::vector<Problem>& all, Maker& maker) {
    struct Convolution {
        core::Extents x;
        int64_t window, stride, padding, outputs;
    };
    std::vector<Convolution> list = {
        {{6, 5, 6, 3}, 3, 1, 1, 5},    {{3, 7, 7, 33}, 3, 1, 1, 40},  {{2, 14, 14, 64}, 3, 1, 1, 64},
        {{5, 28, 28, 1}, 3, 1, 1, 32}, {{5, 28, 28, 32}, 3, 1, 1, 1}, {{2, 9, 13, 32}, 3, 1, 1, 3},
        {{3, 7, 5, 13}, 3, 2, 1, 17},  {{3, 8, 6, 33}, 3, 2, 1, 32},  {{7, 4, 3, 65}, 1, 1, 0, 33},
        {{5, 5, 5, 6}, 1, 2, 0, 7},    {{2, 28, 28, 1}, 4, 2, 1, 64}, {{3, 14, 14, 64}, 4, 2, 1, 64},
        {{2, 6, 8, 17}, 4, 2, 1, 2},   {{6, 8, 8, 4}, 2, 2, 0, 19},   {{3, 6, 5, 3}, 3, 1, 2, 4},
        {{3, 6, 5, 30}, 3, 1, 0, 31},  {{2, 7, 9, 5}, 2, 3, 1, 20},   {{1, 3, 3, 130}, 3, 1, 1, 100},
        {{6, 1, 1, 4}, 3, 1, 1, 8},    {{2, 30, 31, 2}, 5, 1, 2, 3},  {{5, 7, 7, 32}, 3, 1, 1, 48},
        {{3, 6, 5, 64}, 3, 1, 1, 32},  {{1, 1, 9, 48}, 3, 1, 1, 80}};
    for (int64_t outputs = 1; outputs <= 9; ++outputs) list.push_back({{2, 6, 19, 7}, 3, 1, 1, outputs});
    for (int64_t inputs = 1; inputs <= 14; ++inputs) list.push_back({{2, 5, 9, inputs}, 3, 1, 1, 18});
    for (int64_t width = 3; width <= 27; ++width) list.push_back({{1, 4, width, 9}, 3, 1, 1, 20});
    for (const Convolution& c : list) {
        const int64_t k = c.window, I = c.x.channels, O = c.outputs;
        const auto extent = [&](int64_t n) { return (n + 2 * c.padding - k) / c.stride + 1; };
        const core::Extents y{c.x.samples, extent(c.x.height), extent(c.x.width), O};
        const core::Extents w{k, k, I, O}, turned{k, k, O, I};
        const auto add = [&](const char* name, Op op, const core::Extents& out, const core::Extents& a,
                             const core::Extents& b) {
            Problem p = maker.make(op, out);
            p.name = std::string(name) + " " + std::to_string(c.x.height) + "x" + std::to_string(c.x.width) +
                     " of " + std::to_string(I) + "x" + std::to_string(O) + ", window " + std::to_string(k) +
                     ", stride " + std::to_string(c.stride);
            p.call.window = k;
            p.call.stride = c.stride;
            p.call.offset = c.padding;
            p.tolerance =
                1e-5 + 5e-8 * double(op == Op::convolutionWeight ? y.samples * y.positions() : k * k * I);
            maker.operand(p, 0, a, -1, 1);
            maker.operand(p, 1, b, -1, 1);
            all.push_back(std::move(p));
        };
        add("convolution", Op::convolution, y, c.x, w);
        add("convolutionTransposed", Op::convolutionTransposed, c.x, y, turned);
        add("convolutionWeight", Op::convolutionWeight, w, c.x, y);
        add("turnTaps", Op::turnTaps, w, turned, turned);
    }
}

inline void addAttention(std::vector<Problem>& all, Maker& maker) {
    struct Attention {
        int64_t samples, queries, keys, heads, width;
    };
    for (const Attention& s : {Attention{7, 5, 9, 3, 4},
                               {3, 16, 16, 2, 32},
                               {2, 49, 49, 4, 16},
                               {6, 33, 7, 1, 17},
                               {5, 1, 40, 2, 8},
                               {2, 64, 64, 2, 33}}) {
        const core::Extents P{s.samples, s.heads, s.queries, s.keys};
        const core::Extents q{s.samples, 1, s.queries, s.heads * s.width};
        const core::Extents k{s.samples, 1, s.keys, s.heads * s.width};
        const auto add = [&](const char* name, Op op, const core::Extents& out, const core::Extents& a,
                             const core::Extents& b) {
            Problem p = maker.make(op, out);
            p.name = std::string(name) + " " + std::to_string(s.queries) + "x" + std::to_string(s.keys);
            p.call.parts = s.heads;
            p.call.a = 0.7f;
            p.tolerance = 1e-5;
            maker.operand(p, 0, a, -1, 1);
            maker.operand(p, 1, b, -1, 1);
            all.push_back(std::move(p));
        };
        add("headScores", Op::headScores, P, q, k);
        add("headMix", Op::headMix, q, P, k);
        add("headMixTransposed", Op::headMixTransposed, k, P, q);
    }
}

}  // namespace problems
