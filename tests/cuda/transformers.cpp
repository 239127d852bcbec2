// What transformers are made of, in the sizes that have launches of their own, and beside them: against FP64,
// and the same bits however they are run.
#include "tests/cuda/on_card.h"
#include "tests/support/interpreter.h"
#include "tests/support/op_rows.h"

namespace support {
namespace {

bool looking = false;  // at what has no need to be written

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
// With what modulates side by side in one value, which is no weight: 1 + scale is made where it is read.
Var modulatedByParts(Recorder& r, const Inputs& x) {
    const Var parts = square(x[1]) - 1;
    const int channels = int(x[0].shape().channels());
    const auto part = [&](int i) { return sliceColumns(parts, i * channels, channels); };
    Var h = x[0];
    for (int i = 0; i < 2; ++i) {
        const Var scale = 1 + part(2 * i);
        if (looking) r.probe(i == 0 ? "scale" : "scale2", scale);
        h = h + square(layerNorm(h, 1e-2f, scale, part(2 * i + 1)));
    }
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
        {row("norms, modulated by parts", {{3, 37, 192}, {3, 768}}, modulatedByParts), "pointwise", 7, 4e-6},
        {row("norms of samples by parts", {{70, 64}, {70, 256}}, modulatedByParts), "pointwise", 5, 4e-6},
        {row("norms, odd, by parts", {{3, 37, 39}, {3, 156}}, modulatedByParts), "pointwise", 9, 4e-6},
        {row("norms of all lines", {{50, 49, 128}, {128}, {128}}, scaledTwice), launch, 2, 4e-6},
        {row("sums of all lines", {{50, 49, 128}, {128}, {128}}, scaledTwice), "2 sums of lines", 2, 4e-6},
        {row("norms of rows", {{77, 20}, {20}, {20}}, scaledTwice), launch, 2, 4e-6},
        {row("norms of few lines", {{1, 3, 260}, {260}, {260}}, scaledTwice), launch, 2, 4e-6},
    };
}

// T queries, S keys, D channels of all heads.
FusedRow attentionRow(const char* name, int samples, int T, int S, int D, int heads, bool causal,
                      int launches) {
    const auto build = [=](Recorder& r, const Inputs& x) {
        const Var scores = attentionScores(x[0], x[1], heads);
        const Var weights = causal ? causalSoftmax(scores) : softmax(scores);
        if (looking) r.probe("scores", scores), r.probe("weights", weights);
        return attend(weights, x[2]);
    };
    return {Row{name, {{samples, T, D}, {samples, S, D}, {samples, S, D}}, build, -2, 2, false}, "attention",
            launches, 2e-3};
}

// With q, k and v side by side in one value.
Var attendedParts(Recorder& r, const Inputs& x) {
    const Var all = square(x[0]) - 1;
    const Var scores = attentionScores(sliceColumns(all, 0, 24), sliceColumns(all, 24, 24), 3);
    const Var weights = softmax(scores);
    if (looking) r.probe("scores", scores), r.probe("weights", weights);
    return attend(weights, sliceColumns(all, 48, 24));
}

std::vector<FusedRow> attentionRows() {
    return {
        attentionRow("attention", 3, 64, 64, 96, 3, false, 2),
        attentionRow("attention, causal and odd", 3, 49, 49, 128, 4, true, 2),
        attentionRow("attention of few", 5, 16, 16, 96, 3, false, 2),
        attentionRow("attention of few, causal", 3, 13, 13, 32, 2, true, 2),
        attentionRow("attention across", 2, 64, 8, 32, 2, false, 2),
        attentionRow("attention to more", 2, 20, 31, 48, 3, false, 2),
        attentionRow("attention of wide heads", 2, 50, 64, 128, 2, false, 2),
        attentionRow("attention of odd heads", 2, 17, 30, 33, 3, false, 2),
        attentionRow("attention, long", 2, 100, 200, 64, 2, false, 1),
        attentionRow("attention, longer", 1, 40, 300, 64, 2, false, 0),
        attentionRow("attention of very wide heads", 2, 20, 20, 160, 2, false, 0),
        {Row{"attention of parts", {{2, 30, 72}}, attendedParts, -2, 2, false}, "attention", 2, 2e-3},
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
    std::vector<FusedRow> rows = normRows();
    for (FusedRow& r : attentionRows()) rows.push_back(std::move(r));
    for (const FusedRow& r : rows) {
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
            looking = true;
            const auto seen = record(r.row);
            looking = false;
            const OnCard looked(seen->graph, seen->layout, {});
            looked.executor->run(3, 5);
            auto others = looked.channels();
            for (const auto& [channel, values] : got)
                expect(others.at(channel) == values, "looking changed " + channel);
            if (others.count("weights"))
                for (const char* channel : {"scores", "weights"}) {
                    const OnCard plainly(seen->graph, seen->layout, {.exact = true});
                    plainly.executor->run(3, 5);
                    const auto right = plainly.executor->read(channel).values;
                    double off = 0;
                    for (size_t i = 0; i < right.size(); ++i)
                        off = std::max(off, std::abs(double(right[i]) - double(others[channel][i])));
                    expect(off < 2e-2, fmt::format("{}: off by {}", channel, off));
                }
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
                    const double e = std::abs(double(expected.at(channel)[i]) - truth[i]);
                    exactOff = e == e ? std::max(exactOff, e) : 1e30;
                }
                std::printf(" %s %.1g (%.1g)", channel.c_str(), off / scale, exactOff / scale);
                // Sums that may nearly vanish are compared where their terms are not rounded.
                const bool sum = channel == "loss" || channel == "penalty";
                if (sum && r.tolerance > 1e-4) continue;
                expect(off <= r.tolerance * scale && exactOff <= 4e-6 * scale,
                       fmt::format("{}: {} of {}, in FP32 {}", channel, off, scale, exactOff));
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
