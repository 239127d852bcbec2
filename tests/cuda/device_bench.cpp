// Times the training steps of core/nn/workloads.h on the card, and lessons as the window runs them:
// `device_bench [--only a,b] [--exact] [--unroll n] [--show]`.
// One line a workload: name, milliseconds a step, nodes of the graph, its longest chain, loss.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <thread>

#include "core/cuda/executor.h"
#include "core/nn/workloads.h"
#include "core/session/run.h"
#include "core/session/trainer.h"

using namespace core;

namespace {

// An H100 SXM by its datasheet, and what one launch behind another takes there.
constexpr double tf32Rate = 495e12, fp32Rate = 67e12, bandwidth = 3.35e12, latency = 1.5e-6;

double seconds() {
    return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

struct Options {
    std::string only;
    cuda::ExecutorOptions executor;
    bool show = false;
};

void time(const Workload& workload, const cuda::CardPtr& card, const Options& options) {
    Layout layout;
    Recorder r(layout, Recorder::Access::train);
    const double began = seconds();
    workload.record(r);
    const auto graph = std::make_shared<const Graph>(r.take());
    Store store;
    store.initialise(layout, int(graph->updates.size()), 1);
    store.live.assign(1, 0);
    const auto device = std::make_shared<cuda::DeviceStore>(card, store);
    const double recorded = seconds();
    cuda::Executor executor(compile(graph, layout, {}), store, device, options.executor);
    executor.run(1, 0);
    card->wait();
    const double ready = seconds();
    executor.runMany(1, 1, 20);
    card->wait();
    // Runs of a few milliseconds each, so that the wait at their ends does not show.
    uint64_t step = 21;
    std::vector<double> times;
    int together = 4;
    for (const double end = seconds() + 1.0; seconds() < end || times.size() < 5;) {
        const double from = seconds();
        executor.runMany(1, step, together);
        card->wait();
        const double took = seconds() - from;
        times.push_back(1e3 * took / together);
        step += uint64_t(together);
        if (took < 0.02) together *= 2, times.clear();
    }
    std::sort(times.begin(), times.end());
    float loss = NAN;
    if (executor.has("loss")) loss = executor.read("loss").values[0];
    const cuda::Recorded shape = executor.recorded();
    const double rate = options.executor.exact ? fp32Rate : tf32Rate;
    std::printf(
        "%-14s %9.4f ms/step  %5d nodes %4d deep  at least %.4f products %.4f memory %.4f launches  "
        "record %.0f ms, capture %.0f ms, loss %g%s\n",
        workload.name.c_str(), times[times.size() / 2], shape.nodes, shape.depth,
        1e3 * shape.operations / rate, 1e3 * shape.bytes / bandwidth, 1e3 * shape.depth * latency,
        1e3 * (recorded - began), 1e3 * (ready - recorded), double(loss),
        executor.finite() ? "" : " (not finite)");
    if (options.show) {
        const std::vector<double> us = executor.times();
        const std::vector<std::string> lines = executor.describe();
        double all = 0;
        for (double t : us) all += t;
        std::printf("    %.1f us in all launches\n", all);
        for (size_t i = 0; i < lines.size(); ++i) std::printf("    %7.2f %s\n", us[i], lines[i].c_str());
    }
    std::fflush(stdout);
}

// A lesson's sampler as the window runs it, every step kept: what it takes until a knob's effect is seen.
void timeSampling(const Options& options) {
    constexpr int particles = 10000, steps = 100;
    Run run({.lesson = "ddpm",
             .preset = "plane-ring8",
             .settings = {{"sampler", "euler"}, {"sampler_steps", std::to_string(steps)}},
             .device = "cuda",
             .exact = options.executor.exact});
    run.steps(10);
    std::vector<double> times;
    for (int64_t id = 1; id <= 12; ++id) {
        const double from = seconds();
        run.sample(id, {.changes = {{"added_noise", 1 / double(id)}}, .seed = 3, .count = particles});
        while (!run.samplings().published()->find(id)->complete()) run.sampleMore();
        times.push_back(1e3 * (seconds() - from));
        run.samplings().discardAll();
    }
    std::printf("%-14s %9.4f ms for %d particles and %d steps of Euler, the first time %.1f\n",
                "lesson_sample", *std::min_element(times.begin() + 1, times.end()), particles, steps,
                times[0]);
    std::fflush(stdout);
}

// A lesson's first preset as it trains in the window: by itself, and with everything looked at all the time.
// What takes long to evaluate takes a tenth of the time in the end, and most of it at first.
void timeLive(const std::string& lesson, const Options& options) {
    const RunRequest request{.lesson = lesson, .device = "cuda", .exact = options.executor.exact};
    const std::set<std::string> everything = Run(request).channelNames();
    const auto stepsPerSecond = [&](const std::set<std::string>& channels, double begin, double end) {
        Trainer trainer;
        trainer.open(request);
        trainer.watch(channels);
        trainer.run();
        const double from = seconds();
        const auto stepAt = [&](double time) {
            while (seconds() < from + time) {
                trainer.latest();
                std::this_thread::sleep_for(std::chrono::milliseconds(16));
            }
            return trainer.latest()->step;
        };
        const int64_t first = stepAt(begin), last = stepAt(end);
        return double(last - first) / (end - begin);
    };
    const double alone = stepsPerSecond({}, 1, 2);
    std::printf("%-14s %9.0f steps a second, %.0f with all %zu channels looked at\n", lesson.c_str(), alone,
                stepsPerSecond(everything, 2, 10), everything.size());
    std::fflush(stdout);
}

}  // namespace

int main(int count, char** arguments) {
    Options options;
    for (int i = 1; i < count; ++i) {
        const std::string word = arguments[i];
        if (word == "--only" && i + 1 < count) options.only = std::string(",") + arguments[++i] + ",";
        if (word == "--unroll" && i + 1 < count) options.executor.unroll = std::atoi(arguments[++i]);
        if (word == "--exact") options.executor.exact = true;
        if (word == "--show") options.show = true;
    }
    const auto wanted = [&](const std::string& name) {
        return options.only.empty() || options.only.find("," + name + ",") != std::string::npos;
    };
    int failed = 0;
    const cuda::CardPtr card = cuda::Card::open();
    std::printf("# %s, %s\n", card->name().c_str(), options.executor.exact ? "FP32" : "TF32");
    for (const Workload& workload : workloads()) {
        if (!wanted(workload.name)) continue;
        try {
            time(workload, card, options);
        } catch (const std::exception& e) {
            std::printf("%-14s failed: %s\n", workload.name.c_str(), e.what());
            ++failed;
        }
    }
    if (wanted("lesson_sample")) timeSampling(options);
    if (wanted("live"))
        for (const std::string& id : lessonIds()) timeLive(id, options);
    return failed;
}
