// The latent plane: where the encoder puts the test data, what the prior expects, and what any place decodes
// to.
#pragma once

#include <array>
#include <vector>

#include "views/lessons/vae/class_names.h"
#include "views/lessons/vae/situation.h"

namespace views::vae {

class LatentPlane {
  public:
    void draw(Canvas& canvas, const core::Frame& frame, const SetHandle& set, Cursor& cursor);

  private:
    struct Codes {
        std::vector<float> x, y;
        Series series() const { return Series::of(std::span<const float>(x), std::span<const float>(y)); }
    };
    // mu, sigma and eps, on the plane's two axes, of the one datum whose dice the mouse can hold.
    struct Draw {
        bool known = false;
        std::array<float, 2> mu{}, sigma{}, eps{};
        std::vector<float> allEps;
        std::array<float, 2> z() const { return {mu[0] + sigma[0] * eps[0], mu[1] + sigma[1] * eps[1]}; }
    };

    std::string axisName(int axis) const { return "z_{" + std::to_string(m_axes[size_t(axis)] + 1) + "}"; }
    Codes codesOf(const core::Frame& frame) const;
    Draw drawOf(const core::Frame& frame);
    // The plane shows [-extent, extent]: 4 as the prior asks, doubled while more than one code in ten lies
    // outside.
    double extentFor(const Codes& codes);
    void plane(Canvas& canvas, const core::Frame& frame, const SetHandle& set, Cursor& cursor, Rect where);
    // A dot at each class's mean, and its name, which keeps clear of what is taken.
    void nameClasses(Canvas& canvas, Plot& plot, const core::Frame& frame, const Codes& codes,
                     const std::vector<Rect>& taken);
    void decoded(Canvas& canvas, Plot& plot, const core::Frame& frame, const Codes& codes,
                 const Cursor& cursor) const;
    // x -> mu, sigma; eps; z -> decoded picture, beside or below the plane.
    void oneDraw(Canvas& canvas, const core::Frame& frame, const SetHandle& set, Rect where, bool upright);
    void moveEps(const Draw& one, double x, double y, const SetHandle& set);

    ClassNames m_names;
    double m_extent = 4;
    std::array<int, 2> m_axes = {0, 1};
    bool m_held = false;       // the dice are in the user's hand
    bool m_asked = false;      // the run has not followed the hand yet
    std::vector<float> m_eps;  // where the user put them
    int64_t m_step = 0;
};

}  // namespace views::vae
