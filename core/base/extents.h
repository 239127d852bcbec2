// A tensor of up to four axes as samples of images: [B, N, C] has height 1, a matrix one position a
// sample, and a vector one sample.
#pragma once

#include <cstdint>

namespace core {

struct Extents {
    int64_t samples = 1, height = 1, width = 1, channels = 1;
    // Inlined everywhere: the kernels of every instruction set use it, and share no code.
    [[gnu::always_inline]] int64_t positions() const { return height * width; }
};

}  // namespace core
