// What was done to a run and when: with the settings at step 0 and the seed, enough to replay it
// bit for bit.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/contract/frame.h"

namespace core {

struct Journal {
    struct Entry {
        int64_t step;  // before this training step
        std::string knob;
        double value;
    };

    // A file of the user's own: an option of the knob `data` after the built-in ones.
    struct File {
        std::string path, fingerprint;
    };

    std::string lesson;
    std::string preset;  // where the run began; empty if that is not known
    uint64_t seed = 1;
    Settings initial;            // every knob at step 0
    std::vector<Entry> entries;  // in the order in which they happened
    std::vector<File> files;
    int64_t step = 0;  // where the run was when it was shared

    // One line of JSON, and back; parse throws Error on anything else.
    std::string toLine() const;
    static Journal fromLine(const std::string& line);
};

}  // namespace core
