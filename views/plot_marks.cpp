// The marks of a Plot: dots, curves, areas, arrows and fields in data coordinates.
#include <imgui.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

#include "views/canvas.h"
#include "views/painter.h"
#include "views/plot.h"
#include "views/svg.h"

namespace views {

namespace {

// Above this many dots software OpenGL is slower than counting them into pixels.
constexpr size_t mostDots = 50000;

ImVec2 im(Vec v) {
    return {v.x, v.y};
}
bool finite(Vec v) {
    return std::isfinite(v.x) && std::isfinite(v.y);
}

// Clips what is drawn until the end of the block.
class Clip {
  public:
    Clip(const Canvas& canvas, const Rect& rect) : m_canvas(canvas) { canvas.pushClip(rect); }
    ~Clip() { m_canvas.popClip(); }
    Clip(const Clip&) = delete;
    Clip& operator=(const Clip&) = delete;

  private:
    const Canvas& m_canvas;
};

// Dots as OpenGL draws them: a rim around each where the theme has one.
void writeDots(const Canvas& canvas, const Rect& clip, const std::vector<DotVertex>& dots, float radius) {
    if (!canvas.svg()) return;
    std::vector<SvgWriter::Dot> discs;
    for (const DotVertex& dot : dots) discs.push_back({{dot.x, dot.y}, Rgba::unpack(dot.colour)});
    canvas.svg()->pushClip(clip);
    canvas.svg()->discs(discs, radius);
    canvas.svg()->popClip();
}

// Dots as a density: opacity grows with the count of each two-pixel cell.
void drawBinned(Canvas& canvas, const Plot& plot, const Series& series, Paint paint) {
    const Rect& rect = plot.rect();
    const int w = std::max(1, int(rect.width() / 2)), h = std::max(1, int(rect.height() / 2));
    std::vector<uint32_t> counts(size_t(w) * size_t(h));
    for (size_t i = 0; i < series.size; ++i) {
        if (!series.finite(i)) continue;
        const Vec at = plot.place(double(series.xAt(i)), double(series.yAt(i)));
        const int x = int(std::floor((at.x - rect.x0) / 2)), y = int(std::floor((at.y - rect.y0) / 2));
        if (x >= 0 && x < w && y >= 0 && y < h) ++counts[size_t(y) * size_t(w) + size_t(x)];
    }
    const double usual = std::max(1.0, double(series.size) / double(counts.size()));
    std::vector<uint8_t> opacity(counts.size());
    for (size_t i = 0; i < counts.size(); ++i) {
        opacity[i] = uint8_t(std::lround(255 * (1 - std::exp(-double(counts[i]) / usual))));
    }
    const ImTextureID texture = canvas.painter().opacity(opacity, w, h);
    canvas.list()->AddImage(texture, {rect.x0, rect.y0}, {rect.x0 + float(2 * w), rect.y0 + float(2 * h)},
                            {0, 0}, {1, 1}, canvas.packed(paint));
    if (!canvas.svg()) return;
    std::vector<Rgba> pixels;
    for (const uint8_t share : opacity) pixels.push_back(canvas.resolve(paint).withAlpha(float(share) / 255));
    canvas.svg()->picture({rect.x0, rect.y0, rect.x0 + float(2 * w), rect.y0 + float(2 * h)}, pixels, w, h,
                          false);
}

// The field as a picture, and its contour as lines: along the edges of cells between whose corners the level
// is crossed (marching squares).
void writeField(const Plot& plot, const Canvas& canvas, const Grid& grid, const FieldStyle& style,
                const Rect& where) {
    if (grid.empty()) return;
    const auto value = [&](int column, int row) {
        return double(grid.values[size_t(row) * size_t(grid.columns) + size_t(column)]);
    };
    std::vector<Rgba> pixels;
    for (int row = grid.rows - 1; row >= 0; --row)
        for (int column = 0; column < grid.columns; ++column) {
            const float t = float((value(column, row) - style.low) / (style.high - style.low));
            pixels.push_back(!std::isfinite(t) ? canvas.resolve(Ink::grid)
                             : style.veil      ? style.veil->colour->withAlpha(t)
                                               : canvas.theme().map(style.map, t).withAlpha(style.opacity));
        }
    SvgWriter& svg = *canvas.svg();
    svg.pushClip(plot.rect());
    svg.picture(where, pixels, grid.columns, grid.rows, style.smooth);
    const auto place = [&](double column, double row) {
        return plot.place(grid.x0 + (column + 0.5) / grid.columns * (grid.x1 - grid.x0),
                          grid.y0 + (row + 0.5) / grid.rows * (grid.y1 - grid.y0));
    };
    for (int row = 0; style.contour && row + 1 < grid.rows; ++row)
        for (int column = 0; column + 1 < grid.columns; ++column) {
            constexpr int corners[5][2] = {{0, 0}, {1, 0}, {1, 1}, {0, 1}, {0, 0}};
            std::vector<Vec> crossed;
            for (int k = 0; k < 4; ++k) {
                const int x0 = column + corners[k][0], y0 = row + corners[k][1],
                          x1 = column + corners[k + 1][0], y1 = row + corners[k + 1][1];
                const double from = value(x0, y0) - *style.contour, to = value(x1, y1) - *style.contour;
                if ((from < 0) == (to < 0) || !std::isfinite(from) || !std::isfinite(to)) continue;
                const double t = from / (from - to);
                crossed.push_back(place(x0 + t * (x1 - x0), y0 + t * (y1 - y0)));
            }
            for (size_t k = 0; k + 1 < crossed.size(); k += 2)
                svg.polyline(std::span(crossed).subspan(k, 2), canvas.resolve(Paint(Ink::text, 0.9f)),
                             canvas.px(1.5f));
        }
    svg.popClip();
}

}  // namespace

void Plot::points(const Series& series, Paint paint, float radius) {
    if (series.size > mostDots) return drawBinned(m_canvas, *this, series, paint);
    std::vector<DotVertex> dots;
    dots.reserve(series.size);
    const uint32_t colour = m_canvas.packed(paint);
    for (size_t i = 0; i < series.size; ++i) {
        if (!series.finite(i)) continue;
        const Vec at = place(double(series.xAt(i)), double(series.yAt(i)));
        if (finite(at)) dots.push_back({at.x, at.y, colour});
    }
    writeDots(m_canvas, m_rect, dots, m_canvas.px(radius));
    m_canvas.painter().dots(m_canvas.list(), m_rect, std::move(dots), m_canvas.px(radius),
                            m_canvas.resolve(Paint(Ink::background, 0.55f)));
}

void Plot::pointsByClass(const Series& series, std::span<const float> labels, float radius, float alpha) {
    std::vector<DotVertex> dots;
    const size_t n = std::min(series.size, labels.size());
    dots.reserve(n);
    for (size_t i = 0; i < n; ++i) {
        if (!series.finite(i) || !std::isfinite(labels[i])) continue;
        const Vec at = place(double(series.xAt(i)), double(series.yAt(i)));
        if (!finite(at)) continue;
        dots.push_back({at.x, at.y, m_canvas.packed(Paint::ofClass(int(std::lround(labels[i])), alpha))});
    }
    writeDots(m_canvas, m_rect, dots, m_canvas.px(radius));
    m_canvas.painter().dots(m_canvas.list(), m_rect, std::move(dots), m_canvas.px(radius),
                            m_canvas.resolve(Paint(Ink::background, 0.4f)));
}

void Plot::ring(double x, double y, Paint paint, float radius, float width) {
    const Vec at = place(x, y);
    if (!finite(at)) return;
    const Clip clip(m_canvas, m_rect);
    m_canvas.circle(at, radius, Stroke(paint, width));
}

void Plot::line(const Series& series, const Stroke& stroke) {
    const Clip clip(m_canvas, m_rect);
    std::vector<Vec> path;
    const auto flush = [&] {
        m_canvas.polyline(path, stroke);
        path.clear();
    };
    for (size_t i = 0; i < series.size; ++i) {
        const Vec at = place(double(series.xAt(i)), double(series.yAt(i)));
        if (!series.finite(i) || !finite(at)) {
            flush();
        } else if (path.empty() || !(path.back() == at)) {
            path.push_back(at);
        }
    }
    flush();
}

void Plot::segments(const Series& from, const Series& to, const Stroke& stroke) {
    const Clip clip(m_canvas, m_rect);
    for (size_t i = 0; i < std::min(from.size, to.size); ++i) {
        const Vec a = place(double(from.xAt(i)), double(from.yAt(i)));
        const Vec b = place(double(to.xAt(i)), double(to.yAt(i)));
        if (finite(a) && finite(b)) m_canvas.line(a, b, stroke);
    }
}

void Plot::area(const Series& upper, const Series& lower, Paint paint) {
    const Clip clip(m_canvas, m_rect);
    const uint32_t colour = m_canvas.packed(paint);
    const ImVec2 white = ImGui::GetFontTexUvWhitePixel();
    const size_t n = std::min(upper.size, lower.size);
    std::vector<Vec> above, below;  // of the piece without gaps that is being written down
    const auto flush = [&] {
        above.insert(above.end(), below.rbegin(), below.rend());
        m_canvas.svg()->polygon(above, m_canvas.resolve(paint));
        above.clear();
        below.clear();
    };
    for (size_t i = 0; m_canvas.svg() && i < n; ++i) {
        const Vec a = place(double(upper.xAt(i)), double(upper.yAt(i)));
        const Vec d = place(double(lower.xAt(i)), double(lower.yAt(i)));
        if (!finite(a) || !finite(d)) {
            flush();
        } else {
            above.push_back(a);
            below.push_back(d);
        }
    }
    if (m_canvas.svg()) flush();
    for (size_t i = 0; i + 1 < n; ++i) {
        const Vec a = place(double(upper.xAt(i)), double(upper.yAt(i)));
        const Vec b = place(double(upper.xAt(i + 1)), double(upper.yAt(i + 1)));
        const Vec c = place(double(lower.xAt(i + 1)), double(lower.yAt(i + 1)));
        const Vec d = place(double(lower.xAt(i)), double(lower.yAt(i)));
        if (!finite(a) || !finite(b) || !finite(c) || !finite(d)) continue;
        // Without smoothing: neighbours share an edge, and a smoothed one would show.
        m_canvas.list()->PrimReserve(6, 4);
        m_canvas.list()->PrimQuadUV(im(a), im(b), im(c), im(d), white, white, white, white, colour);
    }
}

void Plot::area(const Series& series, double level, Paint paint) {
    const auto base = float(level);
    area(series, Series{series.x, &base, series.size, series.strideX, 0}, paint);
}

void Plot::box(double x0, double y0, double x1, double y1, Paint paint) {
    const Vec a = place(x0, y0), b = place(x1, y1);
    if (!finite(a) || !finite(b)) return;
    const Clip clip(m_canvas, m_rect);
    m_canvas.fill({m_canvas.snap(std::min(a.x, b.x)), m_canvas.snap(std::min(a.y, b.y)),
                   m_canvas.snap(std::max(a.x, b.x)), m_canvas.snap(std::max(a.y, b.y))},
                  paint);
}

void Plot::bars(const Series& series, double width, Paint paint, double base) {
    for (size_t i = 0; i < series.size; ++i) {
        if (!series.finite(i)) continue;
        const auto x = double(series.xAt(i));
        box(x - width / 2, base, x + width / 2, double(series.yAt(i)), paint);
    }
}

void Plot::vertical(double x, const Stroke& stroke, const std::string& label) {
    const Vec at = place(x, m_style.y.low);
    if (!finite(at)) return;
    const float sx = m_canvas.snap(at.x) + 0.5f;
    {
        const Clip clip(m_canvas, m_rect);
        m_canvas.line({sx, m_rect.y0}, {sx, m_rect.y1}, stroke);
    }
    if (!label.empty() && sx >= m_rect.x0 && sx <= m_rect.x1) {
        const bool right = sx < m_rect.centre().x;
        text(x + (right ? 1 : -1) * (xAt(m_rect.x0 + m_canvas.px(6)) - xAt(m_rect.x0)), yAt(m_rect.y0), label,
             stroke.paint, {right ? 0.f : 1.f, 0});
    }
}

void Plot::horizontal(double y, const Stroke& stroke, const std::string& label) {
    const Vec at = place(m_style.x.low, y);
    if (!finite(at)) return;
    const float sy = m_canvas.snap(at.y) + 0.5f;
    {
        const Clip clip(m_canvas, m_rect);
        m_canvas.line({m_rect.x0, sy}, {m_rect.x1, sy}, stroke);
    }
    if (!label.empty() && sy >= m_rect.y0 && sy <= m_rect.y1) {
        const bool above = sy > m_rect.y0 + m_canvas.lineHeight(Size::small) + m_canvas.px(4);
        const Vec size = m_canvas.measure(label, Size::small);
        m_canvas.text(
            {m_rect.x0 + m_canvas.px(4), above ? sy - size.y - m_canvas.px(1) : sy + m_canvas.px(1)}, label,
            {stroke.paint, Size::small});
    }
}

void Plot::arrows(const Series& from, const Series& by, double factor, Paint paint, float maxLength) {
    const Clip clip(m_canvas, m_rect);
    const float longest = m_canvas.px(maxLength);
    for (size_t i = 0; i < std::min(from.size, by.size); ++i) {
        if (!from.finite(i) || !by.finite(i)) continue;
        const double x = double(from.xAt(i)), y = double(from.yAt(i));
        const Vec a = place(x, y), b = place(x + factor * double(by.xAt(i)), y + factor * double(by.yAt(i)));
        if (!finite(a) || !finite(b)) continue;
        Vec step = b - a;
        const float length = std::hypot(step.x, step.y);
        if (length < 1) continue;
        if (length > longest) step = step * (longest / length);
        m_canvas.arrow(a, a + step, Stroke(paint, 1.25f));
    }
}

void Plot::ellipse(double x, double y, double halfX, double halfY, const Stroke& stroke, double angle,
                   float fillAlpha) {
    constexpr int sides = 48;
    std::vector<Vec> path;
    const double c = std::cos(angle), s = std::sin(angle);
    for (int i = 0; i < sides; ++i) {
        const double t = 2 * std::numbers::pi * i / sides;
        const double u = halfX * std::cos(t), v = halfY * std::sin(t);
        const Vec at = place(x + c * u - s * v, y + s * u + c * v);
        if (!finite(at)) return;
        path.push_back(at);
    }
    const Clip clip(m_canvas, m_rect);
    if (fillAlpha > 0) {
        std::vector<ImVec2> corners;
        for (Vec p : path) corners.push_back(im(p));
        Paint inside = stroke.paint;
        inside.alpha *= fillAlpha;
        // Dear ImGui's smooth edge needs clockwise order on the screen.
        std::reverse(corners.begin(), corners.end());
        m_canvas.list()->AddConvexPolyFilled(corners.data(), sides, m_canvas.packed(inside));
        if (m_canvas.svg()) m_canvas.svg()->polygon(path, m_canvas.resolve(inside));
    }
    m_canvas.polyline(path, stroke, true);
}

void Plot::field(const Grid& grid, const FieldStyle& style) {
    const Vec a = place(grid.x0, grid.y1), b = place(grid.x1, grid.y0);
    FieldStyle resolved = style;
    if (style.veil) resolved.veil = Paint::fixed(m_canvas.resolve(*style.veil));
    m_canvas.painter().field(m_canvas.list(), m_rect, {a.x, a.y, b.x, b.y}, grid, resolved,
                             m_canvas.resolve(Ink::grid), m_canvas.resolve(Paint(Ink::text, 0.9f)),
                             m_canvas.px(1.5f));
    if (m_canvas.svg()) writeField(*this, m_canvas, grid, resolved, {a.x, a.y, b.x, b.y});
}

void Plot::mesh(const Series& points, int rows, int columns, std::span<const float> values,
                const FieldStyle& style) {
    const size_t n = size_t(std::max(0, rows)) * size_t(std::max(0, columns));
    if (n == 0 || points.size < n || values.size() < n) return;
    const Clip clip(m_canvas, m_rect);
    std::vector<Vec> at(n);
    for (size_t i = 0; i < n; ++i) at[i] = place(double(points.xAt(i)), double(points.yAt(i)));
    ImDrawList* list = m_canvas.list();
    const ImVec2 white = ImGui::GetFontTexUvWhitePixel();
    const auto index = [columns](int row, int column) {
        return size_t(row) * size_t(columns) + size_t(column);
    };
    const double span = style.high - style.low;
    struct Cell {
        std::array<Vec, 4> corners;
        float area;
        uint32_t colour;
    };
    std::vector<Cell> cells;
    for (int r = 0; r + 1 < rows; ++r) {
        for (int k = 0; k + 1 < columns; ++k) {
            const std::array corner = {index(r, k), index(r, k + 1), index(r + 1, k + 1), index(r + 1, k)};
            double mean = 0;
            bool good = true;
            for (size_t i : corner) {
                mean += double(values[i]) / 4;
                good = good && finite(at[i]);
            }
            if (!good) continue;
            const Vec across = at[corner[2]] - at[corner[0]], other = at[corner[3]] - at[corner[1]];
            const Rgba colour = m_canvas.theme().map(style.map, float((mean - style.low) / span));
            cells.push_back({{at[corner[0]], at[corner[1]], at[corner[2]], at[corner[3]]},
                             std::abs(across.x * other.y - across.y * other.x),
                             colour.withAlpha(style.opacity).packed()});
        }
    }
    // Where the sheet folds over itself, the small cells are those that hold many samples: on top.
    std::stable_sort(cells.begin(), cells.end(),
                     [](const Cell& a, const Cell& b) { return a.area > b.area; });
    for (const Cell& cell : cells) {
        if (m_canvas.svg()) m_canvas.svg()->polygon(cell.corners, Rgba::unpack(cell.colour));
        list->PrimReserve(6, 4);
        list->PrimQuadUV(im(cell.corners[0]), im(cell.corners[1]), im(cell.corners[2]), im(cell.corners[3]),
                         white, white, white, white, cell.colour);
    }
    const Stroke edge(Paint(Ink::background, 0.45f), 1);
    std::vector<Vec> path;
    const auto flush = [&] {
        m_canvas.polyline(path, edge);
        path.clear();
    };
    for (int r = 0; r < rows; ++r, flush()) {
        for (int k = 0; k < columns; ++k) {
            if (finite(at[index(r, k)])) path.push_back(at[index(r, k)]);
        }
    }
    for (int k = 0; k < columns; ++k, flush()) {
        for (int r = 0; r < rows; ++r) {
            if (finite(at[index(r, k)])) path.push_back(at[index(r, k)]);
        }
    }
}

}  // namespace views
