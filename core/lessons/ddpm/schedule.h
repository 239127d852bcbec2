// The schedule of the lesson, by a formula or drawn by hand: abar of steps 0 ... T.
#pragma once

#include <array>
#include <utility>
#include <vector>

#include "core/lessons/lesson.h"

namespace core::lessons {

constexpr int scheduleKnots = 6;  // of the one drawn by hand, evenly spaced from t = 1 to T
constexpr int timeBins = 16;      // that figures by t are gathered in

// Reads the lesson's knobs whenever it is asked.
class NoiseSchedule {
  public:
    NoiseSchedule(const Choice& formula, const Structural& timesteps,
                  std::array<const Live*, scheduleKnots> drawn)
        : m_formula(formula), m_timesteps(timesteps), m_drawn(drawn) {}

    int steps() const { return m_timesteps; }
    // abar[0 ... T]; abar[0] = 1.
    std::vector<double> abars() const;
    // At each t [B, 1], 0 ... T: [B, 1]. One that is drawn follows its knobs while it trains.
    Var abarAt(Recorder& r, Var t) const;
    // The first and last t of a bin; both 0 where T is so small that it has none.
    std::pair<int, int> timesOf(int bin) const;
    // Rows t = 1 ... T: beta, abar, SNR, its log, the bound's weight, beta-tilde / beta.
    Tensor curves() const;
    // abar of the linear schedule (Ho et al. 2020) at t = 1 ... T, which the others are compared with.
    Tensor linear() const;

  private:
    bool drawn() const { return m_formula == "drawn"; }
    std::array<double, scheduleKnots> drawnLogSnr() const;
    std::array<double, scheduleKnots> hats(int t) const;

    const Choice& m_formula;
    const Structural& m_timesteps;
    std::array<const Live*, scheduleKnots> m_drawn;
};

}  // namespace core::lessons
