#include "core/data/images.h"

#include <algorithm>
#include <cmath>
#include <iterator>

#include "core/base/error.h"
#include "core/base/philox.h"
#include "core/data/idx.h"

namespace core {

ImageSet loadIdxImages(const std::filesystem::path& images, const std::filesystem::path& labels) {
    constexpr int64_t largestSide = 256;
    Idx pictures = readIdxFile(images);
    CHECK(pictures.extents.size() == 3, "{}: expected grey pictures [count, height, width], got {} axes",
          images.string(), pictures.extents.size());
    const int64_t count = pictures.extents[0], height = pictures.extents[1], width = pictures.extents[2];
    CHECK(height <= largestSide && width <= largestSide,
          "{}: expected pictures of at most {} x {}, got {} x {}", images.string(), largestSide, largestSide,
          width, height);

    ImageSet set;
    set.name = images.filename().string();
    set.width = int(width);
    set.height = int(height);
    if (!labels.empty()) {
        Idx classes = readIdxFile(labels);
        CHECK(classes.extents.size() == 1, "{}: expected labels [count], got {} axes", labels.string(),
              classes.extents.size());
        CHECK(classes.extents[0] == count, "{}: expected {} labels, one a picture, got {}", labels.string(),
              count, classes.extents[0]);
        set.labels = std::move(classes.bytes);
        const int last = *std::max_element(set.labels.begin(), set.labels.end());
        for (int k = 0; k <= last; ++k) set.classes.push_back({std::to_string(k), std::to_string(k)});
    }
    set.images =
        std::make_shared<const Table>(Table{count, int(width * height), {}, std::move(pictures.bytes)});
    return set;
}

namespace {

// Signed distances from the outline of a shape of circumscribed radius r at the origin, negative inside.
float disc(float x, float y, float r) {
    return std::sqrt(x * x + y * y) - r;
}
float ring(float x, float y, float r) {
    return std::abs(disc(x, y, 0.78f * r)) - 0.22f * r;
}
float box(float x, float y, float a, float b) {
    return std::max(std::abs(x) - a, std::abs(y) - b);
}
float square(float x, float y, float r) {
    return box(x, y, 0.7f * r, 0.7f * r);
}
float frame(float x, float y, float r) {
    return std::max(square(x, y, r), -box(x, y, 0.35f * r, 0.35f * r));
}
float triangle(float x, float y, float r) {  // one corner up; y points down
    return std::max(0.8660254f * std::abs(x) - 0.5f * y, y) - 0.5f * r;
}
float diamond(float x, float y, float r) {
    return 0.70710678f * (std::abs(x) + std::abs(y) - r);
}
float barAcross(float x, float y, float r) {
    return box(x, y, 0.95f * r, 0.28f * r);
}
float barUpright(float x, float y, float r) {
    return barAcross(y, x, r);
}
float plus(float x, float y, float r) {
    return std::min(barAcross(x, y, r), barUpright(x, y, r));
}
float saltire(float x, float y, float r) {
    return plus(0.70710678f * (x + y), 0.70710678f * (x - y), r);
}

struct Outline {
    float (*distance)(float x, float y, float r);
    const char *english, *chinese;
};
constexpr Outline outlines[] = {{disc, "disc", "圆盘"},
                                {ring, "ring", "圆环"},
                                {square, "square", "方块"},
                                {frame, "frame", "方框"},
                                {triangle, "triangle", "三角形"},
                                {diamond, "diamond", "菱形"},
                                {barAcross, "bar across", "横条"},
                                {barUpright, "bar upright", "竖条"},
                                {plus, "plus", "十字"},
                                {saltire, "cross", "叉形"}};

}  // namespace

ImageSet shapesTable(int64_t count, uint64_t seed) {
    constexpr int side = 28;
    CHECK(count > 0 && count <= 1'000'000, "shapes: expected 1 to 1000000 pictures, got {}", count);
    auto table = std::make_shared<Table>();
    table->rows = count;
    table->columns = side * side;
    table->bytes.resize(size_t(count) * side * side);

    ImageSet set;
    set.name = "shapes";
    set.width = set.height = side;
    set.labels.resize(count);
    for (const Outline& o : outlines) set.classes.push_back({o.english, o.chinese});

    const philox::Position at{.seed = seed, .stream = philox::streamOf("shapes")};
    for (int64_t i = 0; i < count; ++i) {
        const philox::Block a = philox::draw(at, uint32_t(2 * i)), b = philox::draw(at, uint32_t(2 * i + 1));
        const auto label = uint8_t(uint64_t(a.word[0]) * std::size(outlines) >> 32);
        const float r = 5 + 6 * philox::uniform(a.word[1]);
        // The whole shape stays inside the picture, with the blur of its corners.
        const float margin = r + 1.5f, room = side - 2 * margin;
        const float cx = margin + room * philox::uniform(a.word[2]);
        const float cy = margin + room * philox::uniform(a.word[3]);
        const float grey = 128 + 127 * philox::uniform(b.word[0]);
        set.labels[i] = label;
        uint8_t* pixel = &table->bytes[size_t(i) * side * side];
        for (int y = 0; y < side; ++y)
            for (int x = 0; x < side; ++x) {
                // A pixel on the outline is covered in part, as its distance says.
                const float d = outlines[label].distance(float(x) + 0.5f - cx, float(y) + 0.5f - cy, r);
                *pixel++ = uint8_t(std::lround(grey * std::clamp(0.5f - d, 0.0f, 1.0f)));
            }
    }
    set.images = std::move(table);
    return set;
}

}  // namespace core
