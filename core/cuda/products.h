// Matrix products and convolutions, as launches are told. Plain data, part of abi.h.
#pragma once

#include <cstdint>

#include "core/cuda/programs.h"

namespace core::cuda {

// ---- products: C[m, n] = sum over k of A(m, k) B(k, n), for each batch

// A product of few k that is added to another: of the line l and the channel c, scale times the sum over r of
// left[l, r] right[r, c], or, turned, right[c, r].
struct LowRank {
    const float *left = nullptr, *right = nullptr;  // or none
    int32_t rank = 0, leftStep = 0, rightStep = 0;
    bool turned = false;
    float scale = 1;
    // Given: left is made on the way, and kept: made[l, r] = downScale times the sum over k of A[l, k]
    // down[r, k], for each term of the product that it is added to.
    const float* down = nullptr;
    float* made = nullptr;
    int32_t downStep = 0;
    int64_t downTerm = 0;
    float downScale = 1;
    static constexpr int mostMade = 8;  // ranks
};

struct Product {
    enum Left : uint8_t {
        rows,          // A[m * lda + k]
        columns,       // A[k * lda + m]
        patches,       // the k x k windows of images, k = (tap, channel)
        scattered,     // of a transposed convolution
        patchesTurned  // of a convolution's weight: m = (tap, channel), k runs over output pixels
    };
    Left left = rows;
    bool rightTurned = false;  // B[n * ldb + k] instead of B[k * ldb + n]; with taps: within each tap
    bool exact = false;        // FP32 instead of TF32
    const float* a = nullptr;
    const float* b = nullptr;
    int32_t m = 0, n = 0, k = 0, lda = 0, ldb = 0;
    float scale = 1;
    // Batches of `inner` times anything: offsets of outer and inner index.
    int32_t batches = 1, inner = 1;
    int64_t aOuter = 0, aInner = 0, bOuter = 0, bInner = 0;
    // The element of (m, n) in the index space of the epilogue: batch offsets + m * lde + n.
    int64_t eOuter = 0, eInner = 0;
    int32_t lde = 0;
    // Images.
    int32_t height = 0, width = 0, channels = 0;  // of the operand that is gathered
    int32_t outHeight = 0, outWidth = 0;
    int32_t window = 1, stride = 1, padding = 0;
    Divisor byChannels, byPixels, byWidth;  // channels; outHeight * outWidth; outWidth
    bool flipped = false;                   // the taps of B are counted from the last
    bool wideA = false, wideB = false;      // runs of four are aligned and never straddle an edge
    // columns, patchesTurned: sums over k of B or of A, for biases; or null.
    float *columnSums = nullptr, *rowSums = nullptr;
    int32_t splits = 1, tile = 0;  // tile: 0: 32 x 32, 1: 128 x 32, 2: 64 x 64, 3: 128 x 128, 4: 128 x 64, 5:
                                   // 64 x 64 for short sums
    float* partial = nullptr;      // splits * (m * n + m + n) numbers
    Straight straight;             // the program, where it has such a form
    // Not below 0: warpgroups of a Hopper card multiply rows with what is turned, in tiles of this form.
    int32_t groupTile = -1;
    // Of warpgroups: the sum of so many products, whose operands lie so far apart, and what is added to it.
    int32_t terms = 1;
    int64_t aTerm = 0, bTerm = 0;
    LowRank low;
    static constexpr int groupTiles = 7;
    static constexpr int groupHeights[groupTiles] = {64, 64, 64, 64, 128, 128, 128};
    static constexpr int groupWidths[groupTiles] = {48, 64, 96, 128, 96, 128, 192};
    // Above 0: rows of 16 for a block, which keeps them as a whole; and its warps, of 16 columns each.
    int32_t lineRows = 0, lineWarps = 0;
    static constexpr int longestLine = 768;
    // Above 0: a block keeps the pixels that its windows see, at most so many. Tiles as above; 6: 64 x 32.
    int32_t patch = 0;
    static constexpr int mostWindow = 111 * 1024;  // bytes of shared memory: two blocks on a processor
    // patchesTurned: a warp for each of the nine taps; byPixels and byWidth are of images with their padding.
    bool byTaps = false;
    static constexpr int tapRing = 256, tapStages = 4;  // pixels that are kept; blocks of 32 on their way
};

// Two products by one launch: what the program of the first ends with, an activation or its slope, is the
// left operand of the second, which is as wide as what the first began with.
struct Layers {
    Product first, second;
    // Where blocks that are no clusters leave their shares: rows x parts x width numbers; and who has.
    float* partial = nullptr;
    uint32_t* tickets = nullptr;
    static constexpr int rows = 128, parts = 4, chunk = 64;  // of a cluster; its blocks; columns at a time
    static constexpr int widths[] = {128, 192};
};

// Products of columns whose results are only stored, by one launch: a block takes a share of one tile's sum,
// and a second kernel adds the shares up; or, of narrow products, the last block of a tile; or, of short
// sums, the blocks of a cluster together. In the card's memory.
struct Member {
    Product product;
    float* out = nullptr;
    int32_t firstBlock = 0;       // of those that multiply; a block for each tile of each share, or a cluster
    int32_t firstRun = 0;         // of runs of four of the result
    uint32_t* tickets = nullptr;  // narrow: of each tile
};
struct Together {
    static constexpr int forms = 3, narrow = 2;  // narrow: of few columns, or of few rows
    static constexpr int clusters = forms;       // of short sums: a cluster for each tile
    static constexpr int clusterTile = 64, mostShares = 8, longestShare = 128;  // share: of a sum, by a block
    static constexpr int clusterFew = 2, clusterMany = 128;  // a tile of few columns, or of few rows
    static constexpr int sides[] = {192, 128};  // of a tile; narrow ones have `few` by at most `many`
    static constexpr int few = 4, many = 256, narrowest = 16;
    const Member* list = nullptr;
    int32_t count = 0, blocks = 0, runs = 0, form = 0;
    int32_t shares = 1;  // blocks of a cluster
};

// A matrix whose transpose is wanted elsewhere: to[column * lines + line]. Lies in the card's memory.
struct Turn {
    const float* from = nullptr;
    float* to = nullptr;
    int32_t lines = 0, columns = 0, apart = 0;  // apart: floats between lines
    int32_t firstBlock = 0;                     // of those that turn it, each 32 x 32 elements
};
struct Turns {
    const Turn* list = nullptr;
    int32_t count = 0, blocks = 0;
};

}  // namespace core::cuda
