// What a small classifier of Fashion-MNIST sees in a picture: features to compare sets of pictures by.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <vector>

#include "core/data/frechet.h"

namespace core {

// Two convolutions of stride 2 with ReLU, a layer of 64 features with ReLU, and ten logits. Trained by
// tests/peer/train_classifier.py, whose file also has the moments of the test set's features.
class PictureFeatures {
  public:
    static constexpr int width = 64, side = 28, classes = 10;

    // Throws one sentence where the bytes are not that network's weights.
    explicit PictureFeatures(std::span<const uint8_t> safetensors);
    // The one that comes with the program. Throws Error if its file is not there.
    static const PictureFeatures& shipped();

    // Of pictures [n, 784] in [0, 1]: [n, 64], and the logits [n, 10] made of them.
    std::vector<float> features(std::span<const float> pictures) const;
    std::vector<float> logits(std::span<const float> features) const;
    const FeatureMoments& ofTestSet() const { return m_test; }

  private:
    struct Layer {
        std::vector<float> weight, bias;
    };
    Layer m_conv1, m_conv2, m_features, m_classes;
    FeatureMoments m_test;
};

}  // namespace core
