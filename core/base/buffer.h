// Flat memory for many numbers.
#pragma once

#include <cstddef>
#include <vector>

namespace core {

// Starts on a cache line, so that vector loads never straddle two. A large one starts on a huge page and asks
// for such: what steps through megabytes a row at a time would look up another small page for every row.
void* allocateBuffer(size_t bytes);
void freeBuffer(void* memory, size_t bytes);

template <class T>
struct BufferAllocator {
    using value_type = T;
    BufferAllocator() = default;
    template <class U>
    BufferAllocator(const BufferAllocator<U>&) {}
    T* allocate(size_t n) { return static_cast<T*>(allocateBuffer(n * sizeof(T))); }
    void deallocate(T* p, size_t n) { freeBuffer(p, n * sizeof(T)); }
    bool operator==(const BufferAllocator&) const { return true; }
};
using Buffer = std::vector<float, BufferAllocator<float>>;

}  // namespace core
