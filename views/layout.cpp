#include "views/layout.h"

#include <cmath>
#include <limits>

namespace views {

namespace {

// Width over height, without the title, that planes and curves like.
constexpr float mainAspect = 1.15f, otherAspect = 1.5f;

struct Scorer {
    float mainWeight, titleHeight;
    float whole;  // area to be dealt out

    float strain(const Rect& r, float wanted) const {
        const float h = std::max(1.f, r.height() - titleHeight), w = std::max(1.f, r.width());
        return std::abs(std::log(w / h / wanted));
    }
    // What a plane, which is square, can use of a panel.
    float useful(const Rect& r) const {
        const float side = std::min(r.width(), r.height() - titleHeight);
        return std::min(r.width() * r.height(), 1.25f * side * side);
    }
    // Smaller is better.
    float operator()(const std::vector<Rect>& rects) const {
        float score = 3 * strain(rects[0], mainAspect), area = 0;
        float smallest = std::numeric_limits<float>::infinity(), largest = 0;
        for (size_t i = 1; i < rects.size(); ++i) {
            const float s = strain(rects[i], otherAspect);
            score += (s + s * s) / float(rects.size() - 1) * 3;
            area += rects[i].width() * rects[i].height() / float(rects.size() - 1);
            smallest = std::min(smallest, rects[i].width() * rects[i].height());
            largest = std::max(largest, rects[i].width() * rects[i].height());
        }
        const float ratio = useful(rects[0]) / area;
        const float wanted = 1.2f * mainWeight;
        score += (ratio < wanted ? 1.6f : 0.5f) * std::abs(std::log(ratio / wanted));
        // Nothing of the main panel stays blank, and it is what the eye falls on.
        score += 2.5f * (1 - useful(rects[0]) / (rects[0].width() * rects[0].height()));
        score += 8 * std::max(0.f, 0.27f - useful(rects[0]) / whole);
        // Below this a plot has no room between its labels.
        for (const Rect& r : rects) {
            const float h = (r.height() - titleHeight) / (9 * titleHeight),
                        w = r.width() / (10 * titleHeight);
            score += 2 * std::max(0.f, 1 - h) + 2 * std::max(0.f, 1 - w);
        }
        // The others are smaller than the main panel, and equals.
        score += 6 * std::max(0.f, std::log(1.35f * largest / (rects[0].width() * rects[0].height())));
        score += 1.6f * std::log(largest / smallest);
        score += 4 * std::max(0.f, 1.9f - useful(rects[0]) / largest);
        return score;
    }
};

// How the panels are dealt out. The main one stands top left; `k` others fill `side` columns at its
// right, the rest `below` rows under the main panel, or under everything.
struct Deal {
    int k = 0, side = 1, below = 0;
    float mainWidth = 1, mainHeight = 1;  // shares
    bool underMain = false;
};

std::vector<Rect> arrange(Rect area, int n, const Deal& deal, float gap) {
    std::vector<Rect> rects;
    const int rest = n - 1 - deal.k;
    Rect main = area, right = area, bottom = area;
    if (deal.below > 0) main.y1 = main.y0 + std::round((area.height() - gap) * deal.mainHeight);
    if (deal.k > 0) main.x1 = main.x0 + std::round((area.width() - gap) * deal.mainWidth);
    right.x0 = main.x1 + gap;
    bottom.y0 = main.y1 + gap;
    if (deal.underMain) {
        bottom.x1 = main.x1;
    } else {
        right.y1 = main.y1;
    }
    rects.push_back(main);
    const auto fill = [&](const Rect& where, int count, int columns) {
        const int rows = count > 0 ? (count + columns - 1) / columns : 0;
        for (int i = 0; i < count; ++i) {
            const int inRow = std::min(columns, count - i / columns * columns);
            rects.push_back(where.row(i / columns, rows, gap).column(i % columns, inRow, gap));
        }
    };
    fill(right, deal.k, deal.side);
    if (deal.below > 0) fill(bottom, rest, (rest + deal.below - 1) / deal.below);
    return rects;
}

}  // namespace

std::vector<Rect> layOutPanels(Rect area, const std::vector<float>& weights, float gap, float titleHeight) {
    const int n = int(weights.size());
    if (n == 0) return {};
    if (n == 1) return {area};
    const Scorer score{weights[0], titleHeight, area.width() * area.height()};
    std::vector<Rect> best;
    float bestScore = std::numeric_limits<float>::infinity();
    const auto attempt = [&](const Deal& deal, float penalty) {
        auto rects = arrange(area, n, deal, gap);
        const float s = score(rects) + penalty;
        if (s >= bestScore) return;
        bestScore = s;
        best = std::move(rects);
    };
    for (int k = 0; k < n; ++k) {
        const int rest = n - 1 - k;
        for (int side = 1; side <= 3 && side <= std::max(1, k); ++side) {
            for (int below = rest > 0 ? 1 : 0; below <= std::min(rest, 3); ++below) {
                const float uneven = (below > 0 && rest % below != 0 ? 0.3f : 0) + (k % side != 0 ? 0.3f : 0);
                const int perRow = below > 0 ? (rest + below - 1) / below : 1;
                for (int h = below > 0 ? 6 : 20; h <= (below > 0 ? 15 : 20); ++h) {
                    for (int m = 6; m <= 16; ++m) {
                        Deal deal{k, side, below, float(m) / 20, float(h) / 20, false};
                        if (below == 0 || k == 0) {
                            attempt(deal, uneven);
                            if (k == 0) break;
                            continue;
                        }
                        deal.underMain = true;
                        attempt(deal, uneven);
                        deal.underMain = false;
                        // The main panel ends where a column below ends, if there is one near.
                        const float column = (area.width() - gap * float(perRow - 1)) / float(perRow);
                        const float across =
                            std::round((deal.mainWidth * area.width() + gap) / (column + gap));
                        const float aligned = (across * (column + gap) - gap) / (area.width() - gap);
                        const bool near = std::abs(aligned - deal.mainWidth) < 0.026f;
                        if (near) deal.mainWidth = aligned;
                        attempt(deal, uneven + (near ? 0 : 0.25f));
                    }
                }
            }
        }
    }
    for (Rect& rect : best) {
        rect = {std::round(rect.x0), std::round(rect.y0), std::round(rect.x1), std::round(rect.y1)};
    }
    return best;
}

std::vector<Rect> layOutHall(Rect area, size_t panels, float gap) {
    if (panels < 2) return std::vector<Rect>(panels, area);
    const bool wide = area.width() > area.height();
    const auto share = [&](float length) { return std::round((length - gap) * 2 / 3); };
    std::vector<Rect> rects = {wide ? area.cutLeft(share(area.width())) : area.cutTop(share(area.height()))};
    (wide ? area.cutLeft(gap) : area.cutTop(gap));
    const int others = int(panels) - 1;
    for (int i = 0; i < others; ++i) {
        const Rect r = wide ? area.row(i, others, gap) : area.column(i, others, gap);
        rects.push_back({std::round(r.x0), std::round(r.y0), std::round(r.x1), std::round(r.y1)});
    }
    return rects;
}

}  // namespace views
