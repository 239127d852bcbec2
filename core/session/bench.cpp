#include "core/session/bench.h"

#include <algorithm>
#include <chrono>

#include "core/cpu/peak.h"
#include "core/nn/workloads.h"
#include "core/session/flops.h"

namespace core {
namespace {

using Clock = std::chrono::steady_clock;

double msSince(Clock::time_point then) {
    return std::chrono::duration<double, std::milli>(Clock::now() - then).count();
}

const Workload& workloadNamed(const std::string& name) {
    for (const Workload& workload : workloads())
        if (workload.name == name) return workload;
    throw Error(fmt::format("bench: expected some of {}, got '{}'", fmt::join(benchNames(), ", "), name));
}

}  // namespace

struct Bench::Impl {
    DevicePtr device;
    Layout layout;
    Store store;
    std::unique_ptr<Deployment> deployment;
    std::unique_ptr<Executor> executor;
    uint64_t step = 0;
    double recordMs = 0;

    // The time of a step, in as many as are taken together.
    double run() {
        const int steps = executor->together();
        const Clock::time_point start = Clock::now();
        CHECK(executor->run(1, step, steps), "bench: expected finite numbers at step {}, got others", step);
        step += uint64_t(steps);
        return msSince(start) / steps;
    }
};

std::vector<std::string> benchNames() {
    std::vector<std::string> names;
    for (const Workload& workload : workloads()) names.push_back(workload.name);
    return names;
}

Bench::Bench(const std::string& name, DevicePtr device) : m_impl(std::make_unique<Impl>()) {
    m_impl->device = std::move(device);
    const Workload& workload = workloadNamed(name);
    const Clock::time_point start = Clock::now();
    Recorder recorder(m_impl->layout, Recorder::Access::train);
    workload.record(recorder);
    const auto graph = std::make_shared<const Graph>(recorder.take());
    Plan plan = compile(graph, m_impl->layout, {});
    m_impl->recordMs = msSince(start);
    m_impl->store.live.assign(1, 0);
    m_impl->store.initialise(m_impl->layout, int(graph->updates.size()), 1);
    m_impl->deployment = m_impl->device->deploy(m_impl->store);
    m_impl->executor = m_impl->deployment->prepare(std::move(plan));
}

Bench::~Bench() = default;

double Bench::milliseconds(double seconds) {
    // Two steps warm the caches and wake the workers; the fifth part of the time is enough for a long one.
    const Clock::time_point warming = Clock::now();
    for (int i = 0; i < 3 && (i == 0 || msSince(warming) < 200 * seconds); ++i) m_impl->run();
    std::vector<double> times;
    const Clock::time_point start = Clock::now();
    while (msSince(start) < 1e3 * seconds || times.size() < 3) times.push_back(m_impl->run());
    std::nth_element(times.begin(), times.begin() + long(times.size() / 2), times.end());
    return times[times.size() / 2];
}

double Bench::flops() const {
    return productFlops(m_impl->executor->plan());
}

int Bench::depth() const {
    return m_impl->executor->depth();
}

int Bench::launches() const {
    return m_impl->executor->launches();
}

double Bench::recordMs() const {
    return m_impl->recordMs;
}

double peakGflops(int threads) {
    return cpu::measurePeak(threads);
}

}  // namespace core
