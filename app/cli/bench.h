// genscope bench: the speed table, one workload a line.
#pragma once

#include <string>
#include <vector>

#include "core/session/run_request.h"

namespace app {

struct BenchOptions {
    std::vector<std::string> workloads;  // empty: all
    core::RunRequest request;            // its device; 0 threads: all cores
    double seconds = 2;                  // of each measurement
    bool details = false;
    bool json = false;
    std::string peer;        // a Python interpreter that has torch; empty: no comparison
    std::string peerScript;  // tests/peer/bench.py
    bool compiled = true;    // the peer also with torch.compile
};

// Prints "name milliseconds share", with a peer also its times and the ratio. Throws core::Error for a
// workload that does not exist and for a peer that does not answer.
int runBench(const BenchOptions& options);

}  // namespace app
