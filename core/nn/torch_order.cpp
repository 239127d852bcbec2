#include "core/nn/torch_order.h"

namespace core {
namespace {

// Calls visit(here, file) with the two places of every element of a weight [k, l, B, A].
template <class Visit>
void eachElement(const Shape& s, const Visit& visit) {
    const size_t taps = size_t(s[0]) * size_t(s[1]), b = size_t(s[2]), a = size_t(s[3]);
    for (size_t tap = 0; tap < taps; ++tap)
        for (size_t j = 0; j < b; ++j)
            for (size_t i = 0; i < a; ++i) visit((tap * b + j) * a + i, (i * b + j) * taps + tap);
}

void checkSize(std::span<const float> values, const Shape& shape) {
    CHECK(int64_t(values.size()) == shape.size(), "weights: expected {} numbers for {}, got {}", shape.size(),
          shape.text(), values.size());
}

}  // namespace

Shape torchShape(const Shape& s) {
    return s.rank() == 4 ? Shape{s[3], s[2], s[0], s[1]} : s;
}

std::vector<float> toTorch(std::span<const float> values, const Shape& shape) {
    checkSize(values, shape);
    std::vector<float> out(values.begin(), values.end());
    if (shape.rank() == 4) eachElement(shape, [&](size_t here, size_t file) { out[file] = values[here]; });
    return out;
}

std::vector<float> fromTorch(std::span<const float> values, const Shape& shape) {
    checkSize(values, shape);
    std::vector<float> out(values.begin(), values.end());
    if (shape.rank() == 4) eachElement(shape, [&](size_t here, size_t file) { out[here] = values[file]; });
    return out;
}

}  // namespace core
