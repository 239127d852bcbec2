// Opens the window and stays until it is closed.
#pragma once

#include <optional>

#include "core/session/journal.h"
#include "core/session/run_request.h"

namespace app {

// Needs a display (displayAnswers()). Returns the application's exit code.
// With a journal, it opens the run that this describes, at rest, instead of a new one that trains.
int runWindow(const core::RunRequest& request, const std::optional<core::Journal>& journal, int argc,
              char** argv);

}  // namespace app
