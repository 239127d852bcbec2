// What a lesson is: knobs, presets, and three recordings (what is trained, what is seen, what is
// measured). Core knows nothing else of it; the words are in assets, the panels in views.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

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
