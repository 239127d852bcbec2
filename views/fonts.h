// The fonts of a pane: Inter, with DejaVu Sans for mathematics and WenQuanYi Micro Hei for Chinese.
#pragma once

#include <bitset>
#include <string>

#include "views/canvas.h"

struct ImFont;

namespace views {

class Fonts {
  public:
    // A font's FontSize is ascent to descent, which for Inter is this many em: 13 px type has 16 of them.
    static constexpr float emToSize = 1.21f;
    // Where a missing font would have to be, or empty: one sentence for the user.
    static std::string missing();

    Fonts();

    // Enters the characters of a text; build() is due if one of them has no glyph.
    void want(const std::string& utf8);
    // The atlas has not the wanted characters, or was made for another scale.
    bool due(float scale) const { return m_grew || scale != m_scale; }
    // Rasterises into the current Dear ImGui context's atlas; the caller re-creates its texture. Digits
    // get one width, so that numbers do not jitter. Throws core::Error if no font is found.
    void build(float scale);

    ImFont* font(Size size) const { return m_fonts[int(size)]; }
    // For lowered and raised letters beside that size.
    ImFont* smaller(Size size) const;
    float pixels(ImFont* font) const;

  private:
    std::bitset<0x10000> m_wanted;
    bool m_grew = true;
    float m_scale = 0;
    ImFont* m_fonts[4] = {};
    ImFont* m_tiny = nullptr;
};

}  // namespace views
