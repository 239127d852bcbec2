#include "core/session/saved_run.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <string_view>

#include "core/base/error.h"

namespace core {
namespace {

using nlohmann::json;

constexpr const char *runFile = "run.json", *journalFile = "journal.jsonl", *modelFile = "model.safetensors",
                     *averagesFile = "ema.safetensors", *optimizerFile = "optimizer.safetensors";

std::vector<uint8_t> bytesOf(const std::string& text) {
    return {text.begin(), text.end()};
}

// Throws Error naming the file; anything deeper than a run's own files is refused before it is built.
json parsed(std::string_view text, const std::string& place) {
    constexpr int maximumDepth = 3;
    bool tooDeep = false;
    const auto limit = [&](int depth, json::parse_event_t, json&) {
        tooDeep = tooDeep || depth > maximumDepth;
        return !tooDeep;
    };
    json out;
    try {
        out = json::parse(text, limit);
    } catch (const json::exception&) {
        throw Error(fmt::format("{}: expected JSON, got something else", place));
    }
    CHECK(!tooDeep && out.is_object(), "{}: expected one JSON object of a run, got something else", place);
    return out;
}

Safetensors weightsOf(const RunFiles& files, const char* name, int64_t limit) {
    const auto file = files.find(name);
    if (file == files.end()) return {};
    CHECK(int64_t(file->second.size()) <= limit, "{}: expected at most {} MB, got {}", name, limit >> 20,
          file->second.size() >> 20);
    Safetensors out;
    try {
        out = readSafetensors(file->second);
    } catch (const Error& e) {
        throw Error(fmt::format("{}: {}", name, e.what()));
    }
    for (const auto& [tensor, content] : out.tensors)
        for (float value : content.values)
            CHECK(std::isfinite(value), "{}: expected finite numbers, {} has one that is not", name, tensor);
    return out;
}

}  // namespace

RunFiles filesOf(const SavedRun& run) {
    const Journal& j = run.journal;
    json head{{"format", "genscope-run"}, {"version", 1},   {"lesson", j.lesson},   {"preset", j.preset},
              {"seed", j.seed},           {"step", j.step}, {"settings", j.initial}};
    for (const Journal::File& f : j.files) head["files"].push_back({f.path, f.fingerprint});
    std::string lines;
    for (const Journal::Entry& e : j.entries)
        lines += json{{"step", e.step}, {"knob", e.knob}, {"value", e.value}}.dump() + "\n";
    // A path may hold any bytes; the file is text.
    RunFiles files{{runFile, bytesOf(head.dump(1, ' ', false, json::error_handler_t::replace) + "\n")},
                   {journalFile, bytesOf(lines)}};
    for (const auto& [name, content] :
         {std::pair(modelFile, &run.model), {averagesFile, &run.averages}, {optimizerFile, &run.optimizer}})
        if (!content->tensors.empty()) files[name] = writeSafetensors(*content);
    return files;
}

SavedRun readRun(const RunFiles& files, const RunLimits& limits) {
    const auto head = files.find(runFile);
    CHECK(head != files.end(), "{}: expected a folder of a run, which has this file", runFile);
    CHECK(int64_t(head->second.size()) <= limits.textBytes, "{}: expected at most {} MB", runFile,
          limits.textBytes >> 20);
    const auto text = [](const std::vector<uint8_t>& bytes) {
        return std::string_view(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    };
    SavedRun run;
    Journal& journal = run.journal;
    const json j = parsed(text(head->second), runFile);
    CHECK(j.value("format", json()) == "genscope-run",
          "{}: expected a run that genscope saved, got something else", runFile);
    CHECK(j.value("version", json()) == 1, "{}: expected version 1, got {}", runFile,
          j.value("version", json()).dump().substr(0, 40));
    try {
        journal.lesson = j.at("lesson");
        journal.preset = j.at("preset");
        journal.seed = j.at("seed");
        journal.step = j.at("step");
        journal.initial = j.at("settings");
        for (const json& f : j.value("files", json::array())) journal.files.push_back({f.at(0), f.at(1)});
    } catch (const json::exception&) {
        throw Error(
            fmt::format("{}: expected lesson, preset, seed, step and settings, got something else", runFile));
    }
    CHECK(journal.step >= 0, "{}: expected a step from 0, got {}", runFile, journal.step);

    if (const auto file = files.find(journalFile); file != files.end()) {
        CHECK(int64_t(file->second.size()) <= limits.journalBytes, "{}: expected at most {} MB", journalFile,
              limits.journalBytes >> 20);
        std::string_view rest = text(file->second);
        for (int line = 1; !rest.empty(); ++line) {
            const size_t end = std::min(rest.find('\n'), rest.size());
            const std::string place = fmt::format("{}, line {}", journalFile, line);
            const json e = parsed(rest.substr(0, end), place);
            rest.remove_prefix(std::min(end + 1, rest.size()));
            try {
                journal.entries.push_back({e.at("step"), e.at("knob"), e.at("value")});
            } catch (const json::exception&) {
                throw Error(fmt::format("{}: expected step, knob and value, got something else", place));
            }
            const int64_t before =
                journal.entries.size() < 2 ? 0 : journal.entries[journal.entries.size() - 2].step;
            CHECK(journal.entries.back().step >= before && journal.entries.back().step <= journal.step,
                  "{}: expected a step from {} to {}, got {}", place, before, journal.step,
                  journal.entries.back().step);
        }
    }
    run.model = weightsOf(files, modelFile, limits.weightBytes);
    run.averages = weightsOf(files, averagesFile, limits.weightBytes);
    run.optimizer = weightsOf(files, optimizerFile, limits.weightBytes);
    CHECK(!run.model.tensors.empty() || !run.averages.tensors.empty(),
          "{}: expected the weights of a run, found neither this file nor {}", modelFile, averagesFile);
    return run;
}

}  // namespace core
