// The convolutional VQ-VAE (van den Oord et al. 2017): images to a map of codes a quarter as wide, and back.
#pragma once

#include "core/nn/layers.h"
#include "core/nn/quantise.h"

namespace core {

// x + conv1x1(relu(conv3x3(relu(x)))).
class ResBlock3 {
  public:
    ResBlock3(const Scope& scope, int channels);
    Var operator()(Var x) const;

  private:
    Conv2d m_conv1, m_conv2;
};

struct VqVaeSizes {
    int image = 1;      // channels of the images
    int channels = 64;  // of the hidden maps
    int width = 16;     // of a code
    int codes = 128;
};

// Parameters enc.{0,2,3,4,6}, codebook, dec.{0,1,2,4,6}.
class VqVae {
  public:
    explicit VqVae(const Scope& scope, VqVaeSizes sizes = {});

    Var encode(Var x) const;  // [B, H, W, image] -> [B, H/4, W/4, width]
    Var decode(Var z) const;
    Quantised quantise(Var z) const { return core::quantise(z, codebook); }
    // |x - x_hat|^2 + codebook + beta commitment, all means. (eq. 3)
    Var loss(Var x, float beta = 0.25f) const;

    Var codebook;  // [codes, width]

  private:
    Conv2d m_enc0, m_enc2;
    ResBlock3 m_enc3, m_enc4;
    Conv2d m_enc6, m_dec0;
    ResBlock3 m_dec1, m_dec2;
    ConvTranspose2d m_dec4, m_dec6;
};

}  // namespace core
