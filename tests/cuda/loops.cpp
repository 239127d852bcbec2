// Samplers of perceptrons in one launch: repeated phases, and series of runs.
#include <bit>
#include <cmath>

#include "tests/cuda/on_card.h"
#include "tests/support/samplers.h"

using namespace core;

namespace support {
namespace {

// A lesson's sampler in one launch: what its evaluations give one by one, and exactly.
void lessonSamplers() {
    for (const char* kind : {"euler", "ddpm", "heun", "dpm++"}) {
        const LessonSampler sampler(kind, 9999, 25);
        row = fmt::format("the lesson's {}", kind);
        const auto run = [&](const cuda::ExecutorOptions& options) {
            const OnCard on(sampler.recording->graph, sampler.layout, options, 1,
                            sampler.recording->wanted(sampler.needsLast));
            on.executor->setHandle(sampling::x, sampler.start());
            if (sampler.needsLast)
                on.executor->setHandle(sampling::y, std::vector<float>(sampler.start().size(), 0));
            const SeriesRows rows = on.executor->runSeries(5, 0, sampler.series);
            return std::pair(std::vector<float>(rows.get(), rows.get() + sampler.numbers()),
                             on.executor->runsTogether());
        };
        const auto [looped, together] = run({});
        expect(together > 100, "no loop");
        expect(run({}).first == looped, "another run gave other bits");
        const auto exactly = run({.exact = true}).first;
        expect(run({.exact = true, .captured = false}).first == exactly, "uncaptured gave other bits");
        double error = 0, scale = 0;
        for (size_t i = 0; i < exactly.size(); ++i) {
            scale = std::max(scale, std::abs(double(exactly[i])));
            const double off = std::abs(double(exactly[i]) - double(looped[i]));
            error = off == off ? std::max(error, off) : 1e30;
        }
        std::printf("%-40s FP32 off by %.2g of %.3g\n", row.c_str(), error, scale);
        expect(error <= 2e-3 * scale, fmt::format("{} of {}", error, scale));
    }
}

}  // namespace

// Repeated phases in one launch: what their repeats leave, launch by launch, and exactly.
void loops() {
    test = "loops";
    for (const LoopedSampler& sampler : loopedSamplers(true)) {
        row = sampler.name;
        Layout layout;
        Recorder r(layout, Recorder::Access::train);
        sampler.record(r);
        const auto graph = std::make_shared<const Graph>(r.take());
        const auto run = [&](const cuda::ExecutorOptions& options, bool inSegments) {
            const OnCard on(graph, layout, options);
            for (uint64_t step = 3; step < 5; ++step) {
                if (!inSegments) on.executor->run(7, step);
                while (inSegments && !on.executor->runSegment(7, step)) {
                }
            }
            auto out = on.channels();
            Store left = on.store;
            on.device->download(left);
            out["state"].assign(left.weights.state.begin(), left.weights.state.end());
            return std::pair(out, on.executor->launches());
        };
        const auto [looped, launches] = run({}, false);
        const auto exactly = run({.exact = true}, false);
        const int saved = exactly.second - launches;
        expect((saved > 2 * sampler.repeats) == sampler.isLoop, fmt::format("{} launches", launches));
        expect(run({}, false).first == looped, "another run gave other bits");
        expect(run({.captured = false}, false).first == looped, "uncaptured gave other bits");
        const auto compare = [&](const std::map<std::string, std::vector<float>>& other, const char* what,
                                 double tolerance) {
            double error = 0, scale = 0;
            for (const auto& [name, values] : other)
                for (size_t i = 0; i < values.size(); ++i) {
                    scale = std::max(scale, std::abs(double(values[i])));
                    const double off = std::abs(double(values[i]) - double(looped.at(name)[i]));
                    error = off == off ? std::max(error, off) : 1e30;
                }
            std::printf("%-40s %s off by %.2g of %.3g\n", row.c_str(), what, error, scale);
            expect(error <= tolerance * scale, fmt::format("{}: {} of {}", what, error, scale));
        };
        compare(run({}, true).first, "launch by launch", 2e-3);
        compare(exactly.first, "FP32", 2e-3);
        // The time is the same for all, and advances by the same bits; its state follows that of the points.
        const auto timeOf = [&](const std::vector<float>& state) {
            const Layout::Entry& t = layout.entries()[size_t(layout.find("t"))];
            return std::bit_cast<uint32_t>(state.at(size_t(t.offset)));
        };
        expect(timeOf(looped.at("state")) == timeOf(exactly.first.at("state")), "another time");
    }
    lessonSamplers();
}

}  // namespace support
