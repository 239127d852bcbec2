// The trainer thread: commands go in, immutable frames come out. Every method may be called from
// the window's thread and returns at once; a command takes effect at the next step boundary.
#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "core/contract/frame.h"
#include "core/session/journal.h"
#include "core/session/lockstep.h"
#include "core/session/moment.h"
#include "core/session/run_request.h"
#include "core/session/saved_run.h"

namespace core {

class Trainer {
  public:
    Trainer();
    ~Trainer();  // stops within one step and joins
    Trainer(const Trainer&) = delete;
    Trainer& operator=(const Trainer&) = delete;

    // ---- what is run
    void open(const RunRequest& request);
    void set(const std::string& knob, double value);
    void applyPreset(const std::string& preset);
    void openData(OwnDataPtr own);  // chosen at once, and an option of the knob `data` from then on
    // "cpu" or "cuda": goes on there from the same numbers.
    void useDevice(const std::string& device, bool exact = false);
    void reset();                 // step 0, same seed, the knobs as they are
    void newSeed(uint64_t seed);  // step 0, another initialisation

    // The run as it stands, for a second one beside it; null if none is open. Waits for the trainer (below
    // 100 ms).
    std::shared_ptr<const Moment> moment();
    // A run that stood like that, instead of the present one, paused, on the device of the request.
    void openAt(std::shared_ptr<const Moment> moment, const RunRequest& request);
    // The run of that lesson as it was when another lesson was opened, paused; if there is none, open().
    void comeBack(const RunRequest& request);

    // ---- transport
    void run();
    void pause();
    void stepOnce();                       // pauses, completes a step that slow mode has begun
    void stageOnce();                      // pauses, runs to the next stage
    void back();                           // pauses, one step back
    void goTo(int64_t step);               // pauses; backwards by snapshot and replay
    void setStepsPerSecond(double limit);  // 0: as fast as it goes
    // From now on at the same step as the other side's trainer while both run; null ends that.
    void keepPace(std::shared_ptr<Lockstep> pace, int side);

    // ---- looking
    // The channels that panels on screen need; others are not computed.
    void watch(const std::set<std::string>& channels);
    // A cursor or chosen latent of the view plan; never changes training.
    void setHandle(const std::string& name, const std::vector<float>& values);
    // The newest frame, never null; asks for a newer one to be made.
    FramePtr latest();

    // ---- sampling: runs of their own beside training, which they never change, in Frame::samplings. They go
    // on between training steps, in turn; paused or not. Starts one with the weights of this moment and
    // returns its id.
    int64_t sample(const SamplingRequest& request);
    // Shares the steps before `step` with run `id`, which stays as it is, and goes on from there in its own
    // way. Returns the new one's id.
    int64_t fork(int64_t id, int step, const SamplingRequest& request);
    // Ends it if it is under way, and forgets it.
    void discard(int64_t id);
    void discardAll();

    // ---- the run as data: what a replay needs
    // One line of JSON: lesson, settings at step 0, seed, journal, step. Waits for the trainer (below 100
    // ms).
    std::string share();
    // Such a line's run instead of the present one, trained to the step at which it was shared. The files
    // that the line names have been read again.
    void replay(const Journal& journal, const std::vector<OwnDataPtr>& ownData);
    // A saved run instead of the present one, paused at the step at which it was saved; reset() begins it
    // anew.
    void openSaved(std::shared_ptr<const SavedRun> saved, const std::vector<OwnDataPtr>& ownData);

  private:
    struct State;
    using Command = std::function<void(State&)>;
    // What the user does: the last problem is over. post() is for looking, which leaves it in place.
    void act(Command command);
    void post(Command command);
    // Waits for what it says; a default if that failed.
    template <typename Answer>
    Answer ask(const std::function<Answer(State&)>& question);
    // Before a command that ends running: so that both of a pair stop at the same step.
    void hold();
    void loop();
    void wake();

    std::mutex m_mutex;
    std::condition_variable m_wake;
    std::deque<Command> m_commands;
    FramePtr m_latest;
    bool m_wanted = false;
    bool m_nudged = false;  // the other of a pair got further
    bool m_quit = false;
    std::atomic<int64_t> m_lastSampling{0};
    std::shared_ptr<Lockstep> m_pace;  // as the window's thread knows it
    int m_side = 0;
    std::thread m_thread;
};

}  // namespace core
