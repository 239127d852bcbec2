// The extents of a tensor: one to four axes, row-major, the last axis contiguous.
#pragma once

#include <array>
#include <cstdint>
#include <initializer_list>
#include <string>

#include "core/base/error.h"
#include "core/base/extents.h"

namespace core {

class Shape {
  public:
    static constexpr int maxRank = 4;

    Shape() = default;
    Shape(std::initializer_list<int> extents) {
        CHECK(extents.size() <= maxRank, "shape: expected at most {} axes, got {}", maxRank, extents.size());
        for (int extent : extents) {
            CHECK(extent > 0, "shape: expected positive extents, got {}", extent);
            m_extents[m_rank++] = extent;
        }
    }

    int rank() const { return m_rank; }
    int operator[](int axis) const { return m_extents[axis]; }
    int64_t size() const {
        int64_t product = 1;
        for (int axis = 0; axis < m_rank; ++axis) product *= m_extents[axis];
        return product;
    }

    // A tensor is computed as a matrix: the first axis against all the others. A vector is one row.
    int64_t rows() const { return m_rank >= 2 ? m_extents[0] : 1; }
    int64_t columns() const { return size() / rows(); }

    int channels() const { return m_rank > 0 ? m_extents[m_rank - 1] : 1; }
    Extents extents() const {
        switch (m_rank) {
            case 4:
                return {m_extents[0], m_extents[1], m_extents[2], m_extents[3]};
            case 3:
                return {m_extents[0], 1, m_extents[1], m_extents[2]};
            case 2:
                return {m_extents[0], 1, 1, m_extents[1]};
            default:
                return {1, 1, 1, channels()};
        }
    }
    // The same axes but for the last.
    Shape withChannels(int channels) const {
        Shape out = *this;
        CHECK(m_rank > 0 && channels > 0, "shape: expected positive channels, got {}", channels);
        out.m_extents[size_t(m_rank - 1)] = channels;
        return out;
    }

    bool operator==(const Shape& other) const {
        return m_rank == other.m_rank && m_extents == other.m_extents;
    }

    // "[256, 2]", for messages.
    std::string text() const {
        std::string out = "[";
        for (int axis = 0; axis < m_rank; ++axis) out += (axis ? ", " : "") + std::to_string(m_extents[axis]);
        return out + "]";
    }

  private:
    int m_rank = 0;
    std::array<int, maxRank> m_extents{};
};

}  // namespace core
