// The U-Net of DDPM (Ho et al. 2020) with an optional cross-attention to a context, as latent diffusion has
// it (Rombach et al. 2022).
#pragma once

#include <optional>

#include "core/nn/layers.h"

namespace core {

// Parameters norm1, conv1, temb, norm2, conv2, and skip where the channels change.
class UResBlock {
  public:
    UResBlock(const Scope& scope, int in, int out, int timeWidth);
    Var operator()(Var x, Var time) const;  // [B, H, W, in], [B, timeWidth] -> [B, H, W, out]

  private:
    GroupNorm m_norm1;
    Conv2d m_conv1;
    Linear m_time;
    GroupNorm m_norm2;
    Conv2d m_conv2;
    std::optional<Conv2d> m_skip;
};

// Self-attention over pixels, then cross-attention to a context if there is one.
// Parameters norm, qkv, proj; norm_x, to_q, to_k, to_v, to_out.
class SpatialAttention {
  public:
    SpatialAttention(const Scope& scope, int channels, int heads, int contextWidth);
    Var operator()(Var x, Var context) const;  // [B, H, W, C], [B, M, contextWidth] or none

  private:
    struct Cross {
        LayerNorm norm;
        Linear query, key, value, out;
    };

    int m_heads;
    GroupNorm m_norm;
    Linear m_qkv, m_out;
    std::optional<Cross> m_cross;
};

struct UNetSizes {
    int image = 1, channels = 32;
    std::vector<int> multiples = {1, 2, 2};  // of the channels, one a level; each level halves the extents
    int context = 0;                         // width of the context's tokens; 0 is none
    bool attendAll = false;                  // attention at every level, not only the lowest
    int heads = 4;
};

// Parameters t_mlp.{0,2}, conv_in, down, down_attn, downsample, mid1, mid_attn, mid2, up, up_attn, upsample,
// norm_out, conv_out.
class UNet {
  public:
    explicit UNet(const Scope& scope, const UNetSizes& sizes = {});
    // x [B, H, W, image], t [B, 1], or [1, 1] for all, context [B, M, width] -> [B, H, W, image].
    Var operator()(Var x, Var t, Var context = {}) const;

  private:
    // A block, attention after it, and the convolution to the next level, where there are any.
    struct Level {
        UResBlock block;
        std::optional<SpatialAttention> attention;
        std::optional<Conv2d> resample;
    };
    Var pass(const Level& level, Var x, Var time, Var context) const;

    UNetSizes m_sizes;
    Linear m_time0, m_time2;
    Conv2d m_in;
    std::vector<Level> m_down, m_up;  // in the order in which they run
    std::optional<UResBlock> m_middle1, m_middle2;
    std::optional<SpatialAttention> m_middleAttention;
    std::optional<GroupNorm> m_norm;
    std::optional<Conv2d> m_out;
};

}  // namespace core
