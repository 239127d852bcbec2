// Random numbers by counter: Philox4x32-10 (Salmon et al. 2011). The same number for the same
// (seed; stream, step, element) on every machine, whatever was drawn before or beside it.
#pragma once

#include <cstdint>
#include <string_view>

#include "core/base/math.h"

namespace core::philox {

// Where a draw stands: which run, which stream of it, which step.
struct Position {
    uint64_t seed = 0;
    uint32_t stream = 0;
    uint64_t step = 0;    // training step
    uint32_t repeat = 0;  // which repetition of a phase inside the step, below 65536
};

struct Block {
    uint32_t word[4];
};

// Four words for elements 4 * block ... 4 * block + 3.
GS_INLINE Block draw(const Position& at, uint32_t block) {
    uint32_t c0 = block, c1 = at.stream, c2 = uint32_t(at.step);
    uint32_t c3 = (uint32_t(at.step >> 32) << 16) | (at.repeat & 0xffffu);
    uint32_t k0 = uint32_t(at.seed), k1 = uint32_t(at.seed >> 32);
    for (int round = 0; round < 10; ++round) {
        const uint64_t p0 = uint64_t(0xD2511F53u) * c0, p1 = uint64_t(0xCD9E8D57u) * c2;
        const uint32_t n0 = uint32_t(p1 >> 32) ^ c1 ^ k0, n2 = uint32_t(p0 >> 32) ^ c3 ^ k1;
        c1 = uint32_t(p1);
        c3 = uint32_t(p0);
        c0 = n0;
        c2 = n2;
        k0 += 0x9E3779B9u;
        k1 += 0xBB67AE85u;
    }
    return {{c0, c1, c2, c3}};
}

// [0, 1) with 24 bits.
GS_INLINE float uniform(uint32_t word) {
    return float(word >> 8) * 0x1p-24f;
}

// Two independent N(0, 1) numbers from two words (Box and Muller).
GS_INLINE void normalPair(uint32_t a, uint32_t b, float& first, float& second) {
    const float u = (float(a >> 8) + 1.0f) * 0x1p-24f;  // (0, 1]
    const float radius = math::sqrt(-2.0f * math::log(u));
    float c, s;
    math::cosSinTurn(uniform(b), c, s);
    first = radius * c;
    second = radius * s;
}

// The element-th uniform or normal number at a position; for code that draws one by one.
GS_INLINE float uniformAt(const Position& at, uint64_t element) {
    return uniform(draw(at, uint32_t(element / 4)).word[element % 4]);
}
GS_INLINE float normalAt(const Position& at, uint64_t element) {
    const Block b = draw(at, uint32_t(element / 4));
    const bool upper = element & 2;
    float first, second;
    normalPair(b.word[upper ? 2 : 0], b.word[upper ? 3 : 1], first, second);
    return element & 1 ? second : first;
}

// The first `count` normal numbers at a position.
inline void normals(const Position& at, uint64_t count, float* into) {
    for (uint64_t e = 0; e < count; e += 4) {
        const Block b = draw(at, uint32_t(e / 4));
        float four[4];
        normalPair(b.word[0], b.word[1], four[0], four[1]);
        normalPair(b.word[2], b.word[3], four[2], four[3]);
        for (uint64_t k = 0; k < 4 && e + k < count; ++k) into[e + k] = four[k];
    }
}

// The number of a stream from its name (FNV-1a).
constexpr uint32_t streamOf(std::string_view name) {
    uint32_t hash = 2166136261u;
    for (char c : name) hash = (hash ^ uint8_t(c)) * 16777619u;
    return hash;
}

}  // namespace core::philox
