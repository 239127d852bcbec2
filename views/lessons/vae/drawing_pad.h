// A pad to draw a garment on, what the run makes of it, and where it lands in the latent plane.
#pragma once

#include <optional>
#include <vector>

#include "views/lessons/vae/situation.h"

namespace views::vae {

class DrawingPad {
  public:
    void draw(Canvas& canvas, const core::Frame& frame, const SetHandle& set);

  private:
    static constexpr int side = 28;

    // A soft brush from where the mouse was to where it is, in pixels of the picture.
    void stroke(Vec from, Vec to);
    bool empty() const;

    std::vector<float> m_picture = std::vector<float>(side * side, 0.f);
    std::optional<Vec> m_last;
};

}  // namespace views::vae
