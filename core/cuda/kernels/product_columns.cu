#include "core/cuda/kernels/product.cuh"

namespace core::cuda {

void launchColumnsProduct(const Product& p, const Pass& pass, cudaStream_t stream) {
    launchShape<columns, false>(p, pass, stream);
}

}  // namespace core::cuda
