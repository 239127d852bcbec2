#include "core/graph/store.h"

#include <algorithm>
#include <bit>

#include "core/base/philox.h"

namespace core {

void Store::initialise(const Layout& layout, int updates, uint64_t seed) {
    const size_t parameters = size_t(layout.parameterCount());
    weights.parameters.assign(parameters, 0);
    weights.first.assign(parameters, 0);
    weights.second.assign(parameters, 0);
    weights.state.assign(size_t(layout.stateCount()), 0);
    weights.counters.assign(size_t(updates), {});
    gradients.assign(parameters, 0);
    for (const Layout::Entry& e : layout.entries()) {
        float* out = (e.trained ? weights.parameters : weights.state).data() + e.offset;
        const philox::Position at{
            seed, philox::streamOf("init/" + (e.initial.like.empty() ? e.name : e.initial.like)), 0, 0};
        for (int64_t i = 0; i < e.shape.size(); ++i) switch (e.initial.kind) {
                case Initial::constant:
                    out[i] = e.initial.scale;
                    break;
                case Initial::uniform:
                    out[i] = e.initial.scale * (2 * philox::uniformAt(at, uint64_t(i)) - 1);
                    break;
                case Initial::normal:
                    out[i] = e.initial.scale * philox::normalAt(at, uint64_t(i));
                    break;
                case Initial::given:
                    out[i] = (*e.initial.values)[size_t(i)];
                    break;
            }
    }
}

void Store::adopt(const Layout& layout, const Store& from, const Layout& fromLayout) {
    for (const Layout::Entry& e : layout.entries()) {
        const int known = fromLayout.find(e.name);
        if (known < 0) continue;
        const Layout::Entry& old = fromLayout.entries()[known];
        if (!(old.shape == e.shape) || old.trained != e.trained) continue;
        const auto copy = [&](const Buffer& source, Buffer& target) {
            std::copy_n(source.begin() + old.offset, e.shape.size(), target.begin() + e.offset);
        };
        if (e.trained) {
            copy(from.weights.parameters, weights.parameters);
            copy(from.weights.first, weights.first);
            copy(from.weights.second, weights.second);
        } else {
            copy(from.weights.state, weights.state);
        }
    }
    if (weights.counters.size() == from.weights.counters.size()) weights.counters = from.weights.counters;
}

uint64_t Store::hash() const {
    uint64_t hash = 14695981039346656037ull;
    const auto mix = [&](uint64_t word) { hash = (hash ^ word) * 1099511628211ull; };
    for (const Buffer* buffer : {&weights.parameters, &weights.first, &weights.second, &weights.state})
        for (float value : *buffer) mix(std::bit_cast<uint32_t>(value));
    for (const StepCounter& counter : weights.counters) mix(uint64_t(counter.steps));
    return hash;
}

}  // namespace core
