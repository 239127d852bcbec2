// Point sets on the line and in the plane: the built-in ones by name, and readers of the user's own.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/table.h"
#include "core/data/mixture.h"

namespace core {

// Every built-in set lies in [-planeExtent, planeExtent] on each axis, so that pictures never jump.
constexpr double planeExtent = 3;

struct PointSet {
    std::string name;
    TablePtr points;               // count x 1 or count x 2 floats
    std::optional<Mixture> exact;  // the density the points were drawn from, where it is a mixture
    int modes = 0;                 // separate pieces of the set
};

// The built-in names of a dimension, the one to begin with first.
const std::vector<std::string>& pointSetNames(int dimensions);

// count points of the built-in set, the same for the same seed. Throws where the name is unknown.
PointSet pointSet(std::string_view name, int64_t count, uint64_t seed);

// Points drawn from any mixture, for modes edited by the user.
PointSet mixturePoints(std::string name, const Mixture& mixture, int64_t count, uint64_t seed);

struct CsvLimits {
    int64_t bytes = 64 << 20;
    int64_t rows = 1'000'000;
};

// One or two numbers a line, parted by a comma, semicolon or white space; empty lines, lines that begin with
// '#', a first line of names and a byte-order mark are passed over. The values are kept as they are, not
// scaled. Throws one sentence with the number of the line where something else stands.
Table readCsvPoints(std::string_view text, const CsvLimits& limits = {});

// count points drawn from a picture: a pixel's share is its grey level (0 none, 255 most), the place inside
// the pixel is uniform, the longer side spans [-planeExtent, planeExtent] and the first row is on top.
Table pictureAsDensity(std::span<const uint8_t> grey, int width, int height, int64_t count, uint64_t seed);

}  // namespace core
