#include "core/data/read_own.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

#include "core/base/error.h"
#include "core/base/philox.h"
#include "core/data/idx.h"
#include "core/data/images.h"
#include "core/data/points.h"

namespace core {
namespace {

namespace fs = std::filesystem;

constexpr int64_t leastRows = 32;  // with fewer, the test part is a handful and no figure means anything
constexpr uint64_t shuffleSeed = 1;

// FNV-1a, 64 bits: tells one version of a file from another, and nothing more.
std::string fingerprintOf(std::span<const uint8_t> bytes) {
    uint64_t hash = 0xcbf29ce484222325;
    for (const uint8_t byte : bytes) hash = (hash ^ byte) * 0x100000001b3;
    return fmt::format("{:016x}", hash);
}

bool beginsWith(std::span<const uint8_t> bytes, std::initializer_list<uint8_t> magic) {
    return bytes.size() >= magic.size() && std::equal(magic.begin(), magic.end(), bytes.begin());
}

// A file may be sorted: without shuffling, the test part would be another kind of data.
std::vector<int64_t> shuffledRows(int64_t count) {
    std::vector<int64_t> order(size_t(count), 0);
    std::iota(order.begin(), order.end(), int64_t(0));
    const philox::Position at{.seed = shuffleSeed, .stream = philox::streamOf("own")};
    for (int64_t i = count - 1; i > 0; --i) {
        const philox::Block drawn = philox::draw(at, uint32_t(i));
        const uint64_t bits = uint64_t(drawn.word[0]) << 32 | drawn.word[1];
        std::swap(order[size_t(i)], order[size_t(bits % uint64_t(i + 1))]);
    }
    return order;
}

TablePtr rowsOf(const Table& table, std::span<const int64_t> rows) {
    auto part = std::make_shared<Table>(Table{int64_t(rows.size()), table.columns, {}, {}});
    const auto columns = size_t(table.columns);
    const auto gather = [&](const auto& from, auto& to) {
        if (from.empty()) return;
        to.reserve(rows.size() * columns);
        for (const int64_t row : rows) {
            const auto begin = from.begin() + row * int64_t(columns);
            to.insert(to.end(), begin, begin + int64_t(columns));
        }
    };
    gather(table.values, part->values);
    gather(table.bytes, part->bytes);
    return part;
}

std::shared_ptr<OwnData> parted(const fs::path& path, std::span<const uint8_t> bytes, const Table& table,
                                const std::vector<uint8_t>& labels) {
    CHECK(table.rows >= leastRows, "{}: expected at least {} rows, got {}", path.string(), leastRows,
          table.rows);
    auto own = std::make_shared<OwnData>();
    own->name = path.filename().string();
    own->path = fs::absolute(path).string();
    own->fingerprint = fingerprintOf(bytes);
    const std::vector<int64_t> order = shuffledRows(table.rows);
    const auto testRows = size_t(std::max<int64_t>(10, table.rows / 6));
    const std::span<const int64_t> test = std::span(order).first(testRows);
    own->test = rowsOf(table, test);
    own->train = rowsOf(table, std::span(order).subspan(testRows));
    if (!labels.empty()) {
        auto column = std::make_shared<Table>(Table{int64_t(testRows), 1, {}, {}});
        for (const int64_t row : test) column->values.push_back(float(labels[size_t(row)]));
        own->labels = column;
    }
    return own;
}

// The middle of the values and half their width, a few outliers left aside.
struct Extent {
    double middle = 0, half = 0;
};
Extent extentOf(const Table& table, int column) {
    std::vector<float> values;
    values.reserve(size_t(table.rows));
    for (int64_t row = 0; row < table.rows; ++row)
        values.push_back(table.values[size_t(row * table.columns + column)]);
    const auto at = [&](double share) {
        const auto k = std::lround(share * double(values.size() - 1));
        std::nth_element(values.begin(), values.begin() + k, values.end());
        return double(values[size_t(k)]);
    };
    const double low = at(0.005), high = at(0.995);
    return {(low + high) / 2, (high - low) / 2};
}

// How points of the file become those of the plane.
struct Placing {
    std::array<double, 2> centre{};
    double unit = 1;
};

Placing fitIntoThePlane(Table& table, const fs::path& path) {
    std::array<Extent, 2> extents;
    double reach = 0, half = 0;
    for (int column = 0; column < table.columns; ++column) {
        Extent& e = extents[size_t(column)] = extentOf(table, column);
        reach = std::max(reach, std::abs(e.middle) + e.half);
        half = std::max(half, e.half);
    }
    CHECK(half > 0, "{}: expected points at different places, got all of them at one", path.string());
    if (reach <= planeExtent && half >= planeExtent / 3) return {};
    const Placing placing{{extents[0].middle, extents[1].middle}, half / (0.9 * planeExtent)};
    for (int64_t row = 0; row < table.rows; ++row)
        for (int column = 0; column < table.columns; ++column) {
            float& x = table.values[size_t(row * table.columns + column)];
            x = float((double(x) - placing.centre[size_t(column)]) / placing.unit);
        }
    return placing;
}

// The mean grey level of each place's share of the picture, the longer side filled, the rest black.
Table brought(const Table& pictures, int width, int height, int side) {
    Table out{pictures.rows, side * side, {}, std::vector<uint8_t>(size_t(pictures.rows * side * side), 0)};
    const double scale = double(std::max(width, height)) / side;
    const double left = (side * scale - width) / 2, top = (side * scale - height) / 2;
    struct Share {
        int index;
        double weight;
    };
    const auto sharesOf = [&](double offset, int size) {
        std::vector<std::vector<Share>> shares;
        shares.resize(size_t(side));
        for (int i = 0; i < side; ++i)
            for (int k = std::max(0, int(i * scale - offset)); k < size && k < (i + 1) * scale - offset;
                 ++k) {
                const double from = std::max(double(k), i * scale - offset),
                             to = std::min(double(k + 1), (i + 1) * scale - offset);
                if (to > from) shares[size_t(i)].push_back({k, (to - from) / scale});
            }
        return shares;
    };
    const auto across = sharesOf(left, width), down = sharesOf(top, height);
    for (int64_t p = 0; p < pictures.rows; ++p) {
        const uint8_t* from = &pictures.bytes[size_t(p * pictures.columns)];
        uint8_t* to = &out.bytes[size_t(p * out.columns)];
        for (const auto& rows : down)
            for (const auto& columns : across) {
                double sum = 0;
                for (const Share& y : rows)
                    for (const Share& x : columns)
                        sum += y.weight * x.weight * from[y.index * width + x.index];
                *to++ = uint8_t(std::lround(std::min(sum, 255.0)));
            }
    }
    return out;
}

// Is the picture's outermost row of pixels light on average, as paper is?
bool hasLightBorder(std::span<const uint8_t> grey, int width, int height) {
    int64_t sum = 0, pixels = 0;
    for (int y = 0; y < height; ++y) {
        const bool edge = y == 0 || y == height - 1;
        for (int x = 0; x < width; x += edge ? 1 : std::max(1, width - 1)) {
            sum += grey[size_t(y) * size_t(width) + size_t(x)];
            ++pixels;
        }
    }
    return 2 * sum > 255 * pixels;
}

}  // namespace

FileKind kindOf(std::span<const uint8_t> bytes) {
    if (beginsWith(bytes, {0x1f, 0x8b}) || beginsWith(bytes, {0, 0})) return FileKind::images;
    const std::span<const uint8_t> head = bytes.first(std::min<size_t>(bytes.size(), 4096));
    const bool text = std::find(head.begin(), head.end(), uint8_t(0)) == head.end();
    const bool bitmap = beginsWith(bytes, {'B', 'M'}) && !text;
    if (beginsWith(bytes, {0x89, 'P', 'N', 'G'}) || beginsWith(bytes, {0xff, 0xd8, 0xff}) ||
        beginsWith(bytes, {'G', 'I', 'F', '8'}) || bitmap)
        return FileKind::picture;
    return text ? FileKind::points : FileKind::foreign;
}

OwnDataPtr ownPoints(const fs::path& path, std::span<const uint8_t> bytes) {
    Table table;
    try {
        table = readCsvPoints({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
    } catch (const Error& error) {
        throw Error(fmt::format("{}: {}", path.string(), error.what()));
    }
    const Placing placing = fitIntoThePlane(table, path);
    auto own = parted(path, bytes, table, {});
    own->centre = placing.centre;
    own->unit = placing.unit;
    return own;
}

OwnDataPtr ownImages(const fs::path& path, std::span<const uint8_t> bytes) {
    constexpr int side = 28;
    std::string beside = path.filename().string();
    fs::path labels;
    if (const size_t at = beside.find("images-idx3"); at != std::string::npos) {
        labels = path.parent_path() / beside.replace(at, 11, "labels-idx1");
        std::error_code ignored;
        if (!fs::is_regular_file(labels, ignored)) labels.clear();
    }
    const ImageSet set = loadIdxImages(path, labels);
    const bool fits = set.width == side && set.height == side;
    auto own = parted(path, bytes, fits ? *set.images : brought(*set.images, set.width, set.height, side),
                      set.labels);
    own->pictures = true;
    return own;
}

OwnDataPtr ownDensity(const fs::path& path, std::span<const uint8_t> bytes, std::span<const uint8_t> grey,
                      int width, int height) {
    constexpr int64_t count = 78644;  // so that five sixths are 65536, as in the built-in sets
    try {
        const auto [least, most] = std::minmax_element(grey.begin(), grey.end());
        CHECK(least != grey.end() && *least < *most,
              "expected a picture with ink on some ground, got one grey level everywhere");
        const bool paper = hasLightBorder(grey, width, height);
        std::vector<uint8_t> ink(grey.begin(), grey.end());
        if (paper)
            for (uint8_t& level : ink) level = uint8_t(255 - level);
        auto own = parted(path, bytes, pictureAsDensity(ink, width, height, count, shuffleSeed), {});
        own->drawn = paper ? OwnData::Drawn::dark : OwnData::Drawn::light;
        return own;
    } catch (const Error& error) {
        throw Error(fmt::format("{}: {}", path.string(), error.what()));
    }
}

}  // namespace core
