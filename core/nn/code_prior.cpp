#include "core/nn/code_prior.h"

#include "core/nn/losses.h"

namespace core {

CodePrior::CodePrior(const Scope& scope, CodePriorSizes s)
    : m_sizes(s),
      m_tokens(scope / "wte", s.codes + 1, s.width),
      m_positions(scope / "wpe", s.length, s.width),
      m_norm(scope / "ln_f", s.width),
      m_head(scope / "head", s.width, s.codes, {.bias = false}) {
    for (int i = 0; i < s.depth; ++i) m_blocks.emplace_back(scope / "h" / i, s.width, s.heads);
}

Var CodePrior::operator()(Var index) const {
    const int samples = index.rows(), length = index.columns();
    CHECK(length > 1 && length <= m_sizes.length, "codePrior: expected 2 to {} codes, got {}", m_sizes.length,
          length);
    const Var start = index.recorder().fill({samples, 1}, float(m_sizes.codes));
    const Var before = concatColumns(start, sliceColumns(index, 0, length - 1));
    const Var places =
        length == m_sizes.length ? m_positions.weight : sliceRows(m_positions.weight, 0, length);
    Var x = m_tokens(before) + reshape(places, {1, length, m_sizes.width});
    for (const CausalBlock& block : m_blocks) x = block(x);
    return m_head(m_norm(x));
}

Var CodePrior::next(Var before, Var at, std::vector<CausalBlock::Cache>& caches) const {
    CHECK(caches.size() == m_blocks.size(), "codePrior: expected a cache for each of {} blocks, got {}",
          m_blocks.size(), caches.size());
    Var x = m_tokens(before) + m_positions(reshape(at, {1, 1}));
    for (size_t i = 0; i < m_blocks.size(); ++i) x = m_blocks[i].next(x, at, caches[i]);
    return reshape(m_head(m_norm(x)), {before.rows(), m_sizes.codes});
}

Var CodePrior::loss(Var index) const {
    return softmaxCrossEntropy((*this)(index), reshape(index, {index.rows(), index.columns(), 1}));
}

}  // namespace core
