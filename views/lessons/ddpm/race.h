// Samplers in a race from the same noise: how far each ends from the exact path, against what it costs.
#pragma once

#include <map>
#include <optional>

#include "views/lessons/ddpm/situation.h"

namespace views::ddpm {

class Race {
  public:
    void draw(Canvas& canvas, const core::Frame& frame, const SamplingActions& actions);

  private:
    // One sampler with one number of steps.
    struct Entry {
        int sampler = 0;
        int steps = 0;
        int64_t run = 0;  // 0 when it is over
        double evaluations = 0;
        double error = 0;     // root mean square distance from where the reference ends
        double distance = 0;  // W_2 from the data, where the run says so
        bool known = false;
    };

    void start(const core::Frame& frame, const SamplingActions& actions);
    void collect(const core::Frame& frame, const SamplingActions& actions);
    void drawCurves(Canvas& canvas, Rect where) const;

    int64_t m_reference = 0;  // the run with so many steps that it counts as exact
    std::vector<float> m_exact;
    std::vector<Entry> m_entries;
    double m_baseline = 0, m_judged = NAN;  // W_2 of real points, and how many are compared
    bool m_distances = false;               // W_2 from the data instead
    int64_t m_trainingStep = -1;
};

}  // namespace views::ddpm
