// How the blocks of a launch come to lie on the processors of a card on which launches begin before those
// ahead of them have ended.
#include "core/cuda/kernels/kernels.h"

namespace core::cuda {
namespace {

struct Processors {
    int count = 1, memory = 0, reserved = 0;  // bytes of shared memory: of each, and kept back of a block's
    bool overlap = false;
};

Processors processorsOfCard() {
    Processors p;
    int device = 0, major = 0;
    const auto ask = [&](int& value, cudaDeviceAttr what) {
        return cudaDeviceGetAttribute(&value, what, device) == cudaSuccess;
    };
    p.overlap = cudaGetDevice(&device) == cudaSuccess && ask(major, cudaDevAttrComputeCapabilityMajor) &&
                ask(p.count, cudaDevAttrMultiProcessorCount) &&
                ask(p.memory, cudaDevAttrMaxSharedMemoryPerMultiprocessor) &&
                ask(p.reserved, cudaDevAttrReservedSharedMemoryPerBlock) && major >= 9;
    return p;
}

}  // namespace

// Blocks go to processors as soon as these have room. Where that is while an earlier launch ends, the first
// to be free would get several, and the last none. So a block asks for so much memory that only its share of
// them fits on a processor.
size_t spread(const void* kernel, dim3 grid, size_t bytes) {
    static const Processors card = processorsOfCard();
    const int64_t blocks = int64_t(grid.x) * grid.y * grid.z;
    const int64_t share = (blocks + card.count - 1) / card.count;
    // Few leave room for other launches; of many, each processor gets enough.
    if (!card.overlap || 4 * blocks < 3 * card.count || share > 4) return bytes;
    cudaFuncAttributes known;
    if (cudaFuncGetAttributes(&known, kernel) != cudaSuccess) return bytes;
    const int64_t tooMuchForOneMore = card.memory / (share + 1) + 1024;
    const int64_t own = tooMuchForOneMore - card.reserved - int64_t(known.sharedSizeBytes);
    if (own <= int64_t(bytes)) return bytes;
    const bool allowed =
        own <= known.maxDynamicSharedSizeBytes ||
        cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, int(own)) == cudaSuccess;
    return allowed ? size_t(own) : bytes;
}

}  // namespace core::cuda
