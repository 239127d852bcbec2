#include "views/lessons/vae/drawing_pad.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace views::vae {

void DrawingPad::stroke(Vec from, Vec to) {
    constexpr float radius = 1.1f, soft = 0.9f;
    const Vec d = to - from;
    const float length2 = d.x * d.x + d.y * d.y;
    for (int j = 0; j < side; ++j)
        for (int i = 0; i < side; ++i) {
            const Vec p = {float(i) + 0.5f, float(j) + 0.5f};
            const Vec a = p - from;
            const float along = length2 > 0 ? std::clamp((a.x * d.x + a.y * d.y) / length2, 0.f, 1.f) : 0;
            const Vec off = a - d * along;
            const float ink = 1 - (std::hypot(off.x, off.y) - radius) / soft;
            float& pixel = m_picture[size_t(j * side + i)];
            pixel = std::max(pixel, std::clamp(ink, 0.f, 1.f));
        }
}

bool DrawingPad::empty() const {
    return std::all_of(m_picture.begin(), m_picture.end(), [](float v) { return v == 0; });
}

void DrawingPad::draw(Canvas& canvas, const core::Frame& frame, const SetHandle& set) {
    Rect area = canvas.area();
    const float gap = canvas.px(12), foot = canvas.px(32), line = canvas.lineHeight();
    // The paper is the largest that a whole number of pixels allows beside its answer and the map.
    const float room = std::min((area.width() - 2 * gap) * 0.46f, area.height() - foot);
    const float size = std::max(1.f, std::floor(room / side)) * side;
    Rect pad = area.cutLeft(size);
    pad.y1 = pad.y0 + size;
    area.cutLeft(gap);
    // In a narrow panel the answer stands above the map.
    const bool beside = area.width() > canvas.px(170);
    const Rect answer = beside ? area.cutLeft(std::floor((area.width() - gap) / 2))
                               : area.cutTop(std::floor((area.height() - gap) / 2));
    beside ? area.cutLeft(gap) : area.cutTop(gap);
    const float length = std::min(area.width(), area.height());
    const Rect map = {area.x0, area.y0, area.x0 + length, area.y0 + length};

    const Rect paper = canvas.image(m_picture, side, side, pad);
    canvas.outline(paper.inset(-1), Stroke(Ink::data, 1.5f));
    if (canvas.holds("pad", paper)) {
        const float scale = float(side) / std::max(1.f, paper.width());
        const Vec at = (canvas.mouse().at - Vec{paper.x0, paper.y0}) * scale;
        if (!m_last || !(*m_last == at)) {
            stroke(m_last.value_or(at), at);
            set("drawing", m_picture);
        }
        m_last = at;
    } else {
        m_last.reset();
    }
    const float below = paper.y1 + canvas.px(6);
    if (canvas.button("clear", {paper.x0, below, paper.x0 + canvas.px(64), below + canvas.px(24)}, "Clear")) {
        std::fill(m_picture.begin(), m_picture.end(), 0.f);
        set("drawing", m_picture);
    }
    const float across = std::min({answer.width(), answer.height() - (beside ? line : 0), size});
    const float shown = std::max(1.f, std::floor(across / side)) * side;
    const Rect reply = {answer.x0, answer.y0, answer.x0 + shown, answer.y0 + shown};
    canvas.outline(reply.inset(-1), Stroke(empty() ? Ink::grid : Ink::generated, 1.5f));
    canvas.text({paper.x0 + canvas.px(72), below + canvas.px(12)}, "x",
                {.paint = Ink::data, .anchor = {0, 0.5f}});
    canvas.text(beside ? Vec{reply.x0, reply.y1 + canvas.px(4)} : Vec{reply.x1 + canvas.px(6), reply.y0}, "x̂",
                {.paint = Ink::generated});
    if (empty()) {
        canvas.text(paper.centre(), "Draw here",
                    {.paint = Paint::fixed({155, 161, 168}), .size = Size::small, .anchor = {0.5f, 0.5f}});
    } else if (const auto back = rowOf(frame.find("drawn_recon")); sideOf(back.size()) > 0) {
        canvas.image(back, sideOf(back.size()), sideOf(back.size()), reply);
    }

    const Axis axis{.low = -4, .high = 4, .ticks = false};
    Plot plot = canvas.plot("map", {.x = axis, .y = axis, .equal = true, .grid = false}, map);
    const Series codes = Series::columns(frame.find("codes"));
    if (const core::Tensor* labels = frame.find("codes_label")) {
        plot.pointsByClass(codes, labels->values, 1.5f, 0.4f);
    } else {
        plot.points(codes, Paint(Ink::learned, 0.4f), 1.5f);
    }
    for (int k = 1; k <= 3; ++k) plot.ellipse(0, 0, k, k, Stroke(Ink::noise, 1));
    const auto mu = rowOf(frame.find("drawn_mu")), logvar = rowOf(frame.find("drawn_logvar"));
    if (empty() || mu.empty() || !allFinite(mu)) return;
    const float x = std::clamp(mu[0], -4.f, 4.f), y = mu.size() > 1 ? std::clamp(mu[1], -4.f, 4.f) : 0;
    if (logvar.size() > 1 && allFinite(logvar))
        plot.ellipse(x, y, std::exp(0.5 * logvar[0]), std::exp(0.5 * logvar[1]), Stroke(Ink::selection, 2), 0,
                     0.2f);
    plot.ring(x, y, Ink::selection, 7, 2.5f);
    plot.text(x, y, "  x", Ink::text, {0, 1});
}

}  // namespace views::vae
