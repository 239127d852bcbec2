#include "views/canvas.h"

#include <imgui.h>

#include <cmath>

#include "views/painter.h"
#include "views/rich_text.h"
#include "views/svg.h"

namespace views {

namespace {

ImVec2 im(Vec v) {
    return {v.x, v.y};
}

// How far below the base line lowered letters stand, and how far above raised ones, in font heights.
constexpr float lowered = 0.16f, raised = 0.30f;

float runWidth(ImFont* font, const std::string& text) {
    return font->CalcTextSizeA(font->FontSize, FLT_MAX, 0, text.data(), text.data() + text.size()).x;
}

// The largest number of bytes of `text` from `start` that fit the width, broken at a space, or
// between Chinese characters.
size_t lineEnd(const Canvas& canvas, const std::string& text, size_t start, float width, Size size) {
    size_t good = std::string::npos;
    for (size_t i = start; i < text.size();) {
        const auto lead = uint8_t(text[i]);
        size_t length = lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
        const bool breaks = text[i] == ' ' || (lead >= 0xE3 && lead <= 0xE9);
        if (breaks || i + length >= text.size()) {
            size_t end = text[i] == ' ' ? i : std::min(text.size(), i + length);
            // A Chinese comma or full stop stays with the letter before it, and may hang over the end.
            const size_t fits = end;
            for (const char* mark : {"，", "。", "；", "：", "、"})
                if (text.compare(end, 3, mark) == 0) end += 3;
            if (canvas.measure(text.substr(start, fits - start), size).x > width &&
                good != std::string::npos) {
                return good;
            }
            good = end;
            length = std::max(length, end - i);
        }
        i += length;
    }
    return text.size();
}

}  // namespace

Paint Paint::ofClass(int index, float alpha) {
    Paint paint(Ink::data, alpha);
    paint.classIndex = index;
    return paint;
}

Paint Paint::fixed(Rgba colour) {
    Paint paint(Ink::data);
    paint.colour = colour;
    return paint;
}

Canvas::Canvas(std::string id, Rect area, const Theme& theme, Painter& painter, CanvasMemory& memory,
               Mouse mouse)
    : m_id(std::move(id)),
      m_area(area),
      m_theme(theme),
      m_painter(painter),
      m_memory(memory),
      m_mouse(mouse),
      m_list(ImGui::GetWindowDrawList()) {}

Rgba Canvas::resolve(const Paint& paint) const {
    const Rgba colour = paint.colour            ? *paint.colour
                        : paint.classIndex >= 0 ? m_theme.classColour(paint.classIndex)
                                                : m_theme.ink(paint.ink);
    return colour.withAlpha(paint.alpha);
}

void Canvas::pushClip(const Rect& rect) const {
    m_list->PushClipRect({rect.x0, rect.y0}, {rect.x1, rect.y1}, true);
    if (svg()) svg()->pushClip(rect);
}

void Canvas::popClip() const {
    m_list->PopClipRect();
    if (svg()) svg()->popClip();
}

float Canvas::snap(float v) const {
    return std::round(v);
}

// ---- words

std::string Canvas::words(const std::string& text) const {
    const auto it = m_memory.phrases.find(text);
    return it == m_memory.phrases.end() ? text : it->second;
}

float Canvas::lineHeight(Size size) const {
    return m_painter.fonts().font(size)->FontSize;
}

Vec Canvas::measure(const std::string& text, Size size) const {
    const std::string shown = words(text);
    Fonts& fonts = m_painter.fonts();
    fonts.want(shown);
    ImFont* font = fonts.font(size);
    float width = 0;
    for (const TextRun& run : parseRuns(shown))
        width += runWidth(run.level ? fonts.smaller(size) : font, run.text);
    return {width, font->FontSize};
}

Vec Canvas::text(Vec at, const std::string& text, const TextStyle& style) {
    const Vec extent = measure(text, style.size);
    Fonts& fonts = m_painter.fonts();
    ImFont* font = fonts.font(style.size);
    ImFont* small = fonts.smaller(style.size);
    const uint32_t colour = packed(style.paint);
    float x = snap(at.x - style.anchor.x * extent.x);
    const float y = snap(at.y - style.anchor.y * extent.y);
    std::vector<SvgWriter::Piece> pieces;
    for (const TextRun& run : parseRuns(words(text))) {
        ImFont* face = run.level ? small : font;
        float top = y;
        if (run.level)
            top += font->Ascent - small->Ascent + (run.level < 0 ? lowered : -raised) * font->FontSize;
        m_list->AddText(face, face->FontSize, {x, snap(top)}, colour, run.text.data(),
                        run.text.data() + run.text.size());
        const float width = runWidth(face, run.text);
        if (svg())
            pieces.push_back(
                {{x, snap(top) + face->Ascent}, run.text, face->FontSize / Fonts::emToSize, width});
        x += width;
    }
    if (svg())
        svg()->text(pieces, resolve(style.paint), style.size == Size::title || style.size == Size::big);
    return extent;
}

float Canvas::paragraphHeight(float width, const std::string& text, Size size) const {
    const std::string shown = words(text);
    int lines = 0;
    for (size_t start = 0; start < shown.size(); ++lines) {
        const size_t end = lineEnd(*this, shown, start, width, size);
        start = end + (end < shown.size() && shown[end] == ' ' ? 1 : 0);
    }
    return float(lines) * lineStep(size);
}

float Canvas::lineStep(Size size) const {
    return std::round(lineHeight(size) * 1.25f);
}

float Canvas::paragraph(Rect where, const std::string& text, const TextStyle& style) {
    const std::string shown = words(text);
    const float step = lineStep(style.size);
    float y = where.y0;
    for (size_t start = 0; start < shown.size();) {
        const size_t end = lineEnd(*this, shown, start, where.width(), style.size);
        const float x = where.x0 + style.anchor.x * where.width();
        this->text({x, y}, shown.substr(start, end - start), {style.paint, style.size, {style.anchor.x, 0}});
        y += step;
        start = end + (end < shown.size() && shown[end] == ' ' ? 1 : 0);
    }
    return y - where.y0;
}

void Canvas::empty(const std::string& text) {
    empty(text, m_area);
}

void Canvas::empty(const std::string& text, Rect where) {
    const Vec middle = where.centre();
    // Smaller where it is larger than its room, and left out where that is not enough.
    for (const Size size : {Size::base, Size::small}) {
        const float width =
            std::min(where.width() - px(size == Size::base ? 32 : 8), measure(text, size).x + 1);
        if (width < px(24)) continue;
        const float height = paragraphHeight(width, text, size);
        if (height > where.height() + px(2)) continue;
        const Rect block = {middle.x - width / 2, middle.y - height / 2, middle.x + width / 2,
                            middle.y + height / 2};
        fill({std::max(where.x0, block.x0 - px(12)), std::max(where.y0, block.y0 - px(8)),
              std::min(where.x1, block.x1 + px(12)), std::min(where.y1, block.y1 + px(6))},
             Paint(Ink::background, 0.85f), 6);
        paragraph(block, text, {Ink::faint, size, {0.5f, 0}});
        return;
    }
}

void Canvas::problem(const std::string& text) {
    Rect where = m_area.inset(px(16));
    const float width = std::min(where.width(), px(560));
    const float left = where.centre().x - width / 2;
    const float top = where.y0 + where.height() / 3;
    fill({left, top, left + px(3), top + px(40)}, Ink::alarm);
    paragraph({left + px(16), top, left + width, where.y1}, text, {Ink::text});
}

void Canvas::tooltip(const std::string& text) {
    m_memory.tooltip = text;
}

// ---- shapes

void Canvas::line(Vec from, Vec to, const Stroke& stroke) {
    polyline({from, to}, stroke);
}

void Canvas::polyline(const std::vector<Vec>& points, const Stroke& stroke, bool closed) {
    const uint32_t colour = packed(stroke.paint);
    const float width = lineWidth(stroke);
    std::vector<Vec> path = points;
    if (closed && path.size() > 2) path.push_back(path.front());
    if (path.size() < 2) return;
    const float on = stroke.dash == Dash::dashed ? px(6) : 0;
    const float period = stroke.dash == Dash::dashed ? px(10) : std::max(px(4), 2.4f * px(stroke.width));
    if (svg()) {
        const float dashes[] = {on, period - on};
        const std::span<const float> lengths(dashes, stroke.dash == Dash::solid ? 0 : 2);
        const float thick = stroke.dash == Dash::dotted ? 1.2f * px(stroke.width) : width;
        svg()->polyline(path, resolve(stroke.paint), thick, lengths);
    }

    if (stroke.dash == Dash::solid) {
        // Dear ImGui draws a spike at a sharp turn: the path is cut there.
        std::vector<ImVec2> part;
        const auto flush = [&] {
            if (part.size() >= 2) m_list->AddPolyline(part.data(), int(part.size()), colour, 0, width);
        };
        for (size_t i = 0; i < path.size(); ++i) {
            part.push_back(im(path[i]));
            if (i == 0 || i + 1 == path.size()) continue;
            const Vec a = path[i] - path[i - 1], b = path[i + 1] - path[i];
            if (a.x * b.x + a.y * b.y < 0) {
                flush();
                part.assign(1, im(path[i]));
            }
        }
        flush();
        return;
    }

    float phase = 0;  // since the start of the last dash
    std::vector<ImVec2> dash;
    std::vector<DotVertex> dots;
    for (size_t i = 0; i + 1 < path.size(); ++i) {
        const Vec step = path[i + 1] - path[i];
        const float length = std::hypot(step.x, step.y);
        if (!(length > 0) || length > 1e5f) continue;
        for (float at = 0; at < length;) {
            const Vec here = path[i] + step * (at / length);
            if (stroke.dash == Dash::dotted) {
                if (phase <= 0) dots.push_back({here.x, here.y, colour});
                const float go = std::min(period - phase, length - at);
                phase += go;
                at += go;
                if (phase >= period - 1e-3f) phase = 0;
                continue;
            }
            const bool draws = phase < on;
            const float go = std::min((draws ? on : period) - phase, length - at);
            if (draws) {
                if (dash.empty()) dash.push_back(im(here));
                dash.push_back(im(path[i] + step * ((at + go) / length)));
            }
            phase += go;
            at += std::max(go, 1e-3f);
            if (phase >= on - 1e-3f && !dash.empty()) {
                m_list->AddPolyline(dash.data(), int(dash.size()), colour, 0, width);
                dash.clear();
            }
            if (phase >= period - 1e-3f) phase = 0;
        }
    }
    if (dash.size() >= 2) m_list->AddPolyline(dash.data(), int(dash.size()), colour, 0, width);
    m_painter.dots(m_list, {0, 0, 1e5f, 1e5f}, std::move(dots), px(stroke.width) * 0.6f, Rgba{0, 0, 0, 0});
}

void Canvas::fill(Rect rect, Paint paint, float rounding) {
    if (rect.empty()) return;
    m_list->AddRectFilled({rect.x0, rect.y0}, {rect.x1, rect.y1}, packed(paint), px(rounding));
    if (svg()) svg()->rectangle(rect, resolve(paint), px(rounding));
}

void Canvas::outline(Rect rect, const Stroke& stroke, float rounding) {
    m_list->AddRect({rect.x0, rect.y0}, {rect.x1, rect.y1}, packed(stroke.paint), px(rounding), 0,
                    px(stroke.width));
    if (svg()) svg()->outline(rect, resolve(stroke.paint), px(stroke.width), px(rounding));
}

void Canvas::dot(Vec at, float radius, Paint paint) {
    if (!std::isfinite(at.x) || !std::isfinite(at.y)) return;
    m_list->AddCircleFilled(im(at), px(radius), packed(paint));
    if (svg()) svg()->disc(at, px(radius), resolve(paint));
}

void Canvas::circle(Vec at, float radius, const Stroke& stroke) {
    m_list->AddCircle(im(at), px(radius), packed(stroke.paint), 0, px(stroke.width));
    if (svg()) svg()->ring(at, px(radius), resolve(stroke.paint), px(stroke.width));
}

void Canvas::arrow(Vec from, Vec to, const Stroke& stroke) {
    const Vec by = to - from;
    const float length = std::hypot(by.x, by.y);
    if (!(length >= 1)) return;
    const Vec along = by * (1 / length), across = {-along.y, along.x};
    const float head = std::min(length, px(2.5f * stroke.width + 2));
    const Vec neck = to - along * head;
    const uint32_t colour = packed(stroke.paint);
    const Vec tip[] = {to, neck + across * (head * 0.45f), neck - across * (head * 0.45f)};
    m_list->AddLine(im(from), im(neck), colour, lineWidth(stroke));
    m_list->AddTriangleFilled(im(tip[0]), im(tip[1]), im(tip[2]), colour);
    if (!svg()) return;
    svg()->polyline(std::vector<Vec>{from, neck}, resolve(stroke.paint), lineWidth(stroke));
    svg()->polygon(tip, resolve(stroke.paint));
}

// ---- the mouse

bool Canvas::hovered(const Rect& rect) const {
    return m_mouse.inside && rect.contains(m_mouse.at);
}

bool Canvas::holds(const std::string& id, const Rect& rect) {
    const std::string key = m_id + "/" + id;
    if (m_mouse.pressed && m_memory.held.empty() && hovered(rect)) m_memory.held = key;
    return m_memory.held == key && (m_mouse.down || m_mouse.released);
}

bool Canvas::clicked(const std::string& id, const Rect& rect) {
    return holds(id, rect) && m_mouse.released && rect.contains(m_mouse.at);
}

float Canvas::follow(const std::string& id, float target) {
    const auto [it, first] = m_memory.moving.try_emplace(m_id + "/" + id, target);
    if (first || !m_theme.moves || !std::isfinite(it->second)) return it->second = target;
    // Three time constants in 150 ms.
    const float rest = (target - it->second) * float(std::exp(-m_memory.seconds / 0.05));
    if (std::abs(rest) < 0.002f * std::max(1.f, std::abs(target))) return it->second = target;
    m_memory.stillMoving = true;
    return it->second = target - rest;
}

}  // namespace views
