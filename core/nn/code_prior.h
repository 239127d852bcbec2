// An autoregressive transformer over a sequence of codes: p(s) = prod p(s_i | s_<i).
#pragma once

#include "core/nn/transformer.h"

namespace core {

struct CodePriorSizes {
    int codes = 128;  // one token more starts every sequence
    int length = 49, width = 128, depth = 4, heads = 4;
};

// Parameters wte, wpe, h.{0 ...}, ln_f, head.
class CodePrior {
  public:
    explicit CodePrior(const Scope& scope, CodePriorSizes sizes = {});

    // Logits of every code given those before it: [B, N] -> [B, N, codes].
    Var operator()(Var index) const;
    // One step of sampling: the logits [B, codes] of code number `at` [1], given the code before it [B, 1]
    // (at 0 the start token) and the caches of all blocks, which are brought up to date.
    Var next(Var before, Var at, std::vector<CausalBlock::Cache>& caches) const;
    int startToken() const { return m_sizes.codes; }
    // -log p(index) in nats a code, mean over the batch: [1].
    Var loss(Var index) const;

  private:
    CodePriorSizes m_sizes;
    Embedding m_tokens, m_positions;
    std::vector<CausalBlock> m_blocks;
    LayerNorm m_norm;
    Linear m_head;
};

}  // namespace core
