// Times the workloads of the speed table on this machine.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/graph/executor.h"

namespace core {

// The names of all workloads, in the table's order.
std::vector<std::string> benchNames();

// One workload made ready to run.
class Bench {
  public:
    // Throws Error for an unknown name.
    Bench(const std::string& name, DevicePtr device);
    ~Bench();

    // The median time of a training step, or of a whole run of a sampler, over about `seconds`, in
    // milliseconds.
    double milliseconds(double seconds);
    double flops() const;     // of one step's products
    int depth() const;        // barriers in a step, or launches that wait for each other
    int launches() const;     // on a card, in a step
    double recordMs() const;  // how long recording and compiling took

  private:
    struct Impl;
    std::unique_ptr<Impl> m_impl;
};

// GFLOP/s that so many threads reach with nothing but multiplications and additions.
double peakGflops(int threads);

}  // namespace core
