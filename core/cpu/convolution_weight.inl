// The gradient of a convolution's weight: x^T dy for every tap, on the tiles of gemm.inl. A run of the
// summed index is a row of dy's pixels; the rows of the result are (tap, input channel).

// Which pixels of a row of dy see the image through column v of taps: [first, end).
GS_INLINE void visible(const Call<float>& call, int64_t v, int64_t& first, int64_t& end) {
    const int64_t s = call.stride, p = call.offset;
    first = ceilDivide(p - v, s);
    end = smaller(call.inExtents[1].width, ceilDivide(call.inExtents[0].width + p - v, s));
}

// Rows of dy, of all images, in pieces that the nearest cache holds.
constexpr int64_t blockPixels = 128;

struct WeightBlock {
    int64_t row, rows;  // of dy
};

// Where row u of taps lies on the block's rows: into x and dy.
int64_t runsOf(const Call<float>& call, const WeightBlock& block, int64_t u, int64_t stepDy, Run* runs) {
    const Extents &x = call.inExtents[0], &y = call.inExtents[1];
    int64_t count = 0;
    for (int64_t r = block.row; r < block.row + block.rows; ++r) {
        const int64_t i = r % y.height * call.stride + u - call.offset;
        if (i < 0 || i >= x.height) continue;
        runs[count++] = {(r / y.height * x.height + i) * x.width * x.channels,
                         (r - block.row) * y.width * stepDy};
    }
    return count;
}

// Adds the block's pixels to the results [begin, end) of one panel of output channels.
void weighPanel(const Call<float>& call, const WeightBlock& block, const float* dy, int64_t stepDy,
                int64_t begin, int64_t end, int64_t c0) {
    const int64_t k = call.window, s = call.stride, I = call.inExtents[0].channels,
                  O = call.inExtents[1].channels, columns = smaller(panel, O - c0);
    Run runs[blockPixels];
    Product p{};
    p.runs = runs;
    p.stepRow = 1;
    p.stepK = s * I;
    p.stepB = stepDy;
    p.stepOut = O;
    int64_t row = -1;
    for (int64_t tap = begin / I; tap * I < end; ++tap) {
        if (tap / k != row) {
            row = tap / k;
            p.runCount = runsOf(call, block, row, stepDy, runs);
        }
        int64_t first, last;
        visible(call, tap % k, first, last);
        if (p.runCount == 0 || last <= first) continue;
        const int64_t i0 = begin > tap * I ? begin - tap * I : 0, i1 = smaller(I, end - tap * I);
        p.K = last - first;
        p.a = call.in[0] + (first * s + tap % k - call.offset) * I + i0;
        p.b = dy + first * stepDy;
        p.out = call.out + (tap * I + i0) * O + c0;
        sweep<true>(p, i1 - i0, columns, panel);
    }
}

void weighBlocks(const Call<float>& call, int64_t begin, int64_t end) {
    const Extents& y = call.inExtents[1];
    const int64_t O = y.channels, rows = y.samples * y.height;
    const int64_t many = y.width < blockPixels ? blockPixels / y.width : 1;
    for (int64_t r = 0; r < rows; r += many) {
        const WeightBlock block{r, smaller(many, rows - r)};
        const float* dy = call.in[1] + r * y.width * O;
        for (int64_t c0 = 0; c0 < O; c0 += panel) {
            if (O > panel) packPanels(dy + c0, O, block.rows * y.width, smaller(panel, O - c0), call.scratch);
            weighPanel(call, block, O > panel ? call.scratch : dy, O > panel ? panel : O, begin, end, c0);
        }
    }
}

// Few input channels: what each pixel of dy sees is written out, [pixels, k k I].
void weighFewInputs(const Call<float>& call, int64_t begin, int64_t end) {
    const Extents &x = call.inExtents[0], &y = call.inExtents[1];
    const int64_t k = call.window, I = x.channels, O = y.channels, seen = k * k * I;
    const int64_t rows = y.samples * y.height, many = y.width < blockPixels ? blockPixels / y.width : 1;
    Run runs[blockPixels];
    Product p{};
    p.stepRow = 1;
    p.stepK = seen;
    p.stepB = p.stepOut = O;
    for (int64_t r = 0; r < rows; r += many) {
        const WeightBlock block{r, smaller(many, rows - r)};
        p.K = block.rows * y.width;
        zeroRun(call.scratch, p.K * seen);
        for (int64_t u = 0; u < k; ++u) {
            const int64_t count = runsOf(call, block, u, seen, runs);
            for (int64_t v = 0; v < k; ++v) {
                int64_t first, last;
                visible(call, v, first, last);
                for (int64_t run = 0; run < count; ++run)
                    for (int64_t j = first; j < last; ++j)
                        copyRun(call.scratch + runs[run].b + j * seen + (u * k + v) * I,
                                call.in[0] + runs[run].a + (j * call.stride + v - call.offset) * I, I);
            }
        }
        p.a = call.scratch + begin;
        p.b = call.in[1] + r * y.width * O;
        p.out = call.out + begin * O;
        sweep<true>(p, end - begin, O, panel);
    }
}

// Few output channels: the result turned, [O, k k I], so that registers hold input channels; then the taps
// across lie side by side in the image's rows, with zeros beside them.
void weighFewOutputs(const Call<float>& call, int64_t begin, int64_t end) {
    const Extents &x = call.inExtents[0], &y = call.inExtents[1];
    const int64_t k = call.window, s = call.stride, I = x.channels, O = y.channels, seen = k * k * I;
    Convolution c{};
    c.x = x;
    c.I = I;
    c.left = call.offset;
    c.right = (y.width - 1) * s + k - call.offset - x.width;
    if (c.right < 0) c.right = 0;
    c.stepRow = (c.left + x.width + c.right) * I;
    float *turned = call.scratch, *padded = turned + (O * seen + 15) / 16 * 16;
    zeroRun(turned, O * seen);
    Run runs[blockPixels];
    Product p{};
    p.runs = runs;
    p.stepRow = 1;
    p.stepK = O;
    p.stepB = s * I;
    p.stepOut = seen;
    p.K = y.width;
    for (int64_t sample = 0; sample < y.samples; ++sample) {
        padRowsOf(c, call.in[0] + sample * x.positions() * I, padded);
        for (int64_t u = begin / (k * I); u * k * I < end; ++u)
            for (int64_t i0 = 0; i0 < y.height; i0 += blockPixels) {
                p.runCount = 0;
                for (int64_t i = i0; i < smaller(i0 + blockPixels, y.height); ++i) {
                    const int64_t row = i * s + u - call.offset;
                    if (row >= 0 && row < x.height) runs[p.runCount++] = {i * y.width * O, row * c.stepRow};
                }
                const int64_t from = begin > u * k * I ? begin - u * k * I : 0;
                const int64_t columns = smaller(k * I, end - u * k * I) - from;
                p.a = call.in[1] + sample * y.positions() * O;
                p.b = padded + from;
                p.out = turned + u * k * I + from;
                const int64_t done = O <= 2 ? flatProduct<true>(p, O, columns) : 0;
                p.b += done;
                p.out += done;
                sweep<true>(p, O, columns - done, panel);
            }
    }
    for (int64_t row = begin; row < end; ++row)
        for (int64_t o = 0; o < O; ++o) call.out[row * O + o] = turned[o * seen + row];
}

void weighConvolution(const Call<float>& call, int64_t begin, int64_t end) {
    if (end <= begin) return;
    const Extents &x = call.inExtents[0], &y = call.inExtents[1];
    const int64_t O = y.channels, perRow = call.columns / O;
    begin *= perRow;
    end *= perRow;
    if (winograd::suits(call.window, call.stride, call.offset, x.channels, O))
        return weighTransformed(call, begin, end);
    zeroRun(call.out + begin * O, (end - begin) * O);
    if (call.window == 1 && call.stride == 1 && call.offset == 0) {
        Product p{};
        p.stepRow = 1;
        p.stepK = x.channels;
        p.a = call.in[0] + begin;
        p.b = call.in[1];
        p.stepB = p.stepOut = O;
        p.out = call.out + begin * O;
        anyProduct<true>(p, end - begin, O, y.samples * y.positions());
    } else if (O <= Simd::narrowColumns && x.channels >= Simd::width / 2) {
        weighFewOutputs(call, begin, end);
    } else if (x.channels < Simd::width / 2) {
        weighFewInputs(call, begin, end);
    } else {
        weighBlocks(call, begin, end);
    }
}
