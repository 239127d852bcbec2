// What the CPU's multipliers can do at most: the ceiling that timings are compared with.
#pragma once

namespace core::cpu {

// GFLOP/s of `threads` threads that do nothing but independent fused multiply-adds on registers, with the
// widest instructions that bestKernels() may use; the best of several short runs.
double measurePeak(int threads);

}  // namespace core::cpu
