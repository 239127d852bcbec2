// Products of many rows: see lines.cuh.
#include "core/cuda/kernels/lines.cuh"

namespace core::cuda {
namespace {

template <int ROWS, int WARPS, bool TURN>
__global__ void __launch_bounds__(32 * WARPS, WARPS == 8 ? 2 : 1)
    lines(const __grid_constant__ Product p, const __grid_constant__ Pass pass) {
#if __CUDA_ARCH__ >= 800  // older cards have no such units, and are not asked to
    extern __shared__ __align__(16) float left[];
    __shared__ Program program;
    if (!p.straight.there) fetch(program, pass.program);
    awaitEarlier();
    const int first = int(blockIdx.y) * 16 * ROWS, count = min(16 * ROWS, p.m - first), step = p.k + 16;
    const int tile = int(blockIdx.x) * WARPS + int(threadIdx.x) / 32;
    stageLeft<ROWS, WARPS>(p, first, count, step, left);
    multiplyTiles<ROWS, WARPS, TURN, true>(p, program, pass, tile, min(p.n / (8 * runs), tile + 1), first,
                                           count, step, left, nullptr, [] {
                                               awaitAll();
                                               __syncthreads();
                                           });
#endif
}

template <int ROWS, int WARPS, bool TURN>
void launchLines(const Product& p, const Pass& pass, cudaStream_t stream) {
    const auto kernel = lines<ROWS, WARPS, TURN>;
    const auto bytesFor = [](int k) { return sizeof(float) * 16 * ROWS * size_t(k + 16); };
    static const cudaError_t raised = cudaFuncSetAttribute(
        kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, int(bytesFor(Product::longestLine)));
    (void)raised;
    const int columns = WARPS * 8 * runs;
    const dim3 grid(uint32_t((p.n + columns - 1) / columns), uint32_t((p.m + 16 * ROWS - 1) / (16 * ROWS)));
    kernel<<<grid, 32 * WARPS, bytesFor(p.k), stream>>>(p, pass);
}

template <bool TURN>
void launchTurn(const Product& p, const Pass& pass, cudaStream_t stream) {
    if (p.lineWarps == 12)
        p.lineRows == 1 ? launchLines<1, 12, TURN>(p, pass, stream)
                        : launchLines<2, 12, TURN>(p, pass, stream);
    else
        p.lineRows == 1 ? launchLines<1, 8, TURN>(p, pass, stream) : launchLines<2, 8, TURN>(p, pass, stream);
}

}  // namespace

void launchLinesProduct(const Product& p, const Pass& pass, cudaStream_t stream) {
    p.rightTurned ? launchTurn<true>(p, pass, stream) : launchTurn<false>(p, pass, stream);
}

}  // namespace core::cuda
