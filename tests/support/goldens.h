// What PyTorch computed of the networks in networks.h, as tests/peer/make_goldens.py wrote it, and where ours
// is something else.
#pragma once

#include <algorithm>
#include <cmath>
#include <functional>
#include <string>
#include <vector>

#include "core/data/idx.h"
#include "core/data/safetensors.h"
#include "tests/support/networks.h"

namespace support {

class Golden {
  public:
    static constexpr int steps = 10;  // of Adam
    // Ours, by name: an output or a loss.
    using Read = std::function<std::vector<float>(const std::string& name)>;

    explicit Golden(const std::string& network)
        : m_file(core::readSafetensors(
              core::readFile(SOURCE_DIR "/tests/goldens/" + network + ".safetensors", 1 << 20))) {}

    // Each says what keeps ours from being theirs within 1e-4; empty if nothing does.
    std::string outputFault(const Read& ours) const {
        for (const std::string& name : below("out")) {
            const std::vector<float>& theirs = at("out/" + name);
            const std::string fault = difference(ours(name), theirs, largest(theirs));
            if (!fault.empty()) return name + ": " + fault;
        }
        return {};
    }

    std::string lossFault(const Read& ours, int step) const {
        const std::vector<std::string> names = below("losses");
        CHECK(!names.empty(), "expected losses in the golden");
        for (const std::string& name : names) {
            const float theirs = at("losses/" + name)[size_t(step)];
            const std::string fault = difference(ours(name), {theirs}, std::abs(double(theirs)));
            if (!fault.empty()) return fmt::format("{} in step {}: {}", name, step, fault);
        }
        return {};
    }

    // After the first step; `gradients` as in a Store.
    std::string gradientFault(const RecordedNetwork& recorded, const core::Buffer& gradients) const {
        const std::vector<std::string> names = below("gradient");
        size_t trained = 0;
        for (const core::Update& update : recorded.graph->updates) trained += update.entries.size();
        if (names.size() != trained)
            return fmt::format("{} parameters are trained, expected {}", trained, names.size());
        double total = 0;
        for (const std::string& name : names) total = std::hypot(total, double(at("gradient/" + name)[0]));
        for (const std::string& name : names) {
            const int entry = recorded.layout.find(name);
            if (entry < 0) return "no parameter " + name;
            const core::Layout::Entry& e = recorded.layout.entries()[size_t(entry)];
            const auto first = gradients.begin() + e.offset;
            const std::vector<float> values(first, first + e.shape.size());
            const std::vector<float> ours = summary(name, core::toTorch(values, e.shape));
            const std::vector<float>& theirs = at("gradient/" + name);
            // Some gradients are zero but for rounding (a bias before a norm): they are judged against all.
            const double least = 1e-3 * total;
            const std::vector<float> elements(theirs.begin() + 2, theirs.end());
            const std::string whole =
                difference({ours[0], ours[1]}, {theirs[0], theirs[1]}, std::max(double(theirs[0]), least));
            const std::string parts =
                difference({ours.begin() + 2, ours.end()}, elements, std::max(largest(elements), least));
            if (!whole.empty() || !parts.empty()) return name + ": " + whole + parts;
        }
        return {};
    }

  private:
    const std::vector<float>& at(const std::string& name) const {
        const auto it = m_file.tensors.find(name);
        CHECK(it != m_file.tensors.end(), "expected {} in the golden", name);
        return it->second.values;
    }
    std::vector<std::string> below(const std::string& folder) const {
        std::vector<std::string> out;
        for (const auto& [name, tensor] : m_file.tensors)
            if (name.starts_with(folder + "/")) out.push_back(name.substr(folder.size() + 1));
        return out;
    }

    static double largest(const std::vector<float>& values) {
        double out = 0;
        for (float x : values) out = std::max(out, std::abs(double(x)));
        return out;
    }
    static std::string difference(const std::vector<float>& ours, const std::vector<float>& theirs,
                                  double scale) {
        if (ours.size() != theirs.size())
            return fmt::format("{} numbers, expected {}", ours.size(), theirs.size());
        for (size_t i = 0; i < ours.size(); ++i)
            if (!(std::abs(double(ours[i]) - double(theirs[i])) <= 1e-4 * scale))
                return fmt::format("{} at {}, expected {}", ours[i], i, theirs[i]);
        return {};
    }
    // Norm, product with a fixed vector, and some elements, in PyTorch's order.
    static std::vector<float> summary(const std::string& name, const std::vector<float>& g) {
        constexpr size_t samples = 64;
        const std::vector<float> probe = numbers("probe/" + name, int64_t(g.size()));
        double squares = 0, product = 0;
        for (size_t i = 0; i < g.size(); ++i) {
            squares += double(g[i]) * double(g[i]);
            product += double(g[i]) * double(probe[i]);
        }
        std::vector<float> out = {float(std::sqrt(squares)), float(product)};
        const size_t apart = (g.size() + samples - 1) / samples;
        for (size_t i = 0; i < g.size(); i += apart) out.push_back(g[i]);
        return out;
    }

    core::Safetensors m_file;
};

}  // namespace support
