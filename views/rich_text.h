// Words with lowered and raised letters: "p_data(x)", "L_{D}", "10^{−3}".
#pragma once

#include <string>
#include <vector>

namespace views {

struct TextRun {
    std::string text;
    int level = 0;  // −1 lowered, 1 raised
};

// "_" and "^" act on the letters and digits after them, or on what stands in braces; before anything
// else, and at the end, they are themselves.
std::vector<TextRun> parseRuns(const std::string& text);

}  // namespace views
