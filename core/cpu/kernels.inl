// The arithmetic of every op, a template on the number: float once per instruction set, double for
// the reference. Included inside an unnamed namespace of core::cpu, and everything here is
// internal: a function that the linker could share would bring AVX-512 to a CPU without it.

#include "core/cpu/movement.inl"
#include "core/cpu/pointwise.inl"
#include "core/cpu/random.inl"

#include "core/cpu/images.inl"
#include "core/cpu/pairs.inl"
#include "core/cpu/sums.inl"

#include "core/cpu/last_axis.inl"
#include "core/cpu/look_up.inl"
#include "core/cpu/normalise.inl"

// Every output is one chain of fma over ascending k, starting from 0: the order never depends on
// tiles, slabs or registers.
template <class T>
void chainProduct(const Call<T>& call, int64_t begin, int64_t end) {
    const int64_t C = call.columns, K = call.transposed ? call.inRows[0] : call.inColumns[0];
    const int64_t stepRow = call.transposed ? 1 : call.inColumns[0];
    const int64_t stepK = call.transposed ? call.inColumns[0] : 1;
    for (int64_t row = begin; row < end; ++row) {
        T* y = call.out + row * C;
        zeroRun(y, C);
        for (int64_t k = 0; k < K; ++k) {
            const T value = call.in[0][row * stepRow + k * stepK];
            const T* b = call.in[1] + k * C;
#pragma GCC ivdep
            for (int64_t column = 0; column < C; ++column) y[column] = math::fma(value, b[column], y[column]);
        }
    }
}

// Null for what does not compute: leaves, and updates, which have a pass of their own.
template <class T>
Kernel<T> kernelOf(Op op, Kernel<T> product) {
    switch (op) {
        case Op::parameter:
        case Op::state:
        case Op::live:
        case Op::handle:
        case Op::constant:
        case Op::update:
        case Op::count:
            return nullptr;
        case Op::fill:
            return fill<T>;
        case Op::uniform:
            return uniform<T>;
        case Op::normal:
            return normal<T>;
        case Op::drawRows:
            return drawRows<T>;
        case Op::reshape:
        case Op::assign:
            return copy<T>;
        case Op::affine:
            return affine<T>;
        case Op::exp:
            return exponential<T>;
        case Op::log:
            return logarithm<T>;
        case Op::sqrt:
            return squareRoot<T>;
        case Op::square:
            return square<T>;
        case Op::abs:
            return magnitude<T>;
        case Op::reciprocal:
            return reciprocal<T>;
        case Op::tanh:
            return hyperbolicTangent<T>;
        case Op::sigmoid:
            return sigmoid<T>;
        case Op::softplus:
            return softplus<T>;
        case Op::leakyRelu:
            return leakyRelu<T>;
        case Op::leakyStep:
            return leakyStep<T>;
        case Op::sign:
            return sign<T>;
        case Op::silu:
            return silu<T>;
        case Op::siluSlope:
            return siluSlope<T>;
        case Op::gelu:
            return gelu<T>;
        case Op::geluSlope:
            return geluSlope<T>;
        case Op::erfGelu:
            return erfGelu<T>;
        case Op::erfGeluSlope:
            return erfGeluSlope<T>;
        case Op::sine:
            return sine<T>;
        case Op::cosine:
            return cosine<T>;
        case Op::floor:
            return floor<T>;
        case Op::dropout:
            return dropout<T>;
        case Op::add:
            return add<T>;
        case Op::subtract:
            return subtract<T>;
        case Op::multiply:
            return multiply<T>;
        case Op::divide:
            return divide<T>;
        case Op::matmul:
            return product;
        case Op::transpose:
            return transpose<T>;
        case Op::convolution:
        case Op::convolutionTransposed:
        case Op::convolutionWeight:
        case Op::turnTaps:
        case Op::headScores:
        case Op::headMix:
        case Op::headMixTransposed:
            return nullptr;
        case Op::upsample:
            return upsample<T>;
        case Op::sumPool:
            return sumPool<T>;
        case Op::depthToSpace:
            return depthToSpace<T>;
        case Op::spaceToDepth:
            return spaceToDepth<T>;
        case Op::padImage:
            return padImage<T>;
        case Op::cropImage:
            return cropImage<T>;
        case Op::softmax:
            return softmax<T>;
        case Op::softmaxGradient:
            return softmaxGradient<T>;
        case Op::logSumExp:
            return logSumExp<T>;
        case Op::argmax:
            return argmax<T>;
        case Op::topK:
            return topK<T>;
        case Op::moments:
            return moments<T>;
        case Op::normalise:
            return normalise<T>;
        case Op::normaliseGradient:
            return normaliseGradient<T>;
        case Op::normaliseScaleGradient:
            return normaliseScaleGradient<T>;
        case Op::gatherRows:
            return gatherRows<T>;
        case Op::scatterRows:
            return scatterRows<T>;
        case Op::pick:
            return pick<T>;
        case Op::place:
            return place<T>;
        case Op::nearestRow:
            return nearestRow<T>;
        case Op::sum:
            return sum<T>;
        case Op::broadcast:
            return broadcast<T>;
        case Op::sliceRows:
            return sliceRows<T>;
        case Op::sliceColumns:
            return sliceColumns<T>;
        case Op::padRows:
            return padRows<T>;
        case Op::padColumns:
            return padColumns<T>;
    }
    return nullptr;
}
