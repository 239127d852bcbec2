// The kernels for any x86-64 CPU since 2009 (SSE4.2); fma is a function call or emulated there.
#include "core/base/math.h"
#include "core/base/philox.h"
#include "core/cpu/call.h"

namespace core::cpu {
namespace {
#include "core/cpu/kernels.inl"

#include "core/cpu/adam.inl"

Kernel<float> kernelFor(Op op) {
    return kernelOf<float>(op, chainProduct<float>);
}
}  // namespace

extern const KernelSet sseKernels;
const KernelSet sseKernels{"SSE", kernelFor, adamPass, allFinite};

}  // namespace core::cpu
