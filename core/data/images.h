// Sets of grey pictures with labels: the user's own IDX files, and shapes drawn by code.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "core/base/table.h"

namespace core {

struct ClassName {
    std::string english, chinese;
};

struct ImageSet {
    std::string name;
    TablePtr images;              // one row of width * height grey bytes a picture, top row first
    std::vector<uint8_t> labels;  // one a picture, or none at all
    std::vector<ClassName> classes;
    int width = 0, height = 0;
};

// Pictures of the user's own, and their labels if a second file is named. Classes are called by their
// numbers. Throws one sentence that names the file.
ImageSet loadIdxImages(const std::filesystem::path& images, const std::filesystem::path& labels = {});

// count 28 x 28 pictures of ten shapes at random places, sizes and grey levels, the same for the same seed:
// picture i is drawn from (seed, i) alone.
ImageSet shapesTable(int64_t count, uint64_t seed);

}  // namespace core
