#include "core/cuda/kernels/product.cuh"

namespace core::cuda {

void launchTurnedProduct(const Product& p, const Pass& pass, cudaStream_t stream) {
    launchShape<patchesTurned, false>(p, pass, stream);
}

}  // namespace core::cuda
