#include "core/contract/sampling.h"

#include <algorithm>

#include "core/base/half.h"
#include "core/base/philox.h"

namespace core {

// ---- Kept

Kept::Kept(std::vector<float> values, bool asHalves) : m_size(int64_t(values.size())) {
    if (asHalves) {
        m_halves.reserve(values.size());
        for (float value : values) m_halves.push_back(toHalf(value));
    } else {
        const auto floats = std::make_shared<const std::vector<float>>(std::move(values));
        m_floats = {floats, floats->data()};
    }
}

float Kept::at(int64_t i) const {
    return m_floats ? m_floats.get()[i] : fromHalf(m_halves[size_t(i)]);
}

void Kept::read(int64_t begin, std::span<float> into) const {
    if (m_floats) {
        std::copy_n(m_floats.get() + begin, into.size(), into.begin());
        return;
    }
    for (size_t i = 0; i < into.size(); ++i) into[i] = fromHalf(m_halves[size_t(begin) + i]);
}

std::vector<float> Kept::values() const {
    std::vector<float> out(static_cast<size_t>(m_size));
    read(0, out);
    return out;
}

// ---- Trajectory

double Trajectory::timeOf(int i) const {
    CHECK(i >= 0 && i <= int(steps.size()) && !steps.empty(),
          "sampling run {}: expected a state below {}, got {}", id, steps.size() + 1, i);
    return i < int(steps.size()) ? steps[size_t(i)]->step.t : steps.back()->step.tNext;
}

std::vector<float> Trajectory::values(Quantity quantity, int i, int first, int number) const {
    const int rows = number < 0 ? count - first : number;
    CHECK(first >= 0 && rows >= 0 && first + rows <= count,
          "sampling run {}: expected samples below {}, got {}", id, count, first + rows - 1);
    const int last = int(steps.size()) - (quantity == state ? 0 : 1);
    CHECK(i >= 0 && i <= last, "sampling run {}: expected a step up to {}, got {}", id, last, i);
    const int64_t begin = first * width(), size = rows * width();
    std::vector<float> out(static_cast<size_t>(size));
    const auto stateOf = [&](int index) -> const Kept& {
        return index == 0 ? *start : steps[size_t(index - 1)]->after;
    };
    if (quantity == state) {
        stateOf(i).read(begin, out);
        return out;
    }
    const KeptStep& kept = *steps[size_t(i)];
    const SamplerStep& s = kept.step;
    if (quantity == prediction || quantity == clean) {
        kept.estimate.read(begin, out);
        if (kept.ofClean != (quantity == clean)) {  // the other of the two: x = signal x_0 + noise eps
            std::vector<float> x(out.size());
            stateOf(i).read(begin, x);
            const double share = kept.ofClean ? s.signal : s.noise, scale = kept.ofClean ? s.noise : s.signal;
            for (size_t e = 0; e < out.size(); ++e)
                out[e] = float((double(x[e]) - share * double(out[e])) / scale);
        }
        const auto limit = float(clip);
        if (quantity == clean && clip > 0)
            for (float& x0 : out) x0 = std::clamp(x0, -limit, limit);
    }
    if (quantity == mean) kept.after.read(begin, out);
    if ((quantity == mean || quantity == added) && s.sigma > 0) {
        const philox::Position at{
            .seed = s.seed, .stream = philox::streamOf(noiseStream), .step = uint64_t(i)};
        for (size_t e = 0; e < out.size(); ++e) {
            const float noise = float(s.sigma) * philox::normalAt(at, uint64_t(begin) + e);
            out[e] = quantity == added ? noise : out[e] - noise;
        }
    }
    return out;
}

std::vector<float> Trajectory::extra(const std::string& channel, int i) const {
    CHECK(i >= 0 && i < int(steps.size()), "sampling run {}: expected a step below {}, got {}", id,
          steps.size(), i);
    const auto& extras = steps[size_t(i)]->extras;
    const auto found = extras.find(channel);
    if (found == extras.end()) return {};
    std::vector<float> out(static_cast<size_t>(found->second.size()));
    found->second.read(0, out);
    return out;
}

std::vector<float> Trajectory::path(int sampleIndex, int element) const {
    CHECK(sampleIndex >= 0 && sampleIndex < count && element >= 0 && element < width(),
          "sampling run {}: expected sample {} and element {} below {} and {}", id, sampleIndex, element,
          count, width());
    const int64_t place = sampleIndex * width() + element;
    std::vector<float> out{start->at(place)};
    for (const auto& step : steps) out.push_back(step->after.at(place));
    return out;
}

TrajectoryPtr Samplings::find(int64_t id) const {
    for (const TrajectoryPtr& run : runs)
        if (run->id == id) return run;
    return nullptr;
}

}  // namespace core
