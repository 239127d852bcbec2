// Opens the window and stays until it is closed.
#pragma once

#include "core/session/run_request.h"

namespace app {

// Needs a display (displayAnswers()). Returns the application's exit code.
int runWindow(const core::RunRequest& request, int argc, char** argv);

}  // namespace app
