// Perceptrons whose rows one launch takes through all products, forwards and backwards: gradients as on the
// CPU, and the same bits however they are run.
#include <algorithm>
#include <cmath>

#include "core/cpu/executor.h"
#include "core/graph/ops.h"
#include "core/nn/diffusion.h"
#include "core/nn/losses.h"
#include "core/nn/mlp.h"
#include "core/nn/plane_net.h"
#include "tests/cuda/on_card.h"

using namespace core;

namespace support {
namespace {

struct ChainRow {
    const char* name;
    int rows;
    std::vector<int> sizes;
    bool smooth;            // silu instead of leaky ReLU
    int players;            // that share nothing
    int launches;           // chains, forwards and backwards
    bool diffuses = false;  // sizes aside: a network for diffusion in the plane
};

// The noise that is added at random times, found again.
Var diffusion(Recorder& r, const ChainRow& row) {
    constexpr int steps = 100;
    const PlaneNet net(r.scope("net0"));
    std::vector<float> points(size_t(2 * row.rows));
    for (size_t i = 0; i < points.size(); ++i) points[i] = std::sin(float(i));
    const Var x = r.constant({row.rows, 2}, std::move(points)), eps = r.normal("eps", {row.rows, 2});
    const Var t = randomTimes(r, "t", row.rows, steps);
    return mse(net(qSample(x, eps, alphaBarAt(linearAlphaBar(steps), t)), t), eps);
}

void chain(const ChainRow& r) {
    Layout layout;
    Recorder recorder(layout, Recorder::Access::train);
    Var loss;
    if (r.diffuses) loss = diffusion(recorder, r);
    for (int i = 0; !r.diffuses && i < r.players; ++i) {
        const std::string name = fmt::format("net{}", i);
        const Mlp net(recorder.scope(name), r.sizes,
                      [&](Var x) { return r.smooth ? silu(x) : leakyRelu(x, 0.2f); });
        const Var x = recorder.normal("x" + name, {r.rows, r.sizes.front()});
        const Var own = bceLogits(net(x), 1);
        loss = i == 0 ? own : loss + own;
    }
    recorder.minimize(loss, "", Adam{{1e-3f}, {0.9f}});
    const auto graph = std::make_shared<const Graph>(recorder.take());

    Store expected;
    expected.initialise(layout, int(graph->updates.size()), 1);
    expected.live.assign(1, 0);
    cpu::Pool pool(8);
    cpu::Executor executor(compile(graph, layout, {}), expected, pool);
    executor.run(1, 0);
    double scale = 0;
    for (const float x : expected.gradients) scale = std::max(scale, std::abs(double(x)));

    const auto run = [&](const cuda::ExecutorOptions& options) {
        auto out = std::make_unique<OnCard>(graph, layout, options);
        out->executor->runMany(1, 0, 1);
        out->device->downloadGradients(out->store);
        out->executor->runMany(1, 1, 2);
        out->device->download(out->store);
        return out;
    };
    const auto fast = run({}), again = run({}), plain = run({.captured = false});
    expect(fast->store.hash() == again->store.hash(), "another run gave other bits");
    expect(fast->store.hash() == plain->store.hash(), "uncaptured gave other bits");
    double error = 0;
    for (size_t i = 0; i < expected.gradients.size(); ++i)
        error = std::max(error, std::abs(double(fast->store.gradients[i]) - double(expected.gradients[i])));
    std::printf("%-24s off by %.2g\n", row.c_str(), error / scale);
    expect(error <= 1e-3 * scale, fmt::format("TF32: {} of {}", error, scale));
    const std::vector<std::string> lines = fast->executor->describe();
    const auto launches = std::count_if(lines.begin(), lines.end(),
                                        [](const std::string& line) { return line.starts_with("chain"); });
    expect(launches == r.launches, fmt::format("expected {} chains, got {}", r.launches, launches));
    const bool beside = std::any_of(lines.begin(), lines.end(), [](const std::string& line) {
        return line.find("beside") != std::string::npos;
    });
    expect(beside == r.diffuses, "what is run beside the layers");
}

}  // namespace

void chains() {
    test = "chains";
    for (const ChainRow& r : {ChainRow{"plain", 512, {2, 128, 128, 1}, false, 1, 1},
                              ChainRow{"deep", 1024, {3, 128, 128, 128, 128, 2}, true, 1, 1},
                              ChainRow{"a block with few rows", 516, {2, 128, 128, 2}, true, 1, 1},
                              ChainRow{"two side by side", 512, {2, 128, 128, 2}, false, 2, 2},
                              ChainRow{"wider", 512, {2, 256, 256, 2}, true, 1, 1},
                              ChainRow{"from a layer's width", 512, {128, 128, 128, 2}, false, 1, 1},
                              ChainRow{"to three", 512, {2, 128, 128, 3}, false, 1, 1},
                              ChainRow{"pairs of blocks", 528, {2, 128, 128, 2}, false, 1, 1},
                              ChainRow{"sixteen rows a block", 1152, {2, 128, 128, 2}, false, 1, 1},
                              ChainRow{"and one with few", 1060, {2, 128, 128, 2}, false, 1, 1},
                              ChainRow{"diffusion", 1024, {}, true, 1, 1, true}}) {
        row = r.name;
        if (!row.starts_with(onlyRow)) continue;
        try {
            chain(r);
        } catch (const std::exception& e) {
            expect(false, e.what());
        }
    }
}

}  // namespace support
