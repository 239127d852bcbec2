// What launches mean, in plain C++ on the host: for a plugin that needs no card.
#pragma once

#include <stdexcept>

#include "core/cuda/abi.h"

namespace host {

// Runs one launch of the kinds that multilayer perceptrons need; throws std::runtime_error naming another.
void runLaunch(const core::cuda::Launch& launch);

}  // namespace host
