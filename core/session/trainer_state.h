// What the trainer's thread knows and does between two looks at the commands. No other thread touches it.
#pragma once

#include <chrono>
#include <optional>

#include "core/session/run.h"
#include "core/session/trainer.h"

namespace core {

struct Trainer::State {
    using Clock = std::chrono::steady_clock;

    std::unique_ptr<Run> run;
    RunRequest request;
    // Runs that were left for another lesson, by lesson.
    struct Left {
        std::unique_ptr<Run> run;
        RunRequest request;
    };
    std::map<std::string, Left> left;
    bool asked = false;   // has a lesson been asked for at all?
    std::string problem;  // what went wrong with the last command
    bool deviceFailed = false;
    bool running = false;
    bool changed = true;            // since the last frame
    bool sampled = false;           // since the last frame, and nothing else changed
    std::optional<int64_t> target;  // on the way to another step
    int64_t cameFrom = 0;           // where the way began
    std::set<std::string> watched;
    FramePtr shown;
    double limit = 0;  // steps a second; 0 is none
    Clock::time_point nextStep = Clock::now();

    // Steps a second over the last half second.
    int64_t counted = 0;
    Clock::time_point countedSince = Clock::now();
    double rate = 0;

    Clock::time_point lookedAt{}, evaluatedAt{}, pieceAt{};
    double lookSeconds = 0, evaluationSeconds = 0, pieceSeconds = 0;
    bool evaluating = false;
    int64_t evaluatedStep = -1;

    std::shared_ptr<Lockstep> pace;  // with another trainer
    int side = 0;
    bool waits = false;  // for the other one

    ~State();

    // ---- what is run
    void reopen();
    // The present run is kept if another lesson is to take its place.
    void leaveFor(const std::string& lesson);
    void comeBack(const RunRequest& there);
    // Stops with what is wrong.
    void fail(const std::exception& fault);
    // How the journal's run began, on the present device.
    RunRequest here(const Journal& journal, const std::vector<OwnDataPtr>& ownData) const;
    // Another run in place of the present one.
    void adopt(std::unique_ptr<Run> other, const Journal& journal, const std::vector<OwnDataPtr>& ownData);

    // ---- its work, a piece at a time
    void halt();
    void train();
    // Stops, and sets out for another step.
    void depart(int64_t to);
    // On the way to the target, until interrupted.
    void travel(const std::function<bool()>& interrupted);
    // One piece of the costly figures, when they are due.
    void evaluate();
    // Samplers go on for a slice of time, and for at least one evaluation of the network.
    void sample();
    bool samples() const { return run && run->samplings().active(); }
    bool busy() const { return run && (running || target || evaluating || samples()); }
    // Tells the other trainer of a pair where this one is.
    void report() const;

    // ---- frames
    bool frameDue() const;
    FramePtr look();
    // What there is to show of a run that is not open, or no longer answers: what was last seen of it.
    Frame unseen() const;

  private:
    void count(int64_t steps);
};

}  // namespace core
