// One step back on the line: what it would be if x_0 were known, and what the network makes of it.
#pragma once

#include <array>

#include "views/lessons/ddpm/situation.h"

namespace views::ddpm {

class Posterior {
  public:
    void draw(Canvas& canvas, const core::Frame& frame, const SharedTime& time, const SetHandle& set);

  private:
    double m_x0 = 2, m_xt = 0.8;
    std::array<double, 2> m_told = {99, 99};
};

}  // namespace views::ddpm
