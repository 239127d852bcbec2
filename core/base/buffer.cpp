#include "core/base/buffer.h"

#include <new>

#ifdef __linux__
#include <sys/mman.h>
#endif

namespace core {
namespace {

constexpr size_t line = 64, hugePage = size_t(1) << 21;

std::align_val_t alignmentOf(size_t bytes) {
    return std::align_val_t(bytes < hugePage ? line : hugePage);
}

}  // namespace

void* allocateBuffer(size_t bytes) {
    void* const memory = ::operator new(bytes, alignmentOf(bytes));
#ifdef __linux__
    // A kernel without them refuses, which changes nothing but the speed.
    if (bytes >= hugePage) madvise(memory, bytes / hugePage * hugePage, MADV_HUGEPAGE);
#endif
    return memory;
}

void freeBuffer(void* memory, size_t bytes) {
    ::operator delete(memory, alignmentOf(bytes));
}

}  // namespace core
