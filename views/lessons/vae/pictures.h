// Panels made of data that the decoder draws: manifold, reconstructions, samples, a path, holes.
#pragma once

#include <array>

#include "views/lessons/vae/situation.h"

namespace views::vae {

void drawManifold(Canvas& canvas, const core::Frame& frame, const SetHandle& set, Cursor& cursor);
void drawReconstructions(Canvas& canvas, const core::Frame& frame);
void drawSamples(Canvas& canvas, const core::Frame& frame, const Cursor& cursor);
void drawHoles(Canvas& canvas, const core::Frame& frame);

// A walk between two test pictures, straight and along an arc. The run begins with ends of its own; two
// clicks on pictures choose others, and every further one replaces the older of the two.
class Path {
  public:
    void draw(Canvas& canvas, const core::Frame& frame, const SetHandle& set);

  private:
    std::array<int, 2> m_ends = {-1, -1};
    int m_next = 0;  // the end that the next click moves
};

}  // namespace views::vae
