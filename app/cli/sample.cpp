#include "app/cli/sample.h"

#include <fmt/format.h>

#include <QFile>
#include <QString>
#include <bit>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "app/cli/command_line.h"
#include "app/cli/open_saved.h"
#include "app/cli/progress.h"
#include "app/cli/sheet.h"
#include "app/window/gif_writer.h"
#include "core/base/error.h"
#include "core/session/run.h"

namespace app {
namespace {

// FNV-1a over the bits of the samples: the same on every machine.
std::string hashOf(const std::vector<float>& values) {
    uint64_t hash = 14695981039346656037ull;
    for (float v : values) hash = (hash ^ std::bit_cast<uint32_t>(v)) * 1099511628211ull;
    return fmt::format("{:016x}", hash);
}

core::SamplingRequest requestOf(const SampleOptions& options, const core::Run& run) {
    core::SamplingRequest request{.seed = options.seed, .count = options.count};
    for (const auto& [knob, text] : options.knobs) {
        const core::Parameter& p = run.lesson().knob(knob).parameter();
        request.changes[knob] = p.parse(text);
    }
    return request;
}

// About sixty pictures of the way, and the last.
void saveFilm(const core::Trajectory& run, const std::string& path) {
    GifWriter film;
    const int pictures = std::min(run.total, 60);
    for (int k = 0; k <= pictures; ++k)
        film.add(sheetOf(
            run, run.values(core::Trajectory::state, int(std::lround(double(k) * run.total / pictures)))));
    film.save(QString::fromStdString(path), 15);
}

void printResult(const SampleOptions& options, const core::Run& run, const core::Trajectory& t,
                 double seconds) {
    const std::vector<float> samples = t.values(core::Trajectory::state, t.total);
    if (!options.json) {
        fmt::print("{} samples of {} at step {}, {} with {} steps ({} evaluations) in {:.3f} s on {}\n",
                   t.count, run.lessonId(), t.trainingStep, t.choices.at("sampler"), t.total, t.evaluations(),
                   seconds, run.device());
        for (const auto& [name, value] : t.figures) fmt::print("  {:<14}  {:>10.4g}\n", name, value);
        fmt::print("  {:<14}  {}\n", "samples_hash", hashOf(samples));
        return;
    }
    nlohmann::ordered_json out{{"lesson", run.lessonId()},
                               {"training_step", t.trainingStep},
                               {"seed", t.seed},
                               {"count", t.count},
                               {"steps", t.total},
                               {"evaluations", t.evaluations()},
                               {"seconds", std::round(seconds * 1000) / 1000},
                               {"device", run.device()},
                               {"samples_hash", hashOf(samples)}};
    for (const auto& [knob, value] : t.settings)
        out["sampler_knobs"][knob] = run.lesson().knob(knob).parameter().print(value);
    for (const auto& [name, value] : t.figures) out[name] = value;
    fmt::print("{}\n", out.dump());
}

}  // namespace

int runSample(const SampleOptions& options) {
    CHECK(!options.from.empty(),
          "sample: expected --from, the folder of a run that genscope train --out saved");
    const std::unique_ptr<core::Run> run =
        openSaved(options.from, readSaved(options.from, options.lesson), options.request);
    run->sample(1, requestOf(options, *run));
    const auto begun = std::chrono::steady_clock::now();
    const auto present = [&] { return run->samplings().published()->find(1); };
    double seconds = 0;  // without the time that its figures take
    {
        Progress progress("sample", present()->total, options.quiet);
        while (run->sampleMore()) {
            const core::TrajectoryPtr now = present();
            progress.at(int64_t(now->steps.size()), [] { return std::string(); });
            if (seconds == 0 && now->complete())
                seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count();
        }
    }
    const core::TrajectoryPtr result = run->samplings().published()->find(1);
    if (!result->problem.empty()) {
        fmt::print(stderr, "genscope: sample: {}\n", result->problem);
        return result->complete() ? exitDiverged : exitFailed;
    }
    if (!options.out.empty()) {
        const QImage sheet = sheetOf(*result, result->values(core::Trajectory::state, result->total));
        if (!sheet.save(QString::fromStdString(options.out), "PNG")) {
            fmt::print(stderr, "genscope: {}: expected a place to write a PNG picture, could not\n",
                       options.out);
            return exitCannotWrite;
        }
    }
    if (!options.trajectory.empty()) {
        try {
            saveFilm(*result, options.trajectory);
        } catch (const core::Error& fault) {
            fmt::print(stderr, "genscope: {}\n", fault.what());
            return exitCannotWrite;
        }
    }
    printResult(options, *run, *result, seconds);
    return std::fflush(stdout) == 0 ? exitOk : exitCannotWrite;
}

}  // namespace app
