#include "app/cli/bench.h"

#include <fmt/format.h>

#include <QProcess>
#include <algorithm>
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <thread>

#include "app/cli/command_line.h"
#include "core/base/error.h"
#include "core/session/bench.h"
#include "core/session/devices.h"

namespace app {
namespace {

// The other program: it answers one line "MODE MILLISECONDS" to each line "MODE SECONDS".
class Peer {
  public:
    Peer(const BenchOptions& options, const std::string& workload) {
        m_process.setProcessChannelMode(QProcess::ForwardedErrorChannel);
        QStringList arguments = {QString::fromStdString(options.peerScript),
                                 "--serve",
                                 QString::fromStdString(workload),
                                 "--threads",
                                 QString::number(options.request.threads),
                                 "--device",
                                 QString::fromStdString(options.request.device)};
        if (options.request.exact) arguments << "--exact";
        m_process.start(QString::fromStdString(options.peer), arguments);
        for (std::string line = readLine(); line != "ready"; line = readLine())
            if (line.starts_with("#")) m_notes += line + "\n";
    }
    ~Peer() {
        m_process.closeWriteChannel();
        if (!m_process.waitForFinished(5000)) m_process.kill();
        m_process.waitForFinished(5000);
    }

    // The median of a step in this mode; empty where the peer cannot run the workload so.
    std::optional<double> milliseconds(const std::string& mode, double seconds) {
        m_process.write(QByteArray::fromStdString(fmt::format("{} {}\n", mode, seconds)));
        std::string line = readLine();
        while (!line.starts_with(mode + " ")) line = readLine();
        const double ms = QString::fromStdString(line.substr(mode.size() + 1)).toDouble();
        return ms > 0 ? std::optional(ms) : std::nullopt;
    }
    const std::string& notes() const { return m_notes; }

  private:
    // Compiling a network takes minutes.
    std::string readLine() {
        constexpr int patienceMs = 20 * 60 * 1000;
        while (!m_process.canReadLine())
            CHECK(m_process.waitForReadyRead(patienceMs), "bench: expected an answer from the peer, got {}",
                  m_process.errorString().toStdString());
        return m_process.readLine().trimmed().toStdString();
    }

    QProcess m_process;
    std::string m_notes;
};

struct Row {
    std::string name;
    double ms = 0, share = 0;
    double gflops = 0, recordMs = 0;
    int depth = 0, launches = 0;
    std::optional<double> eager, compiled;

    // Against the better of the peer's modes.
    double ratio() const { return std::min(eager.value_or(1e30), compiled.value_or(1e30)) / ms; }
};

// In turn: ours, the peer's modes, ours again, so that both sides see the same load of the machine.
Row measure(const BenchOptions& options, const std::string& name, double peak, std::string& notes) {
    Row row{.name = name};
    const auto ours = [&] {
        core::Bench bench(name, core::openDevice(options.request));
        const double ms = bench.milliseconds(options.seconds);
        row.gflops = bench.flops() / 1e9;
        row.depth = bench.depth();
        row.launches = bench.launches();
        row.recordMs = bench.recordMs();
        return ms;
    };
    if (options.peer.empty()) {
        row.ms = ours();
    } else {
        Peer peer(options, name);
        notes = peer.notes();
        const double before = ours();
        row.eager = peer.milliseconds("eager", options.seconds);
        if (options.compiled) row.compiled = peer.milliseconds("compiled", options.seconds);
        row.ms = (before + ours()) / 2;
    }
    row.gflops /= row.ms / 1e3;
    if (peak > 0) row.share = row.gflops / peak;
    return row;
}

void print(const Row& row, const BenchOptions& options) {
    if (row.launches > 0)
        fmt::print("{:<13}{:>10.4f} {:>5} {:>5}", row.name, row.ms, row.launches, row.depth);
    else
        fmt::print("{:<13}{:>10.3f} {:>6.1f}%", row.name, row.ms, 100 * row.share);
    if (options.details) fmt::print("  {:.0f} GFLOP/s, recorded in {:.1f} ms", row.gflops, row.recordMs);
    if (options.details && row.launches == 0) fmt::print(", {} levels", row.depth);
    const auto time = [](const std::optional<double>& ms) { return ms ? fmt::format("{:.3f}", *ms) : "-"; };
    if (!options.peer.empty())
        fmt::print("  eager {:>9}  compiled {:>9}  ratio {:>5.2f}", time(row.eager), time(row.compiled),
                   row.ratio());
    fmt::print("\n");
    std::fflush(stdout);
}

nlohmann::json jsonOf(const Row& row, const BenchOptions& options) {
    nlohmann::json out = {{"milliseconds", row.ms},
                          {"gflops", row.gflops},
                          {row.launches > 0 ? "depth" : "levels", row.depth},
                          {"record_ms", row.recordMs}};
    if (row.launches > 0)
        out["launches"] = row.launches;
    else
        out["share_of_peak"] = row.share;
    if (options.peer.empty()) return out;
    if (row.eager) out["eager_ms"] = *row.eager;
    if (row.compiled) out["compiled_ms"] = *row.compiled;
    out["ratio"] = row.ratio();
    return out;
}

}  // namespace

int runBench(const BenchOptions& asked) {
    BenchOptions options = asked;
    int& threads = options.request.threads;
    if (threads <= 0) threads = int(std::thread::hardware_concurrency());
    const bool onCard = options.request.device != "cpu";
    const std::vector<std::string> known = core::benchNames();
    for (const std::string& name : options.workloads)
        CHECK(std::find(known.begin(), known.end(), name) != known.end(),
              "bench: expected some of {}, got '{}'", fmt::join(known, ", "), name);
    const double peak = onCard ? 0 : core::peakGflops(threads);
    nlohmann::json all;
    if (onCard) {
        all["device"] = core::openDevice(options.request)->name();
        if (!options.json)
            fmt::print("# {}\n# name, ms a step, launches a step, how many of them wait for each other\n",
                       all["device"].get<std::string>());
    } else {
        all = {{"threads", threads}, {"peak_gflops", peak}};
        if (!options.json)
            fmt::print(
                "# {} threads, peak {:.0f} GFLOP/s in fused multiply-adds\n# name, ms a step, share of "
                "peak\n",
                threads, peak);
    }
    std::string notes;
    for (const std::string& name : known) {
        const auto& some = options.workloads;
        if (!some.empty() && std::find(some.begin(), some.end(), name) == some.end()) continue;
        const bool first = notes.empty();
        const Row row = measure(options, name, peak, notes);
        if (!options.json && first) fmt::print("{}", notes);
        if (options.json)
            all["workloads"][name] = jsonOf(row, options);
        else
            print(row, options);
    }
    if (!notes.empty()) all["peer"] = notes;
    if (options.json) fmt::print("{}\n", all.dump());
    return exitOk;
}

}  // namespace app
