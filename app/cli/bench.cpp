#include "app/cli/bench.h"

#include <fmt/format.h>

#include <thread>

#include "app/cli/command_line.h"
#include "core/session/bench.h"

namespace app {

int runBench(const BenchOptions& options) {
    const int threads = options.threads > 0 ? options.threads : int(std::thread::hardware_concurrency());
    for (const core::Timing& timing : core::bench(options.workloads, threads, options.seconds)) {
        fmt::print("{} {:.3f}", timing.name, timing.milliseconds);
        if (options.details) fmt::print(" {:.1f} {}", timing.gflops, timing.levels);
        fmt::print("\n");
    }
    return exitOk;
}

}  // namespace app
