// Where each named parameter and state lives in the flat buffers, and how it starts.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "core/base/shape.h"

namespace core {

// How an entry is filled before the first step; the random numbers come from the stream "init/<name>".
struct Initial {
    enum Kind { constant, uniform, normal, given } kind = constant;
    float scale = 0;     // the constant; the half-width; the standard deviation
    std::string like{};  // starts equal to the entry of this name; empty: from its own
    std::shared_ptr<const std::vector<float>> values{};  // given: row-major
};

class Layout {
  public:
    struct Entry {
        std::string name;  // "generator.0.weight"
        Shape shape;
        Initial initial;
        bool trained = true;  // parameter or state
        int64_t offset = 0;   // floats, into the parameter or the state buffer
    };

    // The index of the entry, added if it is not there; throws if it is there with another shape.
    int place(const std::string& name, const Shape& shape, Initial initial, bool trained);
    // The index, or -1.
    int find(const std::string& name) const;

    const std::vector<Entry>& entries() const { return m_entries; }
    int64_t parameterCount() const { return m_sizes[1]; }
    int64_t stateCount() const { return m_sizes[0]; }

  private:
    std::vector<Entry> m_entries;
    std::map<std::string, int> m_index;
    int64_t m_sizes[2] = {0, 0};
};

}  // namespace core
