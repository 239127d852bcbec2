// A run as it stands: another one can go on from there as this one would.
#pragma once

#include "core/session/journal.h"
#include "core/session/timeline.h"

namespace core {

struct Moment {
    Journal journal;
    int64_t step = 0;
    Snapshot state;
    std::map<std::string, History> histories;
};

}  // namespace core
