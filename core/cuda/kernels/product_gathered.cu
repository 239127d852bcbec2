#include "core/cuda/kernels/product.cuh"

namespace core::cuda {

void launchGatheredProduct(const Product& p, const Pass& pass, cudaStream_t stream) {
    p.rightTurned ? launchShape<gathered, true>(p, pass, stream)
                  : launchShape<gathered, false>(p, pass, stream);
}

}  // namespace core::cuda
