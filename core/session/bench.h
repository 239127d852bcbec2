// Times the workloads of the speed table on this machine.
#pragma once

#include <string>
#include <vector>

namespace core {

struct Timing {
    std::string name;
    double milliseconds = 0;  // median of a training step
    double gflops = 0;        // of its matrix products
    int levels = 0;           // barriers in a step
};

// Runs each named workload (all, if the list is empty) for about `seconds`. Throws Error for an unknown name.
std::vector<Timing> bench(const std::vector<std::string>& names, int threads, double seconds);

}  // namespace core
