// genscope shot: the window's picture, drawing or film as a file, with or without a display.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "core/session/journal.h"
#include "core/session/run_request.h"

namespace app {

struct ShotOptions {
    core::RunRequest request;
    std::optional<core::Journal> journal;  // the run to be repeated, instead of a new one
    int64_t steps = 0;
    std::string size;  // empty: 1600x1000, and 1200x750 for a GIF
    std::string out;
    std::string theme = "dark", language = "en";
    std::string panel;  // empty: the whole window
    bool presenter = false;
    int frames = 60;  // of a GIF
    double framesPerSecond = 12;
    double settle = 1.2;        // seconds without change before the picture is taken
    int width = 0, height = 0;  // from `size`
};

// Reads `size`; throws core::Error if it is not WIDTHxHEIGHT between 960x640 and 7680x4320, or if `out` is no
// PNG, SVG or GIF.
void checkShot(ShotOptions& options);

int runShot(const ShotOptions& options, int argc, char** argv);

}  // namespace app
