// A data set of the user's own, as lessons get it: read, checked, and of a size that the panels know.
#pragma once

#include <array>
#include <memory>
#include <string>

#include "core/base/table.h"

namespace core {

struct OwnData {
    std::string name;                                        // the file's, without its folder
    std::string path;                                        // where it was read
    std::string fingerprint;                                 // of the file's bytes, 16 hexadecimal digits
    bool pictures = false;                                   // else points, one or two numbers each
    enum class Drawn { no, light, dark } drawn = Drawn::no;  // points drawn from a picture: where it is dense
    // Points x of the file are shown and trained on as (x - centre) / unit.
    std::array<double, 2> centre{};
    double unit = 1;
    TablePtr train, test;  // five sixths and one sixth of the rows, shuffled
    TablePtr labels;       // of the test pictures, [rows, 1]; null where there are none

    bool scaled() const { return unit != 1 || centre != std::array<double, 2>{}; }
    int columns() const { return train->columns; }
};
using OwnDataPtr = std::shared_ptr<const OwnData>;

}  // namespace core
