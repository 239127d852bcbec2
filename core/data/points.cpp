#include "core/data/points.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "core/base/error.h"
#include "core/base/math.h"
#include "core/base/philox.h"

namespace core {
namespace {

// What a point is made of: four independent numbers, the same on every machine.
struct Dice {
    float u, v;            // uniform in [0, 1)
    float normal, second;  // N(0, 1), below 5.8 in magnitude
};

struct Point {
    float x, y;
};

Point turned(float radius, float turns) {
    float c, s;
    math::cosSinTurn(turns - std::floor(turns), c, s);
    return {radius * c, radius * s};
}

Point spread(Point p, const Dice& d, float sigma) {
    return {p.x + sigma * d.normal, p.y + sigma * d.second};
}

Point moons(const Dice& d) {
    // Two half circles of radius 1.6 that reach into each other, centred on the origin.
    const bool upper = d.v < 0.5f;
    const Point arc = turned(1.6f, 0.5f * d.u);
    const Point p = upper ? Point{arc.x - 0.8f, arc.y - 0.4f} : Point{0.8f - arc.x, 0.4f - arc.y};
    return spread(p, d, 0.1f);
}

Point swissRoll(const Dice& d) {
    // From 0.75 to 2.25 turns; the radius grows with the angle.
    const float turns = 0.75f + 1.5f * d.u;
    return spread(turned(turns * (2.6f / 2.25f), turns), d, 0.06f);
}

Point checkerboard(const Dice& d) {
    // Four by four squares of side 1.4; the eight with an even sum of row and column hold the points.
    constexpr float side = 1.4f;
    const float across = 8 * d.u;
    const int square = int(across), row = square / 2, column = 2 * (square % 2) + row % 2;
    return {side * (float(column) + across - float(square) - 2), side * (float(row) + d.v - 2)};
}

Point spirals(const Dice& d) {
    // Two arms of 1.5 turns; the root keeps the density along an arm even.
    const float across = 2 * d.u;
    const int arm = int(across);
    const float turns = 1.5f * math::sqrt(across - float(arm));
    return spread(turned(turns * (2.6f / 1.5f), turns + 0.5f * float(arm)), d, 0.06f);
}

Point pinwheel(const Dice& d) {
    // Five arms, bent by an angle that grows with the distance (Johnson et al. 2016).
    const float radius = 1 + 0.25f * d.normal, off = 0.1f * d.second;
    const float turns = float(int(5 * d.u)) / 5 + 0.25f * math::exp(radius) / 6.2831853f;
    const Point along = turned(1.2f * radius, turns), across = turned(1.2f * off, turns + 0.25f);
    return {along.x + across.x, along.y + across.y};
}

Point circles(const Dice& d) {
    return spread(turned(d.v < 0.5f ? 2.4f : 1.2f, d.u), d, 0.08f);
}

struct Shaped {
    const char* name;
    Point (*draw)(const Dice&);
    int modes;
};
constexpr std::array shapedSets{Shaped{"moons", moons, 2},
                                Shaped{"swiss-roll", swissRoll, 1},
                                Shaped{"checkerboard", checkerboard, 8},
                                Shaped{"spirals", spirals, 2},
                                Shaped{"pinwheel", pinwheel, 5},
                                Shaped{"circles", circles, 2}};

struct Mixed {
    const char* name;
    Mixture (*make)();
    int dimensions;
};
constexpr std::array mixedSets{Mixed{"ring8", Mixture::ring8, 2}, Mixed{"grid25", Mixture::grid25, 2},
                               Mixed{"gaussian", Mixture::gaussian, 1}, Mixed{"bimodal", Mixture::bimodal, 1},
                               Mixed{"trimodal", Mixture::trimodal, 1}};

std::vector<std::string> namesOf(int dimensions) {
    std::vector<std::string> names;
    for (const Mixed& set : mixedSets)
        if (set.dimensions == dimensions) names.push_back(set.name);
    if (dimensions == 2)
        for (const Shaped& set : shapedSets) names.push_back(set.name);
    return names;
}

}  // namespace

const std::vector<std::string>& pointSetNames(int dimensions) {
    static const std::array<std::vector<std::string>, 2> names{namesOf(1), namesOf(2)};
    CHECK(dimensions == 1 || dimensions == 2, "point sets: expected 1 or 2 dimensions, got {}", dimensions);
    return names[dimensions - 1];
}

PointSet mixturePoints(std::string name, const Mixture& mixture, int64_t count, uint64_t seed) {
    auto table = std::make_shared<Table>();
    table->rows = count;
    table->columns = mixture.dimensions();
    table->values = mixture.draw(count, seed);
    return {std::move(name), std::move(table), mixture, mixture.modes()};
}

PointSet pointSet(std::string_view name, int64_t count, uint64_t seed) {
    CHECK(count > 0 && count <= INT32_MAX, "point set: expected 1 to {} points, got {}", INT32_MAX, count);
    for (const Mixed& set : mixedSets)
        if (name == set.name) return mixturePoints(set.name, set.make(), count, seed);

    const auto set =
        std::find_if(shapedSets.begin(), shapedSets.end(), [&](auto& s) { return name == s.name; });
    CHECK(set != shapedSets.end(), "point set: expected one of {} and {}, got '{}'",
          fmt::join(pointSetNames(1), ", "), fmt::join(pointSetNames(2), ", "), name);
    auto table = std::make_shared<Table>();
    table->rows = count;
    table->columns = 2;
    table->values.resize(size_t(count) * 2);
    const philox::Position at{.seed = seed, .stream = philox::streamOf(name)};
    for (int64_t i = 0; i < count; ++i) {
        const philox::Block block = philox::draw(at, uint32_t(i));
        Dice dice{philox::uniform(block.word[0]), philox::uniform(block.word[1]), 0, 0};
        philox::normalPair(block.word[2], block.word[3], dice.normal, dice.second);
        const Point p = set->draw(dice);
        table->values[2 * i] = p.x;
        table->values[2 * i + 1] = p.y;
    }
    return {set->name, std::move(table), std::nullopt, set->modes};
}

Table pictureAsDensity(std::span<const uint8_t> grey, int width, int height, int64_t count, uint64_t seed) {
    CHECK(width > 0 && height > 0, "picture: expected a width and a height, got {} x {}", width, height);
    CHECK(int64_t(grey.size()) == int64_t(width) * height, "picture: expected {} x {} grey levels, got {}",
          width, height, grey.size());
    CHECK(count > 0 && count <= INT32_MAX, "picture: expected 1 to {} points, got {}", INT32_MAX, count);
    std::vector<uint64_t> cumulative(grey.size());
    uint64_t total = 0;
    for (size_t i = 0; i < grey.size(); ++i) cumulative[i] = total += grey[i];
    CHECK(total > 0, "picture: expected at least one pixel that is not black, got none");

    const double pixel = 2 * planeExtent / std::max(width, height);
    const philox::Position at{.seed = seed, .stream = philox::streamOf("picture")};
    Table table{count, 2, std::vector<float>(size_t(count) * 2), {}};
    for (int64_t i = 0; i < count; ++i) {
        const philox::Block block = philox::draw(at, uint32_t(i));
        // A number below total, with more bits than any picture has grey levels.
        const uint64_t bits = (uint64_t(block.word[0]) << 32 | block.word[1]) >> 11;
        const auto target = std::min(uint64_t(double(bits) * 0x1p-53 * double(total)), total - 1);
        const int64_t place =
            std::upper_bound(cumulative.begin(), cumulative.end(), target) - cumulative.begin();
        const int64_t column = place % width, row = place / width;
        const double x = double(column) + philox::uniform(block.word[2]);
        const double y = double(row) + philox::uniform(block.word[3]);
        table.values[2 * i] = float((x - 0.5 * width) * pixel);
        table.values[2 * i + 1] = float((0.5 * height - y) * pixel);
    }
    return table;
}

}  // namespace core
