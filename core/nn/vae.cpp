#include "core/nn/vae.h"

#include "core/nn/losses.h"

namespace core {

Vae::Vae(const Scope& scope, VaeSizes s)
    : m_encoder(scope / "enc", {s.pixels, s.hidden, s.hidden}, relu, {.output = relu}),
      m_mu(scope / "mu", s.hidden, s.latent),
      m_logvar(scope / "logvar", s.hidden, s.latent),
      m_decoder(scope / "dec", {s.latent, s.hidden, s.hidden, s.pixels}, relu) {}

Vae::Posterior Vae::encode(Var x) const {
    const Var h = m_encoder(x);
    return {m_mu(h), m_logvar(h)};
}

Var Vae::decode(Var z) const {
    return m_decoder(z);
}

Var Vae::loss(Var x, Var eps) const {
    const Posterior q = encode(x);
    const Var out = decode(q.mu + exp(0.5f * q.logvar) * eps);
    return mean(bernoulliNats(out, x)) + sum(gaussianKl(q.mu, q.logvar)) / float(x.rows());
}

}  // namespace core
