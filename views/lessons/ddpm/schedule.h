// The schedule over time: beta and abar, the ratio of signal to noise, and the weight that the bound gives;
// one of its own is pulled with the mouse.
#pragma once

#include <array>

#include "views/lessons/ddpm/situation.h"

namespace views::ddpm {

class Schedule {
  public:
    void draw(Canvas& canvas, const core::Frame& frame, SharedTime& time, const SamplingActions& actions,
              const SetHandle& set);

  private:
    static constexpr int knots = 6;
    void drawKnots(const Canvas& canvas, Plot& plot, const core::Frame& frame, const SetHandle& set);

    int m_held = -1;  // the knot in the user's hand
    std::array<double, knots> m_knots{};
};

}  // namespace views::ddpm
