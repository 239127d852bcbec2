#include "core/nn/mlp.h"

namespace core {

Var spectralNorm(const Scope& scope, Var weight, bool train) {
    const int out = weight.rows();
    const Var w = detach(weight);
    const Var u = scope.state("u", {out, 1}, {Initial::normal, 1});
    const auto normalise = [](Var x) { return x / sqrt(sum(square(x)) + 1e-12f); };
    const Var v = normalise(matmulTransposedLeft(w, u));  // [in, 1]
    const Var next = normalise(matmul(w, v));             // [out, 1]
    if (train) scope.recorder->assign(u, next);
    return sum(detach(next) * matmul(weight, detach(v)));
}

Mlp::Mlp(const Scope& scope, const std::vector<int>& sizes, Activation activation, Options options)
    : m_scope(scope.path), m_activation(std::move(activation)), m_output(options.output) {
    for (size_t i = 0; i + 1 < sizes.size(); ++i) {
        const Scope layer = scope / std::to_string(2 * i);  // the activations have the odd numbers
        m_layers.emplace_back(layer, sizes[i], sizes[i + 1]);
        if (options.spectralNorm)
            m_norms.push_back(spectralNorm(layer, m_layers.back().weight, options.train));
    }
}

Var Mlp::operator()(Var x) const {
    for (size_t i = 0; i < m_layers.size(); ++i) {
        const Linear& layer = m_layers[i];
        x = m_norms.empty() ? layer(x) : matmul(x, transpose(layer.weight / m_norms[i])) + layer.bias;
        if (i + 1 < m_layers.size()) x = m_activation(x);
    }
    return m_output ? m_output(x) : x;
}

}  // namespace core
