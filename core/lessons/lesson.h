// What a lesson is: knobs, presets, and three recordings (what is trained, what is seen, what is
// measured). Core knows nothing else of it; the words are in assets, the panels in views.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/base/figure_work.h"
#include "core/base/own_data.h"
#include "core/contract/frame.h"
#include "core/contract/parameter.h"
#include "core/graph/recorder.h"

namespace core {

class Lesson;

// A knob is a member of its lesson; constructing it enters it in the lesson's list.
class Knob {
  public:
    Knob(Lesson& owner, Parameter parameter);
    Knob(const Knob&) = delete;
    Knob& operator=(const Knob&) = delete;

    const Parameter& parameter() const { return m_parameter; }
    double value() const { return m_value; }
    // Throws Error if the value is out of range.
    void set(double value);
    // Its place in the live block.
    int slot() const { return m_slot; }

    // A choice has one option more, or the last one less.
    void addOption(const std::string& option);
    void removeLastOption();

  private:
    Parameter m_parameter;
    double m_value;
    int m_slot;
};

// Read by the running plan: turning it costs a 4-byte write.
class Live : public Knob {
  public:
    enum Scale { linear, logarithmic };
    Live(Lesson& owner, const std::string& name, double initial, double minimum, double maximum, Scale scale);
    operator Scalar() const { return {float(value()), slot()}; }
    Var in(Recorder& r) const { return r.live(slot()); }
};

// Decides which plan runs next, or how often.
class Schedule : public Knob {
  public:
    Schedule(Lesson& owner, const std::string& name, int initial, int minimum, int maximum);
    operator int() const { return int(value()); }
};

// Read by the next run of the sampler; its slot of the live block is that run's own.
class Sampled : public Knob {
  public:
    Sampled(Lesson& owner, const std::string& name, double initial, double minimum, double maximum,
            bool integer = false);
    Var in(Recorder& r) const { return r.live(slot()); }
};

// Changes what is recorded.
class Structural : public Knob {
  public:
    Structural(Lesson& owner, const std::string& name, int initial, int minimum, int maximum);
    operator int() const { return int(value()); }
};

class Choice : public Knob {
  public:
    Choice(Lesson& owner, const std::string& name, std::vector<std::string> options,
           Change change = Change::structural);
    const std::string& option() const { return parameter().options[size_t(value())]; }
    bool operator==(const std::string& other) const { return option() == other; }
};

// Off or on.
class Switch : public Choice {
  public:
    Switch(Lesson& owner, const std::string& name, Change change = Change::structural)
        : Choice(owner, name, {"off", "on"}, change) {}
    explicit operator bool() const { return value() != 0; }
};

// Channels computed on the host from recorded ones: figures of merit, densities, nearest images.
struct Measure {
    std::vector<std::string> channels;  // what it gives
    std::vector<std::string> needs;     // recorded channels
    // Reads `needs` from the map and adds `channels` to it.
    std::function<void(std::map<std::string, Tensor>&)> compute;
    // In place of compute, of what takes longer than a command may wait: a part of it, and true when that was
    // the last. Only of what evaluations need.
    std::function<bool(std::map<std::string, Tensor>&)> computePart{};
};

// Where a sampler can stand: x_t = signal x_0 + noise eps.
struct PathPoint {
    double t, signal, noise;
};

// What a sampler needs to know of a lesson.
struct SamplingSetup {
    Shape sample;     // of one: [2] or [28, 28, 1]
    int count = 64;   // samples, if nobody says otherwise
    double clip = 0;  // the largest magnitude of x_0 where the knob `clip` is on
};

struct SamplingPath {
    std::vector<PathPoint> points;  // the noisiest first; the last is the clean end, with no noise
    bool continuous = false;        // the network may be asked between them
    bool unitVariance = true;       // signal^2 + noise^2 = 1
};

// What the network is asked: x [count, ...] at the path's t [1, 1], where signal and noise are [1].
struct Denoising {
    Var x, t, signal, noise;
};
// Its estimates of x_0 and eps, both as x is.
struct Denoised {
    Var clean, noise;
};

class Lesson {
  public:
    virtual ~Lesson() = default;

    virtual std::vector<Preset> presets() const = 0;
    // The knobs have their values: load data, build tables. Throws Error if something is not to be had.
    virtual void open() {}

    // One training step.
    virtual void train(Recorder& r) = 0;
    // What panels look at; recorded with the parameters read-only, run between steps when somebody looks.
    virtual void view(Recorder&) {}
    // Costly figures (a whole test set), run every few seconds in `evaluationPieces` runs; each channel
    // is the mean over the pieces.
    virtual void evaluate(Recorder&) {}
    virtual int evaluationPieces() const { return 1; }
    virtual std::vector<Measure> measures() { return {}; }
    // Knobs that change nothing as the others stand; the window says so.
    virtual std::vector<const Knob*> idle() const { return {}; }

    // ---- what can be sampled; knobs with Change::sampling are read when a run of the sampler starts:
    // sampler, sampler_steps, spacing, eta, sigma, added_noise, clip and use_ema have a meaning for all
    // lessons, others may be read by what denoise() records
    virtual std::optional<SamplingSetup> sampling() const { return {}; }  // empty: nothing
    virtual SamplingPath samplingPath() const { return {}; }
    // One evaluation of the network as it is trained; a probe is kept with every step.
    virtual Denoised denoise(Recorder&, const Denoising&) { return {}; }
    // Rows of data that were not trained on, as samples are: others for another seed. What an inversion
    // begins with.
    virtual std::vector<float> realSamples(int, uint64_t) const { return {}; }
    // Figures of a complete run; null if there are none to give.
    virtual FigureWork judge(const Trajectory&) { return {}; }

    // The number of completed training steps as the running plan sees it, [1]: for schedules over time.
    Var stepNumber(Recorder& r) const { return r.live(int(m_knobs.size())); }

    const std::vector<Knob*>& knobs() const { return m_knobs; }
    // Throws Error naming the lesson's knobs if there is none of that name.
    Knob& knob(const std::string& name) const;

    // ---- data of the user's own
    // It becomes the last option of the knob `data`, and is withdrawn again by the second. Returns the
    // option's value. Throws Error if the lesson has no such knob.
    double offer(OwnDataPtr own);
    void withdrawLast();
    const std::vector<OwnDataPtr>& offered() const { return m_offered; }

  protected:
    // What was offered under the option that `data` has; null if that is a built-in set.
    const OwnData* own(const Knob& data) const;

  private:
    friend class Knob;
    std::vector<Knob*> m_knobs;
    std::vector<OwnDataPtr> m_offered;
};

// The lessons whose files are in this folder, in alphabetical order of their ids.
std::vector<std::string> lessonIds();
// Throws Error naming the lessons there are.
std::unique_ptr<Lesson> makeLesson(const std::string& id);

}  // namespace core
