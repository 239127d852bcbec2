// Replays a plan on a card: the whole step is captured once and launched as one graph.
#pragma once

#include <array>
#include <map>

#include "core/cuda/cluster.h"
#include "core/cuda/device_store.h"
#include "core/graph/executor.h"

namespace core::cuda {

struct ExecutorOptions {
    bool exact = false;    // products in FP32 instead of TF32
    bool captured = true;  // false: launch after launch, for tests
    int unroll = 1;        // steps in one graph, where several may be taken together; 0: as many as pay
    // The last live value, the number of the step, is counted on by the card, and the channels of one number
    // are written down after every step.
    bool counts = false;
};

class Executor : public core::Executor {
  public:
    // `store` gives the knobs and must outlive the executor; its weights live in `device`.
    Executor(Plan plan, Store& store, std::shared_ptr<DeviceStore> device,
             const ExecutorOptions& options = {});
    ~Executor() override;

    bool run(uint64_t seed, uint64_t step, int steps = 1) override;
    int together() const override { return m_options.unroll; }
    // As run, but the card may still be at it when this returns; false if a gradient of an earlier step is
    // known not to be finite.
    bool runMany(uint64_t seed, uint64_t step, int steps);
    // Waits for the card.
    bool finite() const override;
    // After the numbers were put right.
    void forgive() { *static_cast<volatile int32_t*>(m_broken.data()) = 0; }

    void readScalars(int step, std::vector<float>& into) const override;
    void setHandle(const std::string& name, const std::vector<float>& values) override;
    int depth() const override { return m_recorded.depth / m_recordedSteps; }
    int launches() const override { return m_recorded.nodes / m_recordedSteps; }

    void poison() override;
    // Of one step as it was captured last; zero before.
    Recorded recorded() const { return m_recorded; }
    size_t launchCount() const { return m_launches.size(); }
    // What each launch does, for a look at what was fused.
    std::vector<std::string> describe() const;
    // Microseconds that each launch takes as a node of a chain of its like. Changes the numbers of the run.
    std::vector<double> times();

  protected:
    void beginStep() override { forgive(); }
    void runOne(uint64_t seed, uint64_t step, size_t segment, int repeat) override;
    void get(NodeId channel, float* into) const override;
    void put(NodeId channel, const float* from) override;

  private:
    struct Interval {
        const char* begin;
        const char* end;
        NodeId part = -1;  // written side by side with other parts of this value
        // Of how many equal parts of the launch each touches only its own such part of the memory.
        int64_t parts = 1;
    };
    enum class Waiting { none, byRow, whole };
    struct Prepared {
        Launch launch;
        int cluster = 0, segment = 0, program = -1;
        int64_t parts = 0;  // equal ones that a launch can be split into; 0: none
        size_t firstLink = 0;
        std::vector<Member> members;  // of products that are multiplied together
        std::vector<Interval> reads, writes;
    };
    struct Value {  // where it lives, in which launches
        int first = INT32_MAX, last = -1;
        bool alone = false;
    };

    void separateStages();
    void placeValues();
    float* address(NodeId id) const;
    const float* at(const View& view) const { return address(view.node) + view.offset; }
    void prepare();
    void prepareCluster(int index);
    void prepareProgram(const Cluster& c, Prepared& p);
    void prepareProduct(const Cluster& c, Prepared& p);
    void prepareConvolution(const Node& n, Product& p);
    void prepareHeads(const Node& n, Product& p);
    void shortenProgram(const Cluster& c, Prepared& p);
    void chooseTile(Product& p);
    void chooseLines(Product& p, const Pass& pass);
    void chooseWindows(Product& p);
    void chooseTaps(Product& p);
    static Straight straightened(const Program& p);
    static LineGradient linesStraightened(const Program& p, bool summed);
    static Scaling scaled(const Program& p, const Plain& moments);
    void preparePlain(const Cluster& c, Prepared& p);
    void prepareAttention(const Cluster& c, Prepared& p);
    void prepareLines(const Cluster& c, Prepared& p);
    void prepareSum(const Cluster& c, Prepared& p);
    void prepareGroups(const Cluster& c, Prepared& p);
    void prepareUpdate(const Cluster& c);
    void prepareCounting();
    void reads(Prepared& p, NodeId id, int64_t parts = 1) const;
    void writes(Prepared& p, const float* at, int64_t floats, int64_t parts = 1) const;
    int64_t partsOf(const Source& source, int64_t size) const;
    void countReaders();
    struct LoopValue;
    // A phase that becomes a loop when it is repeated, and how it is launched for so many repeats.
    struct ReadyLoop {
        Prepared first, second;
        Memory tables;
    };
    struct LoopPlan {
        int segment = 0;
        Loop loop;
        std::vector<Link> before, links;
        Prepared first, second;
        Memory memory;  // the links
        std::map<int, ReadyLoop> ready;
    };
    void formLoops();
    void formLoop(int segment);
    static bool isSteady(const Prepared& p);
    static bool readsOf(const Prepared& reader, const Prepared& maker);
    std::vector<LoopValue> valuesOf(const std::vector<size_t>& launches,
                                    const std::vector<size_t>& phase) const;
    bool linkLoop(const std::vector<size_t>& launches, LoopPlan& plan, const std::vector<LoopValue>& values,
                  const std::vector<LoopValue>& states) const;
    bool linkPrelude(const std::vector<size_t>& launches, LoopPlan& plan,
                     const std::vector<LoopValue>& values) const;
    static void sumLoop(LoopPlan& plan, const std::vector<LoopValue>& values);
    static void straightenCarried(LoopPlan& plan);
    const ReadyLoop* loopOf(int segment, int repeats);
    void formChains();
    int widen(Link* links, size_t count) const;
    static bool goesByRows(const Prepared& p, int64_t rows);
    bool absorbs(const Prepared& earlier, const Prepared& later);
    void absorbLowRank();
    void useWarpgroups();
    static bool isBeside(const Prepared& earlier, const Prepared& later, int nth);
    void joinBeside();
    void joinProducts();
    void joinInto(std::vector<Prepared>& out, std::vector<Prepared>& members, int form);
    static bool meet(const std::vector<Interval>& of, const std::vector<Interval>& with);
    static bool ordered(const Prepared& x, const Prepared& y);
    std::vector<Prepared> chained(std::vector<Prepared> launches);
    bool chains(const Prepared& p, int64_t rows) const;
    static Link::Way wayOf(const Product& p);
    Link linkOf(const Prepared& p, int64_t rows) const;
    static Waiting waiting(const Prepared& earlier, const Prepared& later, int64_t rows);
    void countWork(const std::vector<int>& repeats);
    std::string describeLaunch(const Cluster& c, const Launch& l) const;
    float* workspace(int64_t floats);
    uint32_t* tickets(int64_t count);
    std::vector<int> repeatsNow() const;
    std::vector<Launch> sequence(const std::vector<int>& repeats, int steps,
                                 std::vector<std::array<int32_t, 2>>* edges);
    void append(std::vector<Launch>& out, std::vector<const Prepared*>& from, int segment, int repeat,
                uint64_t ahead) const;
    std::vector<const Prepared*> shown() const;
    Recording* recording(const std::vector<int>& repeats, int steps);
    void launch(uint64_t seed, uint64_t step, int steps);
    void setClock(uint64_t seed, uint64_t step);

    const Graph& g;
    Store& m_store;
    std::shared_ptr<DeviceStore> m_device;
    CardPtr m_card;
    ExecutorOptions m_options;
    Plan m_whole;  // the plan with its stages joined: slow mode must do what whole steps do
    std::unique_ptr<ClusterBuilder> m_builder;
    Clusters m_clusters;
    Memory m_arena, m_clock, m_broken;
    std::vector<Memory> m_handles, m_constants, m_workspaces;
    std::vector<int64_t> m_offsets;  // by node, into the arena; -1 elsewhere
    std::vector<Prepared> m_launches;
    std::vector<Prepared> m_counting;  // what ends each step that is taken together with others
    Memory m_log;                      // pinned: the channels of one number, a row for each such step
    std::vector<float> m_logged;       // of the last run: its rows
    std::vector<Program> m_programs;
    Memory m_programMemory, m_linkMemory, m_stampMemory, m_turnMemory, m_memberMemory;
    std::vector<Link> m_links;  // of all chains
    std::vector<int> m_linkClusters;
    std::map<const char*, int> m_readers;  // by where a value begins
    std::vector<LoopPlan> m_loops;
    std::map<std::pair<std::vector<int>, int>, Recording*> m_recordings;
    Recorded m_recorded;
    int m_recordedSteps = 1;
    Clock m_clockThere;
};

}  // namespace core::cuda
