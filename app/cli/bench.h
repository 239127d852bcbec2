// genscope bench: the speed table, one workload a line.
#pragma once

#include <string>
#include <vector>

namespace app {

struct BenchOptions {
    std::vector<std::string> workloads;  // empty: all
    int threads = 0;                     // 0: all cores
    double seconds = 2;
    bool details = false;
};

// Prints "name milliseconds"; throws core::Error for a workload that does not exist.
int runBench(const BenchOptions& options);

}  // namespace app
