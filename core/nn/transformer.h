// The causal transformer block of GPT-2 (Radford et al. 2019): norms before attention and before the MLP.
#pragma once

#include "core/nn/layers.h"

namespace core {

// Parameters ln_1, ln_2, c_attn, c_proj, mlp_fc, mlp_proj.
class CausalBlock {
  public:
    CausalBlock(const Scope& scope, int width, int heads);
    Var operator()(Var x) const;  // [B, N, D]

    // The keys and values [B, N, D] of the positions so far; what stands at later ones does not matter.
    struct Cache {
        Var keys, values;
    };
    // One more position, number `at` [1]: x [B, 1, D] -> [B, 1, D]. Its key and value are put into the cache.
    Var next(Var x, Var at, Cache& cache) const;

  private:
    Var mlp(Var x) const;

    int m_heads;
    LayerNorm m_norm1, m_norm2;
    Linear m_qkv, m_out, m_up, m_down;
};

}  // namespace core
