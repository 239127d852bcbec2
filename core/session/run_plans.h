// What a run was compiled to: one recording's graphs and their executors.
#pragma once

#include <memory>
#include <set>
#include <string>

#include "core/session/run.h"

namespace core {

struct Run::Plans {
    std::shared_ptr<const Graph> train, view, evaluation;
    std::unique_ptr<Deployment> deployment;
    std::unique_ptr<Executor> step;     // whole steps
    std::unique_ptr<Executor> staged;   // slow mode, once it is asked for
    std::unique_ptr<Executor> looking;  // the view, reduced to viewChannels
    std::unique_ptr<Executor> evaluating;
    std::set<std::string> viewChannels;
    Executor* last = nullptr;  // the one that ran last: its channels are the present ones
    bool ran = false;          // are its channels those of the present step?
};

}  // namespace core
