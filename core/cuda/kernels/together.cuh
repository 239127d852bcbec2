// What kernels of products that are multiplied together share.
#pragma once

#include "core/cuda/abi.h"

namespace core::cuda {
namespace {

// The member that an item belongs to; `first` says where each begins.
template <class F>
__device__ __forceinline__ const Member& memberOf(const Together& all, int item, F first) {
    int from = 0, to = all.count;
    while (to - from > 1) {
        const int middle = (from + to) / 2;
        (first(all.list[middle]) <= item ? from : to) = middle;
    }
    return all.list[from];
}

}  // namespace
}  // namespace core::cuda
