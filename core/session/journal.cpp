#include "core/session/journal.h"

#include <nlohmann/json.hpp>

#include "core/base/error.h"

namespace core {

using nlohmann::json;

std::string Journal::toLine() const {
    json journal = json::array();
    for (const Entry& e : entries) journal.push_back({e.step, e.knob, e.value});
    return json{
        {"version", 1}, {"lesson", lesson}, {"seed", seed}, {"settings", initial}, {"journal", journal}}
        .dump();
}

Journal Journal::fromLine(const std::string& line) {
    // A journal is two levels deep; anything deeper is refused before it is built.
    constexpr int maximumDepth = 4;
    bool tooDeep = false;
    const auto limit = [&](int depth, json::parse_event_t, json&) {
        tooDeep = tooDeep || depth > maximumDepth;
        return !tooDeep;
    };
    try {
        const json j = json::parse(line, limit);
        CHECK(!tooDeep && j.is_object(),
              "journal: expected one line that genscope shared, got something else");
        CHECK(j.at("version") == 1, "journal: expected version 1, got {}", j.at("version").dump());
        Journal out{
            .lesson = j.at("lesson"), .seed = j.at("seed"), .initial = j.at("settings"), .entries = {}};
        for (const json& e : j.at("journal")) {
            CHECK(e.is_array() && e.size() == 3, "journal: expected [step, knob, value], got {}", e.dump());
            out.entries.push_back({e[0], e[1], e[2]});
        }
        return out;
    } catch (const json::exception& e) {
        throw Error(fmt::format("journal: expected one line that genscope shared, got something else ({})",
                                e.what()));
    }
}

}  // namespace core
