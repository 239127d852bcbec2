// eps_theta(x_t, t) or v_theta(x_t, t) for points of the plane: SiLU layers, the time added to the first.
#pragma once

#include "core/nn/layers.h"

namespace core {

// Parameters t_mlp.{0,2}, inp, mid.{0 ...}, out.
class PlaneNet {
  public:
    explicit PlaneNet(const Scope& scope, int hidden = 128, int layers = 4);
    // x [B, 2], t [B, 1], or [1, 1] for all -> [B, 2].
    Var operator()(Var x, Var t) const;

  private:
    int m_hidden;
    Linear m_time0, m_time2, m_in;
    std::vector<Linear> m_middle;
    Linear m_out;
};

}  // namespace core
