// IDX files, the format of MNIST and Fashion-MNIST, plain or gzipped, read from bytes and limits.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <vector>

namespace core {

struct IdxLimits {
    int rank = 4;
    int64_t elements = 512 << 20;  // one byte each
};

struct Idx {
    std::vector<int64_t> extents;  // all positive
    std::vector<uint8_t> bytes;    // their product, row-major
};

// Reads an array of unsigned bytes. Unpacking stops at the size the header declares, so a small file cannot
// fill the memory. Throws one sentence where anything is not as the format demands.
Idx readIdx(std::span<const uint8_t> file, const IdxLimits& limits = {});

// A regular file's bytes, at most `limit` of them. Throws one sentence that names the file.
std::vector<uint8_t> readFile(const std::filesystem::path& path, int64_t limit);

// readIdx of a file; its sentences name the file.
Idx readIdxFile(const std::filesystem::path& path, const IdxLimits& limits = {});

}  // namespace core
