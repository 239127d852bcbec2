// What the program and the CUDA plugin agree on: plain data, and a table of functions. The program lowers
// a plan to launches; the plugin owns the device, its memory and the captured graphs.
#pragma once

#include <cstdint>

#include "core/cuda/products.h"

namespace core::cuda {

// Changes with every change to this file, products.h and programs.h; a plugin of another version is refused.
constexpr uint32_t abiVersion = 20;

// ---- attention: P = softmax(scale q k^T), out = P v, for each head of each sample; or the gradients of that

// [samples, lines, heads width], lines `step` apart.
struct AttentionOperand {
    const float* data = nullptr;
    int32_t lines = 0, step = 0;
};

struct Attention {
    AttentionOperand q, k, v;
    int32_t samples = 1, heads = 0, queries = 1, keys = 1, width = 1;  // of a head
    float scale = 1;
    bool causal = false;
    bool wide = false;         // lines may be read and written four numbers at a time
    float* out = nullptr;      // [samples, queries, heads width]
    float* scores = nullptr;   // [samples, heads, queries, keys], where they are wanted
    float* weights = nullptr;  // P, where it is wanted; read for the gradients
    AttentionOperand dOut;     // given: the gradients
    float *dQ = nullptr, *dK = nullptr, *dV = nullptr;  // each may be unwanted
    float scaleQ = 1, scaleK = 1;
    static constexpr int widest = 64, longest = 256, longestOfGradient = 64;
    static constexpr int room = 96 * 1024;  // bytes of a block's shared memory
};

// ---- everything else

enum class Kind : uint8_t {
    pointwise,
    product,
    sum,      // program, then a sum over the middle one of three extents
    moments,  // then a program over what was normalised
    normaliseGradient,
    softmax,
    softmaxGradient,
    logSumExp,
    argmax,
    topK,
    transpose,
    turnTaps,
    upsample,
    sumPool,
    depthToSpace,
    spaceToDepth,
    padImage,
    cropImage,
    padRows,
    gatherRows,
    scatterRows,
    pick,
    place,
    nearestRow,
    drawRows,
    update,
    chain,
    prelude,
    loop,
    turn,
    together,
    attention,
    attentionGradient,
    lineSums,  // what blocks of normaliseGradient have summed, added up
    layers,
    count
};
inline constexpr const char* kindNames[] = {"pointwise",
                                            "product",
                                            "sum",
                                            "moments",
                                            "normaliseGradient",
                                            "softmax",
                                            "softmaxGradient",
                                            "logSumExp",
                                            "argmax",
                                            "topK",
                                            "transpose",
                                            "turnTaps",
                                            "upsample",
                                            "sumPool",
                                            "depthToSpace",
                                            "spaceToDepth",
                                            "padImage",
                                            "cropImage",
                                            "padRows",
                                            "gatherRows",
                                            "scatterRows",
                                            "pick",
                                            "place",
                                            "nearestRow",
                                            "drawRows",
                                            "update",
                                            "chain",
                                            "prelude",
                                            "loop",
                                            "turn",
                                            "together",
                                            "attention",
                                            "attentionGradient",
                                            "lineSums",
                                            "layers"};
static_assert(sizeof kindNames / sizeof *kindNames == size_t(Kind::count));

struct Sizes {
    int32_t samples = 1, height = 1, width = 1, channels = 1;
};

// An operation that has a kernel of its own.
struct Plain {
    const float* in[4] = {};
    float* out = nullptr;
    int32_t inputs = 0;
    Sizes sizes, inSizes[4];
    int64_t size = 0;  // elements of the output
    float a = 0, b = 0;
    int32_t offset = 0, window = 0, stride = 1, parts = 0;
    bool causal = false;
    bool wide = false;  // operands may be read four at a time
    // Normalisation: a region holds `count` elements in runs of `run`, `runStep` apart.
    int32_t count = 1, runStep = 1;
    Divisor run;
    Scaling scaling;  // moments: the program, where it has such a form
    LineGradient lines;
    Groups groups;
    // sum: [outer, length, inner] over the middle one of the program's register `last`.
    int32_t outer = 1, length = 1, inner = 1;
    int32_t splits = 1;
    float* partial = nullptr;
    uint32_t* tickets = nullptr;
    // drawRows
    const float* tableValues = nullptr;
    const uint8_t* tableBytes = nullptr;
    int64_t tableRows = 0;
    uint32_t low = 1, high = 1;  // the bases of its permutation's digits
    uint32_t stream = 0, repeat = 0;
    uint64_t stepsAhead = 0;
    const Clock* clock = nullptr;
};

// A number that is fixed, or stands in device memory.
struct Number {
    float value = 0;
    const float* at = nullptr;
};

// As core::StepCounter.
struct Counter {
    int64_t steps = 0;
    double beta1Power = 1, beta2Power = 1;
};

struct UpdatePass {
    static constexpr int maxRanges = 96;
    Optimizer optimizer{};
    Number rate, beta1, beta2, decay, clip, norm, keep;
    float epsilon = 0;
    Counter* counter = nullptr;
    uint32_t* ticket = nullptr;
    int32_t* broken = nullptr;  // becomes 1 where a gradient or parameter is not finite
    float *parameters = nullptr, *gradients = nullptr, *first = nullptr, *second = nullptr, *state = nullptr;
    int32_t ranges = 0;
    bool averaged = false;
    bool advances = true;  // the last pass of an update moves its counter on
    struct Range {
        int32_t begin = 0, count = 0;  // floats into the flat buffers
        int32_t average = 0;           // into the state
    } range[maxRanges];
};

// One operation of a chain; lies in the card's memory, and kernels copy it into shared memory.
struct alignas(16) Link {
    enum Way : uint8_t {
        elements,    // a program alone
        tiles,       // a product by the tensor cores
        shortSums,   // a product with k of up to shortest
        fewColumns,  // a product with n of up to fewest
        // Of perceptrons with hidden layers of one width:
        hidden,    // from a hidden layer to the next, without an interpreter
        entering,  // shortSums to a hidden layer, without an interpreter
        waves,     // shortSums, whose sines and cosines are a row of a hidden layer's width
        leaving,   // fewColumns from a hidden layer
    };
    static constexpr int shortest = 4, fewest = 4, fewestLeaving = 2;
    Way way = elements;
    bool leftThere = false;    // the left operand is what the link before kept in shared memory
    bool keeps = false;        // the result stays there for the next link
    bool awaits = false;       // the links beside; and asks for nothing before it begins
    bool recurs = false;       // prelude: what the next repeat begins with comes of it
    int32_t each = 1;          // elements of a row
    float* wavesTo = nullptr;  // rows of sines and cosines; the columns that they begin at
    int32_t sinesAt = 0, cosinesAt = 0;
    Pass pass;
    Product product;
    Program program;
};

// Operations that each row goes through by itself, as those of a perceptron: a block takes its rows through
// all of them.
struct Chain {
    static constexpr int threads = 256, together = 16, widest = 256;  // together: rows of a block
    const Link* links = nullptr;
    int32_t count = 0, rows = 0;
    int32_t width = 32;  // of what stands in shared memory; a multiple of 32
    // Above 0: a perceptron with so many hidden products, `width` wide, for blocks of wideRows.
    int32_t layers = 0;
    static constexpr int wideRows = 80, wideWidth = 128, wideLayers = 3, wideLinks = 8;
    // Above 0: a perceptron whose hidden layers all are wideWidth wide; the number of products between them,
    // and what they multiply by, in order. Only on cards with warpgroups.
    static constexpr int mostHidden = 16, mostHiddenLinks = 24;
    int32_t hidden = 0;
    const float* weights[mostHidden] = {};
    // Of such a chain: so many links at its beginning are gone through beside those that do not await them.
    int32_t beside = 0;
    // Of the first block: its clock at the begin of each link that is not beside others and at the end, and
    // the ns at its begin and end: count + 3 numbers.
    int64_t* stamps = nullptr;
};

// A phase that is repeated, or a series of runs, by two launches instead of many: `prelude` works out what is
// the same for all rows, for every repeat; then each row goes through all repeats of a perceptron by itself.
struct Loop {
    static constexpr int mostLayers = 3, mostNumbers = 4;  // numbers: of a row that goes in or out
    static constexpr int mostEnds = 3, mostSums = 4, mostStates = 6;
    static constexpr int mostValues = 10, mostLinks = 8, mostFloats = 4096;  // of the prelude
    // The same for all rows.
    struct Value {
        float* home = nullptr;  // where it is without a loop, and when the loop has ended
        float* table =
            nullptr;  // what it is in each repeat; where it is carried: what the repeat begins with
        int32_t size = 0;
        bool given = false;     // the table is there before the prelude
        bool carried = false;   // from repeat to repeat
        bool straight = false;  // as a x + b
        float a = 1, b = 0;
    };
    // What the programs behind the last layer do, where they only weigh and add: to state `to` goes a sum of
    // what came out, of state `from`, of a row, and of a number.
    struct Sum {
        int32_t to = 0, from = -1;
        const float* row = nullptr;
        float ofResult = 0, ofState = 0, ofRow = 0, number = 0;
    };
    // Of each row; kept in shared memory.
    struct State {
        float* home = nullptr;
        int32_t width = 0;
        int32_t from = -1;      // the state that it becomes at the end of each repeat, or none
        float* kept = nullptr;  // what it is there, a row for each repeat
    };
    const Link* before = nullptr;  // the prelude's
    const Link* links = nullptr;   // what goes in, the hidden layers, what comes out, and programs behind it
    int32_t beforeCount = 0, count = 0;
    int32_t layers = 0, width = 0, rows = 0, repeats = 0;  // width: of the hidden layers
    bool counts = false;                                   // each repeat is a step of the clock
    int64_t keptWidth = 0;                                 // numbers between two rows of what is kept
    uint64_t stepsAhead = 0;
    int32_t valueCount = 0, stateCount = 0;
    int32_t sumCount = 0;    // 0: the programs are run as they are
    bool recursive = false;  // what is carried on needs programs
    Sum sums[mostSums];
    Value values[mostValues];
    State states[mostStates];
};

struct Launch {
    Kind kind{};
    Pass pass;
    Product product;
    Plain plain;
    UpdatePass update;
    Chain chain;
    Loop loop;
    Turns turns;
    Together together;
    Layers layers;
    Attention attention;
};

struct Device;     // a context on one card
struct Recording;  // launches made ready

struct Recorded {
    int32_t nodes = 0;
    int32_t depth = 0;  // the longest chain of nodes that wait for each other
    // Of one step, counted by the program: what products multiply and add, and the bytes that are read or
    // written at least once.
    double operations = 0, bytes = 0;
};

// Functions that can fail return 0, or another number where they failed: `problem` then says why.
struct Table {
    uint32_t version;
    int (*open)(Device** device);
    void (*close)(Device* device);
    const char* (*name)(Device* device);
    int (*chains)(Device* device);  // 1 where the card can run them
    int (*loops)(Device* device);
    int (*warpgroups)(Device* device);  // 1 where they can multiply rows
    int (*attention)(Device* device);   // 1 where it can be one launch
    int (*allocate)(Device* device, uint64_t bytes, void** memory);
    void (*release)(Device* device, void* memory);
    // Host memory that copies do not have to wait for.
    int (*allocateHost)(Device* device, uint64_t bytes, void** memory);
    void (*releaseHost)(Device* device, void* memory);
    // In order with everything that runs; upload is done with the host's numbers on return, download waits.
    int (*upload)(Device* device, void* to, const void* from, uint64_t bytes);
    int (*download)(Device* device, void* to, const void* from, uint64_t bytes);
    int (*copy)(Device* device, void* to, const void* from, uint64_t bytes);
    int (*fill)(Device* device, void* memory, int byte, uint64_t bytes);
    int (*wait)(Device* device);
    // Launch i waits for launches edges[k][0] of all k with edges[k][1] = i. At the end the clock has
    // moved on by `steps`.
    int (*record)(Device* device, const Launch* launches, int32_t count, const int32_t (*edges)[2],
                  int32_t edgeCount, Clock* clock, int32_t steps, Recording** recording, Recorded* recorded);
    void (*forget)(Device* device, Recording* recording);
    int (*replay)(Device* device, Recording* recording);
    // The same launches one after the other, without a graph.
    int (*runLaunches)(Device* device, const Launch* launches, int32_t count, Clock* clock, int32_t steps);
    // One sentence on what failed last on this thread.
    const char* (*problem)();
};

}  // namespace core::cuda

extern "C" {
// Whether a card can be used here; if not, why: one sentence.
typedef int (*GenscopeCudaProbe)(char* reason, int size);
// The functions, or null for another version.
typedef const core::cuda::Table* (*GenscopeCudaCreate)(uint32_t version);
}
