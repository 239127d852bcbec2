#include "views/theme.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

namespace views {

namespace {

constexpr Rgba hex(uint32_t rgb) {
    return {uint8_t(rgb >> 16), uint8_t(rgb >> 8), uint8_t(rgb), 255};
}

using Inks = std::array<Rgba, inkCount>;

// In the order of Ink: data, generated, noise, learned, exact, selection, text, faint, grid, background,
// surface, alarm.
constexpr Inks darkInks = {hex(0x56B4E9), hex(0xE69F00), hex(0x9AA0A6), hex(0x35C49A),
                           hex(0xE59BC6), hex(0xF0E442), hex(0xE8EAED), hex(0x9BA1A8),
                           hex(0x2B3036), hex(0x14171A), hex(0x1B1F23), hex(0xFF8A5C)};
constexpr Inks lightInks = {hex(0x0072B2), hex(0xD55E00), hex(0x6B7075), hex(0x009E73),
                            hex(0xB5498A), hex(0xB8A200), hex(0x1C1F22), hex(0x5F656B),
                            hex(0xE3E5E8), hex(0xFBFBFA), hex(0xF1F2F3), hex(0xB3341A)};
// Dark with the surface black and every mark at least 7:1 against it.
constexpr Inks contrastInks = {hex(0x7CCBFF), hex(0xFFB000), hex(0xC8CDD2), hex(0x4BE8B6),
                               hex(0xFFB3DD), hex(0xFFF34D), hex(0xFFFFFF), hex(0xDADDE0),
                               hex(0x5A6066), hex(0x000000), hex(0x0C0C0C), hex(0xFF9E7A)};

// Found by annealing for the largest smallest distance in OKLab, also as protan, deutan and tritan eyes
// see them, with lightness at least 0.03 apart.
constexpr std::array<Rgba, 10> darkClasses = {hex(0x5C7FCA), hex(0x7ED54C), hex(0xF58CA1), hex(0x82FEEC),
                                              hex(0xF6D3AF), hex(0xA995D2), hex(0xB6388E), hex(0xC8C0DD),
                                              hex(0x5F7048), hex(0x66AB6C)};
constexpr std::array<Rgba, 10> lightClasses = {hex(0x828EB3), hex(0x5DC497), hex(0x8D5662), hex(0x3D3A55),
                                               hex(0xDD8627), hex(0x845FC1), hex(0x6D28A6), hex(0xA47A59),
                                               hex(0x4D6A07), hex(0x6D3413)};

// matplotlib's viridis at tenths (CC0).
constexpr std::array<Rgba, 11> viridis = {hex(0x440154), hex(0x482576), hex(0x414487), hex(0x35608D),
                                          hex(0x2A788E), hex(0x21908C), hex(0x22A884), hex(0x43BF71),
                                          hex(0x7AD151), hex(0xBBDF27), hex(0xFDE725)};
// Quieter than the marks that lie on them: a dot in data's blue stays visible on the blue end.
constexpr std::array<Rgba, 5> divergingDark = {hex(0x9A4210), hex(0x5E3620), hex(0x23272B), hex(0x1F4660),
                                               hex(0x1E6796)};
constexpr std::array<Rgba, 5> divergingLight = {hex(0xF0A374), hex(0xF6D3BD), hex(0xF4F4F2), hex(0xC0DBEC),
                                                hex(0x7DB8DE)};
constexpr std::array<Rgba, 5> divergingContrast = {hex(0xB04A10), hex(0x66381E), hex(0x101214), hex(0x184A6B),
                                                   hex(0x1B76B0)};

template <size_t N>
Rgba along(const std::array<Rgba, N>& stops, float t) {
    const float at = std::clamp(t, 0.f, 1.f) * float(N - 1);
    const size_t i = std::min(size_t(at), N - 2);
    return mix(stops[i], stops[i + 1], at - float(i));
}

}  // namespace

Rgba Rgba::withAlpha(float alpha) const {
    return {r, g, b, uint8_t(std::lround(float(a) * std::clamp(alpha, 0.f, 1.f)))};
}

Rgba mix(Rgba from, Rgba to, float t) {
    const auto blend = [t](uint8_t x, uint8_t y) {
        return uint8_t(std::lround(float(x) + (float(y) - float(x)) * t));
    };
    return {blend(from.r, to.r), blend(from.g, to.g), blend(from.b, to.b), blend(from.a, to.a)};
}

Rgba Theme::ink(Ink ink) const {
    const Inks& inks = palette == Palette::dark    ? darkInks
                       : palette == Palette::light ? lightInks
                                                   : contrastInks;
    return inks[size_t(ink)];
}

Rgba Theme::classColour(int index) const {
    const auto& classes = isLight() ? lightClasses : darkClasses;
    return classes[size_t(((index % 10) + 10) % 10)];
}

Rgba Theme::map(Map map, float t) const {
    if (std::isnan(t)) return ink(Ink::grid);
    if (map == Map::viridis) return along(viridis, t);
    return along(palette == Palette::dark    ? divergingDark
                 : palette == Palette::light ? divergingLight
                                             : divergingContrast,
                 t);
}

std::string figure(double value, int digits) {
    if (!std::isfinite(value)) return "–";
    const double size = std::abs(value);
    std::string out;
    if (size == 0) {
        out = fmt::format("{:.{}f}", 0.0, digits - 1);
    } else {
        // The exponent after rounding: 0.9996 has three digits as 1.00.
        const std::string scientific = fmt::format("{:.{}e}", size, digits - 1);
        const size_t e = scientific.find('e');
        const int exponent = std::stoi(scientific.substr(e + 1));
        if (exponent >= 6 || exponent < -3) {
            out = scientific.substr(0, e) + "e" + (exponent < 0 ? "−" : "") +
                  std::to_string(std::abs(exponent));
        } else {
            out = fmt::format("{:.{}f}", size, std::max(0, digits - 1 - exponent));
        }
    }
    return value < 0 ? "−" + out : out;
}

std::string count(int64_t value) {
    std::string digits = std::to_string(value < 0 ? -value : value);
    for (int at = int(digits.size()) - 3; at > 0; at -= 3) digits.insert(size_t(at), "\u2009");
    return value < 0 ? "−" + digits : digits;
}

}  // namespace views
