// Networks that come with the program already trained, and how long it would take to train one here.
#pragma once

#include <future>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "core/session/run_request.h"
#include "core/session/saved_run.h"

namespace app {

// Of assets/weights/<lesson>-<preset>; null if there is none. Throws core::Error if it is damaged.
std::shared_ptr<const core::SavedRun> shippedRun(const std::string& lesson, const std::string& preset);

// What was measured of its samples when it was made: `figures.json` beside the weights, as genscope sample
// --json prints it.
struct ShippedFigures {
    double frechet, baseline;  // of the samples to the test set; of as many training pictures
    int count, steps;
    std::string sampler;
};
// Empty where there are none.
std::optional<ShippedFigures> shippedFigures(const std::string& lesson, const std::string& preset);

// The time of a preset's whole training on this machine, by a step of it on a thread of its own.
class TrainingEstimate {
  public:
    // A preset that is being measured, or was, is not measured again; another one is given up.
    void begin(const core::RunRequest& request);
    // Empty until it is known.
    std::optional<double> seconds();

  private:
    std::string m_of;
    std::future<double> m_measured;
    std::optional<double> m_seconds;
    // Each ends at the stage of the step where it is told to.
    std::vector<std::jthread> m_threads;
};

}  // namespace app
