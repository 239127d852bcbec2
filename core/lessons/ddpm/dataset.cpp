#include "core/lessons/ddpm/dataset.h"

#include <array>
#include <cmath>

#include "core/base/error.h"
#include "core/data/fashion_mnist.h"
#include "core/data/points.h"

namespace core::lessons {
namespace {

double meanSquareOf(const Table& table) {
    double sum = 0;
    for (float v : table.values) sum += double(v) * double(v);
    std::array<int64_t, 256> counts{};  // of each grey
    for (uint8_t v : table.bytes) ++counts[v];
    for (size_t v = 0; v < 256; ++v) sum += double(counts[v]) * std::pow(double(v) / 127.5 - 1, 2);
    return sum / double(table.rows * table.columns);
}

}  // namespace

bool isOfPictures(const std::string& option, const OwnData* file) {
    return file ? file->pictures : option == "fashion" || option == "shapes";
}

DatasetPtr openDataset(const std::string& option, const OwnData* file) {
    CHECK(!file || file->columns() > 1,
          "data: expected points in the plane or pictures, {} has points on the line", file->name);
    Dataset d{.id = file ? file->fingerprint : option, .pictures = isOfPictures(option, file)};
    if (file) {
        d.train = file->train;
        d.test = file->test;
    } else if (d.pictures) {
        const bool shapes = option == "shapes";
        CHECK(shapes || fashionMnistInstalled(),
              "Fashion-MNIST is not installed: `sudo apt install dataset-fashion-mnist` brings it; until "
              "then choose shapes or another built-in data set");
        d.train = shapes ? shapesTable(20000, 1).images : fashionMnist(Split::train).images;
        d.test = shapes ? shapesTable(10000, 2).images : fashionMnist(Split::test).images;
    } else {
        const PointSet set = pointSet(option, 1 << 16, 1);
        d.train = set.points;
        d.exact = set.exact;
        d.test = pointSet(option, 4 * judgedPoints, 2).points;
    }
    d.meanSquare = meanSquareOf(*d.train);
    return std::make_shared<const Dataset>(std::move(d));
}

std::vector<float> Dataset::testRows(int64_t count, int64_t first) const {
    std::vector<float> rows;
    for (int64_t row = first; row < first + count; ++row)
        for (int64_t c = 0; c < test->columns; ++c) {
            const auto i = size_t(row % test->rows * test->columns + c);
            rows.push_back(test->values.empty() ? float(test->bytes[i]) / 127.5f - 1 : test->values[i]);
        }
    return rows;
}

}  // namespace core::lessons
