#include "views/layout.h"

#include <cmath>
#include <limits>

namespace views {

namespace {

// Width over height, without the title, that planes and curves like.
constexpr float mainAspect = 1.15f, otherAspect = 1.5f;

struct Scorer {
    float mainWeight, titleHeight;

    float strain(const Rect& r, float wanted) const {
        const float h = std::max(1.f, r.height() - titleHeight), w = std::max(1.f, r.width());
        return std::abs(std::log(w / h / wanted));
    }
    // Smaller is better.
    float operator()(const std::vector<Rect>& rects) const {
        float score = 2 * strain(rects[0], mainAspect), area = 0;
        float smallest = std::numeric_limits<float>::infinity(), largest = 0;
        for (size_t i = 1; i < rects.size(); ++i) {
            const float s = strain(rects[i], otherAspect);
            score += (s + s * s) / float(rects.size() - 1) * 3;
            area += rects[i].width() * rects[i].height() / float(rects.size() - 1);
            smallest = std::min(smallest, rects[i].width() * rects[i].height());
            largest = std::max(largest, rects[i].width() * rects[i].height());
        }
        const float ratio = rects[0].width() * rects[0].height() / area;
        const float wanted = 1.35f * mainWeight;
        score += 1.2f * std::abs(std::log(ratio / wanted));
        // Below this a plot has no room between its labels.
        for (const Rect& r : rects) {
            const float h = (r.height() - titleHeight) / (9 * titleHeight),
                        w = r.width() / (10 * titleHeight);
            score += 2 * std::max(0.f, 1 - h) + 2 * std::max(0.f, 1 - w);
        }
        // The others are equals.
        score += 0.9f * std::log(largest / smallest);
        score += 4 * std::max(0.f, 1.6f - rects[0].width() * rects[0].height() / largest);
        return score;
    }
};

// The main panel over `across` of `columns` columns and a height; k others in `side` columns at its
// right, the rest in `below` rows under both.
std::vector<Rect> arrange(Rect area, int n, int k, int side, int below, float mainShare, float height,
                          float gap) {
    std::vector<Rect> rects;
    const int rest = n - 1 - k;
    Rect top = area;
    if (below > 0) top.y1 = top.y0 + std::round((area.height() - gap) * height);
    Rect bottom = {area.x0, top.y1 + gap, area.x1, area.y1};
    Rect main = top;
    if (k > 0) main.x1 = main.x0 + std::round((area.width() - gap) * mainShare);
    rects.push_back(main);
    const Rect right = {main.x1 + gap, top.y0, top.x1, top.y1};
    const int sideRows = k > 0 ? (k + side - 1) / side : 0;
    for (int i = 0; i < k; ++i) {
        const Rect row = right.row(i / side, sideRows, gap);
        const int inRow = std::min(side, k - i / side * side);
        rects.push_back(row.column(i % side, inRow, gap));
    }
    const int perRow = below > 0 ? (rest + below - 1) / below : 0;
    for (int i = 0; i < rest; ++i) {
        const Rect row = bottom.row(i / perRow, below, gap);
        const int inRow = std::min(perRow, rest - i / perRow * perRow);
        rects.push_back(row.column(i % perRow, inRow, gap));
    }
    return rects;
}

}  // namespace

std::vector<Rect> layOutPanels(Rect area, const std::vector<float>& weights, float gap, float titleHeight) {
    const int n = int(weights.size());
    if (n == 0) return {};
    if (n == 1) return {area};
    const Scorer score{weights[0], titleHeight};
    std::vector<Rect> best;
    float bestScore = std::numeric_limits<float>::infinity();
    for (int k = 0; k < n; ++k) {
        const int rest = n - 1 - k;
        for (int side = 1; side <= 3 && side <= std::max(1, k); ++side) {
            for (int below = rest > 0 ? 1 : 0; below <= std::min(rest, 3); ++below) {
                const int perRow = below > 0 ? (rest + below - 1) / below : 0;
                for (int h = below > 0 ? 6 : 20; h <= (below > 0 ? 15 : 20); ++h) {
                    for (int m = 6; m <= 16; ++m) {
                        float share = float(m) / 20;
                        float penalty = 0;
                        if (below > 0 && k > 0) {
                            // The main panel ends where a column below ends, if there is one near.
                            const float column = (area.width() - gap * float(perRow - 1)) / float(perRow);
                            const float across = std::round((share * area.width() + gap) / (column + gap));
                            const float aligned = (across * (column + gap) - gap) / (area.width() - gap);
                            if (std::abs(aligned - share) < 0.026f) {
                                share = aligned;
                            } else {
                                penalty = 0.25f;
                            }
                        }
                        if (below > 0 && rest % below != 0) penalty += 0.3f;
                        if (k > 0 && k % side != 0) penalty += 0.3f;
                        auto rects = arrange(area, n, k, side, below, share, float(h) / 20, gap);
                        const float s = score(rects) + penalty;
                        if (s < bestScore) {
                            bestScore = s;
                            best = std::move(rects);
                        }
                        if (k == 0) break;
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

}  // namespace views
