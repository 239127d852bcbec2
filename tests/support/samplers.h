// Samplers in a repeated phase: perceptrons of the plane that each point goes through by itself.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "core/base/philox.h"
#include "core/nn/diffusion.h"
#include "core/nn/mlp.h"
#include "core/nn/plane_net.h"
#include "core/session/sampling_machine.h"

namespace support {

struct LoopedSampler {
    std::string name;
    int repeats;
    bool isLoop;  // one launch carries all repeats out
    std::function<void(core::Recorder&)> record;
};

// `large`: as many points as fill a card.
inline std::vector<LoopedSampler> loopedSamplers(bool large) {
    using namespace core;
    const auto begin = [](Recorder& r, const Shape& shape, int repeats) {
        const Var x = r.state("x", shape, {}), t = r.state("t", {1, 1}, {});
        r.phase("start");
        r.assign(x, r.normal("x", shape));
        r.assign(t, r.fill({1, 1}, 0.25f));
        r.phase("steps", [repeats] { return repeats; });
        return std::pair(x, t);
    };
    const auto euler = [=](int rows, int layers, int repeats, bool look, int width = 128) {
        return [=](Recorder& r) {
            const auto [x, t] = begin(r, {rows, 2}, repeats);
            const PlaneNet net(r.scope(""), width, layers);
            const Var v = net(x, t);
            if (look) r.probe("velocity", v);
            r.assign(x, eulerStep(x, v, r.fill({1}, 1 / float(repeats))));
            r.assign(t, t + 1 / float(repeats));
        };
    };
    // Noise that grows less, and what is the same for all is looked at.
    const auto diffuse = [=](int rows, int repeats, bool hidden) {
        return [=](Recorder& r) {
            const auto [x, t] = begin(r, {rows, 3}, repeats);
            const Mlp net(r.scope("drift"), {3, 128, 128, 3}, relu);
            const Var g = r.probe("g", sqrt(1.5f - t));
            const Var drift = net(x);
            if (hidden) {
                const Linear first(r.scope("drift") / "0", 3, 128);
                r.probe("hidden", relu(first(x)));
            }
            r.assign(x, eulerMaruyamaStep(x, drift, g, r.fill({1}, 0.05f), r.normal("noise", {rows, 3})));
            r.assign(t, t + 0.05f);
        };
    };
    std::vector<LoopedSampler> all = {{"euler", 7, true, euler(300, 4, 7, false)},
                                      {"euler, uneven", 5, true, euler(77, 3, 5, false)},
                                      {"euler, 96 wide", 7, true, euler(300, 4, 7, false, 96)},
                                      {"euler, 64 wide", 5, true, euler(211, 2, 5, true, 64)},
                                      {"velocities looked at", 5, true, euler(200, 4, 5, true)},
                                      {"diffusion", 6, true, diffuse(1000, 6, false)},
                                      {"a hidden layer looked at", 3, false, diffuse(1000, 3, true)},
                                      {"once", 1, false, euler(300, 4, 1, false)}};
    if (!large) return all;
    all.push_back({"euler, whole crews", 40, true, euler(8400, 4, 40, false)});
    all.push_back({"euler, crews and a half", 40, true, euler(9999, 4, 40, false)});
    all.push_back({"euler, 96 wide, crews and a half", 40, true, euler(9999, 4, 40, false, 96)});
    all.push_back({"euler, 64 wide, two crews", 40, true, euler(12700, 3, 40, false, 64)});
    all.push_back({"euler, two crews", 40, true, euler(12700, 2, 40, false)});
    all.push_back({"euler, more than the card takes at once", 40, true, euler(17001, 4, 40, false)});
    return all;
}

// The sampler of the DDPM lesson on points, as a series of runs.
struct LessonSampler {
    std::string name;
    core::Layout layout;
    core::SamplingRecordingPtr recording;
    core::Series series;
    bool needsLast = false;

    LessonSampler(const std::string& kind, int points, int steps) : name(kind) {
        using namespace core;
        const auto lesson = makeLesson("ddpm");
        lesson->open();
        Recorder train(layout, Recorder::Access::train);
        lesson->train(train);
        recording = std::make_shared<const SamplingRecording>(*lesson, layout, points);
        const SamplerOptions options{.kind = kind, .steps = steps};
        const auto plan = planSampler(pointsOf(lesson->samplingPath(), options), options, 7);
        needsLast = core::needsLast(plan);
        series = recording->series(plan, 0, int(plan.size()), lesson->sampling()->clip);
    }
    core::Plan plan() const {
        return compile(recording->graph, recording->layout, recording->wanted(needsLast));
    }
    std::vector<float> start() const {
        std::vector<float> x(size_t(recording->count) * 2);
        core::philox::normals({.seed = 3}, x.size(), x.data());
        return x;
    }
    int64_t numbers() const { return series.runs * recording->widthOf(series.kept); }
};

}  // namespace support
