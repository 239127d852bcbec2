// The kernels for CPUs with AVX-512 F, VL, DQ and BW.
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

extern const KernelSet avx512Kernels;
const KernelSet avx512Kernels{"AVX-512", kernelFor, adamPass, allFinite};

}  // namespace core::cpu
