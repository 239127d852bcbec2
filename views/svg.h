// A panel as a vector file: what a canvas draws, written down as SVG.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "views/geometry.h"
#include "views/plot.h"
#include "views/rich_text.h"
#include "views/theme.h"

namespace views {

// Coordinates are the canvas's device pixels; the file's size is in logical ones.
class SvgWriter {
  public:
    SvgWriter(Rect area, float devicePixelRatio, Rgba background);

    // ---- shapes
    // Dashes are given by their lengths in pixels: drawn, left out, drawn, ...
    void polyline(std::span<const Vec> points, Rgba colour, float width, std::span<const float> dashes = {},
                  bool closed = false);
    void polygon(std::span<const Vec> points, Rgba colour);
    void rectangle(const Rect& rect, Rgba colour, float rounding = 0);
    void outline(const Rect& rect, Rgba colour, float width, float rounding = 0);
    void disc(Vec centre, float radius, Rgba colour);
    void ring(Vec centre, float radius, Rgba colour, float width);
    // Many discs of one size.
    struct Dot {
        Vec at;
        Rgba colour;
    };
    void discs(std::span<const Dot> dots, float radius);
    // width x height pixels over the rectangle, the first row on top.
    void picture(const Rect& place, std::span<const Rgba> pixels, int width, int height, bool smooth);

    // ---- words: pieces of one line, each where it begins on its base line
    struct Piece {
        Vec at;
        std::string text;
        float pixels;  // the type's em
        float width;   // as the canvas measured it; other fonts are squeezed into it
    };
    void text(std::span<const Piece> pieces, Rgba colour, bool strong);

    // What follows is cut off at the rectangle, until popClip().
    void pushClip(const Rect& rect);
    void popClip();

    // The whole file.
    std::string finish(const std::string& title) const;

  private:
    void openPath(std::span<const Vec> points);

    Rect m_area;
    float m_ratio;
    Rgba m_background;
    std::string m_body;
    int m_clips = 0, m_open = 0;
};

}  // namespace views
