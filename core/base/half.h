// Numbers of 16 bits (IEEE 754 binary16), for what is kept to be looked at: 11 significant bits.
#pragma once

#include <bit>
#include <cstdint>

namespace core {

// The nearest half, ties to even; beyond 65504 infinity, below 6e-8 zero.
inline uint16_t toHalf(float value) {
    const uint32_t bits = std::bit_cast<uint32_t>(value), magnitude = bits & 0x7fffffffu;
    const auto sign = uint16_t(bits >> 16 & 0x8000u);
    if (magnitude >= 0x47800000u)  // 65536 and more, infinity, not a number
        return uint16_t(sign | (magnitude > 0x7f800000u ? 0x7e00u : 0x7c00u));
    if (magnitude < 0x38800000u) {  // below 2^-14: the addition shifts the bits to where a half has them
        const float shifted = std::bit_cast<float>(magnitude) + 0.5f;
        return uint16_t(sign | (std::bit_cast<uint32_t>(shifted) - 0x3f000000u));
    }
    const uint32_t odd = magnitude >> 13 & 1u;
    return uint16_t(sign | ((magnitude - 0x38000000u + 0xfffu + odd) >> 13));
}

inline float fromHalf(uint16_t half) {
    const uint32_t sign = uint32_t(half & 0x8000u) << 16, magnitude = half & 0x7fffu;
    if (magnitude >= 0x7c00u) return std::bit_cast<float>(sign | 0x7f800000u | (magnitude & 0x3ffu) << 13);
    // 2^112 makes up for the difference between the two biases, and normalises what a half cannot.
    const float value = std::bit_cast<float>(magnitude << 13) * 0x1p112f;
    return std::bit_cast<float>(sign | std::bit_cast<uint32_t>(value));
}

}  // namespace core
