#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <utility>

#include "core/base/error.h"
#include "core/data/points.h"

namespace core {
namespace {

constexpr std::string_view blanks = " \t\r\f\v";

std::string_view trimmed(std::string_view text) {
    const size_t begin = text.find_first_not_of(blanks);
    if (begin == std::string_view::npos) return {};
    return text.substr(begin, text.find_last_not_of(blanks) - begin + 1);
}

// A field as a message may show it: short, and printable whatever the file holds.
std::string shown(std::string_view field) {
    constexpr size_t longest = 24;
    std::string out;
    for (char c : field.substr(0, longest)) out += c >= ' ' && c <= '~' ? c : '?';
    return field.size() > longest ? out + "..." : out;
}

// Fields stand between commas or semicolons; blanks around them do not count, and part fields where no comma
// or semicolon does. More than three are never told apart.
struct Fields {
    std::string_view field[3];
    int count = 0;
};
Fields fieldsOf(std::string_view line) {
    Fields fields;
    while (fields.count < 3) {
        const size_t end = std::min(line.find_first_of(" \t\r\f\v,;"), line.size());
        fields.field[fields.count++] = line.substr(0, end);
        const size_t next = line.find_first_not_of(blanks, end);
        if (next == std::string_view::npos) break;
        const bool parted = line[next] == ',' || line[next] == ';';
        line = trimmed(line.substr(next + (parted ? 1 : 0)));
    }
    return fields;
}

enum class Number { good, tooLarge, none };
Number parse(std::string_view field, double& value) {
    if (field.size() > 1 && field[0] == '+' && field[1] != '-') field.remove_prefix(1);
    const auto [end, error] = std::from_chars(field.data(), field.data() + field.size(), value);
    if (error == std::errc::invalid_argument || end != field.data() + field.size()) return Number::none;
    if (error == std::errc::result_out_of_range) {
        // The library does not say which way: a negative exponent means too small, and that is zero.
        const size_t exponent = field.find_first_of("eE");
        const bool tiny = exponent != std::string_view::npos ? field.substr(exponent + 1, 1) == "-"
                                                             : field.find('.') != std::string_view::npos;
        value = 0;
        return tiny ? Number::good : Number::tooLarge;
    }
    return std::abs(value) > std::numeric_limits<float>::max() ? Number::tooLarge : Number::good;
}

}  // namespace

Table readCsvPoints(std::string_view text, const CsvLimits& limits) {
    CHECK(int64_t(text.size()) <= limits.bytes, "points: expected at most {} bytes, got {}", limits.bytes,
          text.size());
    if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);

    Table table;
    bool headerMayCome = true;
    for (int64_t number = 1; !text.empty(); ++number) {
        const size_t end = std::min(text.find('\n'), text.size());
        const std::string_view line = trimmed(text.substr(0, end));
        text.remove_prefix(std::min(end + 1, text.size()));
        if (line.empty() || line[0] == '#') continue;

        const Fields fields = fieldsOf(line);
        double values[3];
        Number kinds[3];
        bool names = true;
        for (int i = 0; i < fields.count; ++i) {
            kinds[i] = parse(fields.field[i], values[i]);
            names = names && kinds[i] == Number::none && !fields.field[i].empty();
        }
        if (std::exchange(headerMayCome, false) && names) continue;

        CHECK(fields.count <= 2, "points, line {}: expected one or two numbers, got more", number);
        for (int i = 0; i < fields.count; ++i) {
            CHECK(kinds[i] != Number::none, "points, line {}: expected a number, got '{}'", number,
                  shown(fields.field[i]));
            CHECK(kinds[i] == Number::good && std::isfinite(values[i]),
                  "points, line {}: expected a finite number, got '{}'", number, shown(fields.field[i]));
        }
        if (table.rows == 0) table.columns = fields.count;
        CHECK(fields.count == table.columns, "points, line {}: expected {} as in the lines before, got {}",
              number, table.columns == 1 ? "one number" : "two numbers", fields.count);
        CHECK(table.rows < limits.rows, "points, line {}: expected at most {} points, got more", number,
              limits.rows);
        for (int i = 0; i < fields.count; ++i) table.values.push_back(float(values[i]));
        ++table.rows;
    }
    CHECK(table.rows > 0, "points: expected at least one line with numbers, got none");
    return table;
}

}  // namespace core
