#include "views/rich_text.h"

#include <cctype>

namespace views {

std::vector<TextRun> parseRuns(const std::string& text) {
    std::vector<TextRun> runs;
    const auto append = [&runs](const std::string& part, int level) {
        if (part.empty()) return;
        if (!runs.empty() && runs.back().level == level) {
            runs.back().text += part;
        } else {
            runs.push_back({part, level});
        }
    };
    for (size_t i = 0; i < text.size();) {
        const char c = text[i];
        const int level = c == '_' ? -1 : c == '^' ? 1 : 0;
        if (level != 0 && i + 1 < text.size()) {
            size_t end = i + 1;
            if (text[end] == '{') {
                const size_t close = text.find('}', end);
                if (close != std::string::npos) {
                    append(text.substr(end + 1, close - end - 1), level);
                    i = close + 1;
                    continue;
                }
            } else {
                // Bytes of Greek letters count as letters.
                while (end < text.size() &&
                       (std::isalnum(uint8_t(text[end])) || uint8_t(text[end]) == 0xCE ||
                        uint8_t(text[end]) == 0xCF || (uint8_t(text[end - 1]) & 0xFE) == 0xCE)) {
                    ++end;
                }
                if (end > i + 1) {
                    append(text.substr(i + 1, end - i - 1), level);
                    i = end;
                    continue;
                }
            }
        }
        append(std::string(1, c), 0);
        ++i;
    }
    return runs;
}

}  // namespace views
