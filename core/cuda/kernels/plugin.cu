// The plugin's door: devices, memory, and launches run one by one or captured in a graph.
#include <algorithm>
#include <cstdio>
#include <cstring>
#include <new>
#include <string>
#include <vector>

#include "core/cuda/kernels/kernels.h"

namespace core::cuda {

struct Device {
    int index = 0;
    cudaStream_t stream = nullptr;
    void* landing = nullptr;  // pinned memory that small copies to the host pass through
    bool overlaps = false;    // kernels can begin before those that they wait for have ended
    char name[256] = {};
};

struct Recording {
    cudaGraph_t graph = nullptr;
    cudaGraphExec_t executable = nullptr;
};

namespace {

thread_local std::string lastProblem;

// What is copied to the host in one go: over this, the copy from pinned memory costs more than it saves.
constexpr uint64_t landingBytes = uint64_t(1) << 20;

// Says whether the call failed, and keeps why.
bool failed(cudaError_t error, const char* what) {
    if (error == cudaSuccess) return false;
    lastProblem = std::string(what) + ": " + cudaGetErrorString(error);
    cudaGetLastError();
    return true;
}

#define TRY(call)                          \
    do {                                   \
        if (failed(call, #call)) return 1; \
    } while (false)

int open(Device** out) {
    auto* device = new (std::nothrow) Device;
    if (!device) return 1;
    *out = nullptr;
    cudaDeviceProp properties;
    if (failed(cudaSetDevice(device->index), "the card cannot be opened") ||
        failed(cudaGetDeviceProperties(&properties, device->index), "the card does not answer") ||
        failed(cudaStreamCreateWithFlags(&device->stream, cudaStreamNonBlocking), "no stream can be made") ||
        failed(cudaMallocHost(&device->landing, landingBytes), "no pinned memory is left")) {
        if (device->stream) cudaStreamDestroy(device->stream);
        delete device;
        return 1;
    }
    device->overlaps = properties.major >= 9;
    std::snprintf(device->name, sizeof device->name, "%s", properties.name);
    *out = device;
    return 0;
}

void close(Device* device) {
    cudaFreeHost(device->landing);
    cudaStreamDestroy(device->stream);
    delete device;
}

const char* name(Device* device) {
    return device->name;
}

int chains(Device* device) {
    return hasChains(device->index) ? 1 : 0;
}

int loops(Device* device) {
    return hasLoops(device->index) ? 1 : 0;
}

int warpgroups(Device* device) {
    return hasWarpgroups(device->index) ? 1 : 0;
}

int attention(Device* device) {
    return hasAttention(device->index) ? 1 : 0;
}

int allocate(Device*, uint64_t bytes, void** memory) {
    return failed(cudaMalloc(memory, bytes ? bytes : 4), "the card's memory is full");
}
void release(Device* device, void* memory) {
    cudaStreamSynchronize(device->stream);
    cudaFree(memory);
}
int allocateHost(Device*, uint64_t bytes, void** memory) {
    return failed(cudaMallocHost(memory, bytes ? bytes : 4), "no pinned memory is left");
}
void releaseHost(Device* device, void* memory) {
    cudaStreamSynchronize(device->stream);
    cudaFreeHost(memory);
}

// Of pageable memory: the driver has copied it when this returns, though it may not be on the card yet.
int upload(Device* device, void* to, const void* from, uint64_t bytes) {
    TRY(cudaMemcpyAsync(to, from, bytes, cudaMemcpyHostToDevice, device->stream));
    return 0;
}
int download(Device* device, void* to, const void* from, uint64_t bytes) {
    const bool small = bytes <= landingBytes;
    TRY(cudaMemcpyAsync(small ? device->landing : to, from, bytes, cudaMemcpyDeviceToHost, device->stream));
    TRY(cudaStreamSynchronize(device->stream));
    if (small) std::memcpy(to, device->landing, bytes);
    return 0;
}
int copy(Device* device, void* to, const void* from, uint64_t bytes) {
    TRY(cudaMemcpyAsync(to, from, bytes, cudaMemcpyDefault, device->stream));
    return 0;
}
int fill(Device* device, void* memory, int byte, uint64_t bytes) {
    TRY(cudaMemsetAsync(memory, byte, bytes, device->stream));
    return 0;
}
int wait(Device* device) {
    TRY(cudaStreamSynchronize(device->stream));
    return 0;
}

int launch(const Launch& l, cudaStream_t stream) {
    switch (l.kind) {
        case Kind::pointwise:
            launchPointwise(l.pass, stream);
            break;
        case Kind::product:
            launchProduct(l.product, l.pass, stream);
            break;
        case Kind::sum:
            launchSum(l.plain, l.pass, stream);
            break;
        case Kind::moments:
        case Kind::normaliseGradient:
        case Kind::softmax:
        case Kind::softmaxGradient:
        case Kind::logSumExp:
        case Kind::argmax:
        case Kind::topK:
            l.plain.groups.channels > 0 ? launchGroups(l.kind, l.plain, l.pass, stream)
                                        : launchRegions(l.kind, l.plain, l.pass, stream);
            break;
        case Kind::lineSums:
            launchLineSums(l.plain, stream);
            break;
        case Kind::update:
            launchUpdate(l.update, stream);
            break;
        case Kind::chain:
            launchChain(l.chain, stream);
            break;
        case Kind::prelude:
            launchPrelude(l.loop, stream);
            break;
        case Kind::loop:
            launchLoop(l.loop, stream);
            break;
        case Kind::layers:
            launchLayers(l.layers, stream);
            break;
        case Kind::together:
            launchTogether(l.together, stream);
            break;
        case Kind::attention:
            launchAttention(l.attention, stream);
            break;
        case Kind::attentionGradient:
            launchAttentionGradient(l.attention, stream);
            break;
        case Kind::turn:
            launchTurns(l.turns, stream);
            break;
        default:
            launchPlain(l.kind, l.plain, stream);
            break;
    }
    return failed(cudaGetLastError(), kindNames[int(l.kind)]);
}

// Captures launch after launch, each behind exactly those that it waits for.
int capture(Device* device, const Launch* launches, int32_t count, const int32_t (*edges)[2],
            int32_t edgeCount, Clock* clock, int32_t steps, Recorded* recorded,
            std::vector<cudaGraphNode_t>& chains) {
    cudaStream_t stream = device->stream;
    std::vector<std::vector<int>> waits(static_cast<size_t>(count));
    for (int32_t k = 0; k < edgeCount; ++k) waits[size_t(edges[k][1])].push_back(edges[k][0]);
    std::vector<cudaGraphNode_t> nodeOf(static_cast<size_t>(count));
    std::vector<int> depth(static_cast<size_t>(count), 1);
    const auto behind = [&](const std::vector<cudaGraphNode_t>& nodes) {
        return cudaStreamUpdateCaptureDependencies(stream, const_cast<cudaGraphNode_t*>(nodes.data()),
                                                   nullptr, nodes.size(), cudaStreamSetCaptureDependencies);
    };
    const auto newest = [&](cudaGraphNode_t& node) {
        cudaStreamCaptureStatus status;
        const cudaGraphNode_t* nodes = nullptr;
        const cudaGraphEdgeData* data = nullptr;
        size_t n = 0;
        const cudaError_t error =
            cudaStreamGetCaptureInfo(stream, &status, nullptr, nullptr, &nodes, &data, &n);
        if (error == cudaSuccess && n != 1) return cudaErrorUnknown;
        if (error == cudaSuccess) node = nodes[0];
        return error;
    };
    for (int32_t i = 0; i < count; ++i) {
        std::vector<cudaGraphNode_t> nodes;
        for (int from : waits[size_t(i)]) {
            nodes.push_back(nodeOf[size_t(from)]);
            depth[size_t(i)] = std::max(depth[size_t(i)], depth[size_t(from)] + 1);
        }
        TRY(behind(nodes));
        if (launch(launches[i], stream)) return 1;
        TRY(newest(nodeOf[size_t(i)]));
        if (launches[i].kind == Kind::chain) chains.push_back(nodeOf[size_t(i)]);
        recorded->depth = std::max(recorded->depth, depth[size_t(i)]);
    }
    // The clock is read by what draws; it moves on when all of that is done.
    std::vector<cudaGraphNode_t> readers;
    for (int32_t i = 0; i < count; ++i)
        if (launches[i].pass.clock || launches[i].plain.clock) readers.push_back(nodeOf[size_t(i)]);
    TRY(behind(readers));
    launchTick(clock, steps, stream);
    TRY(cudaGetLastError());
    return 0;
}

// A processor that has to part its memory anew between shared memory and cache stands idle first. Where some
// kernels need much shared memory all leave it parted for the most, but chains, which read their weights
// through the cache.
cudaError_t partAlike(cudaGraph_t graph, const std::vector<cudaGraphNode_t>& chains) {
    constexpr unsigned much = 80 * 1024;
    size_t count = 0;
    cudaError_t error = cudaGraphGetNodes(graph, nullptr, &count);
    std::vector<cudaGraphNode_t> nodes(count);
    if (error == cudaSuccess) error = cudaGraphGetNodes(graph, nodes.data(), &count);
    unsigned most = 0;
    for (size_t i = 0; error == cudaSuccess && i < count; ++i) {
        cudaKernelNodeParams kernel = {};
        error = cudaGraphKernelNodeGetParams(nodes[i], &kernel);
        most = std::max(most, kernel.sharedMemBytes);
    }
    cudaLaunchAttributeValue parted = {};
    parted.sharedMemCarveout = cudaSharedmemCarveoutMaxShared;
    for (size_t i = 0; error == cudaSuccess && most >= much && i < count; ++i)
        if (std::find(chains.begin(), chains.end(), nodes[i]) == chains.end())
            error = cudaGraphKernelNodeSetAttribute(
                nodes[i], cudaLaunchAttributePreferredSharedMemoryCarveout, &parted);
    return error;
}

// Lets every kernel begin while those that it waits for end; each waits where `awaitEarlier` stands.
cudaError_t loosen(cudaGraph_t graph) {
    size_t count = 0;
    cudaError_t error = cudaGraphGetEdges(graph, nullptr, nullptr, nullptr, &count);
    if (error != cudaSuccess) return error;
    std::vector<cudaGraphNode_t> from(count), to(count);
    std::vector<cudaGraphEdgeData> data(count);
    error = cudaGraphGetEdges(graph, from.data(), to.data(), data.data(), &count);
    if (error == cudaSuccess)
        error = cudaGraphRemoveDependencies(graph, from.data(), to.data(), data.data(), count);
    for (cudaGraphEdgeData& edge : data) {
        edge.from_port = cudaGraphKernelNodePortProgrammatic;
        edge.type = cudaGraphDependencyTypeProgrammatic;
    }
    if (error == cudaSuccess)
        error = cudaGraphAddDependencies(graph, from.data(), to.data(), data.data(), count);
    return error;
}

void forget(Device* device, Recording* recording) {
    cudaStreamSynchronize(device->stream);
    if (recording->executable) cudaGraphExecDestroy(recording->executable);
    if (recording->graph) cudaGraphDestroy(recording->graph);
    delete recording;
}

int record(Device* device, const Launch* launches, int32_t count, const int32_t (*edges)[2],
           int32_t edgeCount, Clock* clock, int32_t steps, Recording** out, Recorded* recorded) {
    *recorded = {};
    auto* recording = new (std::nothrow) Recording;
    if (!recording) return 1;
    if (failed(cudaStreamBeginCapture(device->stream, cudaStreamCaptureModeThreadLocal), "begin capture")) {
        delete recording;
        return 1;
    }
    std::vector<cudaGraphNode_t> chains;
    const int wrong = capture(device, launches, count, edges, edgeCount, clock, steps, recorded, chains);
    const cudaError_t ended = cudaStreamEndCapture(device->stream, &recording->graph);
    if (wrong || failed(ended, "end capture") ||
        (device->overlaps && failed(partAlike(recording->graph, chains), "the graph's kernels")) ||
        (device->overlaps && failed(loosen(recording->graph), "the graph's edges")) ||
        failed(cudaGraphInstantiate(&recording->executable, recording->graph, 0), "the graph")) {
        forget(device, recording);
        return 1;
    }
    size_t nodes = 0;
    cudaGraphGetNodes(recording->graph, nullptr, &nodes);
    recorded->nodes = int32_t(nodes);
    *out = recording;
    return 0;
}

int replay(Device* device, Recording* recording) {
    TRY(cudaGraphLaunch(recording->executable, device->stream));
    return 0;
}

int runLaunches(Device* device, const Launch* launches, int32_t count, Clock* clock, int32_t steps) {
    for (int32_t i = 0; i < count; ++i)
        if (launch(launches[i], device->stream)) return 1;
    launchTick(clock, steps, device->stream);
    TRY(cudaGetLastError());
    return 0;
}

const char* problem() {
    return lastProblem.c_str();
}

constexpr Table table = {abiVersion, open,      close,       name,    chains,       loops,
                         warpgroups, attention, allocate,    release, allocateHost, releaseHost,
                         upload,     download,  copy,        fill,    wait,         record,
                         forget,     replay,    runLaunches, problem};

}  // namespace
}  // namespace core::cuda

extern "C" __attribute__((visibility("default"))) int genscopeCudaProbe(char* reason, int size) {
    int driver = 0, runtime = 0, cards = 0;
    const auto say = [&](const std::string& text) {
        std::snprintf(reason, size_t(size), "%s", text.c_str());
        return 0;
    };
    const auto version = [](int v) { return std::to_string(v / 1000) + "." + std::to_string(v % 1000 / 10); };
    if (cudaDriverGetVersion(&driver) != cudaSuccess || driver == 0)
        return say("no NVIDIA driver is installed");
    cudaRuntimeGetVersion(&runtime);
    if (driver / 1000 < runtime / 1000)
        return say("the NVIDIA driver offers CUDA " + version(driver) + ", CUDA " + version(runtime) +
                   " is needed");
    if (const cudaError_t error = cudaGetDeviceCount(&cards); error != cudaSuccess || cards == 0)
        return say(std::string("no NVIDIA card answers: ") + cudaGetErrorString(error));
    cudaDeviceProp properties;
    if (const cudaError_t error = cudaGetDeviceProperties(&properties, 0); error != cudaSuccess)
        return say(std::string("the card does not answer: ") + cudaGetErrorString(error));
    if (properties.major * 10 + properties.minor < 75)
        return say(std::string(properties.name) + " is older than the Turing generation");
    std::snprintf(reason, size_t(size), "%s", properties.name);
    return 1;
}

extern "C" __attribute__((visibility("default"))) const core::cuda::Table* genscopeCudaCreate(
    uint32_t version) {
    return version == core::cuda::abiVersion ? &core::cuda::table : nullptr;
}
