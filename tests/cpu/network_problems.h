// Problems on images and sequences of awkward extents: what networks are made of but for their products.
#pragma once

#include <cmath>

#include "maker.h"

namespace problems {

struct Layers {
    core::Extents extents;
    std::string text() const {
        return std::to_string(extents.samples) + "x" + std::to_string(extents.height) + "x" +
               std::to_string(extents.width) + "x" + std::to_string(extents.channels);
    }
};
inline const std::vector<Layers> images = {
    {{1, 1, 1, 1}},   {{2, 3, 5, 7}}, {{7, 1, 9, 6}},   {{3, 7, 7, 33}}, {{5, 2, 2, 64}},
    {{2, 1, 49, 49}}, {{6, 5, 3, 1}}, {{1, 4, 9, 130}}, {{9, 1, 1, 20}}, {{2, 3, 2, 300}}};

// Every way in which an operand may stand for all samples, positions or channels.
inline std::vector<core::Extents> repeated(const core::Extents& e) {
    std::vector<core::Extents> ways;
    for (int way = 0; way < 8; ++way)
        ways.push_back({way & 1 ? 1 : e.samples, way & 2 ? 1 : e.height, way & 2 ? 1 : e.width,
                        way & 4 ? 1 : e.channels});
    return ways;
}

inline void addRepeats(std::vector<Problem>& all, Maker& maker) {
    for (const Layers& image : images)
        for (const core::Extents& small : repeated(image.extents)) {
            const std::string name = " " + image.text() + " with " + Layers{small}.text();
            for (int side = 0; side < 2; ++side) {
                Problem p = maker.make(side == 0 ? Op::subtract : Op::multiply, image.extents);
                p.name = (side == 0 ? "subtract" : "multiply") + name;
                maker.operand(p, side, image.extents);
                maker.operand(p, 1 - side, small);
                all.push_back(std::move(p));
            }
            Problem p = maker.make(Op::broadcast, image.extents);
            p.name = "broadcast" + name;
            maker.operand(p, 0, small);
            all.push_back(std::move(p));
            // A sum of one is recorded as a reshape; that over samples and channels alone as two sums.
            const bool samples = small.samples < image.extents.samples,
                       positions = small.positions() < image.extents.positions(),
                       channels = small.channels < image.extents.channels;
            if (!(samples || positions || channels) || (samples && channels && small.positions() > 1))
                continue;
            p = maker.make(Op::sum, small);
            p.name = "sum" + name;
            p.tolerance = 1e-5;
            maker.operand(p, 0, image.extents, 0, 3);
            all.push_back(std::move(p));
        }
}

// Numbers of which several are equal, exact in any precision.
inline std::vector<float> coarse(Maker& maker, int64_t n, float width) {
    std::vector<float> drawn = maker.values(n, -width, width);
    for (float& x : drawn) x = std::floor(x);
    return drawn;
}

inline int64_t sizeOf(const core::Extents& e) {
    return e.samples * e.positions() * e.channels;
}

inline void addLastAxis(std::vector<Problem>& all, Maker& maker) {
    for (const Layers& image : images) {
        const core::Extents e = image.extents, one = {e.samples, e.height, e.width, 1};
        const auto add = [&](const char* name, Op op, const core::Extents& out, std::vector<float> x) {
            Problem p = maker.make(op, out);
            p.name = std::string(name) + " " + image.text();
            maker.operand(p, 0, e, std::move(x));
            all.push_back(std::move(p));
        };
        for (float width : {3.0f, 1000.0f}) {  // exp(1000) is infinite
            add("softmax", Op::softmax, e, maker.values(sizeOf(e), -width, width));
            add("causal softmax", Op::softmax, e, maker.values(sizeOf(e), -width, width));
            all.back().call.causal = true;
            add("logSumExp", Op::logSumExp, one, maker.values(sizeOf(e), -width, width));
        }
        add("softmaxGradient", Op::softmaxGradient, e, maker.values(sizeOf(e)));
        maker.operand(all.back(), 1, e, 0, 1 / float(e.channels));
        add("argmax", Op::argmax, one, coarse(maker, sizeOf(e), 5));
        for (int64_t k : {1, 4, 11}) {
            add("topK", Op::topK, e, coarse(maker, sizeOf(e), 20));
            all.back().call.window = k;
        }
        if (e.channels == 1) continue;
        Problem p = maker.make(Op::sliceColumns, {e.samples, e.height, e.width, e.channels - 1});
        p.name = "sliceColumns " + image.text();
        p.call.offset = 1;
        maker.operand(p, 0, e);
        all.push_back(std::move(p));
        for (int operands = 1; operands <= 4; ++operands) {
            p = maker.make(Op::padColumns, {e.samples, e.height, e.width, e.channels + 3 * operands});
            p.name = "padColumns of " + std::to_string(operands) + " " + image.text();
            int64_t at = p.call.extents.channels;
            for (int k = 0; k < operands; ++k) {  // from the right, with a gap beside the first two
                const int64_t width = k == 0 ? e.channels : 2;
                at -= width + (k < 2 ? 1 : 0);
                p.call.offsets[k] = at;
                maker.operand(p, k, {e.samples, e.height, e.width, width});
            }
            all.push_back(std::move(p));
        }
    }
}

inline void addNorms(std::vector<Problem>& all, Maker& maker) {
    for (const Layers& image : images)
        for (int64_t parts : {0, 1, 2, 3, 10}) {
            const core::Extents e = image.extents;
            if (parts > 0 && e.channels % parts != 0) continue;
            const core::Extents moments = parts == 0 ? core::Extents{e.samples, e.height, e.width, 2}
                                                     : core::Extents{e.samples, 1, parts, 2};
            const std::string name =
                " " + image.text() + (parts == 0 ? " over channels" : " in parts " + std::to_string(parts));
            const auto moment = [&](Problem& p, int k) {
                maker.operand(p, k, moments);
                for (size_t i = 1; i < p.in[k].size(); i += 2) p.in[k][i] = std::abs(p.in[k][i]) + 0.2f;
            };
            Problem p = maker.make(Op::moments, moments);
            p.name = "moments" + name;
            p.call.a = 0.01f;
            p.call.parts = parts;
            p.tolerance = 1e-5;
            maker.operand(p, 0, e, 2, 8);
            all.push_back(std::move(p));
            for (int64_t samples : {int64_t(0), int64_t(1), e.samples}) {
                const core::Extents channels = {samples, 1, 1, e.channels};
                p = maker.make(Op::normalise, e);
                p.name = "normalise" + name + " with " + std::to_string(samples) + " scales";
                p.call.parts = parts;
                p.tolerance = 1e-5;
                maker.operand(p, 0, e);
                moment(p, 1);
                if (samples > 0) maker.operand(p, 2, channels);
                if (samples > 0) maker.operand(p, 3, channels);
                all.push_back(std::move(p));
                p = maker.make(Op::normaliseGradient, e);
                p.name = "normaliseGradient" + name + " with " + std::to_string(samples) + " scales";
                p.call.parts = parts;
                p.tolerance = 1e-4;
                maker.operand(p, 0, e, 0, 1);
                maker.operand(p, 1, e);
                moment(p, 2);
                if (samples > 0) maker.operand(p, 3, channels);
                all.push_back(std::move(p));
            }
            p = maker.make(Op::normaliseScaleGradient, {e.samples, 1, 1, e.channels});
            p.name = "normaliseScaleGradient" + name;
            p.call.parts = parts;
            p.tolerance = 1e-5;
            maker.operand(p, 0, e, 0, 1);
            maker.operand(p, 1, e);
            moment(p, 2);
            all.push_back(std::move(p));
        }
}

inline void addLookUp(std::vector<Problem>& all, Maker& maker) {
    for (const Layers& image : images) {
        const core::Extents e = image.extents, lines = {e.samples, 1, 1, e.positions()},
                            tokens = {e.samples, 1, e.positions(), e.channels},
                            one = {e.samples, e.height, e.width, 1};
        constexpr int64_t rows = 13;
        const auto add = [&](const char* name, Op op, const core::Extents& out) -> Problem& {
            all.push_back(maker.make(op, out));
            all.back().name = std::string(name) + " " + image.text();
            return all.back();
        };
        // Indices may lie outside: such a one names the first or the last row.
        Problem& gather = add("gatherRows", Op::gatherRows, tokens);
        maker.operand(gather, 0, rows, e.channels);
        maker.operand(gather, 1, lines, coarse(maker, sizeOf(lines), rows + 2));
        Problem& scatter = add("scatterRows", Op::scatterRows, {rows, 1, 1, e.channels});
        scatter.tolerance = 1e-5;
        maker.operand(scatter, 0, tokens);
        maker.operand(scatter, 1, lines, coarse(maker, sizeOf(lines), rows + 2));
        Problem& pick = add("pick", Op::pick, one);
        maker.operand(pick, 0, e);
        maker.operand(pick, 1, one, coarse(maker, sizeOf(one), float(e.channels + 2)));
        Problem& place = add("place", Op::place, e);
        maker.operand(place, 0, one);
        maker.operand(place, 1, one, coarse(maker, sizeOf(one), float(e.channels + 2)));
        Problem& nearest = add("nearestRow", Op::nearestRow, one);
        maker.operand(nearest, 0, e, coarse(maker, sizeOf(e), 2));
        maker.operand(nearest, 1, {rows, 1, 1, e.channels}, coarse(maker, rows * e.channels, 2));
    }
}

inline void addImages(std::vector<Problem>& all, Maker& maker) {
    for (const Layers& image : images)
        for (int64_t k : {1, 2, 3}) {
            const core::Extents e = image.extents, wide = {e.samples, e.height * k, e.width * k, e.channels},
                                deep = {e.samples, e.height, e.width, e.channels * k * k},
                                bordered = {e.samples, e.height + 2 * k, e.width + 2 * k, e.channels};
            const auto add = [&](const char* name, Op op, const core::Extents& out, const core::Extents& in) {
                Problem p = maker.make(op, out);
                p.name = std::string(name) + " " + image.text() + " by " + std::to_string(k);
                p.call.window = p.call.offset = k;
                maker.operand(p, 0, in);
                all.push_back(std::move(p));
            };
            add("upsample", Op::upsample, wide, e);
            add("sumPool", Op::sumPool, e, wide);
            add("depthToSpace", Op::depthToSpace, wide, deep);
            add("spaceToDepth", Op::spaceToDepth, deep, wide);
            add("padImage", Op::padImage, bordered, e);
            add("cropImage", Op::cropImage, e, bordered);
        }
}

}  // namespace problems
