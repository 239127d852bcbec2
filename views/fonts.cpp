#include "views/fonts.h"

#include <imgui.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <filesystem>

#include "core/base/error.h"

namespace views {

namespace {

// Where Debian's fonts-inter, fonts-dejavu-core and fonts-wqy-microhei put them.
constexpr std::array regularFonts = {"/usr/share/fonts/opentype/inter/Inter-Regular.otf",
                                     "/usr/share/fonts/truetype/inter/Inter-Regular.ttf",
                                     "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf"};
constexpr std::array strongFonts = {"/usr/share/fonts/opentype/inter/Inter-SemiBold.otf",
                                    "/usr/share/fonts/truetype/inter/Inter-SemiBold.ttf",
                                    "/usr/share/fonts/truetype/dejavu/DejaVuSans-Bold.ttf"};
constexpr std::array mathsFonts = {"/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf"};
constexpr std::array chineseFonts = {"/usr/share/fonts/truetype/wqy/wqy-microhei.ttc"};

// What figures and formulas are written with; the thin space parts thousands.
constexpr const char* usual = "–—−→←↑↓∇∂∼≈≤≥∈√∞∫∑‖½²³·×…′ℓ₀₁₂ₓ⁰¹⁻⁺ⁿ\u0302\u2009";

template <size_t N>
const char* firstThere(const std::array<const char*, N>& files) {
    std::error_code ignored;
    for (const char* file : files) {
        if (std::filesystem::exists(file, ignored)) return file;
    }
    return nullptr;
}

// Every digit takes the widest digit's place: tabular figures.
void alignDigits(ImFont* font) {
    float widest = 0;
    for (ImFontGlyph& glyph : font->Glyphs) {
        if (glyph.Codepoint >= '0' && glyph.Codepoint <= '9') widest = std::max(widest, glyph.AdvanceX);
    }
    widest = std::ceil(widest * 4) / 4;
    for (ImFontGlyph& glyph : font->Glyphs) {
        if (glyph.Codepoint < '0' || glyph.Codepoint > '9') continue;
        const float shift = (widest - glyph.AdvanceX) / 2;
        glyph.X0 += shift;
        glyph.X1 += shift;
        glyph.AdvanceX = widest;
    }
    font->BuildLookupTable();
}

}  // namespace

std::string Fonts::missing() {
    if (firstThere(regularFonts)) return {};
    return fmt::format("fonts: expected {}, it is not there: install fonts-inter", regularFonts[0]);
}

// A character that turns up later costs a frame in which every font is rasterised anew.
Fonts::Fonts() {
    want(usual);
}

void Fonts::want(const std::string& utf8) {
    for (size_t i = 0; i < utf8.size();) {
        const auto lead = uint8_t(utf8[i]);
        const size_t length = lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
        uint32_t code = length == 1 ? lead : lead & (0x7F >> length);
        for (size_t k = 1; k < length && i + k < utf8.size(); ++k)
            code = code << 6 | (uint8_t(utf8[i + k]) & 0x3F);
        i += length;
        // Latin and Greek are always there.
        if (code < 0x250 || (code >= 0x370 && code < 0x400) || code > 0xFFFF || m_wanted[code]) continue;
        m_wanted[code] = true;
        m_grew = true;
    }
}

void Fonts::build(float scale) {
    const char* regular = firstThere(regularFonts);
    CHECK(regular, "{}", missing());
    const char* strong = firstThere(strongFonts);

    static constexpr ImWchar latinAndGreek[] = {0x20, 0x24F, 0x370, 0x3FF, 0};
    ImFontGlyphRangesBuilder letters;
    letters.AddRanges(latinAndGreek);
    ImFontGlyphRangesBuilder others;
    for (size_t code = 0x250; code < m_wanted.size(); ++code) {
        if (!m_wanted[code]) continue;
        letters.AddChar(ImWchar(code));
        others.AddChar(ImWchar(code));
    }
    ImVector<ImWchar> letterRanges, otherRanges;
    letters.BuildRanges(&letterRanges);
    others.BuildRanges(&otherRanges);

    ImFontAtlas* atlas = ImGui::GetIO().Fonts;
    atlas->Clear();
    atlas->TexDesiredWidth = 2048;
    atlas->Flags |= ImFontAtlasFlags_NoMouseCursors;
    const auto add = [&](const char* file, float logical) {
        const float size = std::round(logical * scale);
        ImFontConfig config;
        config.OversampleH = size < 24 ? 3 : 2;
        config.OversampleV = 1;
        ImFont* font = atlas->AddFontFromFileTTF(file, size, &config, letterRanges.Data);
        CHECK(font, "fonts: expected a font in {}, it cannot be read", file);
        config.MergeMode = true;
        config.OversampleH = 1;
        if (const char* maths = firstThere(mathsFonts); maths && maths != std::string(file)) {
            atlas->AddFontFromFileTTF(maths, size * 0.95f, &config, otherRanges.Data);
        }
        if (const char* chinese = firstThere(chineseFonts)) {
            atlas->AddFontFromFileTTF(chinese, size * 1.08f, &config, otherRanges.Data);
        }
        return font;
    };
    m_tiny = add(regular, 9.5f * emToSize);
    m_fonts[int(Size::small)] = add(regular, 12 * emToSize);
    m_fonts[int(Size::base)] = add(regular, 13 * emToSize);
    m_fonts[int(Size::title)] = add(strong, 15 * emToSize);
    m_fonts[int(Size::big)] = add(strong, 26 * emToSize);
    CHECK(atlas->Build(), "fonts: expected an atlas, its textures could not be packed");
    for (ImFont* font : atlas->Fonts) alignDigits(font);
    m_scale = scale;
    m_grew = false;
}

ImFont* Fonts::smaller(Size size) const {
    return size == Size::big     ? m_fonts[int(Size::title)]
           : size == Size::title ? m_fonts[int(Size::small)]
                                 : m_tiny;
}

float Fonts::pixels(ImFont* font) const {
    return font->FontSize;
}

}  // namespace views
