// Matrix products on registers; included after kernels.inl where a struct Simd says what the instruction
// set offers. Every output is one chain of fma over ascending k, starting from 0, whatever tile, edge or
// slab it falls into: so all sets give the same bits.

// Where a run of summed indices begins, in floats from the beginnings of A and B.
struct Run {
    int64_t a = 0, b = 0;
};
constexpr Run wholeRun{};

// R rows, C columns, K the summed extent; A is addressed by two steps, one of which is 1.
struct Product {
    const float* a;
    int64_t stepRow, stepK;
    const float* b;
    int64_t stepB;
    float* out;
    int64_t stepOut;
    int64_t K;                    // of every run
    bool fresh;                   // start from 0; otherwise go on from what `out` holds
    const float* bias = nullptr;  // added to every row in the end; or none
    const Run* runs = &wholeRun;
    int64_t runCount = 1;
    // What a later tile reads, asked for two lines at a time: for every k.
    const float* ahead = nullptr;
    int64_t stepAhead = 0;
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
    const float* ahead = p.ahead;
    const int64_t stepAhead = p.stepAhead;
    for (int64_t run = 0; run < p.runCount; ++run) {
        // Rows in groups of three, so that few pointers and one step address them all.
        const float *a0 = p.a + p.runs[run].a, *a3 = a0 + 3 * step, *a6 = a3 + 3 * step, *a9 = a6 + 3 * step;
        const float* b = p.b + p.runs[run].b;
        for (int64_t k = 0; k < K; ++k) {
            Vector right[VECTORS];
#pragma GCC unroll 8
            for (int v = 0; v < VECTORS; ++v)
                right[v] = PART && v == VECTORS - 1 ? Simd::loadPart(b + v * Simd::width, part)
                                                    : Simd::load(b + v * Simd::width);
            b += stepB;
            __builtin_prefetch(ahead);
            __builtin_prefetch(ahead + 16);
            ahead += stepAhead;
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
    }
    if (p.bias)
#pragma GCC unroll 8
        for (int v = 0; v < VECTORS; ++v) {
            const float* from = p.bias + v * Simd::width;
            const Vector bias = PART && v == VECTORS - 1 ? Simd::loadPart(from, part) : Simd::load(from);
#pragma GCC unroll 16
            for (int r = 0; r < ROWS; ++r) sum[r][v] += bias;
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

// The summed extent is taken in pieces that keep a panel of B in the nearest cache, the columns in such that
// all of A's rows find the same part of B in the second.
constexpr int64_t blockK = 192, sweepColumns = 128;
constexpr int64_t panel = 2 * Simd::width;

// Rows of a tile beside so many columns.
constexpr int64_t tileHeight(int64_t columns) {
    return columns <= Simd::width ? 12 : Simd::tileRows;
}

// One tile: `rows` by up to a panel of columns.
template <bool TRANSPOSED>
GS_INLINE void runTile(const Product& p, int64_t rows, int64_t columns) {
    static constexpr Tiles<TRANSPOSED> tiles = allTiles<TRANSPOSED>();
    const bool two = columns > Simd::width, part = columns < panel && columns != Simd::width;
    tiles.wide[rows - 1][two][part](p, Simd::maskOf(!part ? 0 : two ? columns - Simd::width : columns));
}

// Rows [0, rows) against columns [0, columns) of p.b, whose columns of one panel lie `stepPanel` floats
// after those of the panel before. A small A stays in the nearest cache, or a panel of B.
template <bool TRANSPOSED>
void sweep(Product p, int64_t rows, int64_t columns, int64_t stepPanel) {
    const int64_t count = (rows + tileHeight(columns) - 1) / tileHeight(columns);
    const float *a = p.a, *b = p.b, *bias = p.bias;
    float* out = p.out;
    for (int64_t i = 0; i < count; ++i) {  // of equal heights, or one row apart
        const int64_t r0 = rows * i / count, r = rows * (i + 1) / count - r0;
        p.a = a + r0 * p.stepRow;
        for (int64_t c0 = 0; c0 < columns; c0 += panel) {
            p.b = b + c0 / panel * stepPanel;
            p.ahead = p.a + (TRANSPOSED ? 0 : 2 * r * p.stepRow);
            p.stepAhead = TRANSPOSED || c0 > 0 ? 0 : 16;
            if (i == 0) p.ahead = p.b + stepPanel, p.stepAhead = p.stepB;  // weights pass but once
            p.out = out + r0 * p.stepOut + c0;
            p.bias = bias ? bias + c0 : nullptr;
            runTile<TRANSPOSED>(p, r, smaller(panel, columns - c0));
        }
    }
}

// B in panels side by side, each contiguous.
void packPanels(const float* b, int64_t stepB, int64_t K, int64_t columns, float* to) {
    for (int64_t c = 0; c < columns; c += panel) {
        const int64_t width = smaller(panel, columns - c);
        const float* from = b + c;
        for (int64_t k = 0; k < K; ++k, to += panel, from += stepB)
            if (width == panel)
                for (int64_t i = 0; i < panel; ++i) to[i] = from[i];
            else
                for (int64_t i = 0; i < width; ++i) to[i] = from[i];
    }
}

// At most 12 floats.
GS_INLINE void copyTileRow(float* to, const float* from, int64_t n) {
    for (int64_t i = 0; i < n; i += Simd::width) {
        const typename Simd::Mask some = Simd::maskOf(smaller(Simd::width, n - i));
        Simd::storePart(to + i, some, Simd::loadPart(from + i, some));
    }
}

// For products whose B would not stay in the nearest cache: blocks of B copied into panels, and of A^T into
// the tiles' rows.
constexpr int64_t blockColumns = 256, blockRows = 96;

template <bool TRANSPOSED>
__attribute__((noinline)) void packedProduct(Product p, int64_t rows, int64_t C, int64_t K) {
    alignas(64) float packed[blockK * blockColumns];
    alignas(64) float left[TRANSPOSED ? blockK * blockRows : 1];
    const float *a = p.a, *b = p.b, *bias = p.bias;
    float* out = p.out;
    const int64_t stepB = p.stepB, stepRow = p.stepRow, stepK = p.stepK;
    p.stepB = panel;
    p.ahead = packed;
    for (int64_t c0 = 0; c0 < C; c0 += blockColumns)
        for (int64_t k0 = 0; k0 < K; k0 += blockK) {
            const int64_t columns = smaller(blockColumns, C - c0);
            p.K = smaller(blockK, K - k0);
            p.fresh = k0 == 0;
            packPanels(b + k0 * stepB + c0, stepB, p.K, columns, packed);
            for (int64_t r0 = 0; r0 < rows; r0 += blockRows) {
                const int64_t some = smaller(blockRows, rows - r0);
                const int64_t height = tileHeight(columns), count = (some + height - 1) / height;
                const float* from = a + r0 * stepRow + k0 * stepK;
                if (TRANSPOSED) {
                    float* to = left;
                    for (int64_t i = 0; i < count; ++i) {
                        const int64_t t = some * i / count, n = some * (i + 1) / count - t;
                        for (int64_t k = 0; k < p.K; ++k, to += n) copyTileRow(to, from + k * stepK + t, n);
                    }
                }
                for (int64_t c = 0; c < columns; c += panel) {
                    p.b = packed + c * p.K;
                    p.bias = bias && k0 + p.K == K ? bias + c0 + c : nullptr;
                    for (int64_t i = 0; i < count; ++i) {
                        const int64_t t = some * i / count, n = some * (i + 1) / count - t;
                        p.a = TRANSPOSED ? left + t * p.K : from + t * stepRow;
                        if (TRANSPOSED) p.stepK = n;
                        p.out = out + (r0 + t) * p.stepOut + c0 + c;
                        runTile<TRANSPOSED>(p, n, smaller(panel, columns - c));
                    }
                }
            }
        }
}

// A^T B of long A and B: their rows come in blocks that the second cache holds twice, so that the next one
// arrives while this one is used; a tile's columns of A are copied together.
constexpr int64_t blockFloats = 96 * 1024;

__attribute__((noinline)) void tallProduct(Product p, int64_t rows, int64_t C, int64_t K) {
    alignas(64) float left[blockK * 12];
    const float *a = p.a, *b = p.b;
    float* out = p.out;
    const int64_t stepA = p.stepK, fitting = blockFloats / (rows + C) / 16 * 16;
    const int64_t many = fitting < 64 ? 64 : smaller(fitting, blockK);
    const int64_t height = tileHeight(C), count = (rows + height - 1) / height;
    for (int64_t k0 = 0; k0 < K; k0 += many, a += many * stepA, b += many * p.stepB) {
        p.K = smaller(many, K - k0);
        p.fresh = k0 == 0;
        // One column of lines of the next block for every tile: first of A, then of B.
        int64_t line = 0;
        for (int64_t i = 0; i < count; ++i) {
            const int64_t t = rows * i / count, n = rows * (i + 1) / count - t;
            for (int64_t k = 0; k < p.K; ++k) copyTileRow(left + k * n, a + k * stepA + t, n);
            p.a = left;
            p.stepK = n;
            for (int64_t c = 0; c < C; c += panel, line += 16) {
                const bool ofA = line < rows, ofB = !ofA && line - rows < C;
                p.ahead = ofA ? a + p.K * stepA + line : ofB ? b + p.K * p.stepB + line - rows : left;
                p.stepAhead = ofA ? stepA : ofB ? p.stepB : 0;
                p.b = b + c;
                p.out = out + t * p.stepOut + c;
                runTile<true>(p, n, smaller(panel, C - c));
            }
        }
    }
}

// One or two rows: enough registers side by side that no fma waits for the one before it.
template <bool TRANSPOSED>
int64_t flatProduct(Product p, int64_t rows, int64_t C) {
    const Tile block = rows == 1 ? tile<1, 8, false, TRANSPOSED> : tile<2, 4, false, TRANSPOSED>;
    const int64_t width = (rows == 1 ? 8 : 4) * Simd::width;
    int64_t c = 0;
    p.ahead = p.a;
    for (; c + width <= C; c += width, p.b += width, p.out += width) {
        block(p, Simd::maskOf(0));
        if (p.bias) p.bias += width;
    }
    return c;
}

template <bool TRANSPOSED>
void wideProduct(Product p, int64_t rows, int64_t C, int64_t K) {
    if (TRANSPOSED && K > blockK && rows > 2) return tallProduct(p, rows, C, K);
    if (K * C > Simd::packedFrom && rows >= 48) return packedProduct<TRANSPOSED>(p, rows, C, K);
    if (rows <= 2) {
        p.K = K;
        p.fresh = true;
        const int64_t done = flatProduct<TRANSPOSED>(p, rows, C);
        p.b += done;
        p.out += done;
        if (p.bias) p.bias += done;
        C -= done;
    }
    const float *a = p.a, *b = p.b, *bias = p.bias;
    for (int64_t k0 = 0; k0 < K; k0 += blockK) {
        p.K = smaller(blockK, K - k0);
        p.a = a + k0 * p.stepK;
        p.b = b + k0 * p.stepB;
        p.fresh = k0 == 0;
        const Product block = p;
        for (int64_t c0 = 0; c0 < C; c0 += sweepColumns) {
            p.b = block.b + c0;
            p.out = block.out + c0;
            p.bias = bias && k0 + p.K == K ? bias + c0 : nullptr;
            sweep<TRANSPOSED>(p, rows, smaller(sweepColumns, C - c0), panel);
        }
        p = block;
    }
}

// B in panels, as prepare() makes them.
void preparedProduct(Product p, int64_t rows, int64_t C, int64_t K) {
    const float *a = p.a, *panels = p.b, *bias = p.bias;
    float* out = p.out;
    p.stepB = panel;
    const int64_t pieces = (K + blockK - 1) / blockK;
    for (int64_t piece = 0; piece < pieces; ++piece) {
        const int64_t k0 = K * piece / pieces;
        p.K = K * (piece + 1) / pieces - k0;
        p.a = a + k0 * p.stepK;
        p.fresh = piece == 0;
        for (int64_t c0 = 0; c0 < C; c0 += sweepColumns) {
            p.b = panels + c0 * K + k0 * panel;
            p.out = out + c0;
            p.bias = bias && piece + 1 == pieces ? bias + c0 : nullptr;
            sweep<false>(p, rows, smaller(sweepColumns, C - c0), K * panel);
        }
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
            for (int c = 0; c < C; ++c) {
                const float sum = sums[c * height + i];
                out[i * C + c] = p.bias ? sum + p.bias[c] : sum;
            }
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
    const Extents& a = call.inExtents[0];
    const int64_t C = call.extents.channels, perRow = call.columns / C;
    const int64_t K = call.transposed ? a.samples * a.positions() : a.channels;
    begin *= perRow;
    end *= perRow;
    Product p{};
    p.stepRow = call.transposed ? 1 : a.channels;
    p.stepK = call.transposed ? a.channels : 1;
    p.a = call.in[0] + begin * p.stepRow;
    p.b = call.in[1];
    p.stepB = C;
    p.out = call.out + begin * C;
    p.stepOut = C;
    p.bias = call.bias;
    if (call.prepared) {
        p.b = call.prepared;
        return preparedProduct(p, end - begin, C, K);
    }
    if (call.transposed)
        anyProduct<true>(p, end - begin, C, K);
    else
        anyProduct<false>(p, end - begin, C, K);
}
