// A plugin without a card: memory and arithmetic are the host's. It fails as it is told to:
// GENSCOPE_HOST_CARD names a call that fails, as "replay 12 the card's memory is full", and whether the card
// is lost from then on ("lost replay 12 ..."); or "old" (driver), "none" (no card) and "version" (of the
// plugin).
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <sstream>
#include <vector>

#include "tests/cuda/host/launches.h"

namespace core::cuda {

struct Device {};

// In an order that the dependencies allow and nobody expects: the last of what is ready runs first.
struct Recording {
    std::vector<Launch> launches;
    Clock* clock = nullptr;
    int32_t steps = 0;
};

namespace {

struct Fault {
    std::string call, reason;
    int countdown = 0;
    bool lost = false, gone = false;
};
Fault fault;
thread_local std::string lastProblem;

std::string told() {
    const char* const words = std::getenv("GENSCOPE_HOST_CARD");
    return words ? words : "";
}

void readFault() {
    fault = {};
    std::istringstream words(told());
    words >> fault.call;
    if (fault.call == "lost") {
        fault.lost = true;
        words >> fault.call;
    }
    words >> fault.countdown >> std::ws;
    std::getline(words, fault.reason);
}

// Says whether this call is the one that fails.
bool fails(const char* call) {
    const bool now = fault.gone || (fault.call == call && --fault.countdown == 0);
    if (!now) return false;
    fault.gone = fault.lost;
    lastProblem = fault.reason;
    return true;
}

int run(const Launch* launches, int32_t count, Clock* clock, int32_t steps) {
    try {
        for (int32_t i = 0; i < count; ++i) host::runLaunch(launches[i]);
    } catch (const std::exception& e) {
        lastProblem = e.what();
        return 1;
    }
    clock->step += uint64_t(steps);
    return 0;
}

int open(Device** device) {
    readFault();
    if (fails("open")) return 1;
    *device = new Device;
    return 0;
}
void close(Device* device) {
    delete device;
}
const char* name(Device*) {
    return "Host card";
}
int chains(Device*) {
    return 0;
}
int loops(Device*) {
    return 1;
}
int warpgroups(Device*) {
    return 1;
}
int attention(Device*) {
    return 0;
}
int allocate(Device*, uint64_t bytes, void** memory) {
    if (fails("allocate")) return 1;
    *memory = std::aligned_alloc(256, (bytes + 511) / 256 * 256);
    return 0;
}
void release(Device*, void* memory) {
    std::free(memory);
}
int allocateHost(Device* device, uint64_t bytes, void** memory) {
    return allocate(device, bytes, memory);
}
int upload(Device*, void* to, const void* from, uint64_t bytes) {
    if (fails("upload")) return 1;
    std::memcpy(to, from, bytes);
    return 0;
}
int download(Device*, void* to, const void* from, uint64_t bytes) {
    if (fails("download")) return 1;
    std::memcpy(to, from, bytes);
    return 0;
}
int copy(Device*, void* to, const void* from, uint64_t bytes) {
    if (fails("copy")) return 1;
    std::memcpy(to, from, bytes);
    return 0;
}
int fill(Device*, void* memory, int byte, uint64_t bytes) {
    if (fails("fill")) return 1;
    std::memset(memory, byte, bytes);
    return 0;
}
int wait(Device*) {
    return fails("wait");
}

int record(Device*, const Launch* launches, int32_t count, const int32_t (*edges)[2], int32_t edgeCount,
           Clock* clock, int32_t steps, Recording** out, Recorded* recorded) {
    if (fails("record")) return 1;
    std::vector<int> waits(size_t(count), 0), depth(size_t(count), 1);
    for (int32_t k = 0; k < edgeCount; ++k) ++waits[size_t(edges[k][1])];
    auto* recording = new Recording{{}, clock, steps};
    *recorded = {count, 0};
    std::vector<bool> done(size_t(count), false);
    while (int32_t(recording->launches.size()) < count) {
        int32_t next = count - 1;
        while (next >= 0 && (done[size_t(next)] || waits[size_t(next)] > 0)) --next;
        if (next < 0) {
            delete recording;
            lastProblem = "launches wait for each other";
            return 1;
        }
        done[size_t(next)] = true;
        recording->launches.push_back(launches[next]);
        recorded->depth = std::max(recorded->depth, depth[size_t(next)]);
        for (int32_t k = 0; k < edgeCount; ++k)
            if (edges[k][0] == next) {
                const auto later = size_t(edges[k][1]);
                --waits[later];
                depth[later] = std::max(depth[later], depth[size_t(next)] + 1);
            }
    }
    *out = recording;
    return 0;
}
void forget(Device*, Recording* recording) {
    delete recording;
}
int replay(Device*, Recording* recording) {
    if (fails("replay")) return 1;
    return run(recording->launches.data(), int32_t(recording->launches.size()), recording->clock,
               recording->steps);
}
int runLaunches(Device*, const Launch* launches, int32_t count, Clock* clock, int32_t steps) {
    if (fails("runLaunches")) return 1;
    return run(launches, count, clock, steps);
}
const char* problem() {
    return lastProblem.c_str();
}

constexpr Table table = {.version = abiVersion,
                         .open = open,
                         .close = close,
                         .name = name,
                         .chains = chains,
                         .loops = loops,
                         .warpgroups = warpgroups,
                         .attention = attention,
                         .allocate = allocate,
                         .release = release,
                         .allocateHost = allocateHost,
                         .releaseHost = release,
                         .upload = upload,
                         .download = download,
                         .copy = copy,
                         .fill = fill,
                         .wait = wait,
                         .record = record,
                         .forget = forget,
                         .replay = replay,
                         .runLaunches = runLaunches,
                         .problem = problem};

}  // namespace
}  // namespace core::cuda

extern "C" __attribute__((visibility("default"))) int genscopeCudaProbe(char* reason, int size) {
    const std::string words = core::cuda::told();
    const bool old = words == "old", none = words == "none";
    std::snprintf(reason, size_t(size), "%s",
                  old    ? "the NVIDIA driver offers CUDA 11.4, CUDA 12.0 is needed"
                  : none ? "no NVIDIA card answers: no CUDA-capable device is detected"
                         : "Host card");
    return !old && !none;
}

extern "C" __attribute__((visibility("default"))) const core::cuda::Table* genscopeCudaCreate(
    uint32_t version) {
    return version == core::cuda::abiVersion && core::cuda::told() != "version" ? &core::cuda::table
                                                                                : nullptr;
}
