#include "core/nn/transformer.h"

namespace core {

CausalBlock::CausalBlock(const Scope& scope, int width, int heads)
    : m_heads(heads),
      m_norm1(scope / "ln_1", width),
      m_norm2(scope / "ln_2", width),
      m_qkv(scope / "c_attn", width, 3 * width),
      m_out(scope / "c_proj", width, width),
      m_up(scope / "mlp_fc", width, 4 * width),
      m_down(scope / "mlp_proj", 4 * width, width) {}

Var CausalBlock::operator()(Var x) const {
    const std::vector<Var> qkv = m_qkv.split(m_norm1(x), 3);
    return mlp(x + m_out(attention(qkv[0], qkv[1], qkv[2], m_heads, true)));
}

Var CausalBlock::next(Var x, Var at, Cache& cache) const {
    const Shape& s = cache.keys.shape();
    std::vector<float> places;
    for (int i = 0; i < s[1]; ++i) places.push_back(float(i));
    const Var after = x.recorder().constant({1, s[1], 1}, places) - at;  // < 0 before, 0 here, > 0 later
    const Var here = relu(1 - abs(after));
    const std::vector<Var> qkv = m_qkv.split(m_norm1(x), 3);
    const auto put = [&](Var old, Var fresh) { return old + here * (broadcastTo(fresh, s) - old); };
    cache = {put(cache.keys, qkv[1]), put(cache.values, qkv[2])};
    const Var later = reshape(core::step(after), {1, 1, 1, s[1]});
    const Var weights = softmax(attentionScores(qkv[0], cache.keys, m_heads) - 1e30f * later);
    return mlp(x + m_out(attend(weights, cache.values)));
}

Var CausalBlock::mlp(Var x) const {
    return x + m_down(erfGelu(m_up(m_norm2(x))));
}

}  // namespace core
