// Convolutions of 3 x 3 taps with 16 instead of 36 multiplications for every 2 x 2 outputs (Winograd 1980;
// Lavin and Gray 2016, F(2x2, 3x3)): tiles of 4 x 4 pixels and the taps are brought to a domain in which the
// convolution is a product over channels for each of 16 elements; likewise the gradient of the weight, a
// product over tiles (F(3x3, 2x2)). Every element is one chain of fma: all sets give the same bits.

using winograd::elements;
using winograd::Tiling;

// The image with zeros around it.
GS_INLINE void borderImage(const Tiling& t, const float* image, float* to) {
    const int64_t row = t.width * t.channels, after = t.rowFloats - t.channels - row;
    zeroRun(to, t.rowFloats);
    for (int64_t i = 0; i < t.height; ++i) {
        to += t.rowFloats;
        zeroRun(to, t.channels);
        copyRun(to + t.channels, image + i * row, row);
        zeroRun(to + t.channels + row, after);
    }
    zeroRun(to + t.rowFloats, (2 * t.down + 1 - t.height) * t.rowFloats);
}

// Some tiles of one image, which stand at `at` among those that are computed together.
struct TileRange {
    int64_t sample, first, end, at;
};

// f(range) for each image that has some of the tiles [begin, end), counted through all images.
template <class F>
GS_INLINE void eachImage(const Tiling& t, int64_t begin, int64_t end, F f) {
    for (int64_t tile = begin; tile < end;) {
        const int64_t sample = tile / t.count(), next = smaller(end, (sample + 1) * t.count());
        f(TileRange{sample, tile - sample * t.count(), next - sample * t.count(), tile - begin});
        tile = next;
    }
}

// ---- into the domain

// B^T d B, of channels [c0, c0 + channels): to[element][tile][channel].
void transformTiles(const Tiling& t, const float* bordered, const TileRange& range, int64_t c0,
                    int64_t channels, float* to, int64_t stepElement) {
    using Vector = typename Simd::Vector;
    for (int64_t tile = range.first; tile < range.end; ++tile) {
        const float* from =
            bordered + tile / t.across * 2 * t.rowFloats + tile % t.across * 2 * t.channels + c0;
        float* out = to + (range.at + tile - range.first) * channels;
        for (int64_t c = 0; c < channels; c += Simd::width) {
            Vector d[4][4];
#pragma GCC unroll 4
            for (int j = 0; j < 4; ++j) {
                Vector x[4];
#pragma GCC unroll 4
                for (int i = 0; i < 4; ++i) x[i] = Simd::load(from + i * t.rowFloats + j * t.channels + c);
                d[0][j] = x[0] - x[2];
                d[1][j] = x[1] + x[2];
                d[2][j] = x[2] - x[1];
                d[3][j] = x[1] - x[3];
            }
#pragma GCC unroll 4
            for (int i = 0; i < 4; ++i) {
                float* row = out + 4 * i * stepElement + c;
                Simd::store(row, d[i][0] - d[i][2]);
                Simd::store(row + stepElement, d[i][1] + d[i][2]);
                Simd::store(row + 2 * stepElement, d[i][2] - d[i][1]);
                Simd::store(row + 3 * stepElement, d[i][1] - d[i][3]);
            }
        }
    }
}

// G g: four places from three taps, or from two.
template <class Vector>
GS_INLINE void spread(Vector (&out)[4], Vector a, Vector b, Vector c) {
    const Vector ends = (a + c) * 0.5f, middle = b * 0.5f;
    out[0] = a;
    out[1] = ends + middle;
    out[2] = ends - middle;
    out[3] = c;
}
template <class Vector>
GS_INLINE void spread(Vector (&out)[4], Vector a, Vector b) {
    out[0] = a;
    out[1] = (a + b) * 0.5f;
    out[2] = (a - b) * 0.5f;
    out[3] = b;
}

GS_INLINE int64_t tapsOfElement(int64_t I, int64_t O) {
    return I * ((O + panel - 1) / panel * panel);
}

// G g G^T of the weight [3, 3, I, O]: to[element] in panels of columns.
void transformTaps(const Call<float>& call, float* to) {
    using Vector = typename Simd::Vector;
    const float* w = call.in[1];
    const int64_t I = call.inExtents[0].channels, O = call.extents.channels;
    const int64_t stepElement = tapsOfElement(I, O);
    const bool turned = call.op == Op::convolutionTransposed;  // counted from the last tap
    for (int64_t i = 0; i < I; ++i)
        for (int64_t o = 0; o < O; o += Simd::width) {
            Vector rows[4][3];
#pragma GCC unroll 3
            for (int v = 0; v < 3; ++v) {
                Vector g[3], down[4];
#pragma GCC unroll 3
                for (int u = 0; u < 3; ++u)
                    g[u] = Simd::load(w + ((turned ? 8 - 3 * u - v : 3 * u + v) * I + i) * O + o);
                spread(down, g[0], g[1], g[2]);
#pragma GCC unroll 4
                for (int u = 0; u < 4; ++u) rows[u][v] = down[u];
            }
            float* out = to + o / panel * panel * I + i * panel + o % panel;
#pragma GCC unroll 4
            for (int u = 0; u < 4; ++u) {
                Vector across[4];
                spread(across, rows[u][0], rows[u][1], rows[u][2]);
#pragma GCC unroll 4
                for (int v = 0; v < 4; ++v) Simd::store(out + (4 * u + v) * stepElement, across[v]);
            }
        }
}

// The same of 2 x 2 pixels dy, those beyond the image's edge being zero: to[element][tile][channel].
void transformOutputs(const Tiling& t, const float* dy, const TileRange& range, int64_t O, float* to,
                      int64_t stepElement) {
    using Vector = typename Simd::Vector;
    for (int64_t tile = range.first; tile < range.end; ++tile) {
        const int64_t y = tile / t.across * 2, x = tile % t.across * 2;
        const bool below = y + 1 < t.height, beside = x + 1 < t.width;
        const float* from = dy + (y * t.width + x) * O;
        float* out = to + (range.at + tile - range.first) * O;
        for (int64_t o = 0; o < O; o += Simd::width) {
            const Vector zero = Simd::zero();
            Vector left[4], right[4];
            spread(left, Simd::load(from + o), below ? Simd::load(from + t.width * O + o) : zero);
            spread(right, beside ? Simd::load(from + O + o) : zero,
                   below && beside ? Simd::load(from + t.width * O + O + o) : zero);
#pragma GCC unroll 4
            for (int u = 0; u < 4; ++u) {
                Vector across[4];
                spread(across, left[u], right[u]);
#pragma GCC unroll 4
                for (int v = 0; v < 4; ++v) Simd::store(out + (4 * u + v) * stepElement + o, across[v]);
            }
        }
    }
}

// ---- and back

// A^T m A: the 2 x 2 outputs of each tile, as far as the image goes.
void gatherOutputs(const Tiling& t, const float* products, int64_t stepElement, const TileRange& range,
                   int64_t O, float* image) {
    using Vector = typename Simd::Vector;
    for (int64_t tile = range.first; tile < range.end; ++tile) {
        const int64_t y = tile / t.across * 2, x = tile % t.across * 2;
        const bool below = y + 1 < t.height, beside = x + 1 < t.width;
        const float* from = products + (range.at + tile - range.first) * O;
        float* out = image + (y * t.width + x) * O;
        for (int64_t o = 0; o < O; o += Simd::width) {
            Vector s[2][4];
#pragma GCC unroll 4
            for (int j = 0; j < 4; ++j) {
                Vector m[4];
#pragma GCC unroll 4
                for (int i = 0; i < 4; ++i) m[i] = Simd::load(from + (4 * i + j) * stepElement + o);
                s[0][j] = m[0] + m[1] + m[2];
                s[1][j] = m[1] - m[2] - m[3];
            }
#pragma GCC unroll 2
            for (int i = 0; i < 2; ++i) {
                if (i == 1 && !below) break;
                float* to = out + i * t.width * O + o;
                Simd::store(to, s[i][0] + s[i][1] + s[i][2]);
                if (beside) Simd::store(to + O, s[i][1] - s[i][2] - s[i][3]);
            }
        }
    }
}

// The nine taps' gradients of input channels [c0, c0 + channels): dw [3, 3, I, O].
void gatherTaps(const float* products, int64_t stepElement, int64_t c0, int64_t channels, int64_t I,
                int64_t O, float* dw) {
    using Vector = typename Simd::Vector;
    for (int64_t i = 0; i < channels; ++i)
        for (int64_t o = 0; o < O; o += Simd::width) {
            const float* from = products + i * O + o;
            Vector s[3][4];
#pragma GCC unroll 4
            for (int j = 0; j < 4; ++j) {
                Vector m[4];
#pragma GCC unroll 4
                for (int k = 0; k < 4; ++k) m[k] = Simd::load(from + (4 * k + j) * stepElement);
                s[0][j] = m[0] + m[1] + m[2];
                s[1][j] = m[1] - m[2];
                s[2][j] = m[1] + m[2] - m[3];  // transformTiles has the last element's sign turned
            }
#pragma GCC unroll 3
            for (int u = 0; u < 3; ++u) {
                float* to = dw + (3 * u * I + c0 + i) * O + o;
                Simd::store(to, s[u][0] + s[u][1] + s[u][2]);
                Simd::store(to + I * O, s[u][1] - s[u][2]);
                Simd::store(to + 2 * I * O, s[u][1] + s[u][2] - s[u][3]);
            }
        }
}

// ---- the kernels

void convolveTransformed(const Call<float>& call, int64_t begin, int64_t end) {
    const int64_t I = call.inExtents[0].channels, O = call.extents.channels;
    const Tiling t = winograd::tilingOf(call.inExtents[0]);
    const int64_t many = winograd::tilesAtATime(I, O), image = t.height * t.width;
    const int64_t stepTaps = tapsOfElement(I, O);
    float *const bordered = call.scratch, *const tiles = bordered + t.borderedSize();
    float *const products = tiles + elements * many * I, *const own = products + elements * many * O;
    if (!call.prepared) transformTaps(call, own);
    const float* const taps = call.prepared ? call.prepared : own;
    Product p{};
    p.stepRow = I;
    p.stepK = 1;
    p.stepB = panel;
    p.stepOut = O;
    p.K = I;
    p.fresh = true;
    for (int64_t tile = begin * t.count(); tile < end * t.count(); tile += many) {
        const int64_t last = smaller(tile + many, end * t.count());
        eachImage(t, tile, last, [&](const TileRange& range) {
            if (range.first == 0) borderImage(t, call.in[0] + range.sample * image * I, bordered);
            transformTiles(t, bordered, range, 0, I, tiles, many * I);
        });
        for (int64_t e = 0; e < elements; ++e) {
            p.a = tiles + e * many * I;
            p.b = taps + e * stepTaps;
            p.out = products + e * many * O;
            sweep<false>(p, last - tile, O, panel * I);
        }
        eachImage(t, tile, last, [&](const TileRange& range) {
            gatherOutputs(t, products, many * O, range, O, call.out + range.sample * image * O);
        });
    }
}

// Rows of the result are taps and input channels; here they stand for input channels alone, in whole
// registers: the workers' ranges together give all of them.
GS_INLINE int64_t channelAtRow(int64_t row, int64_t I) {
    return smaller(I, (row / 9 + 8) / 16 * 16);
}

void weighTransformed(const Call<float>& call, int64_t begin, int64_t end) {
    const int64_t I = call.inExtents[0].channels, O = call.inExtents[1].channels;
    const int64_t c0 = channelAtRow(begin, I), channels = channelAtRow(end, I) - c0;
    if (channels == 0) return;
    const Tiling t = winograd::tilingOf(call.inExtents[0]);
    const int64_t many = winograd::tilesAtATime(I, O), image = t.height * t.width;
    const int64_t all = call.inExtents[0].samples * t.count(), stepProduct = channels * O;
    float *const bordered = call.scratch, *const tiles = bordered + t.borderedSize();
    float* const outputs = tiles + elements * many * channels;
    float* const products = outputs + elements * many * O;
    Product p{};
    p.stepRow = 1;
    p.stepK = channels;
    p.stepB = p.stepOut = O;
    p.fresh = true;
    for (int64_t tile = 0; tile < all; tile += many, p.fresh = false) {
        const int64_t last = smaller(tile + many, all);
        eachImage(t, tile, last, [&](const TileRange& range) {
            if (range.first == 0) borderImage(t, call.in[0] + range.sample * image * I, bordered);
            transformTiles(t, bordered, range, c0, channels, tiles, many * channels);
            transformOutputs(t, call.in[1] + range.sample * image * O, range, O, outputs, many * O);
        });
        p.K = last - tile;
        for (int64_t e = 0; e < elements; ++e) {
            p.a = tiles + e * many * channels;
            p.b = outputs + e * many * O;
            p.out = products + e * stepProduct;
            sweep<true>(p, channels, O, panel);
        }
    }
    gatherTaps(products, stepProduct, c0, channels, I, O, call.out);
}
