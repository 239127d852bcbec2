#include "app/cli/command_line.h"

#include <CLI/CLI.hpp>
#include <QFile>
#include <QFileInfo>
#include <charconv>
#include <cstdio>
#include <iterator>
#include <limits>
#include <optional>
#include <string>

#include "app/cli/bench.h"
#include "app/cli/display.h"
#include "app/cli/doctor.h"
#include "app/cli/sample.h"
#include "app/cli/shot.h"
#include "app/cli/train.h"
#include "app/window/own_file.h"
#include "app/window/window.h"
#include "core/base/error.h"
#include "core/lessons/lesson.h"
#include "core/session/devices.h"
#include "core/session/run.h"

namespace app {
namespace {

const char* const exitCodes =
    "Exit codes: 0 done, 1 failed, 2 wrong usage, 69 "
    "no display or device, 73 cannot write,\n"
    "75 a number was not finite, 130 interrupted.";

// What each verb that runs a lesson is asked.
struct RunOptions {
    core::RunRequest request;
    std::vector<std::string> settings;
    std::string data;  // a file of the user's own
    std::string shared;
    std::optional<core::Journal> journal;  // from `shared`
};

// A file that the command names is not what it should be: the command itself was right.
struct BadFile : core::Error {
    using core::Error::Error;
};

std::pair<std::string, std::string> splitSetting(const std::string& setting) {
    const size_t equals = setting.find('=');
    CHECK(equals != std::string::npos && equals > 0, "--set: expected name=value, got '{}'", setting);
    return {setting.substr(0, equals), setting.substr(equals + 1)};
}

// An option's value must be a whole number of this range.
CLI::Validator wholeNumber(int64_t low, int64_t high) {
    const auto check = [low, high](std::string& text) -> std::string {
        int64_t value = 0;
        const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
        const bool whole = code == std::errc() && end == text.data() + text.size();
        if (whole && value >= low && value <= high) return {};
        return fmt::format("expected a whole number from {} to {}, got '{}'", low, high, text);
    };
    return {check, fmt::format("{} to {}", low, high)};
}

// The name of a file must say what is written into it.
CLI::Validator ending(const std::string& suffix) {
    const auto check = [suffix](std::string& name) {
        return name.ends_with(suffix) ? "" : fmt::format("expected a name in {}, got '{}'", suffix, name);
    };
    return {check, "FILE" + suffix};
}

void addDeviceOption(CLI::App* verb, core::RunRequest& request) {
    verb->add_option("--device", request.device, "cpu, or cuda: an NVIDIA card (cpu)")
        ->check(CLI::IsMember({"cpu", "cuda"}));
    verb->add_flag("--exact", request.exact, "on a card: products in FP32 instead of TF32");
}

void addRunOptions(CLI::App* verb, RunOptions& run) {
    verb->add_option("--lesson", run.request.lesson,
                     fmt::format("one of {}", fmt::join(core::lessonIds(), ", ")));
    verb->add_option("--preset", run.request.preset, "a preset of the lesson; its first if left out");
    verb->add_option("--set", run.settings, "a knob, as name=value; may be given again")
        ->allow_extra_args(false)
        ->type_name("NAME=VALUE");
    verb->add_option("--seed", run.request.seed, "the same seed gives the same run (1)")
        ->check(wholeNumber(0, std::numeric_limits<int64_t>::max()));
    verb->add_option("--threads", run.request.threads,
                     "threads that train (train: all cores; the window leaves one to itself)")
        ->check(wholeNumber(1, 256));
    CLI::Option* data = verb->add_option("--data", run.data,
                                         "a file of your own: points as CSV, pictures as IDX, or a picture "
                                         "as a density: dense is what is light on a dark border, "
                                         "or dark on a light one");
    CLI::Option* shared = verb->add_option(
        "--run", run.shared, "a run copied as text: the line itself, a file that holds it, or - for stdin");
    for (const char* name : {"--lesson", "--preset", "--set", "--seed"})
        shared->excludes(verb->get_option(name));
    shared->excludes(data);
    addDeviceOption(verb, run.request);
}

void addSampleOptions(CLI::App* verb, SampleOptions& options) {
    verb->add_option("--from", options.from, "the folder of a run that genscope train --out saved")
        ->required();
    verb->add_option("--lesson", options.lesson, "the lesson that the run must be of");
    const auto knob = [&](const char* option, const char* name, const char* words) {
        verb->add_option_function<std::string>(
                option, [&options, name](const std::string& text) { options.knobs.emplace_back(name, text); },
                words)
            ->type_name("VALUE");
    };
    knob("--sampler", "sampler", "ddpm, ddim, euler, heun, dpm++, or inversion: of data to noise and back");
    knob("--steps", "sampler_steps", "steps of the sampler");
    knob("--spacing", "spacing", "trailing, leading, linear or karras");
    knob("--eta", "eta", "the share of DDPM's noise that ddim adds");
    verb->add_option_function<std::vector<std::string>>(
            "--set",
            [&options](const std::vector<std::string>& settings) {
                for (const std::string& setting : settings) options.knobs.push_back(splitSetting(setting));
            },
            "another knob of the sampler, as name=value; may be given again")
        ->allow_extra_args(false)
        ->type_name("NAME=VALUE");
    verb->add_option("--seed", options.seed, "the same seed gives the same noise (1)")
        ->check(wholeNumber(0, std::numeric_limits<int64_t>::max()));
    verb->add_option("--count", options.count, "samples; as many as the lesson shows if left out")
        ->check(wholeNumber(1, 10'000));
    verb->add_option("--threads", options.request.threads, "threads that compute (all cores)")
        ->check(wholeNumber(1, 256));
    verb->add_option("--out", options.out, "a PNG picture of the samples")->check(ending(".png"));
    verb->add_option("--trajectory", options.trajectory, "a GIF of the way from noise to samples")
        ->check(ending(".gif"));
    verb->add_flag("--json", options.json, "print one JSON object, and nothing else, on stdout");
    verb->add_flag("--quiet", options.quiet, "no progress on stderr");
    verb->footer(
        "genscope sample --lesson ddpm --from run/ --sampler ddim --steps 20 --count 64 --seed 3 --out "
        "sheet.png");
}

// The run that the text describes, with its files read again.
void completeShared(RunOptions& run) {
    std::string line = run.shared;
    if (line.find('{') == std::string::npos) {
        QFile file;
        const bool opened =
            line == "-" ? file.open(stdin, QIODevice::ReadOnly)
                        : (file.setFileName(QFile::decodeName(line.c_str())), file.open(QIODevice::ReadOnly));
        constexpr qint64 longest = 8 << 20;
        if (!opened)
            throw BadFile(fmt::format("{}: expected a file with a run copied as text, got: {}", line,
                                      file.errorString().toStdString()));
        const QByteArray text = file.read(longest + 1);
        if (text.size() > longest)
            throw BadFile(
                fmt::format("{}: expected a run copied as text, got more than {} bytes", line, longest));
        line = text.trimmed().toStdString();
    }
    try {
        run.journal = core::Journal::fromLine(line);
        run.request.ownData = readOwnFiles(*run.journal);
        const core::RunRequest asked = run.request;
        run.request = core::Run::requestOf(*run.journal, asked.threads, asked.ownData);
        run.request.device = asked.device;
        run.request.exact = asked.exact;
    } catch (const core::Error& fault) {
        throw BadFile(fault.what());
    }
}

// Fills in the settings and checks that the lesson, preset and knobs exist and
// take their values, without touching any data: what fails here is wrong usage.
void complete(RunOptions& run) {
    if (!run.shared.empty()) return completeShared(run);
    if (!run.data.empty()) {
        try {
            run.request.ownData = {readOwnFile(QFile::decodeName(run.data.c_str()))};
        } catch (const core::Error& fault) {
            throw BadFile(fault.what());
        }
    }
    for (const std::string& setting : run.settings) run.request.settings.push_back(splitSetting(setting));
    const auto lesson = core::makeLesson(run.request.lesson);
    for (const core::OwnDataPtr& own : run.request.ownData) {
        lesson->offer(own);
        const std::string& option = lesson->knob("data").parameter().options.back();
        run.request.settings.insert(run.request.settings.begin(), {"data", option});
    }
    const auto presets = lesson->presets();
    if (!run.request.preset.empty()) {
        std::vector<std::string> names;
        std::transform(presets.begin(), presets.end(), std::back_inserter(names),
                       [](const core::Preset& preset) { return preset.name; });
        CHECK(std::find(names.begin(), names.end(), run.request.preset) != names.end(),
              "preset of {}: expected one of {}, got '{}'", run.request.lesson, fmt::join(names, ", "),
              run.request.preset);
    }
    for (const auto& [knob, value] : run.request.settings) lesson->knob(knob).parameter().parse(value);
}

// Before hours of training, not after them.
bool canWrite(const std::string& path) {
    const QFileInfo file(QString::fromStdString(path)), folder(file.absolutePath());
    return folder.isDir() && (file.exists() ? file.isFile() && file.isWritable() : folder.isWritable());
}

int complain(const std::string& sentence, int code) {
    // CLI11 ends some of its messages with a full stop or a line break.
    const size_t end = sentence.find_last_not_of(" .\n");
    fmt::print(stderr, "genscope: {}\n", sentence.substr(0, end + 1));
    return code;
}

}  // namespace

int commandLine(int argc, char** argv) {
    CLI::App program(
        "Genscope: watch generative models learn. Without a verb it "
        "opens the window.",
        "genscope");
    program.set_version_flag("--version", std::string("genscope ") + GENSCOPE_VERSION);
    program.footer(exitCodes);
    program.require_subcommand(0, 1);

    RunOptions windowRun;
    addRunOptions(&program, windowRun);

    RunOptions trainRun;
    TrainOptions trainOptions;
    CLI::App* train = program.add_subcommand("train", "Train a lesson without a window");
    addRunOptions(train, trainRun);
    train->add_option("--steps", trainOptions.steps, "training steps; the preset's budget if left out")
        ->check(wholeNumber(1, 1'000'000'000));
    train->add_option("--out", trainOptions.out,
                      "a folder to save the run in: weights as safetensors, settings, journal");
    train->add_flag("--replace", trainOptions.replace, "write over another run that is saved there")
        ->needs("--out");
    CLI::Option* from = train->add_option("--from", trainOptions.from,
                                          "go on with the run in this folder, up to --steps of the whole");
    for (const char* name : {"--lesson", "--preset", "--set", "--seed", "--data", "--run"})
        from->excludes(train->get_option(name));
    train->add_option("--save-every", trainOptions.saveEvery, "seconds from one time to the next (30)")
        ->check(wholeNumber(1, 86400))
        ->needs("--out");
    train->add_flag("--json", trainOptions.json, "print one JSON object, and nothing else, on stdout");
    train->add_flag("--quiet", trainOptions.quiet, "no progress on stderr");
    train->footer(
        "genscope train --lesson gan --preset ring8 --seed 1 --steps "
        "5000 --json\n"
        "genscope train --lesson vae --set beta=4 --set z_dim=2\n"
        "genscope train --lesson gan --data points.csv\n"
        "genscope train --from run --steps 8000 --out run");

    SampleOptions sampleOptions;
    CLI::App* sample =
        program.add_subcommand("sample", "Draw from the network of a saved run; needs no display");
    addSampleOptions(sample, sampleOptions);
    addDeviceOption(sample, sampleOptions.request);

    RunOptions shotRun;
    ShotOptions shotOptions;
    CLI::App* shot =
        program.add_subcommand("shot", "Write a picture, drawing or film of the window; needs no display");
    addRunOptions(shot, shotRun);
    shot->add_option("--steps", shotOptions.steps, "training steps before the picture is taken (0)")
        ->check(wholeNumber(0, 1'000'000'000));
    shot->add_option("--size", shotOptions.size, "WIDTHxHEIGHT in pixels (1600x1000; 1200x750 for a GIF)");
    shot->add_option(
            "--out", shotOptions.out,
            "what to write: .png a picture, .svg a drawing of the panels, .gif the run from its start")
        ->required();
    shot->add_option("--frames", shotOptions.frames, "pictures of a GIF (60)")->check(wholeNumber(1, 1000));
    shot->add_option("--fps", shotOptions.framesPerSecond, "pictures a second of a GIF (12)")
        ->check(CLI::Range(1.0, 50.0));
    shot->add_option("--theme", shotOptions.theme, "dark, light or contrast")
        ->check(CLI::IsMember({"dark", "light", "contrast"}));
    shot->add_option("--language", shotOptions.language, "en or zh")->check(CLI::IsMember({"en", "zh"}));
    shot->add_option("--panel", shotOptions.panel, "only this panel of the lesson");
    shot->add_option("--settle", shotOptions.settle,
                     "seconds without change before the picture is taken (1.2)")
        ->check(CLI::Range(0.0, 600.0));
    shot->add_flag("--presenter", shotOptions.presenter, "as F11 shows it");
    shot->footer(
        "genscope shot --lesson vae --preset fashion2d --steps 2000 "
        "--size 1600x1000 --out a.png\n"
        "genscope shot --preset ring8 --steps 3000 --panel losses --out curves.svg\n"
        "genscope shot --preset ring8 --steps 3000 --panel plane --frames 80 --out run.gif");

    DoctorOptions doctorOptions;
    CLI::App* doctor = program.add_subcommand("doctor", "Say what this machine offers");
    doctor->add_flag("--json", doctorOptions.json, "as one JSON object");

    BenchOptions benchOptions{.peerScript = GENSCOPE_PEER "/bench.py"};
    CLI::App* bench =
        program.add_subcommand("bench", "Time one training step of each workload: name, milliseconds");
    bench->add_option("--only,workload", benchOptions.workloads, "only these workloads: a,b")->delimiter(',');
    bench->add_option("--threads", benchOptions.request.threads, "threads that train; all cores if left out")
        ->check(wholeNumber(1, 256));
    bench->add_option("--seconds", benchOptions.seconds, "how long each is timed (2)")
        ->check(CLI::Range(0.1, 600.0));
    bench->add_flag("--details", benchOptions.details,
                    "also GFLOP/s, the barriers of a step and how long recording it took");
    bench->add_flag("--json", benchOptions.json, "as one JSON object");
    addDeviceOption(bench, benchOptions.request);
    bench->add_option("--against", benchOptions.peer,
                      "a Python interpreter that has torch: time PyTorch in turn, and print the ratio");
    bench->add_option("--peer", benchOptions.peerScript, "the script that it runs (tests/peer/bench.py)");
    bench->add_flag("!--eager", benchOptions.compiled, "the peer without torch.compile");

    // CLI11 would call an unknown verb an unexpected argument.
    std::vector<std::string> verbs;
    for (const CLI::App* verb : program.get_subcommands([](const CLI::App*) { return true; }))
        verbs.push_back(verb->get_name());
    if (argc > 1 && argv[1][0] != '-' && std::find(verbs.begin(), verbs.end(), argv[1]) == verbs.end())
        return complain(fmt::format("expected one of the verbs {}, got '{}'; --help says more",
                                    fmt::join(verbs, ", "), argv[1]),
                        exitUsage);
    try {
        program.parse(argc, argv);
    } catch (const core::Error& fault) {  // of a callback
        return complain(fault.what(), exitUsage);
    } catch (const CLI::Success& asked) {  // --help, --version
        return program.exit(asked);
    } catch (const CLI::ParseError& fault) {
        return complain(fault.what(), exitUsage);
    }

    try {
        RunOptions& run = *train ? trainRun : *shot ? shotRun : windowRun;
        complete(run);
        trainOptions.request = shotOptions.request = run.request;
        trainOptions.journal = shotOptions.journal = run.journal;
        if (*train) checkTrain(trainOptions);
        if (*shot) checkShot(shotOptions);
        std::vector<std::string> written;
        if (*shot) written = {shotOptions.out};
        if (*sample) written = {sampleOptions.out, sampleOptions.trajectory};
        for (const std::string& path : written)
            if (!path.empty() && !canWrite(path))
                return complain(path + ": expected a place to write, could not", exitCannotWrite);
        const std::string& device = (*bench    ? benchOptions.request
                                     : *sample ? sampleOptions.request
                                               : run.request)
                                        .device;
        if (device == "cuda" && !core::askForCard().there)
            return complain("--device cuda: " + core::askForCard().text, exitUnavailable);
        if (*sample)
            return runSample(sampleOptions);        // it throws what is wrong with the command or its folder
        if (*bench) return runBench(benchOptions);  // it refuses only workloads that do not exist
    } catch (const core::DeviceError& fault) {
        return complain(fault.what(), exitFailed);
    } catch (const BadFile& fault) {
        return complain(fault.what(), exitFailed);
    } catch (const core::Error& fault) {
        return complain(fault.what(), exitUsage);
    }

    try {
        if (*train) return runTrain(trainOptions);
        nameRuntimeFolder();
        if (*doctor) return runDoctor(doctorOptions);
        if (*shot) return runShot(shotOptions, argc, argv);
        if (!displayAnswers())
            return complain(
                "no display to open the window on; without one there are "
                "genscope train, genscope shot and "
                "genscope doctor",
                exitUnavailable);
        return runWindow(windowRun.request, windowRun.journal, argc, argv);
    } catch (const std::exception& fault) {
        return complain(fault.what(), exitFailed);
    }
}

}  // namespace app
