// A run as files: what a replay needs, and the weights as PyTorch users keep them (torch_order.h).
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "core/data/safetensors.h"
#include "core/session/journal.h"

namespace core {

struct SavedRun {
    Journal journal;  // up to the step at which the run was saved
    // By file: the parameters; their running averages, under the same names; and what it takes to train on.
    // Each may have no tensors, but not both of the first two.
    Safetensors model, averages, optimizer;
};

// By name: run.json, journal.jsonl, model.safetensors, ema.safetensors, optimizer.safetensors.
using RunFiles = std::map<std::string, std::vector<uint8_t>>;

struct RunLimits {
    int64_t textBytes = 4 << 20;      // run.json
    int64_t journalBytes = 64 << 20;  // journal.jsonl
    int64_t weightBytes = int64_t(1) << 30;
};

RunFiles filesOf(const SavedRun& run);
// Throws one sentence that names the file where anything is not as filesOf() has it, or a number is not
// finite.
SavedRun readRun(const RunFiles& files, const RunLimits& limits = {});

// Throws Error naming the place where writeFolder() could not: before a long training. What programs that
// were killed have left there is taken away.
void checkFolder(const std::filesystem::path& folder);
// Writes a folder that is there whole or not at all; one that is there already is replaced if it holds a run
// or nothing. Throws Error naming the place.
void writeFolder(const std::filesystem::path& folder, const RunFiles& files);
// Only the names that a run has, and none longer than its limit.
RunFiles readFolder(const std::filesystem::path& folder, const RunLimits& limits = {});

}  // namespace core
