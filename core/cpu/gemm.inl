// Matrix products on registers; included after kernels.inl where a struct Simd says what the
// instruction set offers. Every output is one chain of fma over ascending k, starting from 0, whatever
// tile, edge or slab it falls into: so all sets give the same bits.

// R rows, C columns, K the summed extent; A is addressed by two steps, one of which is 1.
struct Product {
    const float* a;
    int64_t stepRow, stepK;
    const float* b;
    int64_t stepB;
    float* out;
    int64_t stepOut;
    int64_t K;
    bool fresh;  // start from 0; otherwise go on from what `out` holds
};

constexpr int64_t smaller(int64_t a, int64_t b) {
    return a < b ? a : b;
}

// ROWS x (VECTORS registers) outputs; `part` masks the last register of every row.
template <int ROWS, int VECTORS, bool PART, bool TRANSPOSED>
void tile(const Product& p, typename Simd::Mask part) {
    using Vector = typename Simd::Vector;
    Vector sum[ROWS][VECTORS];
    float* out = p.out;
    const int64_t stepOut = p.stepOut, stepB = p.stepB, K = p.K, step = TRANSPOSED ? p.stepK : p.stepRow;
    const bool fresh = p.fresh;
#pragma GCC unroll 16
    for (int r = 0; r < ROWS; ++r)
#pragma GCC unroll 8
        for (int v = 0; v < VECTORS; ++v) sum[r][v] = Simd::zero();
    if (!fresh) {
#pragma GCC unroll 16
        for (int r = 0; r < ROWS; ++r)
#pragma GCC unroll 8
            for (int v = 0; v < VECTORS; ++v) {
                const float* c = out + r * stepOut + v * Simd::width;
                sum[r][v] = PART && v == VECTORS - 1 ? Simd::loadPart(c, part) : Simd::load(c);
            }
    }
    // Rows in groups of three, so that few pointers and one step address them all.
    const float *a0 = p.a, *a3 = a0 + 3 * step, *a6 = a3 + 3 * step, *a9 = a6 + 3 * step;
    const float* b = p.b;
    for (int64_t k = 0; k < K; ++k) {
        Vector right[VECTORS];
#pragma GCC unroll 8
        for (int v = 0; v < VECTORS; ++v)
            right[v] = PART && v == VECTORS - 1 ? Simd::loadPart(b + v * Simd::width, part)
                                                : Simd::load(b + v * Simd::width);
        b += stepB;
#pragma GCC unroll 16
        for (int r = 0; r < ROWS; ++r) {
            const float* row = r < 3 ? a0 : r < 6 ? a3 : r < 9 ? a6 : a9;
            const Vector left = Simd::broadcast(TRANSPOSED ? a0 + r : row + (r % 3) * step);
#pragma GCC unroll 8
            for (int v = 0; v < VECTORS; ++v) sum[r][v] = Simd::fma(left, right[v], sum[r][v]);
        }
        if (TRANSPOSED) {
            a0 += step;
        } else {
            ++a0;
            if (ROWS > 3) ++a3;
            if (ROWS > 6) ++a6;
            if (ROWS > 9) ++a9;
        }
    }
#pragma GCC unroll 16
    for (int r = 0; r < ROWS; ++r)
#pragma GCC unroll 8
        for (int v = 0; v < VECTORS; ++v) {
            float* c = out + r * stepOut + v * Simd::width;
            if (PART && v == VECTORS - 1)
                Simd::storePart(c, part, sum[r][v]);
            else
                Simd::store(c, sum[r][v]);
        }
}

using Tile = void (*)(const Product&, typename Simd::Mask);

// [rows - 1][registers - 1][masked]
template <bool TRANSPOSED>
struct Tiles {
    Tile wide[12][2][2];
};

template <int ROWS, bool TRANSPOSED>
constexpr void enter(Tiles<TRANSPOSED>& tiles) {
    if constexpr (ROWS > 0) {
        tiles.wide[ROWS - 1][0][0] = tile<ROWS, 1, false, TRANSPOSED>;
        tiles.wide[ROWS - 1][0][1] = tile<ROWS, 1, true, TRANSPOSED>;
        if constexpr (ROWS <= Simd::tileRows) {
            tiles.wide[ROWS - 1][1][0] = tile<ROWS, 2, false, TRANSPOSED>;
            tiles.wide[ROWS - 1][1][1] = tile<ROWS, 2, true, TRANSPOSED>;
        }
        enter<ROWS - 1, TRANSPOSED>(tiles);
    }
}

template <bool TRANSPOSED>
constexpr Tiles<TRANSPOSED> allTiles() {
    Tiles<TRANSPOSED> tiles{};
    enter<12, TRANSPOSED>(tiles);
    return tiles;
}

// The summed extent is taken in pieces that keep a panel of B in the nearest cache.
constexpr int64_t blockK = 256;

// Rows [0, rows) against columns [0, columns) of p.b, whose columns of one panel of two
// registers lie `stepPanel` floats after those of the panel before.
template <bool TRANSPOSED>
void sweep(Product p, int64_t rows, int64_t columns, int64_t stepPanel) {
    static constexpr Tiles<TRANSPOSED> tiles = allTiles<TRANSPOSED>();
    constexpr int64_t panel = 2 * Simd::width;
    const int64_t height = columns <= Simd::width ? 12 : Simd::tileRows;
    const int64_t count = (rows + height - 1) / height;
    const float *a = p.a, *b = p.b;
    float* out = p.out;
    for (int64_t i = 0; i < count; ++i) {  // of equal heights, or one row apart
        const int64_t r0 = rows * i / count, r = rows * (i + 1) / count - r0;
        p.a = a + r0 * p.stepRow;
        for (int64_t c0 = 0; c0 < columns; c0 += panel) {
            const int64_t left = columns - c0;
            const bool two = left > Simd::width, part = left < panel && left != Simd::width;
            p.b = b + c0 / panel * stepPanel;
            p.out = out + r0 * p.stepOut + c0;
            tiles.wide[r - 1][two][part](p, Simd::maskOf(!part ? 0 : two ? left - Simd::width : left));
        }
    }
}

// Panels of B side by side, each contiguous: for products whose B would not stay in the cache.
constexpr int64_t blockColumns = 256;

template <bool TRANSPOSED>
__attribute__((noinline)) void packedProduct(Product p, int64_t rows, int64_t C, int64_t K) {
    constexpr int64_t panel = 2 * Simd::width;
    alignas(64) float packed[blockK * blockColumns];
    const float *a = p.a, *b = p.b;
    float* out = p.out;
    const int64_t stepB = p.stepB;
    p.b = packed;
    p.stepB = panel;
    for (int64_t c0 = 0; c0 < C; c0 += blockColumns)
        for (int64_t k0 = 0; k0 < K; k0 += blockK) {
            const int64_t columns = smaller(blockColumns, C - c0);
            p.K = smaller(blockK, K - k0);
            for (int64_t c = 0; c < columns; c += panel) {
                const int64_t width = smaller(panel, columns - c);
                float* to = packed + c * p.K;
                const float* from = b + k0 * stepB + c0 + c;
                for (int64_t k = 0; k < p.K; ++k, to += panel, from += stepB)
                    if (width == panel)
                        for (int64_t i = 0; i < panel; ++i) to[i] = from[i];
                    else
                        for (int64_t i = 0; i < width; ++i) to[i] = from[i];
            }
            p.a = a + k0 * p.stepK;
            p.out = out + c0;
            p.fresh = k0 == 0;
            sweep<TRANSPOSED>(p, rows, columns, panel * p.K);
        }
}

// One or two rows: enough registers side by side that no fma waits for the one before it.
template <bool TRANSPOSED>
int64_t flatProduct(Product p, int64_t rows, int64_t C) {
    const Tile block = rows == 1 ? tile<1, 8, false, TRANSPOSED> : tile<2, 4, false, TRANSPOSED>;
    const int64_t width = (rows == 1 ? 8 : 4) * Simd::width;
    int64_t c = 0;
    for (; c + width <= C; c += width, p.b += width, p.out += width) block(p, Simd::maskOf(0));
    return c;
}

template <bool TRANSPOSED>
void wideProduct(Product p, int64_t rows, int64_t C, int64_t K) {
    if (K * C > Simd::packedFrom && rows >= 48) return packedProduct<TRANSPOSED>(p, rows, C, K);
    if (rows <= 2) {
        p.K = K;
        p.fresh = true;
        const int64_t done = flatProduct<TRANSPOSED>(p, rows, C);
        p.b += done;
        p.out += done;
        C -= done;
    }
    const float *a = p.a, *b = p.b;
    for (int64_t k0 = 0; k0 < K; k0 += blockK) {
        p.K = smaller(blockK, K - k0);
        p.a = a + k0 * p.stepK;
        p.b = b + k0 * p.stepB;
        p.fresh = k0 == 0;
        sweep<TRANSPOSED>(p, rows, C, 2 * Simd::width);
    }
}

// Few columns: a register holds one column's outputs of several rows, and A is turned so that it can be
// read that way. `x` is A^T, GROUPS registers a row.
template <int C, int GROUPS>
void columnTile(const float* x, int64_t stepX, const float* b, int64_t K, float* sums) {
    using Vector = typename Simd::Vector;
    Vector sum[C][GROUPS];
#pragma GCC unroll 8
    for (int c = 0; c < C; ++c)
#pragma GCC unroll 8
        for (int g = 0; g < GROUPS; ++g) sum[c][g] = Simd::load(sums + (c * GROUPS + g) * Simd::width);
    for (int64_t k = 0; k < K; ++k) {
        Vector left[GROUPS];
#pragma GCC unroll 8
        for (int g = 0; g < GROUPS; ++g) left[g] = Simd::load(x + g * Simd::width);
#pragma GCC unroll 8
        for (int c = 0; c < C; ++c) {
            const Vector right = Simd::broadcast(b + c);
#pragma GCC unroll 8
            for (int g = 0; g < GROUPS; ++g) sum[c][g] = Simd::fma(left[g], right, sum[c][g]);
        }
        x += stepX;
        b += C;
    }
#pragma GCC unroll 8
    for (int c = 0; c < C; ++c)
#pragma GCC unroll 8
        for (int g = 0; g < GROUPS; ++g) Simd::store(sums + (c * GROUPS + g) * Simd::width, sum[c][g]);
}

template <int C, bool TRANSPOSED>
void narrowProduct(const Product& p, int64_t rows, int64_t K) {
    constexpr int GROUPS = C <= 2 ? 4 : C <= 4 ? 2 : 1;
    constexpr int64_t height = GROUPS * Simd::width, blockK = 64;
    alignas(64) float turned[blockK * height];
    alignas(64) float sums[C * height];
    for (int64_t r0 = 0; r0 < rows; r0 += height) {
        const int64_t r = smaller(height, rows - r0);
        for (float& sum : sums) sum = 0;
        if (TRANSPOSED && r == height) {
            columnTile<C, GROUPS>(p.a + r0, p.stepK, p.b, K, sums);
        } else {
            for (int64_t k0 = 0; k0 < K; k0 += blockK) {
                const int64_t k = smaller(blockK, K - k0);
                const float* from = p.a + r0 * p.stepRow + k0 * p.stepK;
                if (r < height) zeroRun(turned, k * height);
                if (TRANSPOSED)
                    for (int64_t i = 0; i < k; ++i) copyRun(turned + i * height, from + i * p.stepK, r);
                else
                    turn(from, p.stepRow, r, k, turned, height);
                columnTile<C, GROUPS>(turned, height, p.b + k0 * C, k, sums);
            }
        }
        float* out = p.out + r0 * C;
        for (int64_t i = 0; i < r; ++i)
            for (int c = 0; c < C; ++c) out[i * C + c] = sums[c * height + i];
    }
}

template <bool TRANSPOSED>
void anyProduct(const Product& p, int64_t rows, int64_t C, int64_t K) {
    if (rows >= 8 && C <= Simd::narrowColumns) {
        switch (C) {
            case 1:
                return narrowProduct<1, TRANSPOSED>(p, rows, K);
            case 2:
                return narrowProduct<2, TRANSPOSED>(p, rows, K);
            case 3:
                return narrowProduct<3, TRANSPOSED>(p, rows, K);
            case 4:
                return narrowProduct<4, TRANSPOSED>(p, rows, K);
            case 5:
                return narrowProduct<5, TRANSPOSED>(p, rows, K);
            case 6:
                return narrowProduct<6, TRANSPOSED>(p, rows, K);
            case 7:
                return narrowProduct<7, TRANSPOSED>(p, rows, K);
            case 8:
                return narrowProduct<8, TRANSPOSED>(p, rows, K);
        }
    }
    wideProduct<TRANSPOSED>(p, rows, C, K);
}

void product(const Call<float>& call, int64_t begin, int64_t end) {
    if (end <= begin) return;
    const int64_t C = call.columns, K = call.transposed ? call.inRows[0] : call.inColumns[0];
    Product p{};
    p.stepRow = call.transposed ? 1 : call.inColumns[0];
    p.stepK = call.transposed ? call.inColumns[0] : 1;
    p.a = call.in[0] + begin * p.stepRow;
    p.b = call.in[1];
    p.stepB = C;
    p.out = call.out + begin * C;
    p.stepOut = C;
    if (call.transposed)
        anyProduct<true>(p, end - begin, C, K);
    else
        anyProduct<false>(p, end - begin, C, K);
}
