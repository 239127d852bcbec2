#include "core/data/picture_features.h"

#include <algorithm>
#include <fstream>
#include <iterator>

#include "core/base/error.h"
#include "core/data/safetensors.h"

namespace core {
namespace {

constexpr int channels1 = 16, channels2 = 32;

std::vector<float> taken(const Safetensors& file, const std::string& name, std::vector<int64_t> extents) {
    const auto found = file.tensors.find(name);
    CHECK(found != file.tensors.end() && found->second.extents == extents,
          "picture features: expected {} of shape [{}], found none", name, fmt::join(extents, ", "));
    return found->second.values;
}

// 3 x 3, stride 2, a border of one zero, then ReLU. x [I, n, n], weight [O, I, 3, 3] -> [O, n / 2, n / 2].
std::vector<float> halved(std::span<const float> x, int in, int n, const std::vector<float>& weight,
                          const std::vector<float>& bias) {
    const int out = int(bias.size()), m = n / 2;
    std::vector<float> y(size_t(out * m * m));
    for (int o = 0; o < out; ++o)
        for (int r = 0; r < m; ++r)
            for (int c = 0; c < m; ++c) {
                float sum = bias[size_t(o)];
                for (int i = 0; i < in; ++i)
                    for (int v = 0; v < 3; ++v) {
                        const int row = 2 * r + v - 1;
                        if (row < 0 || row >= n) continue;
                        const float* w = &weight[size_t(((o * in + i) * 3 + v) * 3)];
                        for (int u = 0; u < 3; ++u) {
                            const int column = 2 * c + u - 1;
                            if (column >= 0 && column < n)
                                sum += w[u] * x[size_t((i * n + row) * n + column)];
                        }
                    }
                y[size_t((o * m + r) * m + c)] = std::max(sum, 0.0f);
            }
    return y;
}

std::vector<float> linear(std::span<const float> x, const std::vector<float>& weight,
                          const std::vector<float>& bias) {
    std::vector<float> y = bias;
    for (size_t o = 0; o < y.size(); ++o)
        for (size_t i = 0; i < x.size(); ++i) y[o] += weight[o * x.size() + i] * x[i];
    return y;
}

}  // namespace

PictureFeatures::PictureFeatures(std::span<const uint8_t> bytes) {
    const Safetensors file = readSafetensors(bytes);
    m_conv1 = {taken(file, "conv1.weight", {channels1, 1, 3, 3}), taken(file, "conv1.bias", {channels1})};
    m_conv2 = {taken(file, "conv2.weight", {channels2, channels1, 3, 3}),
               taken(file, "conv2.bias", {channels2})};
    m_features = {taken(file, "features.weight", {width, channels2 * 7 * 7}),
                  taken(file, "features.bias", {width})};
    m_classes = {taken(file, "classes.weight", {classes, width}), taken(file, "classes.bias", {classes})};
    const std::vector<float> mean = taken(file, "test.mean", {width}),
                             covariance = taken(file, "test.covariance", {width, width});
    m_test = {{mean.begin(), mean.end()}, {covariance.begin(), covariance.end()}};
}

const PictureFeatures& PictureFeatures::shipped() {
    static const PictureFeatures network = [] {
        const std::filesystem::path path = GENSCOPE_ASSETS "/weights/fashion-classifier.safetensors";
        std::ifstream file(path, std::ios::binary);
        CHECK(file, "{}: expected the classifier's weights, found no file", path.string());
        const std::vector<char> text{std::istreambuf_iterator<char>(file), {}};
        return PictureFeatures(std::span(reinterpret_cast<const uint8_t*>(text.data()), text.size()));
    }();
    return network;
}

std::vector<float> PictureFeatures::features(std::span<const float> pictures) const {
    constexpr size_t size = size_t(side) * side;
    CHECK(pictures.size() % size == 0, "picture features: expected pictures of {} pixels, got {} numbers",
          size, pictures.size());
    std::vector<float> out;
    for (size_t at = 0; at < pictures.size(); at += size) {
        const std::vector<float> first =
            halved(pictures.subspan(at, size), 1, side, m_conv1.weight, m_conv1.bias);
        const std::vector<float> second = halved(first, channels1, side / 2, m_conv2.weight, m_conv2.bias);
        for (float f : linear(second, m_features.weight, m_features.bias)) out.push_back(std::max(f, 0.0f));
    }
    return out;
}

std::vector<float> PictureFeatures::logits(std::span<const float> rows) const {
    std::vector<float> out;
    for (size_t at = 0; at < rows.size(); at += width)
        for (float l : linear(rows.subspan(at, width), m_classes.weight, m_classes.bias)) out.push_back(l);
    return out;
}

}  // namespace core
