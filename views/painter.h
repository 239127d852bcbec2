// What OpenGL draws among Dear ImGui's shapes: dots, fields and pictures, in the order of the calls.
#pragma once

#include <imgui.h>

#include <deque>
#include <memory>
#include <vector>

#include "views/fonts.h"
#include "views/gl.h"
#include "views/plot.h"

namespace views {

struct DotVertex {
    float x, y;  // device pixels
    uint32_t colour;
};

// Every call appends to a draw list; OpenGL runs when Dear ImGui renders that list. Made and destroyed
// with the context current.
class Painter {
  public:
    Painter();

    // Forgets the last frame's drawings; textures are used again in the order of the calls.
    void begin(Vec display, const Theme& theme);

    void dots(ImDrawList* list, Rect clip, std::vector<DotVertex> dots, float radius, Rgba rim);
    // The grid over the rectangle `place`, coloured by the theme's map.
    void field(ImDrawList* list, Rect clip, Rect place, const Grid& grid, const FieldStyle& style,
               Rgba missing, Rgba contour, float contourWidth);
    // Textures for ImDrawList::AddImage, valid in this frame.
    ImTextureID colours(std::span<const Rgba> values, int width, int height);
    ImTextureID opacity(std::span<const uint8_t> values, int width, int height);

    Fonts& fonts() { return m_fonts; }
    // Frees what was not used in this frame.
    void end();

  private:
    struct Call {
        Painter* painter;
        enum { dots, field } kind;
        Rect clip;
        // dots
        std::vector<DotVertex> vertices;
        float radius = 0;
        // field
        Rect place;
        FieldStyle style;
        GLuint texture = 0;
        Rgba rim;  // of dots; of a field's contour
        Rgba missing;
        float contourWidth = 0;
    };
    static void run(const ImDrawList*, const ImDrawCmd* command);
    void append(ImDrawList* list, Call call);
    void drawDots(const Call& call);
    void drawField(const Call& call);
    Texture& nextTexture();

    Program m_dots, m_field;
    Buffer m_buffer;
    VertexArray m_dotLayout, m_noLayout;
    Texture m_maps;
    std::optional<Palette> m_mapsOf;
    std::deque<Texture> m_textures;
    size_t m_used = 0;
    std::deque<Call> m_calls;
    Vec m_display;
    Fonts m_fonts;
};

}  // namespace views
