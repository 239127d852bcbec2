// One run of a sampler: a lesson's network with the weights of one moment, asked again and again.
#pragma once

#include <map>
#include <memory>
#include <optional>

#include "core/contract/sampling.h"
#include "core/graph/executor.h"
#include "core/lessons/lesson.h"
#include "core/session/sampler.h"

namespace core {

// A network as samplers ask it. Nothing here changes once it is made; runs share it.
struct SampledNetwork {
    // Records one evaluation for `count` samples and copies the weights.
    SampledNetwork(Lesson& lesson, const Layout& layout, const Store& store, int count, int64_t trainingStep,
                   const std::string& weightsFrom);

    std::shared_ptr<const Graph> graph;
    Layout layout;
    Buffer parameters, averages, state,
        live;  // averages: the parameters with running averages in their place
    SamplingSetup setup;
    SamplingPath path;
    int count;
    int64_t trainingStep;
    std::string weightsFrom;
    std::map<std::string, int> liveSlots;  // of the sampling knobs
    int64_t bytes() const {
        return int64_t(parameters.size() + averages.size() + state.size()) * int64_t(sizeof(float));
    }
};
using SampledNetworkPtr = std::shared_ptr<const SampledNetwork>;

class SamplingRun {
  public:
    SamplingRun(const Lesson& lesson, int64_t id, SampledNetworkPtr network, const Settings& settings,
                uint64_t seed, int64_t halvesBeyondBytes);
    // Goes on from the state before step `step` of the parent. If the sampler, the spacing and the number of
    // steps are the parent's, so are the points where it stands; else the rest of the way is divided anew.
    SamplingRun(const Lesson& lesson, int64_t id, const SamplingRun& parent, int step,
                SampledNetworkPtr network, const Settings& settings, uint64_t seed,
                int64_t halvesBeyondBytes);
    ~SamplingRun();

    // One evaluation of the network; false if there is nothing left to do.
    bool advance(Device& device);
    bool done() const { return m_done; }
    // As far as it has got.
    TrajectoryPtr trajectory();
    const SampledNetworkPtr& network() const { return m_legs.back()->network; }
    void setFigures(const std::map<std::string, double>& figures);
    void fail(const std::string& problem);
    // Whatever it has on a device is given back; it goes on on the next one that it is advanced with.
    void leaveDevice();

    int64_t bytesOfLastStep() const { return m_bytesOfLastStep; }
    // Adds up what is kept, each piece once however many runs share it.
    void addBytes(std::map<const void*, int64_t>& pieces) const;

  private:
    // What determines the steps from `from` on, until the next leg.
    struct Leg {
        int from;
        SampledNetworkPtr network;
        Settings settings;
        bool useAverages;
        double clip;
        std::vector<PlannedEvaluation> plan;
    };
    // The exact state before a step.
    struct Exact {
        std::vector<float> x, lastClean;
    };
    struct Machine;  // the executor of the leg that is under way

    void begin(const Lesson& lesson, const Settings& settings, Leg& leg) const;
    void enter(std::shared_ptr<const Leg> leg, int step);
    void keep(const PlannedEvaluation& e);
    void describe(const Lesson& lesson, const Leg& leg, uint64_t seed);

    std::vector<std::shared_ptr<const Leg>> m_legs;
    std::map<int, std::shared_ptr<const Exact>> m_exact;  // by step
    std::shared_ptr<const Leg> m_current;  // the last one, or one of the parent's that is repeated
    int m_step = 0, m_end = 0;             // of the trajectory
    int m_keepFrom = 0;                    // what comes before is there already
    size_t m_next = 0;                     // evaluation of the leg
    std::vector<float> m_x, m_lastClean, m_stepStart;
    std::unique_ptr<Machine> m_machine;
    Trajectory m_trajectory;
    KeptStep m_doing;
    TrajectoryPtr m_published;  // null if it has got further
    int64_t m_bytesOfLastStep = 0;
    bool m_done = false;
};

}  // namespace core
