// Places on the screen: vectors and rectangles in logical pixels, y downward.
#pragma once

#include <algorithm>

namespace views {

struct Vec {
    float x = 0, y = 0;
    Vec operator+(Vec o) const { return {x + o.x, y + o.y}; }
    Vec operator-(Vec o) const { return {x - o.x, y - o.y}; }
    Vec operator*(float s) const { return {x * s, y * s}; }
    bool operator==(const Vec&) const = default;
};

struct Rect {
    float x0 = 0, y0 = 0, x1 = 0, y1 = 0;

    float width() const { return x1 - x0; }
    float height() const { return y1 - y0; }
    Vec centre() const { return {(x0 + x1) / 2, (y0 + y1) / 2}; }
    bool contains(Vec p) const { return p.x >= x0 && p.x < x1 && p.y >= y0 && p.y < y1; }
    bool empty() const { return x1 <= x0 || y1 <= y0; }
    bool operator==(const Rect&) const = default;

    Rect inset(float by) const { return {x0 + by, y0 + by, x1 - by, y1 - by}; }

    // Cut a strip off and return it; the rectangle keeps the rest. A strip is never larger than what is
    // there.
    Rect cutTop(float h) {
        h = std::clamp(h, 0.f, std::max(0.f, height()));
        y0 += h;
        return {x0, y0 - h, x1, y0};
    }
    Rect cutBottom(float h) {
        h = std::clamp(h, 0.f, std::max(0.f, height()));
        y1 -= h;
        return {x0, y1, x1, y1 + h};
    }
    Rect cutLeft(float w) {
        w = std::clamp(w, 0.f, std::max(0.f, width()));
        x0 += w;
        return {x0 - w, y0, x0, y1};
    }
    Rect cutRight(float w) {
        w = std::clamp(w, 0.f, std::max(0.f, width()));
        x1 -= w;
        return {x1, y0, x1 + w, y1};
    }

    // The i-th of n equal columns (rows) with a gap between them.
    Rect column(int i, int n, float gap) const {
        const float w = (width() - gap * float(n - 1)) / float(n);
        return {x0 + float(i) * (w + gap), y0, x0 + float(i) * (w + gap) + w, y1};
    }
    Rect row(int i, int n, float gap) const {
        const float h = (height() - gap * float(n - 1)) / float(n);
        return {x0, y0 + float(i) * (h + gap), x1, y0 + float(i) * (h + gap) + h};
    }
};

}  // namespace views
