// genscope train: a lesson trained without a window, its figures on stdout.
#pragma once

#include <cstdint>
#include <optional>

#include "core/session/journal.h"
#include "core/session/run_request.h"

namespace app {

struct TrainOptions {
    core::RunRequest request;
    std::optional<core::Journal> journal;  // the run to be repeated, instead of a new one
    int64_t steps = 0;                     // 0: the preset's budget, or the step at which the run was shared
    std::string from;                      // the folder of a saved run that goes on, instead of a new one
    std::string out;                       // the folder that the run is saved in; empty: it is not
    bool replace = false;                  // another run that is saved there
    int saveEvery = 30;                    // seconds, while it trains
    bool json = false;
    bool quiet = false;
};

// Throws core::Error for what is wrong with the command or the folders that it names, before anything is
// done.
void checkTrain(const TrainOptions& options);
// Progress goes to stderr, the result to stdout; returns an Exit, or 128 and the number of
// the signal (SIGINT, SIGTERM, SIGHUP) that ended the run with what it has.
int runTrain(const TrainOptions& options);

}  // namespace app
