// What transformers are made of, in the sizes that have launches of their own, and beside them: against FP64,
// and the same bits however they are run.
#include "tests/cuda/on_card.h"
#include "tests/support/interpreter.h"
#include "tests/support/op_rows.h"

namespace support {
namespace {

struct FusedRow {
    Row row;
    const char* launch;  // as Executor::describe begins it; in exact mode there are none
    int launches;        // of that kind
    double tolerance;    // of TF32 against FP32, of the scale
};

// x + gate (norm(x) (1 + scale) + shift), twice, so that a gradient has another added, and is gated and
// summed.
Var modulatedTwice(Recorder&, const Inputs& x) {
    Var h = x[0];
    for (int i = 0; i < 2; ++i) h = h + x[3] * square(layerNorm(h, 1e-2f, 1 + x[1], x[2]));
    return h;
}
Var scaledTwice(Recorder&, const Inputs& x) {
    Var h = x[0];
    for (int i = 0; i < 2; ++i) h = h + square(layerNorm(h, 1e-2f, x[1], x[2]));
    return h;
}

std::vector<FusedRow> normRows() {
    const auto row = [](const char* name, std::vector<Shape> inputs, Var (*build)(Recorder&, const Inputs&)) {
        return Row{name, std::move(inputs), build, -2, 2, false};
    };
    const char* const launch = "normaliseGradient";
    return {
        {row("norms, modulated", {{3, 37, 192}, {3, 192}, {3, 192}, {3, 192}}, modulatedTwice), launch, 2,
         4e-6},
        {row("norms, wide", {{2, 70, 512}, {2, 512}, {2, 512}, {2, 512}}, modulatedTwice), launch, 2, 4e-6},
        {row("norms, one line a sample", {{19, 1, 64}, {19, 64}, {19, 64}, {19, 64}}, modulatedTwice), launch,
         2, 4e-6},
        {row("norms, odd", {{3, 37, 39}, {3, 39}, {3, 39}, {3, 39}}, modulatedTwice), launch, 2, 4e-6},
        {row("norms of all lines", {{50, 49, 128}, {128}, {128}}, scaledTwice), launch, 2, 4e-6},
        {row("norms of rows", {{77, 20}, {20}, {20}}, scaledTwice), launch, 2, 4e-6},
        {row("norms of few lines", {{1, 3, 260}, {260}, {260}}, scaledTwice), launch, 2, 4e-6},
    };
}

int countLaunches(const cuda::Executor& executor, const char* kind) {
    int count = 0;
    for (const std::string& line : executor.describe()) count += line.starts_with(kind) ? 1 : 0;
    return count;
}

}  // namespace

void transformers() {
    test = "transformers";
    for (const FusedRow& r : normRows()) {
        row = r.row.name;
        try {
            const auto recorded = record(r.row);
            const OnCard exact(recorded->graph, recorded->layout, {.exact = true});
            const OnCard fast(recorded->graph, recorded->layout, {}),
                plain(recorded->graph, recorded->layout, {.captured = false});
            for (const OnCard* run : {&exact, &fast, &plain}) run->executor->run(3, 5);
            const auto expected = exact.channels(), got = fast.channels();
            expect(plain.channels() == got, "uncaptured gave other bits");
            fast.executor->run(3, 5);
            expect(fast.channels() == got, "another run gave other bits");
            Interpreter oracle(recorded->graph, recorded->layout);
            oracle.run(3, 5);
            std::printf("%-28s", row.c_str());
            for (const auto& [channel, id] : recorded->graph->probes) {
                const std::vector<double>& truth = oracle.value(id);
                double scale = 1e-6, off = 0, exactOff = 0;
                for (size_t i = 0; i < truth.size(); ++i) {
                    scale = std::max(scale, std::abs(truth[i]));
                    const double d = std::abs(double(got.at(channel)[i]) - truth[i]);
                    off = d == d ? std::max(off, d) : 1e30;
                    exactOff = std::max(exactOff, std::abs(double(expected.at(channel)[i]) - truth[i]));
                }
                std::printf(" %s %.1g (%.1g)", channel.c_str(), off / scale, exactOff / scale);
                expect(off <= r.tolerance * scale, fmt::format("{}: {} of {}", channel, off, scale));
            }
            std::printf("\n");
            expect(countLaunches(*fast.executor, r.launch) == r.launches,
                   fmt::format("expected {} launches of {}, got {}", r.launches, r.launch,
                               countLaunches(*fast.executor, r.launch)));
        } catch (const std::exception& e) {
            expect(false, e.what());
        }
    }
}

}  // namespace support
