// The devices that a run can be asked for: "cpu" and "cuda".
#pragma once

#include "core/graph/executor.h"
#include "core/session/run_request.h"

namespace core {

struct DeviceAnswer {
    bool there = false;
    std::string text;  // the card's name, or one sentence on why there is none
};

// Asks this machine's card, once; the answer is kept.
const DeviceAnswer& askForCard();

// Throws DeviceError if it is not to be had, Error for a name that no device has.
DevicePtr openDevice(const RunRequest& request);

}  // namespace core
