// Whether numbers are finite, looked at by their bits: as many at once as the machine can.
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <span>

namespace core {

inline bool allFinite(std::span<const float> values) {
    constexpr uint32_t infinity = 0x7f800000;
    constexpr size_t together = 16;
    uint32_t largest[together] = {};
    size_t i = 0;
    for (; i + together <= values.size(); i += together)
        for (size_t k = 0; k < together; ++k)
            largest[k] = std::max(largest[k], std::bit_cast<uint32_t>(values[i + k]) & 0x7fffffff);
    for (; i < values.size(); ++i)
        largest[0] = std::max(largest[0], std::bit_cast<uint32_t>(values[i]) & 0x7fffffff);
    return *std::max_element(largest, largest + together) < infinity;
}

}  // namespace core
