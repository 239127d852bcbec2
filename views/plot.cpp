#include "views/plot.h"

#include <imgui.h>

#include <cmath>

#include "views/canvas.h"
#include "views/ticks.h"

namespace views {

namespace {

// A value beside an end label takes this much room, whatever its digits.
constexpr const char* widestValue = "−0.0000";

double unitOf(const Axis& axis, double v) {
    if (!axis.log) return (v - axis.low) / (axis.high - axis.low);
    return (std::log(v) - std::log(axis.low)) / (std::log(axis.high) - std::log(axis.low));
}

double valueOf(const Axis& axis, double unit) {
    if (!axis.log) return axis.low + unit * (axis.high - axis.low);
    return std::exp(std::log(axis.low) + unit * (std::log(axis.high) - std::log(axis.low)));
}

void repair(Axis& axis) {
    const bool good = std::isfinite(axis.low) && std::isfinite(axis.high) && axis.low != axis.high &&
                      (!axis.log || (axis.low > 0 && axis.high > 0));
    if (good) return;
    axis.low = axis.log ? 0.1 : 0;
    axis.high = 1;
}

}  // namespace

Plot::Plot(Canvas& canvas, std::string id, Rect where, PlotStyle style)
    : m_canvas(canvas), m_id(std::move(id)), m_style(std::move(style)) {
    repair(m_style.x);
    repair(m_style.y);
    layOut(where);
    drawAxes();
}

Plot::~Plot() {
    drawEndLabels();
}

void Plot::layOut(Rect where) {
    Canvas& c = m_canvas;
    m_where = where;
    const float small = c.lineHeight(Size::small);
    Rect rect = where;
    rect.y0 += m_style.y.label.empty() ? (m_style.y.ticks ? small / 2 : c.px(2)) : small + c.px(4);
    rect.y1 -= m_style.x.ticks || !m_style.x.label.empty() ? small + c.px(6) : c.px(2);

    float left = c.px(2);
    if (m_style.y.ticks) {
        // Plots above each other share their left edge, as most labels are no wider than this.
        left = c.measure("0.00", Size::small).x + c.px(8);
        for (const Tick& tick : ticksOf(m_style.y, int(rect.height() / c.px(54)))) {
            left = std::max(left, c.measure(tick.label, Size::small).x + c.px(8));
        }
    }
    rect.x0 += left;

    float right = m_style.x.ticks ? c.px(10) : c.px(2);
    if (!m_style.ends.empty()) {
        m_endWidth = 0;
        for (const std::string& label : m_style.ends) m_endWidth = std::max(m_endWidth, c.measure(label).x);
        right = m_endWidth + c.px(12);
        // A narrow plot keeps its curves and gives up the values.
        if (where.width() < c.px(240)) m_style.endValues = false;
        if (m_style.endValues) right += c.measure(widestValue).x + c.px(8);
    }
    if (m_style.bar) right = std::max(right, c.px(14 + 10 + 6) + c.measure("−0.00", Size::small).x);
    rect.x1 -= right;
    rect.x1 = std::max(rect.x1, rect.x0 + c.px(16));
    rect.y1 = std::max(rect.y1, rect.y0 + c.px(16));

    if (m_style.equal) {
        const double spanX = std::abs(m_style.x.high - m_style.x.low);
        const double spanY = std::abs(m_style.y.high - m_style.y.low);
        const float scale = float(std::min(rect.width() / spanX, rect.height() / spanY));
        const float w = float(spanX) * scale, h = float(spanY) * scale;
        const float spare = rect.width() - w;
        rect = {rect.x0 + spare / 2, rect.y0, rect.x0 + spare / 2 + w, rect.y0 + h};
    }
    m_rect = {c.snap(rect.x0), c.snap(rect.y0), c.snap(rect.x1), c.snap(rect.y1)};
    const float barLeft = m_rect.x1 + c.px(14);
    m_bar = {c.snap(barLeft), m_rect.y0, c.snap(barLeft + c.px(10)), m_rect.y1};
}

Vec Plot::place(double x, double y) const {
    // Kept within what a float and Dear ImGui can bear; NaN stays NaN.
    const auto bound = [](double v) { return float(v < -1e5 ? -1e5 : v > 1e5 ? 1e5 : v); };
    return {bound(double(m_rect.x0) + unitOf(m_style.x, x) * double(m_rect.width())),
            bound(double(m_rect.y1) - unitOf(m_style.y, y) * double(m_rect.height()))};
}

double Plot::xAt(float screenX) const {
    return valueOf(m_style.x, double((screenX - m_rect.x0) / m_rect.width()));
}

double Plot::yAt(float screenY) const {
    return valueOf(m_style.y, double((m_rect.y1 - screenY) / m_rect.height()));
}

void Plot::drawAxes() {
    Canvas& c = m_canvas;
    const Stroke line(Ink::grid, 1 / c.px(1) * std::max(1.f, std::floor(c.px(1))));
    const float small = c.lineHeight(Size::small);

    float xLabelFrom = m_rect.x1 + c.px(10);
    if (!m_style.x.label.empty()) {
        const Vec size =
            c.text({m_rect.x1, m_rect.y1 + c.px(5)}, m_style.x.label, {Ink::faint, Size::small, {1, 0}});
        xLabelFrom = m_rect.x1 - size.x - c.px(8);
    }
    if (!m_style.y.label.empty()) {
        c.text({m_rect.x0, m_rect.y0 - c.px(4)}, m_style.y.label, {Ink::faint, Size::small, {0, 1}});
    }
    // A label never touches the one before it.
    float labelledUpTo = -1e9f;
    for (const Tick& tick : ticksOf(m_style.x, int(m_rect.width() / c.px(80)))) {
        const float x = c.snap(place(tick.value, m_style.y.low).x) + 0.5f;
        if (m_style.grid) c.line({x, m_rect.y0}, {x, m_rect.y1}, line);
        const float half = c.measure(tick.label, Size::small).x / 2;
        if (!m_style.x.ticks || x + half > xLabelFrom || x - half < labelledUpTo + c.px(6)) continue;
        labelledUpTo = x + half;
        c.text({x, m_rect.y1 + c.px(5)}, tick.label, {Ink::faint, Size::small, {0.5f, 0}});
    }
    float labelledFrom = 1e9f;
    for (const Tick& tick : ticksOf(m_style.y, int(m_rect.height() / c.px(54)))) {
        const float y = c.snap(place(m_style.x.low, tick.value).y) + 0.5f;
        if (m_style.grid) c.line({m_rect.x0, y}, {m_rect.x1, y}, line);
        if (!m_style.y.ticks || y + small / 2 > labelledFrom) continue;
        labelledFrom = y - small / 2;
        c.text({m_rect.x0 - c.px(6), y - small / 2}, tick.label, {Ink::faint, Size::small, {1, 0}});
    }
}

void Plot::endLabel(double y, const std::string& text, Paint paint, std::optional<double> value) {
    const float at = std::isfinite(y) ? place(m_style.x.low, y).y : m_rect.y1;
    m_endLabels.push_back({std::clamp(at, m_rect.y0, m_rect.y1), text, paint, value});
}

void Plot::drawEndLabels() {
    if (m_endLabels.empty()) return;
    Canvas& c = m_canvas;
    std::stable_sort(m_endLabels.begin(), m_endLabels.end(),
                     [](const EndLabel& a, const EndLabel& b) { return a.y < b.y; });
    // Move apart downward, then back up from the bottom.
    const float step = c.lineHeight() + c.px(1);
    const float bottom = m_rect.y1 + step / 2;
    for (size_t i = 1; i < m_endLabels.size(); ++i) {
        m_endLabels[i].y = std::max(m_endLabels[i].y, m_endLabels[i - 1].y + step);
    }
    float below = bottom + step / 2;
    for (size_t i = m_endLabels.size(); i-- > 0;) {
        m_endLabels[i].y = std::min(m_endLabels[i].y, below - step);
        below = m_endLabels[i].y;
    }
    const float x = m_rect.x1 + c.px(8);
    for (const EndLabel& label : m_endLabels) {
        c.text({x, label.y}, label.text, {label.paint, Size::base, {0, 0.5f}});
        if (!label.value || !m_style.endValues) continue;
        // A tiny negative number gives up a digit for its exponent: the room is that of the widest other.
        std::string value = figure(*label.value);
        if (c.measure(value).x > c.measure(widestValue).x) value = figure(*label.value, 2);
        c.text({x + m_endWidth + c.px(8), label.y}, value, {Ink::text, Size::base, {0, 0.5f}});
    }
}

void Plot::text(double x, double y, const std::string& text, Paint paint, Vec anchor) {
    const Vec at = place(x, y);
    if (!std::isfinite(at.x) || !std::isfinite(at.y)) return;
    const Vec size = m_canvas.measure(text, Size::small);
    // Inside the data rectangle, wherever it is anchored.
    const float left =
        std::clamp(at.x - anchor.x * size.x, m_rect.x0, std::max(m_rect.x0, m_rect.x1 - size.x));
    const float top =
        std::clamp(at.y - anchor.y * size.y, m_rect.y0, std::max(m_rect.y0, m_rect.y1 - size.y));
    m_canvas.fill({left - m_canvas.px(3), top, left + size.x + m_canvas.px(3), top + size.y},
                  Paint(Ink::background, 0.7f), 3);
    m_canvas.text({left, top}, text, {paint, Size::small});
}

void Plot::legend(const std::vector<LegendEntry>& entries, Corner corner) {
    float width = 0;
    for (const LegendEntry& entry : entries)
        width = std::max(width, m_canvas.measure(entry.label, Size::small).x);
    width += m_canvas.px(22 + 12);
    const float height =
        float(entries.size()) * (m_canvas.lineHeight(Size::small) + m_canvas.px(3)) + m_canvas.px(8);
    const float gap = m_canvas.px(6);
    const bool left = corner == Corner::topLeft || corner == Corner::bottomLeft;
    const bool top = corner == Corner::topLeft || corner == Corner::topRight;
    const float x = left ? m_rect.x0 + gap : m_rect.x1 - gap - width;
    const float y = top ? m_rect.y0 + gap : m_rect.y1 - gap - height;
    m_canvas.fill({x, y, x + width, y + height}, Paint(Ink::background, 0.75f), 4);
    m_canvas.legend({x + m_canvas.px(6), y + m_canvas.px(4), x + width, y + height}, entries);
}

void Plot::colourBar(const FieldStyle& style, const std::string& label) {
    Canvas& c = m_canvas;
    const int steps = 64;
    for (int i = 0; i < steps; ++i) {
        const float y1 = m_bar.y1 - m_bar.height() * float(i) / steps;
        const float y0 = m_bar.y1 - m_bar.height() * float(i + 1) / steps;
        c.fill({m_bar.x0, c.snap(y0), m_bar.x1, c.snap(y1)},
               Paint::fixed(c.theme().map(style.map, (float(i) + 0.5f) / steps)));
    }
    const Axis axis{style.low, style.high};
    const auto at = [&](double v) {
        return m_bar.y1 - float((v - style.low) / (style.high - style.low)) * m_bar.height();
    };
    for (const Tick& tick : ticksOf(axis, std::max(2, int(m_bar.height() / c.px(80))))) {
        // Beside the bar, never in the row of its label.
        const float half = c.lineHeight(Size::small) / 2;
        const float y =
            std::clamp(at(tick.value), m_bar.y0 + half, std::max(m_bar.y0 + half, m_bar.y1 - half));
        c.text({m_bar.x1 + c.px(5), y}, tick.label, {Ink::faint, Size::small, {0, 0.5f}});
    }
    if (style.contour) {
        const float y = c.snap(at(*style.contour)) + 0.5f;
        c.line({m_bar.x0, y}, {m_bar.x1, y}, Stroke(Ink::text, 1.25f));
    }
    if (!label.empty()) {
        // To the left of its end where it would leave the panel.
        const float width = c.measure(label, Size::small).x;
        const float left = std::min(m_bar.x0, m_where.x1 - width);
        c.text({left, m_bar.y0 - c.px(4)}, label, {Ink::faint, Size::small, {0, 1}});
    }
}

// ---- the mouse

std::optional<Vec> Plot::hover() const {
    if (!m_canvas.hovered(m_rect)) return {};
    const Vec at = m_canvas.mouse().at;
    return Vec{float(xAt(at.x)), float(yAt(at.y))};
}

std::optional<Vec> Plot::drag() {
    if (!m_canvas.holds(m_id, m_rect)) return {};
    const Vec at = m_canvas.mouse().at;
    return Vec{float(xAt(std::clamp(at.x, m_rect.x0, m_rect.x1))),
               float(yAt(std::clamp(at.y, m_rect.y0, m_rect.y1)))};
}

int Plot::nearest(const Series& series, float within) const {
    if (!m_canvas.hovered(m_rect)) return -1;
    const Vec mouse = m_canvas.mouse().at;
    float best = m_canvas.px(within) * m_canvas.px(within);
    int found = -1;
    for (size_t i = 0; i < series.size; ++i) {
        const Vec d = place(double(series.xAt(i)), double(series.yAt(i))) - mouse;
        const float distance = d.x * d.x + d.y * d.y;
        if (distance < best) {
            best = distance;
            found = int(i);
        }
    }
    return found;
}

bool Plot::draggable(const std::string& id, double& x, double& y, Paint paint, float radius) {
    Canvas& c = m_canvas;
    const Vec at = place(x, y);
    if (!std::isfinite(at.x) || !std::isfinite(at.y)) return false;
    const float reach = c.px(radius + 5);
    const Rect target = {at.x - reach, at.y - reach, at.x + reach, at.y + reach};
    const bool held = c.holds(key(id), target);
    const bool lit = held || c.hovered(target);
    c.dot(at, radius - 1, Paint(Ink::background, 0.6f));
    c.circle(at, radius, Stroke(paint, lit ? 3 : 2));
    if (!held) return false;
    const Vec mouse = c.mouse().at;
    const double newX = xAt(std::clamp(mouse.x, m_rect.x0, m_rect.x1));
    const double newY = yAt(std::clamp(mouse.y, m_rect.y0, m_rect.y1));
    const bool moved = newX != x || newY != y;
    x = newX;
    y = newY;
    return moved;
}

}  // namespace views
