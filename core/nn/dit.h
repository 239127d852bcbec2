// The diffusion transformer (Peebles and Xie 2023) with adaLN-Zero blocks, and low-rank updates of its
// attention (Hu et al. 2021).
#pragma once

#include <variant>

#include "core/nn/layers.h"

namespace core {

struct DiTSizes {
    int image = 4, side = 8, patch = 2;
    int width = 192, depth = 6, heads = 6, classes = 10;
    int loraRank = 0;  // above 0: every attn.qkv is a LoraLinear
};

// Parameters attn.{qkv,proj}, mlp.{fc1,fc2}, adaLN_modulation.1; the norms have none.
class DiTBlock {
  public:
    // loraScale [1], where there are low-rank updates.
    DiTBlock(const Scope& scope, const DiTSizes& sizes, Var loraScale);
    Var operator()(Var x, Var condition) const;  // [B, N, D], silu(c) [B, D]

  private:
    int m_heads;
    std::variant<std::monostate, Linear, LoraLinear> m_qkv;
    Linear m_out, m_up, m_down, m_modulation;
};

// Parameters mlp.{0,2}.
class TimestepEmbedder {
  public:
    TimestepEmbedder(const Scope& scope, int width, int frequencies = 256);
    Var operator()(Var t) const;  // [B, 1] -> [B, D]

  private:
    int m_frequencies;
    Linear m_first, m_second;
};

// Parameter embedding_table; its last row means "no label".
class LabelEmbedder {
  public:
    LabelEmbedder(const Scope& scope, int classes, int width);
    Var operator()(Var label) const;  // [B, 1] -> [B, D]

  private:
    Embedding m_table;
};

// Parameters linear, adaLN_modulation.1.
class FinalLayer {
  public:
    FinalLayer(const Scope& scope, int width, int out);
    Var operator()(Var x, Var condition) const;  // [B, N, D], silu(c) [B, D] -> [B, N, out]

  private:
    Linear m_linear, m_modulation;
};

// Parameters x_embedder.proj, t_embedder, y_embedder, blocks.{0 ...}, final_layer; state pos_embed.
class DiT {
  public:
    // loraScale [1]: alpha / rank of the low-rank updates; 1 if left out.
    explicit DiT(const Scope& scope, const DiTSizes& sizes = {}, Var loraScale = {});
    // x [B, side, side, image], t [B, 1], or [1, 1] for all, label [B, 1] -> like x.
    Var operator()(Var x, Var t, Var label) const;

  private:
    DiTSizes m_sizes;
    Conv2d m_patches;
    TimestepEmbedder m_time;
    LabelEmbedder m_label;
    Var m_places;
    std::vector<DiTBlock> m_blocks;
    FinalLayer m_final;
};

}  // namespace core
