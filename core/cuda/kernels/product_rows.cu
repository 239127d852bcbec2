#include "core/cuda/kernels/product.cuh"

namespace core::cuda {

void launchRowsProduct(const Product& p, const Pass& pass, cudaStream_t stream) {
    p.rightTurned ? launchShape<rows, true>(p, pass, stream) : launchShape<rows, false>(p, pass, stream);
}

}  // namespace core::cuda
