// The runs of the sampler that a lesson's run keeps, in bounded memory; those under way go on in turn.
#pragma once

#include <list>

#include "core/session/sampling_run.h"

namespace core {

class SamplingRuns {
  public:
    static constexpr int64_t memoryBudget = 256 << 20;  // bytes
    // A run that would take more as floats is kept as halves.
    static constexpr int64_t halvesBeyond = 32 << 20;

    explicit SamplingRuns(int64_t budget = memoryBudget) : m_budget(budget) {}

    // The network as the lesson is now. Throws Error if nothing can be sampled or a knob is refused.
    void start(int64_t id, Lesson& lesson, const Layout& layout, const Store& store, int64_t trainingStep,
               const std::string& weightsFrom, const SamplingRequest& request);
    // Throws Error if there is no such run or step.
    void fork(int64_t id, int64_t parent, int step, Lesson& lesson, const Layout& layout, const Store& store,
              int64_t trainingStep, const std::string& weightsFrom, const SamplingRequest& request);
    void discard(int64_t id);
    void discardAll();

    // Before the device that runs were advanced with goes.
    void leaveDevice();
    // The lesson's network is another one for the runs that begin from here on.
    void networkChanged();

    bool active() const;
    // The next evaluations of the network of the run whose turn it is; where all are complete, some work on
    // their figures. False if nothing is left to do.
    bool advance(Lesson& lesson, Device& device);
    std::shared_ptr<const Samplings> published();

  private:
    struct Entry {
        int64_t id;
        std::unique_ptr<SamplingRun> run;
        bool judged = false;
        FigureWork judging{};  // under way
    };
    bool judgeOne(Lesson& lesson);
    SamplingRun& find(int64_t id);
    SampledNetworkPtr networkNow(Lesson& lesson, const Layout& layout, int count, const Store& store,
                                 int64_t trainingStep, const std::string& weightsFrom);
    Settings resolved(const Lesson& lesson, const Settings& changes, const Settings* base) const;
    void recount();
    void keepToBudget();

    int64_t m_budget;
    std::list<Entry> m_runs;           // oldest first
    SamplingRecordingPtr m_recording;  // for the number of samples that was asked for last
    StartingNoise m_noise;
    SamplingMachinePtr m_idle;  // of the run that ended last
    int64_t m_turn = -1;        // the id of the run that went on last
    int64_t m_bytes = 0;
    int m_dropped = 0;
    std::string m_notice;
    std::shared_ptr<const Samplings> m_published;
};

}  // namespace core
