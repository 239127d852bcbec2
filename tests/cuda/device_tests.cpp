// What the card computes against what the CPU computes: every operation, random numbers bit for bit,
// updates, and the same bits however a step is run. Needs a card; prints one line for every failure.
#include <bit>
#include <set>

#include "core/cpu/executor.h"
#include "core/nn/workloads.h"
#include "core/session/run.h"
#include "tests/cuda/on_card.h"
#include "tests/support/goldens.h"
#include "tests/support/interpreter.h"
#include "tests/support/op_rows.h"

using namespace core;
using namespace support;

namespace {

void operations() {
    test = "operations";
    double worst = 0;
    for (const Row& r : table()) {
        row = r.name;
        try {
            const auto recorded = record(r);
            const OnCard exact(recorded->graph, recorded->layout, {.exact = true});
            exact.executor->run(3, 5);
            const auto got = exact.channels();
            Interpreter oracle(recorded->graph, recorded->layout);
            oracle.run(3, 5);
            for (const auto& [channel, id] : recorded->graph->probes) {
                const std::vector<double>& expected = oracle.value(id);
                double scale = 1, error = 0;
                for (double x : expected) scale = std::max(scale, std::abs(x));
                bool finite = true;
                for (size_t i = 0; i < expected.size(); ++i) {
                    const float x = got.at(channel)[i];
                    finite = finite && std::isfinite(x);
                    error = std::max(error, std::abs(double(x) - expected[i]));
                }
                worst = std::max(worst, error / scale);
                expect(finite && error < 4e-6 * scale,
                       fmt::format("{}: {} of {}, finite {}", channel, error, scale, finite));
            }
            // Again, uncaptured, and in a plan of its own: the same bits.
            exact.executor->run(3, 5);
            expect(exact.channels() == got, "another run gave other bits");
            const OnCard plain(recorded->graph, recorded->layout, {.exact = true, .captured = false});
            plain.executor->run(3, 5);
            expect(plain.channels() == got, "uncaptured gave other bits");
            const OnCard fast(recorded->graph, recorded->layout, {});
            fast.executor->run(3, 5);
            const auto rough = fast.channels();
            for (const auto& [channel, values] : got) {
                double scale = 1, error = 0;
                for (size_t i = 0; i < values.size(); ++i) {
                    scale = std::max(scale, std::abs(double(values[i])));
                    const double off = std::abs(double(values[i]) - double(rough.at(channel)[i]));
                    error = off == off ? std::max(error, off) : 1e30;
                }
                expect(error < 5e-2 * scale, fmt::format("{} in TF32: {} of {}", channel, error, scale));
            }
        } catch (const std::exception& e) {
            expect(false, e.what());
        }
    }
    std::printf("operations: %zu rows, largest error against FP64 %.2g of the scale\n", table().size(),
                worst);
}

void randomNumbers() {
    test = "random numbers";
    Layout layout;
    Recorder r(layout, Recorder::Access::train);
    r.phase("twice", [] { return 2; });
    auto bytes = std::make_shared<Table>(Table{1009, 13, {}, {}});
    for (int i = 0; i < 1009 * 13; ++i) bytes->bytes.push_back(uint8_t(i * 7));
    r.probe("uniform", r.uniform("a", {257, 389}, -3, 2));
    r.probe("normal", r.normal("b", {1000, 100}));
    r.probe("odd", r.normal("c", {3, 7}));
    r.probe("drawn", r.drawRows("d", smallTable(), 5));
    r.probe("bytes", r.drawRows("e", bytes, 300));
    r.probe("dropped", dropout(r.fill({300, 7}, 1), "f", r.fill({1}, 0.4f)));
    auto graph = std::make_shared<const Graph>(r.take());
    Store store;
    store.initialise(layout, 0, 1);
    cpu::Pool pool(2);
    cpu::Executor executor(compile(graph, layout, {}), store, pool);
    const OnCard run(graph, layout, {});
    for (uint64_t step : {uint64_t(0), uint64_t(1), uint64_t(77), (uint64_t(1) << 33) + 5}) {
        executor.run(0x123456789abcdefull, step);
        run.executor->run(0x123456789abcdefull, step);
        for (const auto& [channel, id] : graph->probes) {
            row = channel;
            const auto expected = executor.read(channel).values, got = run.executor->read(channel).values;
            size_t differ = 0;
            for (size_t i = 0; i < got.size(); ++i)
                differ += std::bit_cast<uint32_t>(got[i]) != std::bit_cast<uint32_t>(expected[i]);
            expect(differ == 0, fmt::format("{} of {} numbers differ in step {}", differ, got.size(), step));
        }
    }
}

void updates() {
    test = "updates";
    row = "all optimizers";
    Layout layout;
    const auto graph = recordUpdates(layout);
    Store expected;
    expected.initialise(layout, 3, 9);
    expected.live.assign(1, 0);
    cpu::Pool pool(2);
    cpu::Executor executor(compile(graph, layout, {}), expected, pool);
    for (uint64_t step = 0; step < 20; ++step) executor.run(9, step);

    std::vector<Store> results;
    for (const cuda::ExecutorOptions& options :
         {cuda::ExecutorOptions{.exact = true}, cuda::ExecutorOptions{.exact = true, .captured = false},
          cuda::ExecutorOptions{.exact = true, .captured = true, .unroll = 4}}) {
        OnCard run(graph, layout, options, 9);
        expect(run.executor->runMany(9, 0, 20) && run.executor->finite(), "expected finite gradients");
        run.device->download(run.store);
        results.push_back(run.store);
    }
    {  // stage by stage
        PlanOptions plan;
        plan.byStage = true;
        OnCard run(graph, layout, {.exact = true}, 9, plan);
        for (uint64_t step = 0; step < 20; ++step)
            while (!run.executor->runSegment(9, step)) {
            }
        run.device->download(run.store);
        results.push_back(run.store);
    }
    for (size_t i = 1; i < results.size(); ++i)
        expect(results[i].hash() == results[0].hash(), fmt::format("way {} of running gave other bits", i));
    const auto compare = [&](const Buffer& a, const Buffer& b, const char* what) {
        double error = 0;
        for (size_t i = 0; i < a.size(); ++i) error = std::max(error, std::abs(double(a[i]) - double(b[i])));
        expect(error < 1e-6, fmt::format("{} differ by {}", what, error));
    };
    compare(results[0].weights.parameters, expected.weights.parameters, "parameters");
    compare(results[0].weights.state, expected.weights.state, "state");
    compare(results[0].weights.second, expected.weights.second, "moments");
    for (size_t i = 0; i < 3; ++i)
        expect(results[0].weights.counters[i].steps == expected.weights.counters[i].steps, "counters");
}

void brokenNumbers() {
    test = "a number that is not finite";
    row = "log of a negative knob";
    Layout layout;
    Recorder r(layout, Recorder::Access::train);
    const Var w = r.parameter("w", {3}, {Initial::constant, 1});
    r.minimize(mean(log(r.live(0)) * w), "w", Adam{{0.01f}, {0.9f}});
    auto graph = std::make_shared<const Graph>(r.take());
    OnCard run(graph, layout, {});
    run.store.live[0] = 2;
    run.executor->run(1, 0);
    expect(run.executor->finite(), "a good step is called broken");
    run.store.live[0] = -2;
    run.executor->run(1, 1);
    expect(!run.executor->finite(), "a broken step is called good");
}

// A launch that the card refuses is an error in one sentence, captured or not, and the card goes on.
void refusedLaunches() {
    test = "a launch that the card refuses";
    const cuda::Table& t = card()->table();
    const cuda::Memory clock(card(), sizeof(cuda::Clock));
    auto* const at = static_cast<cuda::Clock*>(clock.data());
    cuda::Launch empty;
    empty.kind = cuda::Kind::pointwise;
    cuda::Launch huge;  // more shared memory than a processor has
    huge.kind = cuda::Kind::chain;
    huge.chain.rows = 1, huge.chain.width = 1 << 20;
    for (const auto& [what, launch] : {std::pair{"of no blocks", empty}, {"of too much memory", huge}}) {
        row = what;
        cuda::Recording* recording = nullptr;
        cuda::Recorded shape;
        for (int again = 0; again < 2; ++again) {
            const int wrong = t.record(card()->device(), &launch, 1, nullptr, 0, at, 1, &recording, &shape);
            const std::string problem = t.problem();
            expect(wrong != 0 && !recording, "capture: expected an error, found none");
            expect(problem.find(cuda::kindNames[int(launch.kind)]) != std::string::npos, problem);
        }
        expect(t.runLaunches(card()->device(), &launch, 1, at, 1) != 0, "expected an error, found none");
        card()->wait();
    }
    brokenNumbers();
}

// Whole training steps of every network: losses as on the CPU, and the same bits again.
void wholeNetworks() {
    test = "networks";
    for (const Workload& workload : workloads()) {
        row = workload.name;
        try {
            Layout layout;
            Recorder r(layout, Recorder::Access::train);
            workload.record(r);
            const auto graph = std::make_shared<const Graph>(r.take());
            const bool hasLoss = graph->probes.count("loss") > 0;
            const int steps = hasLoss ? 3 : 1;
            Store expected;
            expected.initialise(layout, int(graph->updates.size()), 1);
            expected.live.assign(1, 0);
            cpu::Pool pool(8);
            cpu::Executor executor(compile(graph, layout, {}), expected, pool);
            for (int step = 0; step < steps; ++step) executor.run(1, uint64_t(step));
            const auto run = [&](const cuda::ExecutorOptions& options) {
                auto out = std::make_unique<OnCard>(graph, layout, options);
                out->executor->runMany(1, 0, steps);
                expect(out->executor->finite(), "expected finite gradients");
                out->device->download(out->store);
                return out;
            };
            const auto exact = run({.exact = true}), fast = run({}), again = run({.unroll = 3});
            const auto plain = run({.captured = false});
            expect(fast->store.hash() == again->store.hash(), "another run gave other bits");
            expect(fast->store.hash() == plain->store.hash(), "uncaptured gave other bits");
            const auto compare = [&](const OnCard& of, double tolerance, const char* what) {
                double error = 0, scale = 1e-6;
                if (hasLoss) {
                    scale = std::abs(double(executor.read("loss").values[0]));
                    error = std::abs(double(of.executor->read("loss").values[0]) -
                                     double(executor.read("loss").values[0]));
                } else {  // a sampler: what it left
                    const Buffer &a = of.store.weights.state, &b = expected.weights.state;
                    for (size_t i = 0; i < a.size(); ++i) {
                        scale = std::max(scale, std::abs(double(b[i])));
                        error = std::max(error, std::abs(double(a[i]) - double(b[i])));
                    }
                }
                std::printf("%-14s %-5s off by %.2g of %.4g\n", row.c_str(), what, error, scale);
                expect(error <= tolerance * scale, fmt::format("{}: {} of {}", what, error, scale));
            };
            compare(*exact, 1e-4, "FP32");
            compare(*fast, 2e-2, "TF32");
        } catch (const std::exception& e) {
            expect(false, e.what());
        }
    }
}

// The small networks against PyTorch: outputs, gradients, and the losses of ten Adam steps.
void goldens() {
    test = "goldens";
    for (const SmallNetwork& network : smallNetworks()) {
        row = network.name;
        const Golden golden(network.name);
        const RecordedNetwork recorded(network);
        Store store = recorded.store();
        const auto device = std::make_shared<cuda::DeviceStore>(card(), store);
        cuda::Executor executor(compile(recorded.graph, recorded.layout, {}), store, device, {.exact = true});
        const auto read = [&](const std::string& name) { return executor.read(name).values; };
        for (int step = 0; step < Golden::steps; ++step) {
            executor.run(1, uint64_t(step));
            if (step == 0) {
                device->downloadGradients(store);
                expect(golden.outputFault(read).empty(), golden.outputFault(read));
                const std::string fault = golden.gradientFault(recorded, store.gradients);
                expect(fault.empty(), fault);
            }
            expect(golden.lossFault(read, step).empty(), golden.lossFault(read, step));
        }
    }
}

// Every preset of every lesson for 50 steps: its losses as on the CPU, the same bits again, and what can be
// looked at is there. Two players amplify whatever differs, so that a GAN's curves are compared point by
// point in their first ten steps, and by their means over all 50. The norm of a gradient, a sum that nearly
// vanishes, is no curve to compare.
void lessons() {
    test = "lessons";
    constexpr int64_t steps = 50;
    for (const std::string& id : lessonIds())
        for (const Preset& preset : makeLesson(id)->presets()) {
            row = id + "/" + preset.name;
            if (!row.starts_with(onlyRow)) continue;
            try {
                RunRequest request{.lesson = id, .preset = preset.name, .threads = 8};
                const auto train = [&](const char* device, bool exact) {
                    request.device = device;
                    request.exact = exact;
                    auto run = std::make_unique<core::Run>(request);
                    while (run->stepCount() < steps)
                        if (run->steps(steps - run->stepCount()) == 0) throw Error(run->problem());
                    return run;
                };
                const auto here = train("cpu", false), exact = train("cuda", true),
                           fast = train("cuda", false), again = train("cuda", false);
                expect(fast->parameterHash() == again->parameterHash(), "another run gave other bits");
                const auto compare = [&](core::Run& run, double early, double whole, const char* what) {
                    double worst = 0, worstMean = 0;
                    std::string where;
                    const Frame expected = here->look({}), got = run.look({});
                    for (const auto& [channel, history] : expected.histories) {
                        if (channel.starts_with("grad_norm")) continue;
                        const auto &a = history.buckets(), &b = got.histories.at(channel).buckets();
                        double scale = 0.1, off = 0;
                        for (const auto& bucket : a) scale = std::max(scale, std::abs(double(bucket.mean)));
                        for (size_t i = 0; i < a.size(); ++i) {
                            const double apart = double(b.at(i).mean) - double(a[i].mean);
                            off += apart / double(a.size());
                            if (i >= 10 || std::abs(apart) / scale <= worst) continue;
                            worst = std::abs(apart) / scale;
                            where = fmt::format("{} of step {}", channel, i + 1);
                        }
                        worstMean = std::max(worstMean, std::abs(off) / scale);
                    }
                    std::printf(
                        "%-24s %-5s off by %.2g of the scale in ten steps, in the mean of %lld by %.2g\n",
                        row.c_str(), what, worst, (long long)steps, worstMean);
                    expect(worst <= early && worstMean <= whole,
                           fmt::format("{}: {} in ten steps ({}), {} in the mean", what, worst, where,
                                       worstMean));
                };
                compare(*exact, 1e-5, 5e-3, "FP32");
                compare(*fast, 5e-2, 1e-1, "TF32");
                const Frame seen = fast->look(fast->channelNames(), true);
                const Frame known = here->look(here->channelNames(), true);
                for (const auto& [channel, tensor] : known.channels)
                    expect(seen.find(channel) && seen.find(channel)->values.size() == tensor.values.size(),
                           channel + " cannot be seen");
                expect(fast->parameterHash() == again->parameterHash(), "looking changed the parameters");
                fast->goTo(steps - 20);
                fast->goTo(steps);
                expect(fast->parameterHash() == again->parameterHash(),
                       "going back and forth gave other bits");
                while (!fast->stage()) {
                }
                expect(again->step() && fast->parameterHash() == again->parameterHash(),
                       "stages gave other bits than a step");
            } catch (const std::exception& e) {
                expect(false, e.what());
            }
        }
}

}  // namespace

// usage: device_tests [TEST [how the names of its rows begin]]
int main(int count, char** arguments) {
    const std::string only = count > 1 ? arguments[1] : "";
    if (count > 2) onlyRow = arguments[2];
    const cuda::Availability there = cuda::availability();
    std::printf("card: %s\n", there.text.c_str());
    if (!there.there) return 1;
    const std::vector<std::pair<std::string, void (*)()>> tests = {
        {"operations", operations},
        {"random", randomNumbers},
        {"updates", updates},
        {"broken", brokenNumbers},
        {"refused", refusedLaunches},
        {"networks", wholeNetworks},
        {"loops", loops},
        {"goldens", goldens},
        {"lessons", lessons},
        {"products", largeProducts},
        {"transformers", transformers},
        {"images", images},
        {"chains", chains},
    };
    for (const auto& [name, run] : tests) {
        if (!only.empty() && only != name) continue;
        try {
            run();
        } catch (const std::exception& e) {
            expect(false, e.what());
        }
    }
    std::printf("%d passed, %d failed\n", passed, failed);
    return failed ? 1 : 0;
}
