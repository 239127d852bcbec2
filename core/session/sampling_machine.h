// A network as samplers ask it: recorded once for all runs of as many samples, with the weights of a moment,
// and ready on a device.
#pragma once

#include <map>
#include <memory>

#include "core/graph/executor.h"
#include "core/lessons/lesson.h"
#include "core/session/sampler.h"

namespace core {

// One evaluation for `count` samples. What the platform adds to the lesson's recording:
namespace sampling {
// x; y, which some samplers need of the evaluation before; t, the scales there and the largest x_0.
inline constexpr const char *x = "sampling/x", *y = "sampling/y";
inline constexpr const char *t = "sampling/t", *signal = "sampling/signal", *noise = "sampling/noise",
                            *clip = "sampling/clip";
// x' = keep x + clean x_0 + before y + sigma z; then y' = lastClean x_0 + lastState x.
inline constexpr const char *keep = "sampling/keep", *clean = "sampling/clean", *before = "sampling/before",
                            *sigma = "sampling/sigma", *lastClean = "sampling/last_clean",
                            *lastState = "sampling/last_state";
// Of the network's estimate: ofClean x_0 + ofNoise eps.
inline constexpr const char *ofClean = "sampling/of_clean", *ofNoise = "sampling/of_noise";
// Channels: x', y' and the estimate.
inline constexpr const char *next = "sampling/next", *last = "sampling/last", *estimate = "sampling/estimate";
inline bool isOurs(const std::string& channel) {
    return channel.starts_with("sampling/");
}
}  // namespace sampling

struct SamplingRecording {
    SamplingRecording(Lesson& lesson, const Layout& layout, int count);

    Layout layout;
    int count;
    SamplingSetup setup;
    std::shared_ptr<const Graph> graph;
    std::vector<std::string> extras;  // channels of the lesson's own

    // Numbers of these channels, for all samples.
    int64_t widthOf(const std::vector<std::string>& channels) const;
    // Some evaluations of the plan. Of all that is kept x' comes first.
    Series series(const std::vector<PlannedEvaluation>& plan, size_t first, int runs, double clip) const;
    // What a plan's executor has to compute.
    PlanOptions wanted(bool needsLast) const;
};
// Does the plan ask for y?
bool needsLast(const std::vector<PlannedEvaluation>& plan);
// Is it x_0 that loses least when the estimate is kept, not eps?
inline bool ofClean(const PlannedEvaluation& e) {
    return e.signal < e.noise;
}
using SamplingRecordingPtr = std::shared_ptr<const SamplingRecording>;

// Nothing here changes once it is made; runs share it.
struct SampledNetwork {
    // Copies the weights.
    SampledNetwork(Lesson& lesson, SamplingRecordingPtr recording, const Store& store, int64_t trainingStep,
                   const std::string& weightsFrom);

    SamplingRecordingPtr recording;
    Buffer parameters, averages, state,
        live;  // averages: the parameters with running averages in their place
    SamplingPath path;
    int64_t trainingStep;
    std::string weightsFrom;
    std::map<std::string, int> liveSlots;  // of the sampling knobs
    int64_t bytes() const {
        return int64_t(parameters.size() + averages.size() + state.size()) * int64_t(sizeof(float));
    }
};
using SampledNetworkPtr = std::shared_ptr<const SampledNetwork>;

// A recording on a device; the weights are those of the network that was loaded last.
class SamplingMachine {
  public:
    SamplingMachine(SamplingRecordingPtr recording, Device& device, const SampledNetwork& network);
    bool is(const SamplingRecording& recording, const Device& device) const {
        return m_recording.get() == &recording && &m_device == &device;
    }
    void load(const SampledNetwork& network, const Settings& settings, bool useAverages);
    // For runs that need y, or for others.
    Executor& executor(bool needsLast);

  private:
    SamplingRecordingPtr m_recording;
    Device& m_device;
    Store m_store;
    std::unique_ptr<Deployment> m_deployment;
    std::unique_ptr<Executor> m_executors[2];
};

// A run's machine outlives it, for the next run of the same recording.
using SamplingMachinePtr = std::unique_ptr<SamplingMachine>;

}  // namespace core
