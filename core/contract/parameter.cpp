#include "core/contract/parameter.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "core/base/error.h"

namespace core {

double Parameter::parse(const std::string& text) const {
    if (!options.empty()) {
        const auto it = std::find(options.begin(), options.end(), text);
        CHECK(it != options.end(), "{}: expected one of {}, got '{}'", name, fmt::join(options, ", "), text);
        return double(it - options.begin());
    }
    double value = 0;
    const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
    CHECK(code == std::errc() && end == text.data() + text.size() && std::isfinite(value),
          "{}: expected a number, got '{}'", name, text);
    check(value);
    return value;
}

std::string Parameter::print(double value) const {
    if (!options.empty()) return options.at(size_t(value));
    return integer ? fmt::format("{:.0f}", value) : fmt::format("{}", value);
}

void Parameter::check(double value) const {
    CHECK(value >= minimum && value <= maximum, "{}: expected {} to {}, got {}", name, minimum, maximum,
          value);
    CHECK(!(integer || !options.empty()) || value == std::floor(value), "{}: expected a whole number, got {}",
          name, value);
}

}  // namespace core
