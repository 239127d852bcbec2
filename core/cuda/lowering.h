// From a plan to what a card is told: every launch of a step, what it reads and writes, and so which waits
// for which.
#pragma once

#include <array>
#include <map>

#include "core/cuda/cluster.h"
#include "core/cuda/device_store.h"

namespace core::cuda {

struct ExecutorOptions {
    bool exact = false;    // products in FP32 instead of TF32
    bool captured = true;  // false: launch after launch, for tests
    int unroll = 1;        // steps in one graph, where several may be taken together; 0: as many as pay
    // The last live value, the number of the step, is counted on by the card, and the channels of one number
    // are written down after every step.
    bool counts = false;
};

// Memory that a launch reads or writes.
struct Interval {
    const char* begin;
    const char* end;
    NodeId part = -1;  // written side by side with other parts of this value
    // Of how many equal parts of the launch each touches only its own such part of the memory.
    int64_t parts = 1;
};

struct Prepared {
    Launch launch;
    int cluster = 0, segment = 0, program = -1;
    int64_t parts = 0;  // equal ones that a launch can be split into; 0: none
    size_t firstLink = 0;
    std::vector<Member> members;  // of products that are multiplied together
    std::vector<Turn> turns;      // what is turned
    std::vector<Interval> reads, writes;
};

// Launches in an order in which they may follow each other.
struct Sequence {
    std::vector<Launch> launches;
    std::vector<const Prepared*> from;  // what each of them was made of

    // [i, k]: launch k waits for launch i, and not only by way of others.
    std::vector<std::array<int32_t, 2>> edges() const;
};

class Lowering {
  public:
    // `store` and `plan` must outlive this; `scalars` are the channels that are written down if steps are
    // counted.
    Lowering(const Plan& plan, const Store& store, std::shared_ptr<DeviceStore> device,
             std::vector<NodeId> scalars, const ExecutorOptions& options);

    // With the number of steps in one graph that pays.
    const ExecutorOptions& options() const { return m_options; }
    size_t launchCount() const { return m_launches.size(); }
    // Of whole steps, where every phase runs as often as `repeats` says, by segment.
    Sequence steps(const std::vector<int>& repeats, int steps);
    // Of one segment, as its `repeat`th time.
    Sequence stage(int segment, int repeat) const;
    // Of a series of runs as one loop, where it is one; else none. `given`: for each run what the inputs are
    // from `givenFrom` to `givenTo`; `rows`: where the channels `kept` go, a row for each run.
    std::vector<Launch> series(int runs, float* given, const std::vector<NodeId>& kept, float* rows);
    bool hasSeries() const;

    float* address(NodeId id) const;
    // What the host tells every step: the clock, then the handles, each from that float on.
    const Memory& inputs() const { return m_inputs; }
    Clock* clock() const { return static_cast<Clock*>(m_inputs.data()); }
    int64_t handleAt(int slot) const { return m_handles[size_t(slot)]; }
    // Not 0 once a gradient was not finite.
    volatile int32_t& broken() const { return *static_cast<volatile int32_t*>(m_broken.data()); }
    // [steps taken together, scalars], or null.
    const float* log() const { return m_log.floats(); }
    const Memory& arena() const { return m_arena; }
    // So many floats at the beginning of the arena are the channels that are computed there.
    int64_t channelFloats() const { return m_channelFloats; }

    // Operations of a step's products, and bytes that are read or written at least once.
    void countWork(const std::vector<int>& repeats, Recorded& into) const;
    // Every launch, and the loops that were launched in the place of some.
    std::vector<const Prepared*> shown() const;
    // In a line each.
    std::vector<std::string> describe() const;

  private:
    enum class Waiting { none, byRow, whole };
    struct Value {  // where it lives, in which launches
        int first = INT32_MAX, last = -1;
        bool alone = false;
    };

    void separateStages();
    void placeInputs();
    void placeValues();
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
    static bool addsUpLater(const LineGradient& l) { return l.partial && !l.tickets; }
    void writesSums(const Cluster& c, Prepared& p) const;
    void prepareLineSums(const Cluster& c, const Prepared& of);
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
        bool series = false;  // of runs, not of a phase's repeats
        Loop loop;
        std::vector<Link> before, links;
        Prepared first, second;
        Memory memory;  // the links
        std::map<int, ReadyLoop> ready;
    };
    void formLoops();
    void formLoop(int segment, bool series);
    void addHandles(std::vector<LoopValue>& values, std::vector<LoopValue>& states) const;
    bool carryOn(Loop& l) const;
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
    int widen(Link* links, size_t count, int32_t& width) const;
    static void hide(Link* links, Chain& chain);
    static void setBeside(const std::vector<Prepared>& launches, const std::vector<size_t>& members,
                          int64_t rows, Link* links, Chain& c);
    static const float* endOf(const Link& l);
    static std::vector<std::vector<size_t>> strands(const std::vector<Prepared>& launches,
                                                    const std::vector<size_t>& members, int64_t rows);
    static bool goesByRows(const Prepared& p, int64_t rows);
    bool absorbs(const Prepared& earlier, const Prepared& later);
    void absorbLowRank();
    std::vector<size_t> termsOf(size_t sum);
    bool lineUp(const std::vector<size_t>& terms, Prepared& joined);
    void joinTerms();
    bool makeLeft(size_t index);
    void makeOnTheWay();
    static bool follows(const Prepared& first, const Prepared& second);
    void joinLayers();
    void useWarpgroups();
    static int bestTile(const Product& p);
    static void turn(Prepared& by, const Turn& t);
    void uploadTurns();
    static bool isBeside(const Prepared& earlier, const Prepared& later, int nth);
    void joinBeside();
    void doubleSums();
    void joinProducts();
    void joinClusters();
    void joinInto(std::vector<Prepared>& out, std::vector<Prepared>& members, int form);
    static bool meet(const std::vector<Interval>& of, const std::vector<Interval>& with);
    static bool ordered(const Prepared& x, const Prepared& y);
    bool linkChain(const std::vector<Prepared>& launches, const std::vector<size_t>& members, int64_t rows,
                   Prepared& chain);
    std::vector<Prepared> chained(std::vector<Prepared> launches);
    bool chains(const Prepared& p, int64_t rows) const;
    static Link::Way wayOf(const Product& p);
    Link linkOf(const Prepared& p, int64_t rows) const;
    static Waiting waiting(const Prepared& earlier, const Prepared& later, int64_t rows);
    std::string describeLaunch(const Cluster& c, const Launch& l) const;
    float* workspace(int64_t floats);
    uint32_t* tickets(int64_t count);
    void append(Sequence& out, int segment, int repeat, uint64_t ahead) const;

    const Plan& m_plan;
    const Graph& g;
    const Store& m_store;
    std::shared_ptr<DeviceStore> m_device;
    CardPtr m_card;
    std::vector<NodeId> m_scalars;
    ExecutorOptions m_options;
    Plan m_whole;  // the plan with its stages joined: slow mode must do what whole steps do
    std::unique_ptr<ClusterBuilder> m_builder;
    Clusters m_clusters;
    Memory m_arena, m_inputs, m_constantMemory, m_broken;
    std::vector<Memory> m_workspaces;
    std::vector<int64_t> m_handles, m_constants;  // where each begins, in floats
    int64_t m_channelFloats = 0;
    std::vector<int64_t> m_offsets;  // by node, into the arena; -1 elsewhere
    std::vector<Prepared> m_launches;
    std::vector<Prepared> m_counting;  // what ends each step that is taken together with others
    Memory m_log;                      // pinned: the channels of one number, a row for each such step
    std::vector<Program> m_programs;
    Memory m_programMemory, m_linkMemory, m_stampMemory, m_turnMemory, m_memberMemory;
    std::vector<Link> m_links;  // of all chains
    std::vector<int> m_linkClusters;
    std::map<const char*, int> m_readers;  // by where a value begins
    std::vector<LoopPlan> m_loops;
    Memory m_seriesTables;
};

}  // namespace core::cuda
