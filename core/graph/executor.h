// Who replays plans: the CPU and cards implement this, and sessions know nothing else of them.
#pragma once

#include <memory>
#include <string>

#include "core/base/tensor.h"
#include "core/graph/plan.h"
#include "core/graph/store.h"

namespace core {

// Runs of a plan one after the other, each of which goes on from the one before it: see Recorder::carry.
struct Series {
    int runs = 1;
    std::vector<std::string> handles;  // that differ from run to run
    std::vector<float> numbers;        // a row for each run, of all these handles
    std::vector<std::string> kept;     // channels
};

// What is kept of a series: a row for each run, of all these channels.
using SeriesRows = std::shared_ptr<const float>;

// Replays one plan.
class Executor {
  public:
    explicit Executor(Plan plan);
    virtual ~Executor() = default;
    Executor(const Executor&) = delete;
    Executor& operator=(const Executor&) = delete;

    // Some steps, each with all phases as often as they say; the last live value, the number of the step,
    // counts along. Returns false if a gradient was not finite in one of them.
    virtual bool run(uint64_t seed, uint64_t step, int steps = 1) = 0;
    // So many steps take less time in one run than in several; 1 where that makes no difference.
    virtual int together() const { return 1; }

    // Some runs, of step `step` and those after it.
    virtual SeriesRows runSeries(uint64_t seed, uint64_t step, const Series& series);
    // So many runs, at most, take less time in one series than in several.
    virtual int runsTogether() const { return 1; }

    // Slow mode: the next segment of the step; true when the step is complete. Compile with byStage.
    bool runSegment(uint64_t seed, uint64_t step);
    bool inStep() const { return m_segment > 0 || m_repeat > 0; }
    // The segment that runSegment takes next.
    const Segment& nextSegment() const { return m_plan.segments[m_segment]; }
    virtual bool finite() const = 0;

    // A recorded channel's values as they are now; throws Error if the plan does not compute it.
    Tensor read(const std::string& channel) const;
    void read(const std::string& channel, Tensor& into) const;
    bool has(const std::string& channel) const;
    // What it was at another time: read() gives these values until they are computed anew.
    void write(const std::string& channel, const Tensor& values);
    // The channels of one number, in the order of their names.
    const std::vector<NodeId>& scalars() const { return m_scalars; }
    // Their values after the step of this number, from 0, in the last run.
    virtual void readScalars(int step, std::vector<float>& into) const;
    virtual void setHandle(const std::string& name, const std::vector<float>& values) = 0;

    // Copies the channels that both plans compute: slow mode goes on from what the last whole step showed.
    void adoptChannels(const Executor& other);

    // Fills the arena with NaN, so that a value used before it is computed shows.
    virtual void poison() = 0;
    // How much has to happen one after the other in a step: barriers, or dependent launches.
    virtual int depth() const { return m_plan.levelCount(); }
    // What a card is told in a step, once it has run.
    virtual int launches() const { return 0; }

    const Plan& plan() const { return m_plan; }

  protected:
    virtual void beginStep() = 0;
    virtual void runOne(uint64_t seed, uint64_t step, size_t segment, int repeat) = 0;
    // A channel's value, [size of its shape].
    virtual void get(NodeId channel, float* into) const = 0;
    virtual void put(NodeId channel, const float* from) = 0;
    NodeId channelOf(const std::string& channel) const;
    int64_t sizeOf(NodeId id) const { return m_plan.graph->nodes[size_t(id)].shape.size(); }
    // Numbers in a row of what is given to a series, and of what is kept of it.
    int64_t givenWidth(const Series& series) const;
    int64_t keptWidth(const Series& series) const;

    Plan m_plan;

  private:
    // Phases that run no times are passed over.
    void skipIdle();

    std::vector<NodeId> m_scalars;
    size_t m_segment = 0;
    int m_repeat = 0;
};

// A store's numbers at the place where plans on them are replayed. The executors belong to it and must not
// outlive it; the store must outlive both and keep its buffers where they are.
class Deployment {
  public:
    virtual ~Deployment() = default;
    virtual std::unique_ptr<Executor> prepare(Plan plan) = 0;
    // The store's weights go there, after something else than a plan has changed them.
    virtual void upload() = 0;
    // The weights that plans have made come into the store; waits for what runs.
    virtual void download() = 0;
};

// What plans can be replayed on. Everything it makes must not outlive it.
class Device {
  public:
    virtual ~Device() = default;
    // "CPU, 2 threads, AVX-512".
    virtual std::string name() const = 0;
    virtual std::unique_ptr<Deployment> deploy(Store& store) = 0;
};

using DevicePtr = std::shared_ptr<Device>;

}  // namespace core
