// Replays a plan on the CPU: no allocation and no look-up by name inside a step.
#pragma once

#include <atomic>
#include <memory>
#include <span>

#include "core/base/philox.h"
#include "core/contract/frame.h"
#include "core/cpu/call.h"
#include "core/cpu/pool.h"
#include "core/graph/plan.h"
#include "core/graph/store.h"

namespace core::cpu {

class Executor {
  public:
    // `store` must outlive the executor and keep its buffers where they are.
    Executor(Plan plan, Store& store, Pool& pool, const KernelSet& kernels = bestKernels());

    // All phases, each as often as it says. Returns false if a gradient was not finite.
    bool run(uint64_t seed, uint64_t step);

    // Slow mode: the next segment of the step; true when the step is complete. Compile with byStage.
    bool runSegment(uint64_t seed, uint64_t step);
    bool inStep() const { return m_segment > 0 || m_repeat > 0; }
    // The segment that runSegment takes next.
    const Segment& nextSegment() const { return m_plan.segments[m_segment]; }
    bool finite() const { return m_finite; }

    // A recorded channel's values as they are now; throws Error if the plan does not compute it.
    Tensor read(const std::string& channel) const;
    void read(const std::string& channel, Tensor& into) const;
    bool has(const std::string& channel) const;
    void setHandle(const std::string& name, const std::vector<float>& values);

    // Copies the channels that both plans compute: slow mode goes on from what the last whole step showed.
    void adoptChannels(const Executor& other);

    // The values of a computed node as they are now; with reuse, others may have overwritten them.
    std::span<const float> values(NodeId id) const;

    // Fills the arena with NaN, so that a value used before it is computed shows.
    void poison();

    const Plan& plan() const { return m_plan; }

  private:
    struct UpdateRange {
        int update;
        UpdateCall call;
        int64_t size;
    };
    struct Task {
        enum Kind { prepare, rows, update } kind;
        const Group* group;  // of rows
        int index;           // of m_prepared or m_updates
        int64_t begin, end;  // rows, or elements
    };
    // The second operand of a node in the order that its kernel wants, made anew in every level that reads
    // it.
    struct Prepared {
        NodeId node;
        Buffer values;
        std::unique_ptr<std::atomic<uint64_t>> level;  // the last one that it was made in
    };

    float* address(NodeId id);
    const float* address(NodeId id) const { return const_cast<Executor*>(this)->address(id); }
    void prepareCalls();
    void prepareTasks(int threads);
    void prepareUpdates(NodeId id);
    void beginUpdates(const Level& level);
    void runLevel(size_t segment, size_t level);
    void runTask(const Task& task, int worker);
    void awaitPrepared(NodeId id) const;
    void runNode(NodeId id, int64_t begin, int64_t end, int worker);

    Plan m_plan;
    Store& m_store;
    Pool& m_pool;
    const KernelSet& m_kernels;
    Buffer m_arena;
    std::vector<Buffer> m_slabs, m_scratch;  // by worker
    std::vector<std::vector<float>> m_handles;
    std::vector<Call<float>> m_calls;       // by node
    std::vector<Kernel<float>> m_kernelOf;  // by node; null where there is no arithmetic
    // By node: which operands (bits 0 to 3) and whether the output (bit 4) are in the slab; bit 5: has
    // scratch.
    std::vector<uint8_t> m_ofWorker;
    std::vector<Prepared> m_prepared;
    std::vector<int> m_preparedOf;  // by node; -1 for none
    uint64_t m_levelsRun = 0;
    std::vector<NodeId> m_randomNodes;
    std::vector<UpdateRange> m_updates;
    std::vector<std::vector<std::vector<Task>>> m_tasks;  // by segment, level
    const std::vector<Task>* m_running = nullptr;
    std::atomic<bool> m_finite{true};
    size_t m_segment = 0;
    int m_repeat = 0;
};

}  // namespace core::cpu
