// genscope shot: the window's picture as a file, with or without a display.
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
    std::string size = "1600x1000";
    std::string out;
    std::string theme = "dark", language = "en";
    std::string panel;  // empty: the whole window
    bool presenter = false;
    double settle = 1.2;        // seconds without change before the picture is taken
    int width = 0, height = 0;  // from `size`
};

// Reads `size`; throws core::Error if it is not WIDTHxHEIGHT between 320x240 and 7680x4320.
void checkShot(ShotOptions& options);

int runShot(const ShotOptions& options, int argc, char** argv);

}  // namespace app
