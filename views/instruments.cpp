// Gauges, read-outs, legends, buttons and sheets of pictures.
#include <imgui.h>

#include <array>
#include <cmath>

#include "views/canvas.h"
#include "views/painter.h"
#include "views/svg.h"

namespace views {

namespace {

// 0 to 255 from the low to the high end; what is not a number is low.
uint8_t levelOf(float value, const Images& images) {
    const float unit = (value - images.low) / (images.high - images.low);
    return unit > 0 ? uint8_t(std::lround(255 * std::min(unit, 1.f))) : uint8_t(0);
}

// The colours of the levels. Grey on grey: black and white of a picture stay apart from a dark panel and from
// light paper.
std::array<Rgba, 256> shadesOf(const Theme& theme, const Images& images) {
    std::array<Rgba, 256> shades;
    for (int level = 0; level < 256; ++level) {
        const auto grey = uint8_t(std::lround(12 + 236 * double(level) / 255));
        shades[size_t(level)] =
            images.diverging ? theme.map(Map::diverging, float(level) / 255) : Rgba{grey, grey, grey};
    }
    return shades;
}

void writePicture(const Canvas& canvas, const Images& images, int index, const Rect& place) {
    if (!canvas.svg()) return;
    const auto shades = shadesOf(canvas.theme(), images);
    const auto pixels = size_t(images.width) * size_t(images.height);
    std::vector<Rgba> colours;
    for (const float value : images.values.subspan(size_t(index) * pixels, pixels))
        colours.push_back(shades[levelOf(value, images)]);
    canvas.svg()->picture(place, colours, images.width, images.height, false);
}

// Pictures side by side in one texture; a single column would be taller than the driver allows.
struct Packing {
    int columns, rows;
    ImVec2 uv0(int i) const { return corner(i % columns, i / columns); }
    ImVec2 uv1(int i) const { return corner(i % columns + 1, i / columns + 1); }

  private:
    ImVec2 corner(int column, int row) const {
        return {float(column) / float(columns), float(row) / float(rows)};
    }
};

Packing packingOf(int n) {
    const int columns = std::max(1, int(std::ceil(std::sqrt(double(n)))));
    return {columns, (n + columns - 1) / columns};
}

ImTextureID packedTexture(const Canvas& canvas, const Images& images, int n, const Packing& packing) {
    const int w = images.width, h = images.height, across = packing.columns * w;
    const auto shades = shadesOf(canvas.theme(), images);
    std::vector<Rgba> colours(size_t(across) * size_t(packing.rows * h));
    for (int i = 0; i < n; ++i) {
        const int left = i % packing.columns * w, top = i / packing.columns * h;
        for (int y = 0; y < h; ++y) {
            for (int x = 0; x < w; ++x) {
                colours[size_t(top + y) * size_t(across) + size_t(left + x)] =
                    shades[levelOf(images.values[size_t(i) * size_t(w * h) + size_t(y * w + x)], images)];
            }
        }
    }
    return canvas.painter().colours(colours, across, packing.rows * h);
}

struct SheetLayout {
    int columns = 1, rows = 1;
    float scale = 1;
};

// The number of columns that gives the largest pictures, and their scale.
SheetLayout layOutSheet(int n, const Images& images, const SheetStyle& style, Vec room, float gap,
                        float caption) {
    const auto with = [&](int columns) {
        SheetLayout layout;
        layout.columns = columns;
        layout.rows = (n + columns - 1) / columns;
        const float w = (room.x - gap * float(columns - 1)) / float(columns * images.width);
        const float h = (room.y - gap * float(layout.rows - 1) - caption * float(layout.rows)) /
                        float(layout.rows * images.height);
        layout.scale = std::min(w, h);
        if (style.wholeNumber && layout.scale >= 1) layout.scale = std::floor(layout.scale);
        return layout;
    };
    if (style.columns > 0) return with(style.columns);
    SheetLayout best = with(1);
    for (int columns = 2; columns <= n; ++columns) {
        const SheetLayout layout = with(columns);
        // Of equal scales the one with full rows, and a shape near to the room's.
        const auto strain = [&](const SheetLayout& l) {
            const float ragged = l.columns * l.rows == n ? 0 : 1;
            return ragged + std::abs(std::log(float(l.columns * images.width) /
                                              float(l.rows * images.height) * room.y / room.x));
        };
        const bool larger = layout.scale > best.scale;
        if (larger || (layout.scale == best.scale && strain(layout) < strain(best))) best = layout;
    }
    return best;
}

}  // namespace

void Canvas::gauge(Rect where, const GaugeStyle& style, double value) {
    // What is left of a rounding error is nothing on this scale.
    if (std::abs(value) < 1e-9 * std::abs(style.high - style.low)) value = 0;
    const bool beside = where.height() < px(44);
    const float line = lineHeight(), height = snap(px(10));
    Rect bar = {snap(where.x0), snap(where.y0 + line + px(4)), snap(where.x1), 0};
    if (beside) {
        const float label = std::max(measure(style.label).x, measure("C(G)").x) + px(10);
        bar = {snap(where.x0 + label), snap(where.y0 + (line - height) / 2),
               snap(where.x1 - measure("−0.0000").x - px(10)), 0};
        where.x0 = bar.x0;
        where.x1 = bar.x1;
    }
    bar.y1 = bar.y0 + height;
    const auto at = [&](double v) {
        const double unit = std::clamp((v - style.low) / (style.high - style.low), 0.0, 1.0);
        return snap(bar.x0 + float(unit) * bar.width());
    };
    if (beside) {
        text({bar.x0 - px(10), where.y0}, style.label, {style.paint, Size::base, {1, 0}});
        text({bar.x1 + px(10), where.y0}, figure(value), {Ink::text});
    } else {
        const std::string unit = words(style.unit);
        text({where.x0, where.y0}, style.label, {style.paint});
        text({where.x1, where.y0}, figure(value) + (unit.empty() ? "" : " " + unit),
             {Ink::text, Size::base, {1, 0}});
    }
    fill(bar, Ink::grid, 3);
    if (std::isfinite(value)) {
        const float x = at(value);
        fill({bar.x0, bar.y0, x, bar.y1}, Paint(style.paint.ink, 0.45f), 3);
        fill({x - px(1.5f), bar.y0 - px(3), x + px(1.5f), bar.y1 + px(3)}, style.paint, 1.5f);
    }
    // A label that would touch one of a mark later in the list is left out.
    std::vector<std::pair<float, float>> taken;
    for (auto it = style.marks.rbegin(); it != style.marks.rend(); ++it) {
        const Mark& mark = *it;
        if (!std::isfinite(mark.value)) continue;
        const float x = at(mark.value);
        fill({x - px(0.75f), bar.y0 - px(2), x + px(0.75f), bar.y1 + px(4)}, mark.paint);
        const float width = measure(mark.label, Size::small).x;
        const float left = std::clamp(x - width / 2, where.x0, std::max(where.x0, where.x1 - width));
        const bool free = std::none_of(taken.begin(), taken.end(), [&](const auto& other) {
            return left < other.second + px(6) && other.first < left + width + px(6);
        });
        if (!free) continue;
        taken.emplace_back(left, left + width);
        text({left, bar.y1 + px(4)}, mark.label, {mark.paint, Size::small});
    }
}

void Canvas::readout(Rect where, const std::string& label, const std::string& value, Paint paint) {
    const Vec size = text({where.x0, where.y0}, label, {Ink::faint, Size::small});
    const Size large = measure(value, Size::big).x <= where.width() ? Size::big : Size::title;
    text({where.x0, where.y0 + size.y}, value, {paint, large});
}

void Canvas::legend(Rect where, const std::vector<LegendEntry>& entries) {
    const float line = lineHeight(Size::small) + px(3);
    float y = where.y0;
    for (const LegendEntry& entry : entries) {
        const float middle = snap(y + lineHeight(Size::small) / 2);
        const Vec from = {where.x0, middle}, to = {where.x0 + px(16), middle},
                  centre = {where.x0 + px(8), middle};
        switch (entry.mark) {
            case LegendEntry::dot:
                dot(centre, 4, entry.paint);
                break;
            case LegendEntry::line:
                this->line(from, to, Stroke(entry.paint, 2));
                break;
            case LegendEntry::dashed:
                this->line(from, to, Stroke(entry.paint, 2, Dash::dashed));
                break;
            case LegendEntry::dotted:
                this->line(from, to, Stroke(entry.paint, 2, Dash::dotted));
                break;
            case LegendEntry::ring:
                circle(centre, 4.5f, Stroke(entry.paint, 1.75f));
                break;
            case LegendEntry::area:
                fill({from.x, middle - px(4), to.x, middle + px(4)}, entry.paint, 2);
                break;
            case LegendEntry::arrow:
                arrow(from, to, Stroke(entry.paint, 1.5f));
                break;
        }
        text({where.x0 + px(22), y}, entry.label, {Ink::text, Size::small});
        y += line;
    }
}

bool Canvas::button(const std::string& id, Rect where, const std::string& label) {
    const bool held = holds(id, where), lit = hovered(where);
    fill(where, lit ? Ink::grid : Ink::surface, 4);
    outline(where, Stroke(held ? Ink::selection : Ink::grid, 1), 4);
    // A label without room is cut off at a letter, and shown whole beside the mouse.
    std::string shown = words(label);
    const float room = where.width() - px(12);
    const bool fits = measure(shown, Size::small).x <= room;
    while (!fits && !shown.empty() && measure(shown + "…", Size::small).x > room) {
        while (shown.size() > 1 && (uint8_t(shown.back()) & 0xC0) == 0x80) shown.pop_back();
        shown.pop_back();
    }
    if (!fits) shown += "…";
    if (!fits && lit) tooltip(label);
    text(where.centre(), shown, {Ink::text, Size::small, {0.5f, 0.5f}});
    return held && m_mouse.released && lit;
}

Sheet Canvas::sheet(const std::string& id, const Images& images, const SheetStyle& style, Rect where) {
    Sheet sheet;
    int n = images.size();
    if (n == 0 || where.empty()) return sheet;
    const float gap = style.gap == 0 ? 0 : std::max(1.f, snap(px(float(style.gap))));
    const float caption = style.captions.empty() ? 0 : lineHeight(Size::small) + px(4);
    float labels = 0;
    for (const std::string& label : style.rowLabels)
        labels = std::max(labels, measure(label, Size::small).x + px(8));
    const Vec room = {where.width() - labels, where.height()};
    SheetLayout layout = layOutSheet(n, images, style, room, gap, caption);
    // Below whole numbers pixels have different sizes: then as many as it takes are left out.
    const int least = layout.scale < 1 ? 1 : n - n / 3;
    for (int less = n - 1; style.fewer && less >= least; --less) {
        const SheetLayout larger = layOutSheet(less, images, style, room, gap, caption);
        if (larger.scale <= layout.scale || larger.columns * larger.rows != less) continue;
        if (layout.scale < 1 && larger.scale < 1) continue;
        layout = larger;
        n = less;
        break;
    }
    if (!(layout.scale > 0)) return sheet;
    sheet.columns = layout.columns;
    sheet.rows = layout.rows;

    const float w = float(images.width) * layout.scale, h = float(images.height) * layout.scale;
    const float left = snap(where.x0 + labels), top = snap(where.y0);
    const Packing packing = packingOf(n);
    const ImTextureID texture = packedTexture(*this, images, n, packing);
    for (int i = 0; i < n; ++i) {
        const int column = i % layout.columns, row = i / layout.columns;
        const float x = left + float(column) * (w + gap), y = top + float(row) * (h + gap + caption);
        const Rect cell = {x, y, x + w, y + h};
        sheet.cells.push_back(cell);
        m_list->AddImage(texture, {x, y}, {x + w, y + h}, packing.uv0(i), packing.uv1(i));
        writePicture(*this, images, i, cell);
        if (size_t(i) < style.captions.size()) {
            text({cell.centre().x, y + h + px(2)}, style.captions[size_t(i)],
                 {Ink::faint, Size::small, {0.5f, 0}});
        }
        if (hovered(cell)) sheet.hovered = i;
    }
    for (size_t r = 0; r < style.rowLabels.size() && int(r) < layout.rows; ++r) {
        const float y = top + float(r) * (h + gap + caption) + h / 2;
        text({where.x0, y}, style.rowLabels[r], {Ink::faint, Size::small, {0, 0.5f}});
    }
    if (sheet.hovered >= 0) {
        const Rect cell = sheet.cells[size_t(sheet.hovered)];
        outline(cell.inset(-px(1)), Stroke(Ink::selection, 1.5f));
        if (size_t(sheet.hovered) < style.names.size()) tooltip(style.names[size_t(sheet.hovered)]);
    }
    if (style.selected >= 0 && style.selected < n) {
        outline(sheet.cells[size_t(style.selected)].inset(-px(1)), Stroke(Ink::selection, 2.5f));
    }
    if (clicked(id, where)) sheet.clicked = sheet.hovered;
    return sheet;
}

Rect Canvas::image(const Images& picture, Rect where) {
    if (picture.size() < 1 || where.empty()) return {};
    float scale = std::min(where.width() / float(picture.width), where.height() / float(picture.height));
    if (scale >= 1) scale = std::floor(scale);
    const float w = float(picture.width) * scale, h = float(picture.height) * scale;
    const float x = snap(where.centre().x - w / 2), y = snap(where.centre().y - h / 2);
    m_list->AddImage(packedTexture(*this, picture, 1, {1, 1}), {x, y}, {x + w, y + h});
    writePicture(*this, picture, 0, {x, y, x + w, y + h});
    return {x, y, x + w, y + h};
}

void Plot::image(std::span<const float> values, int width, int height, double x0, double y0, double x1,
                 double y1) {
    const Images picture{.values = values, .width = width, .height = height};
    if (picture.size() < 1) return;
    const Vec a = place(std::min(x0, x1), std::max(y0, y1)), b = place(std::max(x0, x1), std::min(y0, y1));
    const Rect on = {m_canvas.snap(a.x), m_canvas.snap(a.y), m_canvas.snap(b.x), m_canvas.snap(b.y)};
    m_canvas.pushClip(m_rect);
    m_canvas.list()->AddImage(packedTexture(m_canvas, picture, 1, {1, 1}), {on.x0, on.y0}, {on.x1, on.y1});
    writePicture(m_canvas, picture, 0, on);
    m_canvas.popClip();
}

}  // namespace views
