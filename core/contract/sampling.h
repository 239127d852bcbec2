// A run of a sampler as the trainer publishes it: every intermediate of every step, never changed again. A
// run that goes on, or that was forked off another one, shares the steps that it has in common with it.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/base/shape.h"
#include "core/contract/parameter.h"

namespace core {

// One step, from x at t to x at tNext, where x_t = signal x_0 + noise eps (of DDPM: signal^2 = abar_t).
struct SamplerStep {
    double t = 0, tNext = 0;
    double signal = 0, noise = 1;
    double signalNext = 1, noiseNext = 0;
    double sigma = 0;     // standard deviation of the noise that is added
    int evaluations = 0;  // of the network, from the beginning of the run to the end of this step
    uint64_t seed = 0;    // of the added noise

    double abar() const { return signal * signal; }
    double abarNext() const { return signalNext * signalNext; }
};

// Numbers kept as floats, or as halves where a run is long.
class Kept {
  public:
    Kept() = default;
    Kept(std::vector<float> values, bool asHalves);
    // Numbers that stand among others, which are there as long as one of them is kept.
    Kept(std::shared_ptr<const float> values, int64_t size) : m_floats(std::move(values)), m_size(size) {}
    int64_t size() const { return m_size; }
    int64_t bytes() const { return (m_floats ? 4 : 2) * m_size; }
    float at(int64_t i) const;
    void read(int64_t begin, std::span<float> into) const;
    std::vector<float> values() const;
    // The same, but as floats that stand alone.
    Kept apart() const { return {values(), false}; }

  private:
    std::shared_ptr<const float> m_floats;
    std::vector<uint16_t> m_halves;
    int64_t m_size = 0;
};

// What a step leaves behind; shared by the runs that have it in common.
struct KeptStep {
    SamplerStep step;
    bool ofClean = false;  // is it x_0 that is kept of the network's estimate, or eps?
    Kept estimate;         // the one that loses least: x_0 where there is more noise than signal
    Kept after;            // x at tNext
    std::map<std::string, Kept> extras;  // what else the lesson shows of an evaluation, by channel
};

struct Trajectory {
    // What can be seen of step i; with n steps, x has n + 1 states.
    enum Quantity {
        state,       // x before the step; state of step n is the result
        prediction,  // eps as the network estimates it
        clean,       // x_0 as it is estimated from that, clipped if the run clips
        mean,        // of the step: what comes next without the noise that is added
        added,       // that noise, times its standard deviation
    };

    int64_t id = 0;
    int64_t parent = -1;       // the run that it was forked off; -1: none
    int forkStep = 0;          // the number of steps that it has in common with it
    int64_t trainingStep = 0;  // of its weights
    std::string weights;       // where they are from, if not from the run in training: a folder's name
    uint64_t seed = 0;
    int count = 0;      // samples
    Shape sample;       // of one: [2] or [28, 28, 1]
    double clip = 0;    // the largest magnitude of an estimated x_0; 0: any
    Settings settings;  // the lesson's sampling knobs, by name
    std::map<std::string, std::string> choices;

    int total = 0;        // steps when it is complete
    bool halves = false;  // scrubbing shows 11 bits; a fork goes on from the exact state all the same
    std::string problem;  // why it ended early; empty if it did not
    std::shared_ptr<const Kept> start;
    std::vector<std::shared_ptr<const KeptStep>> steps;  // those that are done
    std::map<std::string, double> figures;               // what the lesson says of the result, when complete

    bool complete() const { return int(steps.size()) == total; }
    int evaluations() const { return steps.empty() ? 0 : steps.back()->step.evaluations; }
    // Does it begin with data, and go up to the noise and back?
    bool inverts() const { return !steps.empty() && steps[0]->step.tNext > steps[0]->step.t; }
    int64_t width() const { return sample.size(); }  // numbers a sample
    // t of state i, 0 <= i <= the number of steps that are done.
    double timeOf(int i) const;

    // The quantity of step i for the samples first ... first + number - 1, row after row; -1: all. Throws
    // Error where there is no such step or sample.
    std::vector<float> values(Quantity quantity, int i, int first = 0, int number = -1) const;
    // The same of a channel of its own; empty if the lesson has none of that name.
    std::vector<float> extra(const std::string& channel, int i) const;
    // The state of one sample's number `element` at every step that is done: [n + 1].
    std::vector<float> path(int sampleIndex, int element) const;

    // The stream of the noise that is added; element e of step i is normalAt({seed, stream, i}, e).
    static constexpr const char* noiseStream = "view/sampling/noise";
    // The stream of x at the beginning, the same for every sampler.
    static constexpr const char* startStream = "sampling/start";
};

using TrajectoryPtr = std::shared_ptr<const Trajectory>;

// All that is kept of runs, oldest first, and what it costs.
struct Samplings {
    std::vector<TrajectoryPtr> runs;
    int64_t bytes = 0, budget = 0;
    int dropped = 0;     // runs that had to go since the lesson was opened
    std::string notice;  // one sentence about the last one that did; empty if none did

    TrajectoryPtr find(int64_t id) const;
};

// What a run of the sampler, or a fork of one, is asked to be; the rest is as the lesson's knobs say.
struct SamplingRequest {
    Settings changes;  // of sampling knobs, by name
    uint64_t seed = 1;
    int count = 0;        // samples; 0: as many as the lesson shows. A fork has its parent's.
    bool present = true;  // a fork: with the weights of this moment, not those of its parent
};

}  // namespace core
