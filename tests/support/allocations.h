// Every allocation of the program whose one source includes this is counted.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <new>

namespace support {

inline std::atomic<int64_t> allocations{0};

inline void* counted(size_t size, size_t alignment) {
    ++allocations;
    void* p = alignment > alignof(std::max_align_t)
                  ? std::aligned_alloc(alignment, (size + alignment - 1) / alignment * alignment)
                  : std::malloc(size ? size : 1);
    if (!p) throw std::bad_alloc();
    return p;
}

}  // namespace support

void* operator new(size_t size) {
    return support::counted(size, 0);
}
void* operator new[](size_t size) {
    return support::counted(size, 0);
}
void* operator new(size_t size, std::align_val_t alignment) {
    return support::counted(size, size_t(alignment));
}
void* operator new[](size_t size, std::align_val_t alignment) {
    return support::counted(size, size_t(alignment));
}
void* operator new(size_t size, const std::nothrow_t&) noexcept {
    ++support::allocations;
    return std::malloc(size ? size : 1);
}
void operator delete(void* p) noexcept {
    std::free(p);
}
void operator delete[](void* p) noexcept {
    std::free(p);
}
void operator delete(void* p, size_t) noexcept {
    std::free(p);
}
void operator delete[](void* p, size_t) noexcept {
    std::free(p);
}
void operator delete(void* p, std::align_val_t) noexcept {
    std::free(p);
}
void operator delete[](void* p, std::align_val_t) noexcept {
    std::free(p);
}
void operator delete(void* p, size_t, std::align_val_t) noexcept {
    std::free(p);
}
void operator delete[](void* p, size_t, std::align_val_t) noexcept {
    std::free(p);
}
