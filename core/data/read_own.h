// Readers of the user's own files: from bytes to a data set, or one sentence that says what is wrong.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>

#include "core/base/own_data.h"

namespace core {

// What the bytes are, whatever the file is called.
enum class FileKind {
    points,   // text, to be read as numbers
    images,   // an IDX file, plain or gzipped
    picture,  // PNG, JPEG, GIF or BMP, to be decoded and then read by ownDensity()
    foreign,
};
FileKind kindOf(std::span<const uint8_t> bytes);

// Points as readCsvPoints() reads them. What does not fit the plane that every panel shows, or would be a
// speck in it, is centred and scaled, both axes by the same factor.
OwnDataPtr ownPoints(const std::filesystem::path& path, std::span<const uint8_t> bytes);

// Grey pictures of an IDX file, brought to 28 x 28 with their aspect kept. Their labels come from the file
// beside it that is named as in MNIST ("images-idx3" becomes "labels-idx1"), if it is there.
OwnDataPtr ownImages(const std::filesystem::path& path, std::span<const uint8_t> bytes);

// Points drawn from a decoded picture's ink: light on a dark border, dark on a light one; the stronger, the
// more of them. `bytes` are the file's.
OwnDataPtr ownDensity(const std::filesystem::path& path, std::span<const uint8_t> bytes,
                      std::span<const uint8_t> grey, int width, int height);

}  // namespace core
