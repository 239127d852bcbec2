#include <algorithm>
#include <cmath>

#include "core/base/error.h"
#include "core/data/metrics.h"

namespace core {
namespace {

// Squared distance of two rows of whole grey levels, or a part of it that is beyond `limit` already; exact
// below 33000 columns. The inner loop has a fixed length, so that the compiler turns it into vector
// instructions.
int32_t squaredDistance(const uint8_t* a, const uint8_t* b, int columns, int32_t limit) {
    constexpr int lanes = 64;
    int32_t sum = 0;
    int c = 0;
    for (; c + lanes <= columns && sum <= limit; c += lanes) {
        int32_t part = 0;
        for (int k = 0; k < lanes; ++k) {
            const auto d = int16_t(a[c + k] - b[c + k]);
            part += int32_t(d) * d;
        }
        sum += part;
    }
    if (sum > limit) return sum;
    for (; c < columns; ++c) sum += (a[c] - b[c]) * (a[c] - b[c]);
    return sum;
}

double exactSquared(const uint8_t* row, std::span<const float> query) {
    double sum = 0;
    for (size_t c = 0; c < query.size(); ++c) {
        const double d = row[c] - 255.0 * query[c];
        sum += d * d;
    }
    return sum;
}

// In grey levels. A first pass rounds the query to whole levels and compares integers; by the triangle
// inequality only rows within twice the rounding of the best can be the nearest, and these are compared
// exactly.
NearestRow nearestBytes(const Table& table, std::span<const float> query) {
    std::vector<uint8_t> rounded(query.size());
    for (size_t c = 0; c < query.size(); ++c)
        rounded[c] = uint8_t(std::lround(std::clamp(255 * query[c], 0.0f, 255.0f)));
    const double rounding = std::sqrt(exactSquared(rounded.data(), query));

    std::vector<int32_t> squared(table.rows);
    int32_t best = INT32_MAX, reach = INT32_MAX;
    for (int64_t i = 0; i < table.rows; ++i) {
        squared[i] = squaredDistance(&table.bytes[i * table.columns], rounded.data(), table.columns, reach);
        if (squared[i] >= best) continue;
        best = squared[i];
        const double r = std::sqrt(double(best)) + 2 * rounding;
        reach = int32_t(std::min(std::ceil(r * r * (1 + 1e-12)), double(INT32_MAX)));
    }
    NearestRow nearest{-1, HUGE_VAL};
    for (int64_t i = 0; i < table.rows; ++i) {
        if (squared[i] > reach) continue;
        const double exact = exactSquared(&table.bytes[i * table.columns], query);
        if (exact < nearest.distance) nearest = {i, exact};
    }
    return {nearest.row, std::sqrt(nearest.distance) / 255};
}

}  // namespace

NearestRow nearestRow(const Table& table, std::span<const float> query) {
    CHECK(table.rows > 0, "nearest row: expected a table with rows, got none");
    CHECK(int64_t(query.size()) == table.columns, "nearest row: expected {} numbers, got {}", table.columns,
          query.size());
    CHECK(table.columns <= 33000, "nearest row: expected at most 33000 columns, got {}", table.columns);
    CHECK(
        int64_t(table.bytes.empty() ? table.values.size() : table.bytes.size()) == table.rows * table.columns,
        "nearest row: expected {} x {} values in the table, got {}", table.rows, table.columns,
        table.bytes.size() + table.values.size());
    for (float q : query) CHECK(std::isfinite(q), "nearest row: expected finite numbers, got {}", q);
    if (!table.bytes.empty()) return nearestBytes(table, query);

    NearestRow nearest{-1, HUGE_VAL};
    for (int64_t i = 0; i < table.rows; ++i) {
        const float* row = &table.values[i * table.columns];
        double sum = 0;
        for (int c = 0; c < table.columns && sum < nearest.distance; ++c)
            sum += double(row[c] - query[c]) * (row[c] - query[c]);
        if (sum < nearest.distance) nearest = {i, sum};
    }
    return {nearest.row, std::sqrt(nearest.distance)};
}

NearestRows nearestRows(const Table& table, std::span<const float> queries) {
    const auto columns = size_t(table.columns);
    NearestRows found;
    for (size_t i = 0; i + columns <= queries.size(); i += columns) {
        const NearestRow best = nearestRow(table, queries.subspan(i, columns));
        found.distances.push_back(float(best.distance));
        const size_t from = size_t(best.row) * columns;
        for (size_t k = from; k < from + columns; ++k)
            found.rows.push_back(table.bytes.empty() ? table.values[k] : float(table.bytes[k]) / 255);
    }
    return found;
}

}  // namespace core
