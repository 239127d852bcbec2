// A data set as the engine reads it: rows of equal length, drawn at random inside a plan.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

namespace core {

struct Table {
    int64_t rows = 0;
    int columns = 0;
    std::vector<float> values;   // rows x columns, or empty where the rows are
    std::vector<uint8_t> bytes;  // grey levels, read as byte / 255
};

using TablePtr = std::shared_ptr<const Table>;

}  // namespace core
