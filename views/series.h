// How panels hand numbers to a plot: columns of channels, grids and stacks of images, none of them copied.
#pragma once

#include <algorithm>
#include <cmath>
#include <span>
#include <vector>

#include "core/contract/frame.h"

namespace views {

// n points; x and y are strided so that columns of one or two channels serve. Points that are not
// finite are left out of the drawing, and a line has a gap there.
struct Series {
    const float* x = nullptr;
    const float* y = nullptr;
    size_t size = 0;
    size_t strideX = 1, strideY = 1;

    float xAt(size_t i) const { return x[i * strideX]; }
    float yAt(size_t i) const { return y[i * strideY]; }
    bool finite(size_t i) const { return std::isfinite(xAt(i)) && std::isfinite(yAt(i)); }

    // Two columns of one channel [n, c]; empty if the channel is missing or narrower.
    static Series columns(const core::Tensor* t, int columnX = 0, int columnY = 1) {
        const auto c = t ? t->shape.columns() : 0;
        if (columnX >= c || columnY >= c || int64_t(t->values.size()) < t->shape.size()) return {};
        const auto stride = size_t(c);
        return {t->values.data() + columnX, t->values.data() + columnY, size_t(t->shape.size() / c), stride,
                stride};
    }
    // One vector against another; as long as the shorter one.
    static Series of(std::span<const float> x, std::span<const float> y) {
        return {x.data(), y.data(), std::min(x.size(), y.size()), 1, 1};
    }
    static Series of(const core::Tensor* x, const core::Tensor* y) {
        return x && y ? of(std::span(x->values), std::span(y->values)) : Series{};
    }
};

// Values on a regular grid, row-major, the first row at y0; x0..y1 are the outer edges of the cells.
struct Grid {
    std::span<const float> values;
    int columns = 0, rows = 0;
    double x0 = 0, x1 = 1, y0 = 0, y1 = 1;
    bool empty() const { return columns < 1 || rows < 1 || values.size() < size_t(columns) * size_t(rows); }
};

// n pictures of w x h values, row-major, the first row on top: grey from low to high (clamped), or signed
// ones, which take the colours of a diverging map.
struct Images {
    std::span<const float> values;
    int width = 28, height = 28;
    float low = 0, high = 1;
    bool diverging = false;
    int size() const { return width * height > 0 ? int(values.size() / size_t(width * height)) : 0; }

    static Images of(const core::Tensor* t, int width = 28, int height = 28) {
        return t ? Images{t->values, width, height} : Images{{}, width, height};
    }
};

}  // namespace views
