// What a kernel is given: raw pointers and extents, nothing that brings shared code into the
// translation units that are compiled for one instruction set.
#pragma once

#include <cstdint>

#include "core/base/extents.h"
#include "core/base/philox.h"
#include "core/graph/op.h"

namespace core::cpu {

// One node made ready to run on rows [begin, end) of its output. The first axis is the rows, all others
// are columns.
template <class T>
struct Call {
    static constexpr int maxInputs = 4;

    Op op{};
    bool transposed = false, causal = false;
    T a = 0, b = 0;      // the node's constants
    int64_t offset = 0;  // as in Node
    int64_t offsets[maxInputs] = {};
    int64_t window = 0, stride = 1, parts = 0;

    T* out = nullptr;
    int64_t rows = 0, columns = 0;
    Extents extents;
    int inputs = 0;
    const T* in[maxInputs] = {};
    int64_t inRows[maxInputs] = {}, inColumns[maxInputs] = {};
    Extents inExtents[maxInputs];
    const T* bias = nullptr;  // matmul: added to every row of the product, in floats alone; or none
    const T* prepared =
        nullptr;           // the second operand as KernelSet::prepare makes it, in floats alone; or none
    T* scratch = nullptr;  // scratchSize(call) floats of the worker's own

    philox::Position at;                 // what draws: filled before every run
    const float* tableValues = nullptr;  // drawRows: one of the two
    const uint8_t* tableBytes = nullptr;
    int64_t tableRows = 0;
};

template <class T>
using Kernel = void (*)(const Call<T>&, int64_t begin, int64_t end);

// One pass of an optimizer over a contiguous range. In PyTorch's form, g being scale * gradient:
// Adam(W) (Kingma and Ba 2015; Loshchilov and Hutter 2019), RMSProp (beta2 its alpha), SGD (beta1 its
// momentum); then average = keep average + (1 - keep) parameter.
struct UpdateCall {
    Optimizer optimizer = Optimizer::adam;
    float* parameter = nullptr;
    const float* gradient = nullptr;
    float* first = nullptr;  // moments
    float* second = nullptr;
    float* average = nullptr;  // or none
    float rate = 0, beta1 = 0, beta2 = 0, epsilon = 0, decay = 0;
    float correction1 = 1, correction2 = 1;  // 1 - beta^t
    float scale = 1, keep = 0;
};

// Everything that one instruction set offers.
struct KernelSet {
    const char* name;                // "AVX-512"
    Kernel<float> (*kernelFor)(Op);  // never null for an op that computes
    // Elements [begin, end) of the range; returns false if any gradient or updated parameter was not finite.
    bool (*update)(const UpdateCall&, int64_t begin, int64_t end);
    // The second operand of a product or convolution in the order in which its kernel reads it, which many
    // rows share: the floats that it takes, 0 where the kernel wants none, and the making.
    int64_t (*preparedSize)(const Call<float>&);
    void (*prepare)(const Call<float>&, float* to);
    // Whether elements [begin, end) hold neither infinity nor NaN.
    bool (*finite)(const float* values, int64_t begin, int64_t end);
};

// The best set that this CPU runs, or the one named by GENSCOPE_ISA (sse, avx2, avx512).
const KernelSet& bestKernels();
// The set of that name, or nullptr if this CPU does not run it.
const KernelSet* kernelsNamed(const char* name);
// The same arithmetic in double precision: the reference that gradients are checked on.
Kernel<double> referenceKernel(Op op);

}  // namespace core::cpu
