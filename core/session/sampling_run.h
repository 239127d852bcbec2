// One run of a sampler: a lesson's network with the weights of one moment, asked again and again.
#pragma once

#include "core/contract/sampling.h"
#include "core/session/sampling_machine.h"

namespace core {

// What runs begin with; as a rule the next one begins with the same.
class StartingNoise {
  public:
    const Kept& of(uint64_t seed, int64_t size);

  private:
    uint64_t m_seed = 0;
    Kept m_values;
};

class SamplingRun {
  public:
    SamplingRun(const Lesson& lesson, int64_t id, SampledNetworkPtr network, const Settings& settings,
                uint64_t seed, StartingNoise& noise, int64_t halvesBeyondBytes);
    // Goes on from the state before step `step` of the parent. If the sampler, the spacing and the number of
    // steps are the parent's, so are the points where it stands; else the rest of the way is divided anew.
    SamplingRun(const Lesson& lesson, int64_t id, const SamplingRun& parent, int step,
                SampledNetworkPtr network, const Settings& settings, uint64_t seed,
                int64_t halvesBeyondBytes);

    // One evaluation of the network, or several where the device takes them together; false if there is
    // nothing left to do. Takes `idle` if it is the machine that it needs, and leaves there what it no longer
    // needs.
    bool advance(Device& device, SamplingMachinePtr& idle);
    bool done() const { return m_done; }
    // As far as it has got.
    TrajectoryPtr trajectory();
    const SampledNetworkPtr& network() const { return m_legs.back()->network; }
    void setFigures(const std::map<std::string, double>& figures);
    void fail(const std::string& problem);
    // Whatever it has on a device is given back; it goes on on the next one that it is advanced with.
    void leaveDevice();

    // Of the steps that it did when it last advanced.
    int64_t bytesAdded() const { return m_bytesAdded; }
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
    // Before an evaluation: x, and what some samplers need of the evaluation before; none where it is not
    // needed.
    struct State {
        Kept x, y;
    };

    void begin(const Lesson& lesson, const Settings& settings, Leg& leg) const;
    void enter(std::shared_ptr<const Leg> leg, int step);
    Kept kept(const Kept& exact) const;
    Series planSeries(int most) const;
    void takeIn(const Series& series, const SeriesRows& rows);
    void describe(const Lesson& lesson, const Leg& leg, uint64_t seed);

    std::vector<std::shared_ptr<const Leg>> m_legs;
    std::map<int, std::shared_ptr<const State>> m_exact;  // by step
    std::shared_ptr<const Leg> m_current;  // the last one, or one of the parent's that is repeated
    int m_step = 0, m_end = 0;             // of the trajectory
    int m_keepFrom = 0;                    // what comes before is there already
    size_t m_next = 0;                     // evaluation of the leg
    State m_state;
    SamplingMachinePtr m_machine;
    bool m_entered = false;  // the machine has the leg's weights and the state
    Trajectory m_trajectory;
    KeptStep m_doing;
    TrajectoryPtr m_published;  // null if it has got further
    int64_t m_bytesAdded = 0;
    bool m_done = false;
};

}  // namespace core
