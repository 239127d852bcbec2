#include "views/svg.h"

#include <fmt/format.h>
#include <zlib.h>

#include <cmath>
#include <iterator>

namespace views {

namespace {

// Two decimals place a line to a hundredth of a pixel; the shortest form keeps files small.
std::string number(float v) {
    if (!std::isfinite(v)) return "0";
    std::string text = fmt::format("{:.2f}", v);
    text.erase(text.find_last_not_of('0') + 1);
    if (text.back() == '.') text.pop_back();
    return text == "-0" ? "0" : text;
}

std::string escaped(const std::string& text) {
    std::string out;
    for (const char c : text) {
        if (c == '<') {
            out += "&lt;";
        } else if (c == '>') {
            out += "&gt;";
        } else if (c == '&') {
            out += "&amp;";
        } else if (c == '"') {
            out += "&quot;";
        } else if (uint8_t(c) >= 0x20) {
            out += c;
        }
    }
    return out;
}

std::string paint(const char* property, Rgba c) {
    std::string text = fmt::format(" {}=\"#{:02x}{:02x}{:02x}\"", property, c.r, c.g, c.b);
    if (c.a < 255) text += fmt::format(" {}-opacity=\"{:.3g}\"", property, double(c.a) / 255);
    return text;
}

std::string placed(const Rect& r) {
    return fmt::format("x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\"", number(r.x0), number(r.y0),
                       number(r.width()), number(r.height()));
}

void append32(std::string& out, uint32_t v) {
    for (int shift = 24; shift >= 0; shift -= 8) out += char(v >> shift & 0xFF);
}

// One piece of a PNG file: length, name, content, check sum.
void chunk(std::string& png, std::string content) {
    append32(png, uint32_t(content.size() - 4));
    png += content;
    append32(png, uint32_t(crc32(0, reinterpret_cast<const Bytef*>(content.data()), uInt(content.size()))));
}

std::string pngOf(std::span<const Rgba> pixels, int width, int height) {
    std::string rows;
    for (int y = 0; y < height; ++y) {
        rows += '\0';  // no filter
        for (int x = 0; x < width; ++x) {
            const Rgba c = pixels[size_t(y) * size_t(width) + size_t(x)];
            for (const uint8_t channel : {c.r, c.g, c.b, c.a}) rows += char(channel);
        }
    }
    uLongf size = compressBound(uLong(rows.size()));
    std::string packed(size, '\0');
    compress(reinterpret_cast<Bytef*>(packed.data()), &size, reinterpret_cast<const Bytef*>(rows.data()),
             uLong(rows.size()));
    packed.resize(size);

    std::string png = "\x89PNG\r\n\x1a\n", header = "IHDR";
    append32(header, uint32_t(width));
    append32(header, uint32_t(height));
    header += std::string("\x08\x06\0\0\0", 5);  // eight bits, red green blue alpha
    chunk(png, header);
    chunk(png, "IDAT" + packed);
    chunk(png, "IEND");
    return png;
}

std::string base64(const std::string& bytes) {
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    std::string out;
    for (size_t i = 0; i < bytes.size(); i += 3) {
        uint32_t three = 0;
        for (size_t k = 0; k < 3; ++k)
            three = three << 8 | (i + k < bytes.size() ? uint8_t(bytes[i + k]) : 0);
        for (size_t k = 0; k < 4; ++k)
            out += i + k <= bytes.size() ? letters[three >> (18 - 6 * k) & 63] : '=';
    }
    return out;
}

}  // namespace

SvgWriter::SvgWriter(Rect area, float devicePixelRatio, Rgba background)
    : m_area(area), m_ratio(devicePixelRatio), m_background(background) {}

void SvgWriter::openPath(std::span<const Vec> points) {
    m_body += "<path d=\"";
    for (size_t i = 0; i < points.size(); ++i)
        m_body += fmt::format("{}{} {}", i ? "L" : "M", number(points[i].x), number(points[i].y));
}

void SvgWriter::polyline(std::span<const Vec> points, Rgba colour, float width, std::span<const float> dashes,
                         bool closed) {
    if (points.size() < 2 || colour.a == 0) return;
    openPath(points);
    m_body += closed ? "Z\"" : "\"";
    m_body += " fill=\"none\"" + paint("stroke", colour) + fmt::format(" stroke-width=\"{}\"", number(width));
    m_body += " stroke-linejoin=\"round\"";
    if (!dashes.empty()) {
        std::string lengths;
        for (const float length : dashes)
            lengths += fmt::format("{}{}", lengths.empty() ? "" : " ", number(length));
        // A length of nothing with a round cap is a dot.
        m_body += fmt::format(" stroke-dasharray=\"{}\"", lengths);
        if (dashes[0] == 0) m_body += " stroke-linecap=\"round\"";
    }
    m_body += "/>\n";
}

void SvgWriter::polygon(std::span<const Vec> points, Rgba colour) {
    if (points.size() < 3 || colour.a == 0) return;
    openPath(points);
    m_body += "Z\"" + paint("fill", colour) + "/>\n";
}

void SvgWriter::rectangle(const Rect& rect, Rgba colour, float rounding) {
    if (rect.empty() || colour.a == 0) return;
    m_body += "<rect " + placed(rect);
    if (rounding > 0) m_body += fmt::format(" rx=\"{}\"", number(rounding));
    m_body += paint("fill", colour) + "/>\n";
}

void SvgWriter::outline(const Rect& rect, Rgba colour, float width, float rounding) {
    m_body += "<rect " + placed(rect.inset(width / 2));
    if (rounding > 0) m_body += fmt::format(" rx=\"{}\"", number(rounding));
    m_body +=
        " fill=\"none\"" + paint("stroke", colour) + fmt::format(" stroke-width=\"{}\"/>\n", number(width));
}

void SvgWriter::disc(Vec centre, float radius, Rgba colour) {
    m_body += fmt::format("<circle cx=\"{}\" cy=\"{}\" r=\"{}\"{}/>\n", number(centre.x), number(centre.y),
                          number(radius), paint("fill", colour));
}

void SvgWriter::ring(Vec centre, float radius, Rgba colour, float width) {
    m_body += fmt::format("<circle cx=\"{}\" cy=\"{}\" r=\"{}\" fill=\"none\"{} stroke-width=\"{}\"/>\n",
                          number(centre.x), number(centre.y), number(radius), paint("stroke", colour),
                          number(width));
}

// Dots of one colour are one path: a line of hardly any length with round ends is a disc.
void SvgWriter::discs(std::span<const Dot> dots, float radius) {
    for (size_t i = 0; i < dots.size();) {
        const Rgba colour = dots[i].colour;
        m_body += "<path d=\"";
        for (; i < dots.size() && dots[i].colour == colour; ++i)
            m_body += fmt::format("M{} {}h.01", number(dots[i].at.x), number(dots[i].at.y));
        m_body += "\" fill=\"none\" stroke-linecap=\"round\"" + paint("stroke", colour) +
                  fmt::format(" stroke-width=\"{}\"/>\n", number(2 * radius));
    }
}

void SvgWriter::picture(const Rect& place, std::span<const Rgba> pixels, int width, int height, bool smooth) {
    if (width < 1 || height < 1 || pixels.size() < size_t(width) * size_t(height)) return;
    m_body += "<image " + placed(place) + " preserveAspectRatio=\"none\"";
    if (!smooth) m_body += " style=\"image-rendering:pixelated\"";
    m_body += " href=\"data:image/png;base64," + base64(pngOf(pixels, width, height)) + "\"/>\n";
}

void SvgWriter::text(std::span<const Piece> pieces, Rgba colour, bool strong) {
    for (const Piece& piece : pieces) {
        const std::string words = escaped(piece.text);
        if (words.find_first_not_of(' ') == std::string::npos) continue;
        m_body +=
            fmt::format("<text x=\"{}\" y=\"{}\" font-size=\"{}\" textLength=\"{}\"{}{}>{}</text>\n",
                        number(piece.at.x), number(piece.at.y), number(piece.pixels), number(piece.width),
                        strong ? " font-weight=\"600\"" : "", paint("fill", colour), words);
    }
}

void SvgWriter::pushClip(const Rect& rect) {
    m_body +=
        fmt::format("<defs><clipPath id=\"c{0}\"><rect {1}/></clipPath></defs><g clip-path=\"url(#c{0})\">\n",
                    ++m_clips, placed(rect));
    ++m_open;
}

void SvgWriter::popClip() {
    if (m_open == 0) return;
    m_body += "</g>\n";
    --m_open;
}

std::string SvgWriter::finish(const std::string& title) const {
    std::string file = fmt::format(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{}\" height=\"{}\" viewBox=\"{} {} {} {}\" "
        "font-family=\"Inter, 'DejaVu Sans', 'WenQuanYi Micro Hei', 'Noto Sans CJK SC', sans-serif\" "
        "xml:space=\"preserve\" style=\"font-variant-numeric:tabular-nums\">\n",
        number(m_area.width() / m_ratio), number(m_area.height() / m_ratio), number(m_area.x0),
        number(m_area.y0), number(m_area.width()), number(m_area.height()));
    file += "<title>" + escaped(title) + "</title>\n";
    file += "<rect " + placed(m_area) + paint("fill", m_background) + "/>\n" + m_body;
    for (int i = 0; i < m_open; ++i) file += "</g>\n";
    return file + "</svg>\n";
}

}  // namespace views
