// Replays a plan on a card: the whole step is captured once and launched as one graph.
#pragma once

#include "core/cuda/lowering.h"
#include "core/graph/executor.h"

namespace core::cuda {

class Executor : public core::Executor {
  public:
    // `store` gives the knobs and must outlive the executor; its weights live in `device`.
    Executor(Plan plan, Store& store, std::shared_ptr<DeviceStore> device,
             const ExecutorOptions& options = {});
    ~Executor() override;

    bool run(uint64_t seed, uint64_t step, int steps = 1) override;
    int together() const override { return m_lowered.options().unroll; }
    SeriesRows runSeries(uint64_t seed, uint64_t step, const Series& series) override;
    int runsTogether() const override;
    // As run, but the card may still be at it when this returns; false if a gradient of an earlier step is
    // known not to be finite.
    bool runMany(uint64_t seed, uint64_t step, int steps);
    // Waits for the card.
    bool finite() const override;
    // After the numbers were put right.
    void forgive() { m_lowered.broken() = 0; }

    void readScalars(int step, std::vector<float>& into) const override;
    void setHandle(const std::string& name, const std::vector<float>& values) override;
    int depth() const override { return m_recorded.depth / m_recordedSteps; }
    int launches() const override { return m_recorded.nodes / m_recordedSteps; }

    void poison() override;
    // Of one step as it was captured last; zero before.
    Recorded recorded() const { return m_recorded; }
    size_t launchCount() const { return m_lowered.launchCount(); }
    // What each launch does, for a look at what was fused.
    std::vector<std::string> describe() const { return m_lowered.describe(); }
    // Microseconds that each launch takes as a node of a chain of its like. Changes the numbers of the run.
    std::vector<double> times();

  protected:
    void beginStep() override { forgive(); }
    void runOne(uint64_t seed, uint64_t step, size_t segment, int repeat) override;
    void get(NodeId channel, float* into) const override;
    void put(NodeId channel, const float* from) override;

  private:
    std::vector<int> repeatsNow() const;
    Recording* recording(const std::vector<int>& repeats, int steps);
    void launch(uint64_t seed, uint64_t step, int steps);
    void setClock(uint64_t seed, uint64_t step);
    void setInput(int64_t at, const void* values, size_t bytes);
    void sendInputs();
    bool giveRows(const Series& series, int64_t& from, int64_t& width);
    void runOneByOne(const Series& series, int64_t from, int64_t width, float* rows);
    void takeCarried(const Series& series, const float* last);

    const Graph& g;
    Store& m_store;
    std::shared_ptr<DeviceStore> m_device;
    CardPtr m_card;
    Lowering m_lowered;
    std::vector<float> m_logged;  // of the last run: its rows
    std::map<std::pair<std::vector<int>, int>, Recording*> m_recordings;
    Recorded m_recorded;
    int m_recordedSteps = 1;
    std::vector<float> m_inputs;         // as they are to be on the card
    int64_t m_newFrom = 0, m_newTo = 0;  // so far they are not there yet
    Memory m_given;                      // what the runs of a series are given, a row for each
    mutable Memory m_channels;           // pinned: all of them, once one was read after a run
    mutable bool m_channelsThere = false;
};

}  // namespace core::cuda
