#include "views/painter.h"

#include <cstddef>

namespace views {

namespace {

constexpr int mapCount = 2;

}  // namespace

Painter::Painter()
    : m_dots("points"),
      m_field("field"),
      m_buffer(makeBuffer()),
      m_dotLayout(makeVertexArray()),
      m_noLayout(makeVertexArray()) {
    glBindVertexArray(m_dotLayout);
    glBindBuffer(GL_ARRAY_BUFFER, m_buffer);
    glEnableVertexAttribArray(0);
    glVertexAttribPointer(0, 2, GL_FLOAT, GL_FALSE, sizeof(DotVertex), nullptr);
    glEnableVertexAttribArray(1);
    glVertexAttribPointer(1, 4, GL_UNSIGNED_BYTE, GL_TRUE, sizeof(DotVertex),
                          reinterpret_cast<const void*>(offsetof(DotVertex, colour)));
    glBindVertexArray(0);
    glBindBuffer(GL_ARRAY_BUFFER, 0);
}

void Painter::begin(Vec display, const Theme& theme) {
    m_display = display;
    m_calls.clear();
    m_used = 0;
    if (m_mapsOf == theme.palette) return;
    std::vector<Rgba> colours;
    for (int map = 0; map < mapCount; ++map) {
        for (int i = 0; i < 256; ++i) colours.push_back(theme.map(Map(map), float(i) / 255));
    }
    uploadColours(m_maps, colours, 256, mapCount, Filter::nearest);
    m_mapsOf = theme.palette;
}

void Painter::end() {
    m_textures.resize(std::min(m_textures.size(), m_used));
}

Texture& Painter::nextTexture() {
    if (m_used == m_textures.size()) m_textures.emplace_back();
    return m_textures[m_used++];
}

void Painter::append(ImDrawList* list, Call call) {
    call.painter = this;
    m_calls.push_back(std::move(call));
    list->AddCallback(&Painter::run, &m_calls.back());
    list->AddCallback(ImDrawCallback_ResetRenderState, nullptr);
}

void Painter::dots(ImDrawList* list, Rect clip, std::vector<DotVertex> dots, float radius, Rgba rim) {
    if (dots.empty() || clip.empty()) return;
    append(list,
           {.kind = Call::dots, .clip = clip, .vertices = std::move(dots), .radius = radius, .rim = rim});
}

void Painter::field(ImDrawList* list, Rect clip, Rect place, const Grid& grid, const FieldStyle& style,
                    Rgba missing, Rgba contour, float contourWidth) {
    if (grid.empty() || clip.empty()) return;
    Texture& texture = nextTexture();
    uploadFloats(texture, grid.values.first(size_t(grid.columns) * size_t(grid.rows)), grid.columns,
                 grid.rows, style.smooth ? Filter::linear : Filter::nearest);
    append(list, {.kind = Call::field,
                  .clip = clip,
                  .place = place,
                  .style = style,
                  .texture = texture,
                  .rim = contour,
                  .missing = missing,
                  .contourWidth = contourWidth});
}

ImTextureID Painter::colours(std::span<const Rgba> values, int width, int height) {
    Texture& texture = nextTexture();
    uploadColours(texture, values, width, height, Filter::nearest);
    return reinterpret_cast<ImTextureID>(intptr_t(GLuint(texture)));
}

ImTextureID Painter::opacity(std::span<const uint8_t> values, int width, int height) {
    Texture& texture = nextTexture();
    uploadOpacity(texture, values, width, height, Filter::nearest);
    return reinterpret_cast<ImTextureID>(intptr_t(GLuint(texture)));
}

void Painter::run(const ImDrawList*, const ImDrawCmd* command) {
    const Call& call = *static_cast<const Call*>(command->UserCallbackData);
    Painter& painter = *call.painter;
    // A callback gets no scissor from Dear ImGui; the drawing ends at its own clip and at the list's.
    const Rect clip = {
        std::max(call.clip.x0, command->ClipRect.x), std::max(call.clip.y0, command->ClipRect.y),
        std::min(call.clip.x1, command->ClipRect.z), std::min(call.clip.y1, command->ClipRect.w)};
    if (clip.empty()) return;
    glEnable(GL_SCISSOR_TEST);
    const int x0 = int(std::floor(clip.x0)), y1 = int(std::ceil(clip.y1));
    glScissor(x0, int(painter.m_display.y) - y1, int(std::ceil(clip.x1)) - x0, y1 - int(std::floor(clip.y0)));
    if (call.kind == Call::dots) {
        painter.drawDots(call);
    } else {
        painter.drawField(call);
    }
}

void Painter::drawDots(const Call& call) {
    glBindVertexArray(m_dotLayout);
    glBindBuffer(GL_ARRAY_BUFFER, m_buffer);
    glBufferData(GL_ARRAY_BUFFER, GLsizeiptr(call.vertices.size() * sizeof(DotVertex)), call.vertices.data(),
                 GL_STREAM_DRAW);
    glEnable(GL_PROGRAM_POINT_SIZE);
    m_dots.use();
    m_dots.set("display", m_display);
    m_dots.set("radius", call.radius);
    m_dots.set("rim", call.rim);
    glDrawArrays(GL_POINTS, 0, GLsizei(call.vertices.size()));
    glDisable(GL_PROGRAM_POINT_SIZE);
}

void Painter::drawField(const Call& call) {
    glBindVertexArray(m_noLayout);
    glActiveTexture(GL_TEXTURE1);
    glBindTexture(GL_TEXTURE_2D, m_maps);
    glActiveTexture(GL_TEXTURE0);
    glBindTexture(GL_TEXTURE_2D, call.texture);
    m_field.use();
    m_field.set("display", m_display);
    m_field.set("place", call.place);
    m_field.set("values", 0);
    m_field.set("maps", 1);
    m_field.set("mapRow", int(call.style.map));
    m_field.set("range", Vec{float(call.style.low), float(call.style.high)});
    m_field.set("opacity", call.style.opacity);
    m_field.set("missing", call.missing);
    m_field.set("veil", call.style.veil ? *call.style.veil->colour : Rgba{0, 0, 0, 0});
    m_field.set("contour", float(call.style.contour.value_or(0)));
    m_field.set("contourInk", call.style.contour ? call.rim : Rgba{0, 0, 0, 0});
    m_field.set("contourHalfWidth", call.contourWidth / 2);
    glDrawArrays(GL_TRIANGLE_STRIP, 0, 4);
}

}  // namespace views
