// The launchers of the plugin's kernels; each enqueues one kernel on the stream.
#pragma once

#include <cuda_runtime.h>

#include "core/cuda/abi.h"

namespace core::cuda {

void launchPointwise(const Pass& pass, cudaStream_t stream);
void launchProduct(const Product& product, const Pass& pass, cudaStream_t stream);
void launchRowsProduct(const Product& product, const Pass& pass, cudaStream_t stream);
void launchColumnsProduct(const Product& product, const Pass& pass, cudaStream_t stream);
void launchGatheredProduct(const Product& product, const Pass& pass, cudaStream_t stream);
void launchTurnedProduct(const Product& product, const Pass& pass, cudaStream_t stream);
void launchWindowsProduct(const Product& product, const Pass& pass, cudaStream_t stream);
void launchTapsProduct(const Product& product, cudaStream_t stream);
void launchLinesProduct(const Product& product, const Pass& pass, cudaStream_t stream);
void launchGroupProduct(const Product& product, const Pass& pass, cudaStream_t stream);
void launchLayers(const Layers& layers, cudaStream_t stream);
void launchNarrow(const Together& together, cudaStream_t stream);
void launchClusters(const Together& together, cudaStream_t stream);
void launchTogether(const Together& together, cudaStream_t stream);
void launchTurns(const Turns& turns, cudaStream_t stream);
void launchSum(const Plain& plain, const Pass& pass, cudaStream_t stream);
void launchGroups(Kind kind, const Plain& plain, const Pass& pass, cudaStream_t stream);
void launchRegions(Kind kind, const Plain& plain, const Pass& pass, cudaStream_t stream);
void launchNormalisedLines(const Plain& plain, cudaStream_t stream);
void launchGradientOfLines(const Plain& plain, const Pass& pass, cudaStream_t stream);
void launchLineSums(const Plain& plain, cudaStream_t stream);
void launchPlain(Kind kind, const Plain& plain, cudaStream_t stream);
void launchUpdate(const UpdatePass& pass, cudaStream_t stream);
void launchChain(const Chain& chain, cudaStream_t stream);
void launchWideChain(const Chain& chain, cudaStream_t stream);
void launchHiddenChain(const Chain& chain, cudaStream_t stream);
void launchAttention(const Attention& attention, cudaStream_t stream);
void launchAttentionGradient(const Attention& attention, cudaStream_t stream);
void launchPrelude(const Loop& loop, cudaStream_t stream);
void launchLoop(const Loop& loop, cudaStream_t stream);
void launchTick(Clock* clock, int steps, cudaStream_t stream);

// What a card can do.
bool hasAttention(int device);
bool hasChains(int device);
bool hasLoops(int device);
bool hasWarpgroups(int device);

// What of shared memory a launch asks for that needs `bytes`, so that its blocks lie on all processors.
size_t spread(const void* kernel, dim3 grid, size_t bytes);
template <class... A>
size_t spread(void (*kernel)(A...), dim3 grid, size_t bytes) {
    return spread(reinterpret_cast<const void*>(kernel), grid, bytes);
}

}  // namespace core::cuda
