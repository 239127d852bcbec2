// Weights in the order in which the kernels read them: panels of columns, or Winograd's domain. They pass
// once for every slab of rows, and from afar: contiguous, the caches see them coming.

// It pays for weights that leave the nearest caches between two slabs, and for many of these. Measured.
constexpr int64_t fewestRows = 1024, fewestWeights = 128 * 128 + 1;

GS_INLINE bool isProduct(const Call<float>& call) {
    return call.op == Op::matmul || (call.window == 1 && call.stride == 1 && call.offset == 0);
}

int64_t preparedSize(const Call<float>& call) {
    const bool convolves = call.op == Op::convolution || call.op == Op::convolutionTransposed;
    if (!convolves && (call.op != Op::matmul || call.transposed)) return 0;
    const Extents &x = call.inExtents[0], &y = call.extents;
    const int64_t I = x.channels, O = y.channels;
    if (O <= Simd::narrowColumns) return 0;
    if (isProduct(call))
        return x.samples * x.positions() < fewestRows || I * O < fewestWeights
                   ? 0
                   : I * ((O + panel - 1) / panel * panel);
    if (winograd::suits(call.window, call.stride, call.offset, I, O)) return elements * tapsOfElement(I, O);
    const Convolution c = convolutionOf(call);
    int64_t size = 0;
    for (int64_t n = 0; n < c.lattices * c.lattices; ++n) size += packedTaps(c, latticeOf(call, c, n));
    return size;
}

void prepare(const Call<float>& call, float* to) {
    const int64_t I = call.inExtents[0].channels, O = call.extents.channels;
    if (isProduct(call)) return packPanels(call.in[1], O, I, O, to);
    if (winograd::suits(call.window, call.stride, call.offset, I, O)) return transformTaps(call, to);
    const Convolution c = convolutionOf(call);
    for (int64_t n = 0; n < c.lattices * c.lattices; ++n) {
        const Lattice l = latticeOf(call, c, n);
        packTaps(c, call.in[1], l, to);
        to += packedTaps(c, l);
    }
}
