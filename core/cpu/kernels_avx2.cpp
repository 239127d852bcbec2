// The kernels for CPUs with AVX2 and FMA.
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

extern const KernelSet avx2Kernels;
const KernelSet avx2Kernels{"AVX2", kernelFor, adamPass, allFinite};

}  // namespace core::cpu
