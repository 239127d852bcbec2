// Colours by meaning, the scale of everything, and how numbers are written.
#pragma once

#include <array>
#include <cstdint>
#include <string>

namespace views {

// One meaning, one colour, in all lessons.
enum class Ink {
    data,        // real, x_0
    generated,   // fake, reconstruction
    noise,       // prior, z
    learned,     // prediction, D, score, encoder
    exact,       // closed form, optimum
    selection,   // where we are, what the mouse holds
    text,        // words and numbers
    faint,       // tick labels, captions, second thoughts
    grid,        // lines behind the data
    background,  // between the panels
    surface,     // a panel
    alarm,       // something is wrong
};
constexpr int inkCount = 12;

struct Rgba {
    uint8_t r = 0, g = 0, b = 0, a = 255;
    bool operator==(const Rgba&) const = default;
    // As Dear ImGui's ImU32.
    uint32_t packed() const { return uint32_t(r) | uint32_t(g) << 8 | uint32_t(b) << 16 | uint32_t(a) << 24; }
    static Rgba unpack(uint32_t p) {
        return {uint8_t(p), uint8_t(p >> 8), uint8_t(p >> 16), uint8_t(p >> 24)};
    }
    Rgba withAlpha(float alpha) const;
};
Rgba mix(Rgba from, Rgba to, float t);

enum class Palette { dark, light, contrast };

// Colour maps of scalar fields. `diverging` runs vermillion - neutral - blue, so that a high D is data's
// blue.
enum class Map { viridis, diverging };

struct Theme {
    Palette palette = Palette::dark;
    float scale = 1;    // 1.5 to 2 when presenting
    bool moves = true;  // what the user changes moves in 150 ms; off for tests and pictures

    Rgba ink(Ink ink) const;
    // A branch of a sampling run: its run's colour, on its way to that of words.
    Rgba branch() const { return mix(ink(Ink::generated), ink(Ink::text), 0.55f); }
    // One of ten colours, safe for the colour-blind and of distinct lightness.
    Rgba classColour(int index) const;
    // The map at t in [0, 1]; values outside are clamped, NaN is the grid's colour.
    Rgba map(Map map, float t) const;
    bool isLight() const { return palette == Palette::light; }

    // The 8-pixel grid.
    float px(float logical) const { return logical * scale; }
    float unit() const { return 8 * scale; }

    bool operator==(const Theme&) const = default;
};

// Three significant digits with a true minus sign: "0.693", "−1.39", "128", "4.1e−5"; "–" if not finite.
std::string figure(double value, int digits = 3);
// A count in full, thousands apart: "12 345".
std::string count(int64_t value);

}  // namespace views
