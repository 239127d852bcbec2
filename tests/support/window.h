// The window as tests see it: nothing moves, and nothing is remembered from one test to the next.
#pragma once

#include <memory>

#include "app/window/main_window.h"

namespace support {

inline std::unique_ptr<app::MainWindow> stillWindow(const core::RunRequest& request) {
    app::WindowOptions options;
    options.theme.moves = false;
    options.remembers = false;
    return std::make_unique<app::MainWindow>(request, options);
}

}  // namespace support
