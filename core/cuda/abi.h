// What the program and the CUDA plugin agree on: plain data, and a table of functions. The program lowers
// a plan to launches; the plugin owns the device, its memory and the captured graphs.
#pragma once

#include <cstdint>

#include "core/graph/op.h"

namespace core::cuda {

// Changes with every change to this file; a plugin of another version is refused.
constexpr uint32_t abiVersion = 12;

// n / d for n < 2^31 by one multiplication (Granlund and Montgomery 1994).
struct Divisor {
    uint32_t divisor = 1, multiplier = 0, shift = 0;
};

// Where a step stands; lives on the device, so that a captured graph needs no patching.
struct Clock {
    uint64_t seed = 0, step = 0;
};

// ---- pointwise programs: what is computed of each element of an index space while it is in registers

// An operand in memory. The element e of the index space has channel c = e % channels and line
// l = e / channels, whose sample is n = l / positions and whose position p = l % positions.
struct Operand {
    enum Kind : uint8_t { full, scalar, row, strided, window };
    const float* data = nullptr;
    Kind kind = full;
    Divisor channels, positions, group;  // strided: the channel index is c / group
    int32_t sampleStep = 0, positionStep = 0, channelStep = 0;
    int32_t from = 0, to = 0;  // window: channels outside [from, to) are 0, the first inside is data[0]
};

struct Instruction {
    static constexpr uint8_t nothing = 255, last = 254, memory = 64;  // sources: a register, memory + operand
    uint8_t op = 0;                                                   // an Op
    uint8_t first = last, second = nothing;
    uint8_t keep = nothing;   // the register that the result is kept in
    uint8_t store = nothing;  // the output that it is written to
    float a = 0, b = 0;
    uint32_t stream = 0;
};

struct Output {
    float* data = nullptr;
    Divisor channels;  // of the index space
    int32_t step = 0;  // between lines; 0: as the index space
};

// Lies in the card's memory; kernels copy it into shared memory.
struct alignas(16) Program {
    static constexpr int maxInstructions = 32, maxOperands = 16, maxOutputs = 8, registers = 10;
    int32_t count = 0;  // instructions
    int32_t operandCount = 0;
    Instruction code[maxInstructions];
    Output outputs[maxOutputs];
    Operand operands[maxOperands];
};

// A program as a launch runs it.
struct Pass {
    const Program* program = nullptr;  // or none
    uint32_t size = 0;                 // elements of the index space
    bool wide = true;                  // four elements at a time
    bool rough = false;                // exponentials and their like by the card's own instructions
    uint32_t repeat = 0;               // of the phase
    uint64_t stepsAhead = 0;
    const Clock* clock = nullptr;  // where it draws
    float* direct = nullptr;       // where the program does nothing but store what it is given
};

// A number for each channel, the same for some lines: data[line / positions * step + channel].
struct Term {
    const float* data = nullptr;
    Divisor positions;
    int32_t step = 0;
};

// The commonest programs, without an interpreter: v + bias + bias2, stored; times gate, + added + added2,
// stored; then activation(v), or v times the slope of an activation elsewhere, stored.
struct Straight {
    bool there = false;
    uint8_t activation = 0, slope = 0;              // Ops, or 0
    float a = 0;                                    // of either
    const float *bias = nullptr, *bias2 = nullptr;  // rows
    Divisor channels;                               // of the index space, for the terms
    Term shift, gate;                               // shift: added with the biases
    const float *added = nullptr, *added2 = nullptr, *added3 = nullptr,
                *slopeOf = nullptr;                              // of all elements
    float *biased = nullptr, *early = nullptr, *late = nullptr;  // where v goes on its way
    float* aside = nullptr;  // and in the end, as columns of what is asideStep wide
    int32_t asideStep = 0;
};

// The program of what was normalised, without an interpreter: (x - mean) * slope [* (scale + plus)]
// [+ shift], stored; of groups also an activation of it, stored.
struct Scaling {
    bool there = false;
    uint8_t activation = 0;  // an Op, or 0
    float a = 0;
    Term scale, shift;
    float plus = -0.0f;                     // which changes nothing
    float *out = nullptr, *late = nullptr;  // before and after the activation; null: not stored
};

// Normalised groups of images that blocks keep in registers: the channels of one sample that a block takes,
// its threads, and the runs of four that a thread holds. The gradient also makes the sums over all positions
// that are the gradients of scale and shift.
struct Groups {
    static constexpr int mostChannels = 128, mostThreads = 512, mostHeld = 10;
    int32_t channels = 0;  // 0: not in this way
    int32_t threads = 0, held = 0;
    float *scaleSums = nullptr, *shiftSums = nullptr;
    float* partial = nullptr;  // 2 * samples * channels of the image, where there are sums
    uint32_t* tickets = nullptr;
    // The gradient's program, where it is nothing but: [+ added] [+ added2], stored.
    float* out = nullptr;
    const float *added = nullptr, *added2 = nullptr;
};

// The gradient of normalised lines: its program, where it needs no interpreter (v + added + added2, stored;
// times gate, stored), and sums over the lines of each of `outer` groups that are made on the way.
struct LineGradient {
    bool there = false, straight = false;
    Term scale;  // of the norm, which is this and plus
    float plus = -0.0f;
    const float *added = nullptr, *added2 = nullptr;
    float *early = nullptr, *late = nullptr;
    Term gate;
    int32_t outer = 1, length = 1, splits = 1, sums = 0;  // lines of a group; blocks that share them
    // [outer, channels]: of dy times the normalised line, of dy, and of what the program ends with, which is
    // early * times where it is straight.
    float *scaleSums = nullptr, *shiftSums = nullptr, *lastSums = nullptr;
    const float* times = nullptr;
    float* partial = nullptr;  // [outer, splits, sums, channels]
    uint32_t* tickets = nullptr;
    static constexpr int longest = 512;
};

// ---- products: C[m, n] = sum over k of A(m, k) B(k, n), for each batch

// A product of few k that is added to another: of the line l and the channel c, scale times the sum over r of
// left[l, r] right[r, c], or, turned, right[c, r].
struct LowRank {
    const float *left = nullptr, *right = nullptr;  // or none
    int32_t rank = 0, leftStep = 0, rightStep = 0;
    bool turned = false;
    float scale = 1;
};

struct Product {
    enum Left : uint8_t {
        rows,          // A[m * lda + k]
        columns,       // A[k * lda + m]
        patches,       // the k x k windows of images, k = (tap, channel)
        scattered,     // of a transposed convolution
        patchesTurned  // of a convolution's weight: m = (tap, channel), k runs over output pixels
    };
    Left left = rows;
    bool rightTurned = false;  // B[n * ldb + k] instead of B[k * ldb + n]; with taps: within each tap
    bool exact = false;        // FP32 instead of TF32
    const float* a = nullptr;
    const float* b = nullptr;
    int32_t m = 0, n = 0, k = 0, lda = 0, ldb = 0;
    float scale = 1;
    // Batches of `inner` times anything: offsets of outer and inner index.
    int32_t batches = 1, inner = 1;
    int64_t aOuter = 0, aInner = 0, bOuter = 0, bInner = 0;
    // The element of (m, n) in the index space of the epilogue: batch offsets + m * lde + n.
    int64_t eOuter = 0, eInner = 0;
    int32_t lde = 0;
    // Images.
    int32_t height = 0, width = 0, channels = 0;  // of the operand that is gathered
    int32_t outHeight = 0, outWidth = 0;
    int32_t window = 1, stride = 1, padding = 0;
    Divisor byChannels, byPixels, byWidth;  // channels; outHeight * outWidth; outWidth
    bool flipped = false;                   // the taps of B are counted from the last
    bool wideA = false, wideB = false;      // runs of four are aligned and never straddle an edge
    // columns, patchesTurned: sums over k of B or of A, for biases; or null.
    float *columnSums = nullptr, *rowSums = nullptr;
    int32_t splits = 1, tile = 0;  // tile: 0: 32 x 32, 1: 128 x 32, 2: 64 x 64, 3: 128 x 128, 4: 128 x 64, 5:
                                   // 64 x 64 for short sums
    float* partial = nullptr;      // splits * (m * n + m + n) numbers
    Straight straight;             // the program, where it has such a form
    // Not below 0: warpgroups of a Hopper card multiply rows with what is turned, in tiles of this form.
    int32_t groupTile = -1;
    LowRank low;  // of warpgroups: added to their sums
    static constexpr int groupTiles = 7;
    static constexpr int groupHeights[groupTiles] = {64, 64, 64, 64, 128, 128, 128};
    static constexpr int groupWidths[groupTiles] = {48, 64, 96, 128, 96, 128, 192};
    // Above 0: rows of 16 for a block, which keeps them as a whole; and its warps, of 16 columns each.
    int32_t lineRows = 0, lineWarps = 0;
    static constexpr int longestLine = 768;
    // Above 0: a block keeps the pixels that its windows see, at most so many. Tiles as above; 6: 64 x 32.
    int32_t patch = 0;
    static constexpr int mostWindow = 111 * 1024;  // bytes of shared memory: two blocks on a processor
    // patchesTurned: a warp for each of the nine taps; byPixels and byWidth are of images with their padding.
    bool byTaps = false;
    static constexpr int tapRing = 256, tapStages = 4;  // pixels that are kept; blocks of 32 on their way
};

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
    int32_t together = 1;      // heads of a block: 1, 2 or 4
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
                                            "attentionGradient"};
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
    };
    static constexpr int shortest = 4, fewest = 4;
    Way way = elements;
    bool leftThere = false;  // the left operand is what the link before kept in shared memory
    bool keeps = false;      // the result stays there for the next link
    bool recurs = false;     // prelude: what the next repeat begins with comes of it
    int32_t each = 1;        // elements of a row
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
    // Above 0: a perceptron with so many hidden products, wideWidth wide, for blocks of wideRows.
    int32_t layers = 0;
    static constexpr int wideRows = 80, wideWidth = 128, wideLayers = 3, wideLinks = 8;
    int64_t* stamps = nullptr;  // when the first block began each link, and ended: count + 1 numbers of ns
};

// A phase that is repeated, by two launches instead of many: `prelude` works out what is the same for all
// rows, for every repeat; then each row goes through all repeats of a perceptron by itself.
struct Loop {
    static constexpr int width = 128, mostLayers = 3,
                         mostNumbers = 4;  // numbers: of a row that goes in or out
    static constexpr int mostEnds = 3, mostSums = 4, mostStates = 3;
    static constexpr int mostValues = 10, mostLinks = 8, mostFloats = 4096;  // of the prelude
    // The same for all rows.
    struct Value {
        float* home = nullptr;  // where it is without a loop, and when the loop has ended
        float* table =
            nullptr;  // what it is in each repeat; where it is carried: what the repeat begins with
        int32_t size = 0;
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
    };
    const Link* before = nullptr;  // the prelude's
    const Link* links = nullptr;   // what goes in, the hidden layers, what comes out, and programs behind it
    int32_t beforeCount = 0, count = 0;
    int32_t layers = 0, rows = 0, repeats = 0;
    uint64_t stepsAhead = 0;
    int32_t valueCount = 0, stateCount = 0;
    int32_t sumCount = 0;    // 0: the programs are run as they are
    bool recursive = false;  // what is carried on needs programs
    Sum sums[mostSums];
    Value values[mostValues];
    State states[mostStates];
};

// Products of columns whose results are only stored, by one launch: a block takes a share of one tile's sum,
// and a second kernel adds the shares up. In the card's memory.
struct Member {
    Product product;
    float* out = nullptr;
    int32_t firstBlock = 0;  // of those that multiply; a block for each tile of each share
    int32_t firstRun = 0;    // of runs of four of the result
};
struct Together {
    static constexpr int forms = 2;
    static constexpr int sides[forms] = {192, 128};  // of a tile
    const Member* list = nullptr;
    int32_t count = 0, blocks = 0, runs = 0, form = 0;
};

// A matrix whose transpose is wanted elsewhere: to[column * lines + line]. Lies in the card's memory.
struct Turn {
    const float* from = nullptr;
    float* to = nullptr;
    int32_t lines = 0, columns = 0, apart = 0;  // apart: floats between lines
    int32_t firstBlock = 0;                     // of those that turn it, each 32 x 32 elements
};
struct Turns {
    const Turn* list = nullptr;
    int32_t count = 0, blocks = 0;
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
    // In order with everything that runs; copies from and to pageable memory wait for their end.
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
