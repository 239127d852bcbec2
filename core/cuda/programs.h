// What is computed of values while they are in registers, as launches are told: programs that an interpreter
// runs, and the commonest of them in forms that need none. Plain data, part of abi.h.
#pragma once

#include <cstdint>

#include "core/graph/op.h"

namespace core::cuda {

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
    // The last block adds up what all have summed; null: a launch of its own does, which is of one group.
    uint32_t* tickets = nullptr;
    static constexpr int longest = 512;
};

}  // namespace core::cuda
