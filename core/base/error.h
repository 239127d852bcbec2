// Errors: one sentence that says the place, what was expected and what was found.
#pragma once

#include <fmt/format.h>

#include <stdexcept>

namespace core {

// Thrown by everything in core; what() is one sentence that can be shown to the user as it is.
class Error : public std::runtime_error {
  public:
    using std::runtime_error::runtime_error;
};

// What computes has failed or is not to be had; what it was to compute is not to blame.
class DeviceError : public Error {
  public:
    using Error::Error;
};

}  // namespace core

#define CHECK(condition, ...)                                            \
    do {                                                                 \
        if (!(condition)) throw ::core::Error(fmt::format(__VA_ARGS__)); \
    } while (false)
