#include "app/cli/train.h"

#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <charconv>
#include <chrono>
#include <cmath>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <thread>

#include "app/cli/command_line.h"
#include "app/cli/open_saved.h"
#include "app/cli/progress.h"
#include "core/base/error.h"
#include "core/session/run.h"

namespace app {
namespace {

volatile std::sig_atomic_t interrupted = 0;  // the signal's number

// The first signal asks the run to end after its step; a second one kills.
class InterruptGuard {
  public:
    InterruptGuard() {
        interrupted = 0;
        struct sigaction action {};
        action.sa_handler = [](int signal) { interrupted = signal; };
        action.sa_flags = int(SA_RESETHAND);
        for (size_t i = 0; i < signals.size(); ++i) sigaction(signals[i], &action, &m_before[i]);
    }
    ~InterruptGuard() {
        for (size_t i = 0; i < signals.size(); ++i) sigaction(signals[i], &m_before[i], nullptr);
    }
    InterruptGuard(const InterruptGuard&) = delete;
    InterruptGuard& operator=(const InterruptGuard&) = delete;

  private:
    static constexpr std::array<int, 3> signals{SIGINT, SIGTERM, SIGHUP};
    std::array<struct sigaction, 3> m_before{};
};

// The folder of a run, replaced as a whole every so often while it trains: whatever ends the program, no more
// is lost than since the last time.
class Saving {
  public:
    explicit Saving(const TrainOptions& options) : m_folder(options.out), m_every(options.saveEvery) {
        if (!m_folder.empty()) core::checkFolder(m_folder);
    }
    // Training goes on where this fails, and it is tried again at the next time.
    void maybe(const core::Run& run) {
        if (m_folder.empty() || Clock::now() - m_saved < m_every) return;
        try {
            now(run);
        } catch (const core::Error& fault) {
            m_saved = Clock::now();
            fmt::print(stderr, "genscope: {}\n", fault.what());
        }
    }
    void now(const core::Run& run) {
        if (m_folder.empty()) return;
        core::writeFolder(m_folder, core::filesOf(run.saved()));
        m_saved = Clock::now();
    }

  private:
    using Clock = std::chrono::steady_clock;
    std::string m_folder;
    std::chrono::seconds m_every;
    Clock::time_point m_saved = Clock::now();
};

// The shortest decimal that reads back as the same float: 0.1, not 0.10000000149.
nlohmann::ordered_json number(float value) {
    if (!std::isfinite(value)) return nullptr;
    char digits[32];
    const auto written = std::to_chars(digits, digits + sizeof digits, value);
    double asDouble = 0;
    std::from_chars(digits, written.ptr, asDouble);
    return asDouble;
}

using Scalars = std::map<std::string, float>;

Scalars scalarsOf(core::Run& run) {
    Scalars scalars;
    const core::Frame frame = run.look(run.channelNames(), true);
    for (const auto& [name, tensor] : frame.channels)
        if (tensor.values.size() == 1) scalars[name] = tensor.values[0];
    return scalars;
}

struct Result {
    const core::Run& run;
    Scalars scalars;
    int64_t from;  // the step that it went on from
    double seconds;
    bool interrupted;

    int64_t steps() const { return run.stepCount(); }
    double rate() const { return seconds > 0 ? double(steps() - from) / seconds : 0; }
    std::string hash() const { return fmt::format("{:016x}", run.parameterHash()); }
};

void printJson(const Result& result) {
    nlohmann::ordered_json out;
    out["lesson"] = result.run.lessonId();
    out["preset"] = result.run.preset();
    out["seed"] = result.run.seed();
    out["steps"] = result.steps();
    if (result.from > 0) out["from_step"] = result.from;
    out["seconds"] = std::round(result.seconds * 1000) / 1000;
    out["steps_per_second"] = std::round(result.rate() * 10) / 10;
    out["device"] = result.run.device();
    out["parameter_hash"] = result.hash();
    core::Journal journal = result.run.journal();
    journal.step = result.steps();
    out["run"] = journal.toLine();  // for --run
    if (result.interrupted) out["interrupted"] = true;
    if (!result.run.problem().empty()) out["problem"] = result.run.problem();
    for (const auto& [name, value] : result.scalars) out[name] = number(value);
    fmt::print("{}\n", out.dump());
}

void printTable(const Result& result) {
    const std::string begun = result.from > 0 ? fmt::format("from step {} to ", result.from) : "";
    fmt::print("{} {}, seed {}, {}{} steps in {:.1f} s ({:.0f} a second) on {}\n\n", result.run.lessonId(),
               result.run.preset(), result.run.seed(), begun, result.steps(), result.seconds, result.rate(),
               result.run.device());
    size_t width = 14;
    for (const auto& [name, value] : result.scalars) width = std::max(width, name.size());
    for (const auto& [name, value] : result.scalars) fmt::print("  {:<{}}  {:>10.4g}\n", name, width, value);
    fmt::print("  {:<{}}  {}\n", "parameter_hash", width, result.hash());
    if (!result.run.problem().empty()) fmt::print("\n{}\n", result.run.problem());
}

std::unique_ptr<core::Run> openRun(const TrainOptions& options) {
    core::RunRequest request = options.request;
    if (request.threads == 0)
        request.threads = int(std::thread::hardware_concurrency());  // no window to spare
    if (!options.from.empty()) return openSaved(options.from, readSaved(options.from), request);
    if (options.journal) return core::Run::replay(*options.journal, request);
    return std::make_unique<core::Run>(request);
}

}  // namespace

void checkTrain(const TrainOptions& options) {
    const bool replaces = options.replace || options.out == options.from;
    CHECK(options.out.empty() || replaces || !std::filesystem::exists(options.out + "/run.json"),
          "--out: expected a folder without a run, got {}; --replace writes over it", options.out);
    if (options.from.empty()) return;
    const int64_t step = readSaved(options.from).journal.step;
    CHECK(options.steps == 0 || options.steps > step,
          "--steps: expected more than the {} that {} has behind it, got {}", step, options.from,
          options.steps);
}

int runTrain(const TrainOptions& options) {
    std::optional<Saving> saving;
    try {
        saving.emplace(options);
    } catch (const core::Error& fault) {
        fmt::print(stderr, "genscope: {}\n", fault.what());
        return exitCannotWrite;
    }
    const InterruptGuard guard;
    const std::unique_ptr<core::Run> opened = openRun(options);
    core::Run& run = *opened;
    const int64_t from = run.stepCount();
    const int64_t shared = options.journal ? options.journal->step : 0;
    const int64_t steps = options.steps > 0 ? options.steps : shared > 0 ? shared : run.budget();
    CHECK(from < steps, "{}: at step {} the budget of {} is used up; --steps says how much further",
          options.from, from, steps);

    bool finite = true;
    double seconds = 0;
    {
        Progress progress(run.lessonId() + " " + run.preset(), steps, options.quiet, from);
        while (finite && !interrupted && run.stepCount() < steps) {
            finite = run.steps(steps - run.stepCount()) > 0;
            progress.at(run.stepCount(), [] { return std::string(); });
            if (finite) saving->maybe(run);
        }
        seconds = progress.seconds();
    }

    try {
        saving->now(run);
    } catch (const core::Error& fault) {
        fmt::print(stderr, "genscope: {}\n", fault.what());
        return exitCannotWrite;
    }
    const Result result{run, scalarsOf(run), from, seconds, interrupted != 0};
    options.json ? printJson(result) : printTable(result);
    if (std::fflush(stdout) != 0) return exitCannotWrite;
    if (!finite) {
        fmt::print(stderr, "genscope: {}\n", run.problem());
        return exitDiverged;
    }
    return result.interrupted ? exitSignalled + interrupted : exitOk;
}

}  // namespace app
