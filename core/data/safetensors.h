// Safetensors files: named tensors of 32-bit floats, as PyTorch users keep their weights. From bytes and
// limits, and back to bytes. (https://github.com/huggingface/safetensors, "Format")
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

namespace core {

struct SafetensorsLimits {
    int64_t headerBytes = 100 << 20;
    int64_t tensors = 100'000;
    int rank = 8;
};

struct NamedTensor {
    std::vector<int64_t> extents;  // none: one number
    std::vector<float> values;     // row-major
};

struct Safetensors {
    std::map<std::string, NamedTensor> tensors;
    std::map<std::string, std::string> metadata;
};

// Throws one sentence where anything is not as the format demands: the data must be covered without gaps or
// overlaps, and every tensor must be F32.
Safetensors readSafetensors(std::span<const uint8_t> file, const SafetensorsLimits& limits = {});

// The file's bytes; the data start on a 64-byte line.
std::vector<uint8_t> writeSafetensors(const Safetensors& content);

}  // namespace core
