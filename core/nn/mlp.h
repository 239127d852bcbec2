// Fully connected networks, with PyTorch's parameter names and initialisation.
#pragma once

#include <functional>
#include <vector>

#include "core/nn/layers.h"

namespace core {

using Activation = std::function<Var(Var)>;

// The largest singular value of W by one step of power iteration a call; its vector is kept as the
// state "<scope>.u". (Miyato et al. 2018, algorithm 1.) Returns [1]; the state moves when `train` is set.
Var spectralNorm(const Scope& scope, Var weight, bool train);

// Linear layers with an activation between them, named as in nn.Sequential(Linear, act, Linear, ...).
class Mlp {
  public:
    struct Options {
        Activation output = nullptr;  // after the last layer
        bool spectralNorm = false;    // every weight divided by its largest singular value
        bool train = true;            // whether the power iteration moves
    };

    // sizes: in, hidden ..., out.
    Mlp(const Scope& scope, const std::vector<int>& sizes, Activation activation, Options options);
    Mlp(const Scope& scope, const std::vector<int>& sizes, Activation activation)
        : Mlp(scope, sizes, std::move(activation), Options()) {}
    Var operator()(Var x) const;

    const std::string& scope() const { return m_scope; }

  private:
    std::string m_scope;
    std::vector<Linear> m_layers;
    std::vector<Var> m_norms;  // one a layer with spectral normalisation, else empty
    Activation m_activation, m_output;
};

}  // namespace core
