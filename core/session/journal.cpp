#include "core/session/journal.h"

#include <nlohmann/json.hpp>

#include "core/base/error.h"

namespace core {

using nlohmann::json;

namespace {

template <class T>
T field(const json& j, const char* name) {
    CHECK(j.contains(name), "journal: expected a field '{}', found none", name);
    try {
        return j.at(name).get<T>();
    } catch (const json::exception&) {
        throw Error(fmt::format("journal: {}: expected another kind of value, got {}", name,
                                j.at(name).dump().substr(0, 60)));
    }
}

}  // namespace

std::string Journal::toLine() const {
    json journal = json::array();
    for (const Entry& e : entries) journal.push_back({e.step, e.knob, e.value});
    json out{{"version", 1},        {"lesson", lesson},   {"preset", preset}, {"seed", seed},
             {"settings", initial}, {"journal", journal}, {"step", step}};
    for (const File& f : files) out["files"].push_back({f.path, f.fingerprint});
    // A path may hold any bytes; the line is text.
    return out.dump(-1, ' ', false, json::error_handler_t::replace);
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
              "expected the line of a run that genscope shared, got something else");
        const int version = field<int>(j, "version");
        CHECK(version == 1, "journal: expected version 1, got {}", version);
        Journal out{.lesson = field<std::string>(j, "lesson"),
                    .preset = j.value("preset", ""),
                    .seed = field<uint64_t>(j, "seed"),
                    .initial = field<Settings>(j, "settings"),
                    .step = j.value("step", int64_t(0))};
        for (const json& e : field<json>(j, "journal")) {
            CHECK(e.is_array() && e.size() == 3, "journal: expected [step, knob, value], got {}", e.dump());
            out.entries.push_back({e[0], e[1], e[2]});
        }
        for (const json& f : j.value("files", json::array())) {
            CHECK(f.is_array() && f.size() == 2, "journal: expected [path, fingerprint], got {}", f.dump());
            out.files.push_back({f[0], f[1]});
        }
        CHECK(out.step >= 0, "journal: expected a step from 0, got {}", out.step);
        return out;
    } catch (const json::exception&) {
        throw Error("expected the line of a run that genscope shared, got something else");
    }
}

}  // namespace core
