// The forward process at one time: the chain, the closed form and the sampler's way back side by side, and
// the histogram that they share.
#pragma once

#include "views/lessons/ddpm/situation.h"

namespace views::ddpm {

class Forward {
  public:
    void draw(Canvas& canvas, const core::Frame& frame, const SamplingPlace& place, SharedTime& time,
              const SamplingActions& actions);

  private:
    void drawHistogram(Canvas& canvas, const core::Frame& frame, std::span<const float> reverse,
                       Rect where) const;

    double m_t = 1;
};

// The share of each of `bins` equal parts of [-reach, reach].
std::vector<float> histogram(std::span<const float> values, int stride, int bins, double reach);
// The same of the closed form: every x_0 shrunk by `signal` and spread by a normal distribution of width
// `noise`.
std::vector<float> closedFormHistogram(std::span<const float> x0, int stride, double signal, double noise,
                                       int bins, double reach);

}  // namespace views::ddpm
