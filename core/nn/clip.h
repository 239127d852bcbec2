// Two towers with a common embedding (Radford et al. 2021): a causal transformer over a caption's tokens,
// and a small convolutional network over images of 32 x 32.
#pragma once

#include "core/nn/transformer.h"

namespace core {

struct ClipSizes {
    int vocabulary = 64, length = 16, width = 128, depth = 2, heads = 4;
    int embedding = 64, channels = 32, image = 32;
};

// Parameters tok, pos, text.{0 ...}, ln, text_proj, image.{0,2,4,7}, logit_scale.
class TinyClip {
  public:
    explicit TinyClip(const Scope& scope, ClipSizes sizes = {});

    Var embedText(Var tokens) const;  // [B, length] -> [B, embedding], of unit length
    Var embedImage(Var image) const;  // [B, image, image, 3] -> the same
    Var loss(Var image, Var tokens) const;

  private:
    ClipSizes m_sizes;
    Embedding m_tokens;
    Var m_places;
    std::vector<CausalBlock> m_blocks;
    LayerNorm m_norm;
    Linear m_text;
    Conv2d m_conv0, m_conv2, m_conv4;
    FlattenLinear m_image;
    Var m_logScale;
};

}  // namespace core
