// The run in a folder that genscope train --out saved, as the verbs that take --from open it.
#pragma once

#include <memory>
#include <string>

#include "core/session/run.h"

namespace app {

// The run's lesson is checked against `lesson` if that is named. Throws core::Error naming the folder.
core::SavedRun readSaved(const std::string& folder, const std::string& lesson = {});

// At the step at which it was saved, with the threads (0: all) and the device of `request`. Throws likewise.
std::unique_ptr<core::Run> openSaved(const std::string& folder, const core::SavedRun& saved,
                                     const core::RunRequest& request);

}  // namespace app
