// Convolutions on the tiles of gemm.inl: no column of the image is ever written out. Beside a pixel, the
// taps of one row and their channels are contiguous, so a row of taps is one run of a product's summed
// index; rows of taps outside the image are passed over, and columns read zeros written beside the rows.

// Output pixels that see the same taps: all of a convolution's, or of a transposed convolution those whose
// position leaves the same rest when divided by the stride. [0] is down and [1] across.
struct Lattice {
    int64_t taps[2];       // how many, in the order of the image's pixels under them
    int64_t firstTap[2];   // which of the weight's taps comes first
    int64_t first[2];      // output pixel
    int64_t count[2];      // of output pixels
    int64_t from[2];       // the image's pixel under the first tap of the first output pixel
    const float* weights;  // [panel][taps down][taps across][I][columns of a panel]
};

struct Convolution {
    Extents x, y;
    int64_t window, I, O;
    int64_t apart;     // output pixels of a lattice
    int64_t step;      // the image's pixels under neighbouring pixels of a lattice
    int64_t tapStep;   // from one tap of a lattice to the next, in the weight
    int64_t lattices;  // down and across
    // Zeros that the taps see beside the image.
    int64_t top, bottom, left, right;
    int64_t stepRow;  // from one row of the image and its zeros to the next, in floats
};

GS_INLINE int64_t ceilDivide(int64_t a, int64_t b) {
    return a > 0 ? (a + b - 1) / b : 0;
}

// Along one axis: the lattice of output pixels o with (o + offset) mod stride = rest; or, not transposed,
// all.
GS_INLINE void layLattice(const Call<float>& call, int axis, int64_t rest, int64_t extent, Lattice& l) {
    const int64_t k = call.window, s = call.stride, p = call.offset;
    if (call.op == Op::convolution) {
        l.taps[axis] = k;
        l.first[axis] = 0;
        l.count[axis] = extent;
        l.from[axis] = -p;
        l.firstTap[axis] = 0;
        return;
    }
    l.taps[axis] = ceilDivide(k - rest, s);
    l.first[axis] = ((rest - p) % s + s) % s;
    l.count[axis] = ceilDivide(extent - l.first[axis], s);
    l.from[axis] = (l.first[axis] + p - rest) / s - (l.taps[axis] - 1);
    l.firstTap[axis] = rest + s * (l.taps[axis] - 1);
}

Lattice latticeOf(const Call<float>& call, const Convolution& c, int64_t n) {
    Lattice l{};
    layLattice(call, 0, n / c.lattices, c.y.height, l);
    layLattice(call, 1, n % c.lattices, c.y.width, l);
    return l;
}

// The lattice's taps of the weight [k, k, I, O] as panels.
void packTaps(const Convolution& c, const float* w, const Lattice& l, float* to) {
    for (int64_t c0 = 0; c0 < c.O; c0 += panel)
        for (int64_t u = 0; u < l.taps[0]; ++u)
            for (int64_t v = 0; v < l.taps[1]; ++v) {
                const int64_t row = l.firstTap[0] + u * c.tapStep, column = l.firstTap[1] + v * c.tapStep;
                packPanels(w + (row * c.window + column) * c.I * c.O + c0, c.O, c.I, smaller(panel, c.O - c0),
                           to);
                to += c.I * panel;
            }
}

GS_INLINE int64_t packedTaps(const Convolution& c, const Lattice& l) {
    return l.taps[0] * l.taps[1] * c.I * ((c.O + panel - 1) / panel * panel);
}

// Rows of the image with the zeros beside them.
void padRowsOf(const Convolution& c, const float* image, float* to) {
    const int64_t row = c.x.width * c.I;
    for (int64_t i = 0; i < c.x.height; ++i) {
        zeroRun(to, c.left * c.I);
        copyRun(to + c.left * c.I, image + i * row, row);
        zeroRun(to + c.left * c.I + row, c.right * c.I);
        to += c.stepRow;
    }
}

struct Picture {
    const float* image;  // with the zeros beside its rows
    float* out;
    const float* next;  // the image to come, asked for while this one is computed
};

// What is added to the output at a time: a panel of its channels, and rows of taps that keep their weights in
// the nearest cache.
struct Part {
    int64_t c0;
    int64_t tapBegin, tapEnd;
    int64_t k0, K;  // within each row, of the taps across and their channels
};
constexpr int64_t mostRuns = 128;

// Pixels of one row of the output, tile by tile.
GS_INLINE void convolveRow(Product& p, const float* a, float* out, int64_t pixels, int64_t columns,
                           const float* aheadEnd) {
    const int64_t height = tileHeight(columns), count = (pixels + height - 1) / height;
    for (int64_t i = 0; i < count; ++i) {
        const int64_t t = pixels * i / count, n = pixels * (i + 1) / count - t;
        p.a = a + t * p.stepRow;
        p.out = out + t * p.stepOut;
        runTile<false>(p, n, columns);
        p.ahead += p.runCount * p.K * p.stepAhead;
        if (p.ahead >= aheadEnd) p.stepAhead = 0;
    }
}

void convolvePart(const Convolution& c, const Lattice& l, const Picture& picture, const Part& part) {
    const int64_t rowK = l.taps[1] * c.I;
    Run runs[mostRuns];
    Product p{};
    p.stepRow = c.step * c.I;
    p.stepK = 1;
    p.stepB = panel;
    p.stepOut = c.apart * c.O;
    p.K = part.K;
    p.fresh = part.tapBegin == 0 && part.k0 == 0;
    p.runs = runs;
    const bool first = p.fresh && part.c0 == 0 && picture.next;
    p.ahead = first ? picture.next : picture.image;
    p.stepAhead = first ? 16 : 0;
    const float* aheadEnd = p.ahead + c.x.positions() * c.I;
    p.b = l.weights + part.c0 * l.taps[0] * rowK + part.k0 * panel;
    const float* image = picture.image + (c.left + l.from[1]) * c.I + part.k0;
    for (int64_t i = 0; i < l.count[0]; ++i) {
        const int64_t top = l.from[0] + i * c.step;
        p.runCount = 0;
        for (int64_t u = part.tapBegin; u < part.tapEnd; ++u)
            if (top + u >= 0 && top + u < c.x.height)
                runs[p.runCount++] = {(top + u) * c.stepRow, u * rowK * panel};
        if (p.runCount == 0 && !p.fresh) continue;
        const int64_t pixel = (l.first[0] + i * c.apart) * c.y.width + l.first[1];
        convolveRow(p, image, picture.out + pixel * c.O + part.c0, l.count[1], smaller(panel, c.O - part.c0),
                    aheadEnd);
    }
}

void convolveImage(const Convolution& c, const Lattice& l, const Picture& picture) {
    const int64_t rowK = l.taps[1] * c.I, fitting = rowK > 0 ? smaller(blockK / rowK, mostRuns) : 1;
    const int64_t rows = fitting > 1 ? fitting : 1, pieces = rowK > blockK ? ceilDivide(rowK, blockK) : 1;
    for (int64_t c0 = 0; c0 < c.O; c0 += panel)
        for (int64_t u = 0; u == 0 || u < l.taps[0]; u += rows)
            for (int64_t i = 0; i < pieces; ++i) {
                const int64_t k0 = rowK * i / pieces, k1 = rowK * (i + 1) / pieces;
                convolvePart(c, l, picture, {c0, u, smaller(u + rows, l.taps[0]), k0, k1 - k0});
            }
}

// ---- few output channels: a register holds neighbouring pixels, and the image is kept channel by channel

// Adds every tap to the lattice's pixels; `planes` is the image [I, plane], its rows stepRow apart.
template <int C>
void convolveNarrow(const Convolution& c, const Lattice& l, const float* w, const float* planes,
                    int64_t plane, float* out) {
    constexpr int GROUPS = C <= 2 ? 4 : C <= 4 ? 2 : 1;
    constexpr int64_t many = GROUPS * Simd::width;
    alignas(64) float sums[C * many];
    const float* first = planes + (c.top + l.from[0]) * c.stepRow + c.left + l.from[1];
    // Pixel after pixel, with those that stand on the zeros between two rows computed for nothing.
    const int64_t end = l.count[1] > 0 ? (l.count[0] - 1) * c.stepRow + l.count[1] : 0;
    for (int64_t f = 0; f < end; f += many) {
        for (float& sum : sums) sum = 0;
        for (int64_t u = 0; u < l.taps[0]; ++u)
            for (int64_t v = 0; v < l.taps[1]; ++v) {
                const int64_t tap =
                    (l.firstTap[0] + u * c.tapStep) * c.window + l.firstTap[1] + v * c.tapStep;
                columnTile<C, GROUPS>(first + f + u * c.stepRow + v, plane, w + tap * c.I * C, c.I, sums);
            }
        int64_t row = f / c.stepRow, column = f % c.stepRow;
        for (int64_t n = 0; n < smaller(many, end - f); ++n) {
            if (column < l.count[1]) {
                const int64_t pixel =
                    (l.first[0] + row * c.apart) * c.y.width + l.first[1] + column * c.apart;
                for (int64_t o = 0; o < C; ++o) out[pixel * C + o] = sums[o * many + n];
            }
            if (++column == c.stepRow) column = 0, ++row;
        }
    }
}

using Narrow = void (*)(const Convolution&, const Lattice&, const float*, const float*, int64_t, float*);
constexpr Narrow narrowConvolutions[] = {convolveNarrow<1>, convolveNarrow<2>, convolveNarrow<3>,
                                         convolveNarrow<4>, convolveNarrow<5>, convolveNarrow<6>,
                                         convolveNarrow<7>, convolveNarrow<8>};

void convolveToFew(const Call<float>& call, Convolution c, int64_t begin, int64_t end) {
    c.stepRow = c.left + c.x.width + c.right;
    const int64_t plane = (c.top + c.x.height + c.bottom) * c.stepRow;
    zeroRun(call.scratch, plane * c.I);
    for (int64_t sample = begin; sample < end; ++sample) {
        const float* image = call.in[0] + sample * c.x.positions() * c.I;
        for (int64_t i = 0; i < c.x.height; ++i)
            turn(image + i * c.x.width * c.I, c.I, c.x.width, c.I,
                 call.scratch + (c.top + i) * c.stepRow + c.left, plane);
        for (int64_t n = 0; n < c.lattices * c.lattices; ++n)
            narrowConvolutions[c.O - 1](c, latticeOf(call, c, n), call.in[1], call.scratch, plane,
                                        call.out + sample * c.y.positions() * c.O);
    }
}

// ---- the kernels

Convolution convolutionOf(const Call<float>& call) {
    const bool transposed = call.op == Op::convolutionTransposed;
    Convolution c{};
    c.x = call.inExtents[0];
    c.y = call.extents;
    c.window = call.window;
    c.I = c.x.channels;
    c.O = c.y.channels;
    c.lattices = c.apart = transposed ? call.stride : 1;
    c.step = transposed ? 1 : call.stride;
    c.tapStep = transposed ? -call.stride : 1;
    for (int64_t n = 0; n < c.lattices; ++n) {
        const Lattice l = latticeOf(call, c, n * c.lattices + n);
        const auto widen = [&](int axis, int64_t extent, int64_t& before, int64_t& after) {
            if (l.taps[axis] == 0 || l.count[axis] == 0) return;
            const int64_t past = l.from[axis] + (l.count[axis] - 1) * c.step + l.taps[axis] - extent;
            if (-l.from[axis] > before) before = -l.from[axis];
            if (past > after) after = past;
        };
        widen(0, c.x.height, c.top, c.bottom);
        widen(1, c.x.width, c.left, c.right);
    }
    c.stepRow = (c.left + c.x.width + c.right) * c.I;
    return c;
}

void convolve(const Call<float>& call, int64_t begin, int64_t end) {
    if (end <= begin) return;
    if (call.window == 1 && call.stride == 1 && call.offset == 0) return product(call, begin, end);
    if (winograd::suits(call.window, call.stride, call.offset, call.inExtents[0].channels,
                        call.extents.channels))
        return convolveTransformed(call, begin, end);
    const Convolution c = convolutionOf(call);
    if (c.O <= Simd::narrowColumns && c.step == 1) return convolveToFew(call, c, begin, end);
    const bool bordered = c.left + c.right > 0;
    float* padded = call.scratch;
    float* const weights = padded + (bordered ? (c.x.height * c.stepRow + 15) / 16 * 16 : 0);
    for (int64_t sample = begin; sample < end; ++sample) {
        const float* image = call.in[0] + sample * c.x.positions() * c.I;
        if (bordered) padRowsOf(c, image, padded);
        int64_t packed = 0;
        for (int64_t n = 0; n < c.lattices * c.lattices; ++n) {
            Lattice l = latticeOf(call, c, n);
            l.weights = call.prepared ? call.prepared + packed : weights + packed;
            if (sample == begin && !call.prepared) packTaps(c, call.in[1], l, weights + packed);
            packed += packedTaps(c, l);
            const bool asks = n == 0 && sample + 1 < end;
            convolveImage(c, l,
                          {bordered ? padded : image, call.out + sample * c.y.positions() * c.O,
                           asks ? image + c.x.positions() * c.I : nullptr});
        }
    }
}
