#include "core/nn/plane_net.h"

namespace core {

PlaneNet::PlaneNet(const Scope& scope, int hidden, int layers)
    : m_hidden(hidden),
      m_time0(scope / "t_mlp" / 0, hidden, hidden),
      m_time2(scope / "t_mlp" / 2, hidden, hidden),
      m_in(scope / "inp", 2, hidden),
      m_out(scope / "out", hidden, 2) {
    for (int i = 0; i + 1 < layers; ++i) m_middle.emplace_back(scope / "mid" / i, hidden, hidden);
}

Var PlaneNet::operator()(Var x, Var t) const {
    const Var time = m_time2(silu(m_time0(sinusoidalEmbedding(t, m_hidden))));
    Var h = silu(m_in(x) + time);
    for (const Linear& layer : m_middle) h = silu(layer(h));
    return m_out(h);
}

}  // namespace core
