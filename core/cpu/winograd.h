// Which convolutions of 3 x 3 taps are computed by Winograd's transformation, and what room that takes: asked
// by the executor and by the kernels of every instruction set.
#pragma once

#include "core/base/extents.h"
#include "core/base/math.h"

namespace core::cpu::winograd {

constexpr int64_t elements = 16;  // of a tile, 4 x 4

// One pixel apart with a border of one, and channels in whole registers, enough of them that products
// outweigh the transformations.
GS_INLINE bool suits(int64_t window, int64_t stride, int64_t padding, int64_t I, int64_t O) {
    return window == 3 && stride == 1 && padding == 1 && I % 16 == 0 && O % 16 == 0 && I >= 32 && O >= 32;
}

// Tiles of 2 x 2 outputs, and the image that they see: two pixels wider than they are together.
struct Tiling {
    int64_t height, width, channels;
    int64_t down, across;
    int64_t rowFloats;  // of the bordered image

    [[gnu::always_inline]] int64_t count() const { return down * across; }
    [[gnu::always_inline]] int64_t borderedSize() const { return (2 * down + 2) * rowFloats; }
};

GS_INLINE Tiling tilingOf(const Extents& x) {
    const int64_t down = (x.height + 1) / 2, across = (x.width + 1) / 2;
    return {x.height, x.width, x.channels, down, across, (2 * across + 2) * x.channels};
}

// As many tiles at a time as keep both sides of the products in the second cache, in whole register tiles.
GS_INLINE int64_t tilesAtATime(int64_t I, int64_t O) {
    const int64_t fitting = 48 * 1024 / (elements * (I + O)) / 12 * 12;
    return fitting < 12 ? 12 : fitting;
}

// Floats of scratch: the bordered image, both sides of the products, and the taps or their gradient.
GS_INLINE int64_t scratchSize(const Extents& x, int64_t O) {
    const int64_t columns = (O + 31) / 32 * 32;
    return tilingOf(x).borderedSize() +
           elements * (tilesAtATime(x.channels, O) * (x.channels + O) + x.channels * columns);
}

}  // namespace core::cpu::winograd
