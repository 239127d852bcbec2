// Chooses the instruction set by what the CPU says and the operating system saves.
#include <cstdlib>
#include <string_view>

#include "core/base/error.h"
#include "core/cpu/call.h"

namespace core::cpu {

extern const KernelSet sseKernels;
extern const KernelSet avx2Kernels;
extern const KernelSet avx512Kernels;

const KernelSet* kernelsNamed(const char* name) {
    const std::string_view wanted(name);
    if (wanted == "sse") return __builtin_cpu_supports("sse4.2") ? &sseKernels : nullptr;
    const bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    if (wanted == "avx2") return avx2 ? &avx2Kernels : nullptr;
    const bool avx512 = avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
                        __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512bw");
    if (wanted == "avx512") return avx512 ? &avx512Kernels : nullptr;
    return nullptr;
}

const KernelSet& bestKernels() {
    static const KernelSet& chosen = []() -> const KernelSet& {
        if (const char* name = std::getenv("GENSCOPE_ISA")) {
            const KernelSet* named = kernelsNamed(name);
            CHECK(named, "GENSCOPE_ISA: expected sse, avx2 or avx512 on a CPU that has it, got {}", name);
            return *named;
        }
        for (const char* name : {"avx512", "avx2"})
            if (const KernelSet* named = kernelsNamed(name)) return *named;
        return sseKernels;
    }();
    return chosen;
}

}  // namespace core::cpu
