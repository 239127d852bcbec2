// One run of a lesson, without a thread of its own: training, looking, going back, all on the
// caller's thread. The trainer and the command line drive it.
#pragma once

#include <memory>
#include <optional>
#include <set>
#include <utility>

#include "core/contract/frame.h"
#include "core/graph/executor.h"
#include "core/lessons/lesson.h"
#include "core/session/journal.h"
#include "core/session/moment.h"
#include "core/session/run_request.h"
#include "core/session/sampling_runs.h"
#include "core/session/saved_run.h"

namespace core {

class Run {
  public:
    // Opens the lesson at step 0. Throws Error for an unknown lesson, preset or knob, a value out of
    // range, or data that is not to be had.
    explicit Run(const RunRequest& request);
    // The lesson with its knobs as the request has them, not opened: no data is loaded.
    static std::unique_ptr<Lesson> configure(const RunRequest& request);
    // Writes the lesson's knobs into a frame.
    static void describe(const Lesson& lesson, Frame& frame);
    ~Run();

    // ---- training
    // Completes the present step, or does the next one. Returns false, with problem() set and the state as
    // it was before the step, if a number was not finite.
    bool step() { return steps(1) == 1; }
    // So many of them, at most; returns how many were done, which is fewer where the plan takes them one by
    // one, where something else is due first, and where a number was not finite.
    int64_t steps(int64_t most);
    // Runs to the next stage of the present step; true when that completed the step.
    bool stage();
    int64_t stepCount() const { return m_step; }
    int64_t furthest() const { return m_furthest; }
    // The stage that stage() would run; empty at a step boundary.
    std::string nextStage() const;
    // Backwards by snapshot and replay, forwards by training; journaled changes happen where they happened.
    void goTo(
        int64_t step, const std::function<bool()>& interrupted = [] { return false; });

    // ---- knobs; a step in progress is completed first
    // Journaled. Forgets the future if the run had gone back. Throws Error and changes nothing if the
    // value is refused or the lesson cannot be built with it.
    void set(const std::string& knob, double value);
    void applyPreset(const std::string& name);
    // Journaled: the data become an option of the knob `data`, and are chosen. The same file again is the
    // same option.
    void openData(const OwnDataPtr& own);
    // Step 0 again with the knobs as they are.
    void reset(uint64_t seed);
    uint64_t seed() const { return m_seed; }
    Settings settings() const;
    const Lesson& lesson() const { return *m_lesson; }
    const std::string& lessonId() const { return m_lessonId; }
    const std::string& preset() const { return m_preset; }
    int budget() const;  // training steps of the preset

    // ---- looking; never changes training
    // The frame with these channels (unknown names are passed over) and every training scalar.
    // `slow` also runs the lesson's evaluation, all pieces at once.
    Frame look(const std::set<std::string>& channels, bool slow = false);
    // The next piece of the evaluation, if one of these channels needs it; true when a round is complete.
    bool evaluatePiece(const std::set<std::string>& channels);
    void setHandle(const std::string& name, const std::vector<float>& values);
    // ---- sampling; never changes training. See Trainer.
    void sample(int64_t id, const SamplingRequest& request);
    void fork(int64_t id, int64_t parent, int step, const SamplingRequest& request);
    SamplingRuns& samplings() { return m_samplings; }
    // The next evaluations of the network for the sampler whose turn it is; false if all are complete.
    bool sampleMore() { return m_samplings.advance(*m_lesson, *m_device); }

    // Every channel that this configuration can give.
    std::set<std::string> channelNames() const;
    std::vector<std::string> stageNames() const;

    uint64_t parameterHash() const { return store().hash(); }
    const std::string& problem() const { return m_problem; }
    std::string device() const { return m_device->name(); }
    // Goes on on the request's device. If the present one failed in a step, or no longer gives the numbers,
    // from the latest snapshot on: stepCount() may be less than before. Throws DeviceError if the new one is
    // not to be had.
    void moveTo(const RunRequest& request);
    // Everything that a replay needs.
    const Journal& journal() const { return m_journal; }
    // How the journal's run began; `ownData` are its files, read again. Throws Error if one has changed
    // since, or if this build has no such lesson, preset, knob or value.
    static RunRequest requestOf(const Journal& journal, int threads, const std::vector<OwnDataPtr>& ownData);
    // Opens the run that the journal describes, at step 0, with its future ahead; `request` is requestOf it,
    // perhaps on another device.
    static std::unique_ptr<Run> replay(const Journal& journal, const RunRequest& request);
    static std::unique_ptr<Run> replay(const Journal& journal, int threads,
                                       const std::vector<OwnDataPtr>& ownData = {}) {
        return replay(journal, requestOf(journal, threads, ownData));
    }

    // ---- saved runs
    SavedRun saved() const;
    // Opens a saved run at the step at which it was saved; what came before is trained again if it is gone
    // back to. Throws Error where the weights are not those of its network.
    static std::unique_ptr<Run> open(const SavedRun& saved, const RunRequest& request);
    static std::unique_ptr<Run> open(const SavedRun& saved, int threads,
                                     const std::vector<OwnDataPtr>& ownData = {}) {
        return open(saved, requestOf(saved.journal, threads, ownData));
    }

    // ---- a second run beside this one; a step in progress is completed first
    Moment moment();
    // Opens the run there. What came before is trained again if it is gone back to.
    static std::unique_ptr<Run> from(const Moment& moment, const RunRequest& request);

    // ---- for tests
    // A number that is not finite appears in this parameter.
    void plant(const std::string& parameter, float value);
    // The numbers as they are now, fetched from where they were made.
    const Store& store() const;
    // The same; what is written to them reaches plans that run on the CPU.
    Store& store() { return const_cast<Store&>(std::as_const(*this).store()); }
    const Layout& layout() const { return *m_layout; }

  private:
    struct Plans;  // the executors of one recording

    void rebuild(bool keepWeights);
    void beginJournal();
    void applyJournal();
    void apply(const Settings& settings);
    void writeLive();
    int64_t advance(int64_t most);
    bool runSteps(int count);
    void repeat(int64_t from, int64_t to);
    void recover();
    bool inStep() const;
    void recordScalars(int step);
    bool idles(NodeId probe) const;
    void readRecorded(const std::string& channel, NodeId id, Tensor& into) const;
    int64_t snapshotBytes() const;
    Snapshot present(bool fine) const;
    void snapshot(bool fine);
    void restore(const Snapshot& snapshot);
    void leap(int64_t target);
    void explainNonFinite(int64_t steps);
    void load(const SavedRun& saved);
    Executor* viewFor(const std::set<std::string>& channels);
    std::set<std::string> withNeeds(std::set<std::string> channels) const;
    std::set<std::string> recordedFor(const std::set<std::string>& channels, const Graph& graph) const;
    void keep(const std::string& channel, float value);
    void addPiece(Executor& evaluating, float share);
    void measure(std::map<std::string, Tensor>& channels, const std::set<std::string>& wanted) const;

    std::string m_lessonId, m_preset;
    std::unique_ptr<Lesson> m_lesson;
    std::vector<Measure> m_measures;
    uint64_t m_seed;
    int m_threads;
    DevicePtr m_device;
    std::unique_ptr<Layout> m_layout;
    std::unique_ptr<Store> m_store;
    std::unique_ptr<Plans> m_plans;
    mutable bool m_fetched = true;  // the store has what the plans have made
    bool m_adrift = false;          // a step began and did not end: the device failed
    std::vector<float> m_scalars;   // of one step
    Journal m_journal;
    size_t m_applied = 0;  // journal entries that have happened
    Timeline m_timeline;
    int64_t m_step = 0, m_furthest = 0;
    int64_t m_began = 0;  // the step that it was opened at: nothing was recorded there
    std::map<std::string, History> m_histories;
    std::map<std::string, Tensor> m_idle;           // channels that are older than what the plans hold
    std::map<std::string, Tensor> m_evaluation;     // the last complete round
    std::map<std::string, Tensor> m_evaluationSum;  // the round in progress
    int m_evaluationPiece = 0;
    std::map<std::string, std::vector<float>> m_handles;
    SamplingRuns m_samplings;
    std::string m_problem;
};

}  // namespace core
