// The fully connected variational autoencoder (Kingma and Welling 2013).
#pragma once

#include "core/nn/mlp.h"

namespace core {

struct VaeSizes {
    int pixels = 784, hidden = 400, latent = 16;
};

// Parameters enc.{0,2}, mu, logvar, dec.{0,2,4}.
class Vae {
  public:
    explicit Vae(const Scope& scope, VaeSizes sizes = {});

    struct Posterior {
        Var mu, logvar;  // [B, Z]
    };
    Posterior encode(Var x) const;
    Var decode(Var z) const;  // logits
    // The negative bound of x [B, D] in nats, with one draw eps [B, Z] ~ N(0, 1) a row.
    Var loss(Var x, Var eps) const;

  private:
    Mlp m_encoder;
    Linear m_mu, m_logvar;
    Mlp m_decoder;
};

}  // namespace core
