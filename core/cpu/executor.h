// Replays a plan on the CPU: no allocation and no look-up by name inside a step.
#pragma once

#include <atomic>
#include <memory>
#include <span>

#include "core/base/philox.h"
#include "core/cpu/call.h"
#include "core/cpu/pool.h"
#include "core/graph/executor.h"

namespace core::cpu {

class Executor : public core::Executor {
  public:
    // `store` must outlive the executor and keep its buffers where they are.
    Executor(Plan plan, Store& store, Pool& pool, const KernelSet& kernels = bestKernels());

    bool run(uint64_t seed, uint64_t step, int steps = 1) override;
    bool finite() const override { return m_finite; }
    void setHandle(const std::string& name, const std::vector<float>& values) override;
    // The values of a computed node as they are now; with reuse, others may have overwritten them.
    std::span<const float> values(NodeId id) const;
    void poison() override;

  protected:
    void beginStep() override { m_finite = true; }
    void runOne(uint64_t seed, uint64_t step, size_t segment, int repeat) override;
    void get(NodeId channel, float* into) const override;
    void put(NodeId channel, const float* from) override;

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
    // What runs at one level, the last first; the later ones, from `recurring` on, in the first repetition of
    // the phase alone.
    struct Tasks {
        std::vector<Task> all;
        size_t recurring = 0;
    };
    // The second operand of a node in the order that its kernel wants, made anew in every level that reads
    // it; a steady one in the first repetition of the phase.
    struct Prepared {
        NodeId node;
        bool steady;
        Buffer values;
        std::unique_ptr<std::atomic<uint64_t>> level;  // the last one that it was made in
    };

    float* address(NodeId id);
    const float* address(NodeId id) const { return const_cast<Executor*>(this)->address(id); }
    void prepareCalls();
    void prepareTasks();
    void addTasks(const Level& level, bool steady, std::vector<Task>& tasks) const;
    void prepareUpdates(NodeId id);
    void beginUpdates(const Level& level);
    void runLevel(size_t segment, size_t level);
    void runTask(const Task& task, int worker);
    void awaitPrepared(NodeId id) const;
    void runNode(NodeId id, int64_t begin, int64_t end, int worker);

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
    std::vector<std::vector<Tasks>> m_tasks;  // by segment, level
    const std::vector<Task>* m_running = nullptr;
    bool m_repeating = false;  // the phase has run before in this step
    std::atomic<bool> m_finite{true};
};

}  // namespace core::cpu
