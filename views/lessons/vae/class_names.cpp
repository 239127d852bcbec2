#include "views/lessons/vae/class_names.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace views::vae {

namespace {

constexpr float dotRadius = 4.5f;

bool overlap(const Rect& a, const Rect& b) {
    return a.x0 < b.x1 && b.x0 < a.x1 && a.y0 < b.y1 && b.y0 < a.y1;
}

bool inside(const Rect& a, const Rect& b) {
    return a.x0 >= b.x0 && a.x1 <= b.x1 && a.y0 >= b.y0 && a.y1 <= b.y1;
}

}  // namespace

std::vector<Rect> ClassNames::place(const std::vector<NamedDot>& dots, const std::vector<Vec>& sizes,
                                    const Rect& within, std::vector<Rect> taken, float radius) {
    // A name right beside another dot would pass for that one's, unless both dots are in the same place.
    const auto touches = [&](const Rect& place, Vec own) {
        const auto by = [&](const NamedDot& other) {
            const Vec at = other.at;
            const bool apart = std::hypot(at.x - own.x, at.y - own.y) > 2 * radius;
            const float across = apart ? 3 * radius : radius;
            return overlap(place, {at.x - across, at.y - radius, at.x + across, at.y + radius});
        };
        return std::any_of(dots.begin(), dots.end(), by) ||
               std::any_of(taken.begin(), taken.end(), [&](const Rect& r) { return overlap(place, r); });
    };
    std::vector<Rect> places;
    for (size_t i = 0; i < dots.size(); ++i) {
        const Vec dot = dots[i].at, size = sizes[i];
        const auto beside = [&](const Side& side) {
            const float x = side.right ? dot.x + 1.8f * radius : dot.x - 1.8f * radius - size.x;
            const float y = dot.y + side.down - size.y / 2;
            return Rect{x, y, x + size.x, y + size.y};
        };
        Side best;
        float least = std::numeric_limits<float>::infinity();
        const auto attempt = [&](const Side& side, float bonus, float air) {
            // The other side and the way up cost a little.
            const float cost = std::abs(side.down) + (side.right ? 0 : 0.75f * size.y) +
                               (side.down < 0 ? 0.25f * size.y : 0) - bonus;
            Rect place = beside(side);
            place.y0 -= air;
            place.y1 += air;
            if (cost >= least || !inside(place, within) || touches(place, dot)) return;
            least = cost;
            best = side;
        };
        if (const auto last = m_last.find(dots[i].classIndex); last != m_last.end())
            attempt(last->second, 2 * size.y, 0);
        const float step = std::max(1.f, size.y / 8);
        for (int k = 0; float(k) * step < std::min(within.height(), least); ++k)
            for (const float down : {float(k) * step, -float(k) * step})
                for (const bool right : {true, false})
                    attempt({right, down}, 0, size.y / 5);  // that dots may tremble
        m_last[dots[i].classIndex] = best;
        places.push_back(beside(best));
        taken.push_back(places.back());
    }
    return places;
}

void ClassNames::draw(Canvas& canvas, const std::vector<NamedDot>& dots, const Rect& within,
                      const std::vector<Rect>& taken) {
    std::vector<Vec> sizes;
    for (const NamedDot& dot : dots) sizes.push_back(canvas.measure(dot.name, Size::small));
    const std::vector<Rect> places = place(dots, sizes, within, taken, canvas.px(dotRadius));
    for (size_t i = 0; i < dots.size(); ++i) {
        const Rect& place = places[i];
        const float middle = place.centre().y;
        if (std::abs(middle - dots[i].at.y) < place.height() / 2) continue;
        const Vec end = {place.x0 > dots[i].at.x ? place.x0 - canvas.px(2) : place.x1 + canvas.px(2), middle};
        canvas.line(dots[i].at, end, Stroke(Paint::ofClass(dots[i].classIndex), 1));
    }
    for (size_t i = 0; i < dots.size(); ++i) {
        const Rect& place = places[i];
        canvas.fill({place.x0 - canvas.px(2), place.y0, place.x1 + canvas.px(2), place.y1},
                    Paint(Ink::background, 0.7f), 3);
        canvas.text({place.x0, place.y0}, dots[i].name, {.paint = Ink::text, .size = Size::small});
    }
    for (const NamedDot& dot : dots) {
        canvas.dot(dot.at, dotRadius + 1, Ink::background);
        canvas.dot(dot.at, dotRadius, Paint::ofClass(dot.classIndex));
    }
}

}  // namespace views::vae
