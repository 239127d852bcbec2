#include "core/session/bench.h"

#include <algorithm>
#include <chrono>

#include "core/cpu/executor.h"
#include "core/nn/workloads.h"

namespace core {
namespace {

Timing timeOne(const Workload& workload, int threads, double seconds) {
    using Clock = std::chrono::steady_clock;
    Layout layout;
    Recorder recorder(layout, Recorder::Access::train);
    workload.record(recorder);
    const auto graph = std::make_shared<const Graph>(recorder.take());
    Store store;
    store.live.assign(1, 0);
    store.initialise(layout, int(graph->updates.size()), 1);
    cpu::Pool pool(threads);
    cpu::Executor executor(compile(graph, layout, {}), store, pool);

    std::vector<double> times;
    uint64_t step = 0;
    for (; step < 5; ++step) executor.run(1, step);
    for (const auto end = Clock::now() + std::chrono::duration<double>(seconds); Clock::now() < end; ++step) {
        const auto start = Clock::now();
        executor.run(1, step);
        times.push_back(std::chrono::duration<double, std::milli>(Clock::now() - start).count());
    }
    CHECK(!times.empty(), "bench: expected at least one step of {} in {} s, got none", workload.name,
          seconds);
    std::nth_element(times.begin(), times.begin() + long(times.size() / 2), times.end());
    const double median = times[times.size() / 2];
    return {workload.name, median, workload.flops / median / 1e6, executor.plan().levelCount()};
}

}  // namespace

std::vector<Timing> bench(const std::vector<std::string>& names, int threads, double seconds) {
    std::vector<std::string> known;
    for (const Workload& w : workloads()) known.push_back(w.name);
    for (const std::string& name : names)
        CHECK(std::find(known.begin(), known.end(), name) != known.end(),
              "bench: expected some of {}, got '{}'", fmt::join(known, ", "), name);
    std::vector<Timing> out;
    for (const Workload& w : workloads())
        if (names.empty() || std::find(names.begin(), names.end(), w.name) != names.end())
            out.push_back(timeOne(w, threads, seconds));
    return out;
}

}  // namespace core
