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

std::vector<Rect> placeNames(const std::vector<Vec>& dots, const std::vector<Vec>& sizes, const Rect& within,
                             std::vector<Rect> taken, float radius) {
    // A name right beside another dot would pass for that one's, unless both dots are in the same place.
    const auto touches = [&](const Rect& place, size_t i) {
        const auto by = [&](const Vec& dot) {
            const bool apart = std::hypot(dot.x - dots[i].x, dot.y - dots[i].y) > 2 * radius;
            const float across = apart ? 3 * radius : radius;
            return overlap(place, {dot.x - across, dot.y - radius, dot.x + across, dot.y + radius});
        };
        return std::any_of(dots.begin(), dots.end(), by) ||
               std::any_of(taken.begin(), taken.end(), [&](const Rect& r) { return overlap(place, r); });
    };
    std::vector<Rect> places;
    for (size_t i = 0; i < dots.size(); ++i) {
        const Vec dot = dots[i], size = sizes[i];
        const auto beside = [&](bool right, float down) {
            const float x = right ? dot.x + 1.8f * radius : dot.x - 1.8f * radius - size.x;
            const float y = dot.y + down - size.y / 2;
            return Rect{x, y, x + size.x, y + size.y};
        };
        Rect best = beside(true, 0);
        float least = std::numeric_limits<float>::infinity();
        const float step = std::max(1.f, size.y / 8);
        for (int k = 0; float(k) * step < std::min(within.height(), least); ++k)
            for (const float down : {float(k) * step, -float(k) * step})
                for (const bool right : {true, false}) {
                    // The other side and the way up cost a little, so that equals take no turns.
                    const float cost =
                        std::abs(down) + (right ? 0 : 0.75f * size.y) + (down < 0 ? 0.25f * size.y : 0);
                    const Rect place = beside(right, down);
                    if (cost >= least || !inside(place, within) || touches(place, i)) continue;
                    least = cost;
                    best = place;
                }
        places.push_back(best);
        taken.push_back(best);
    }
    return places;
}

void drawNamedDots(Canvas& canvas, const std::vector<NamedDot>& dots, const Rect& within,
                   const std::vector<Rect>& taken) {
    std::vector<Vec> at, sizes;
    for (const NamedDot& dot : dots) {
        at.push_back(dot.at);
        sizes.push_back(canvas.measure(dot.name, Size::small));
    }
    const std::vector<Rect> places = placeNames(at, sizes, within, taken, canvas.px(dotRadius));
    for (size_t i = 0; i < dots.size(); ++i) {
        const Rect& place = places[i];
        const float middle = place.centre().y;
        if (std::abs(middle - at[i].y) < place.height() / 2) continue;
        const Vec end = {place.x0 > at[i].x ? place.x0 - canvas.px(2) : place.x1 + canvas.px(2), middle};
        canvas.line(at[i], end, Stroke(Paint::ofClass(dots[i].classIndex), 1));
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
