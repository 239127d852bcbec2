// What the run is about, as the panels of diffusion see it: points or pictures, the time they all look at,
// and the run of the sampler that is stepped through.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "core/contract/frame.h"
#include "views/canvas.h"
#include "views/parts.h"
#include "views/view.h"

namespace views::ddpm {

enum class Kind { points, images };
Kind kindOf(const core::Frame& frame);
// Whether density and score of the data are known at every time.
bool isMixture(const core::Frame& frame);
int timesteps(const core::Frame& frame);

constexpr double extent = 3.5;
Axis planeAxis(const std::string& label = {}, bool ticks = true);
PlotStyle axes(const Axis& x, const Axis& y);
// Values on a square of that many cells a side over the plane; empty where there are too few.
Grid planeGrid(std::span<const float> values, int side);

// The label of W_2, with how many samples were compared: of fewer it is larger.
std::string distanceLabel(const Canvas& canvas, double samples);

// Data between −1 and 1 as grey; noise, and what is predicted of it, in two colours around 0.
Images dataPictures(std::span<const float> values, int side);
Images noisePictures(std::span<const float> values, int side, float reach = 2.5f);

// One row of the channel `schedule`.
struct Moment {
    double beta = 0, abar = 1, snr = 0, logSnr = 0, weight = 0, betaRatio = 0;
};
// t = 1 ... T; what it was at the beginning where the channel is not there yet.
Moment momentAt(const core::Frame& frame, double t);

// The time that every panel looks at: that of the sampling run where there is one, else where the mouse put
// it.
class SharedTime {
  public:
    double t() const { return m_t; }
    // Tells the run where to look, if it does not know yet.
    void settle(const core::Frame& frame, const SamplingPlace& place, const SetHandle& set);
    // From the mouse: the sampling run goes there, too.
    void drag(double t, const SamplingActions& actions);
    // A strip with times from `high` on the left down to 0, a ring where the sampling run stands; true while
    // the mouse drags it.
    bool ruler(Canvas& canvas, const std::string& id, Rect where, const core::Frame& frame,
               const SamplingActions& actions);

  private:
    double m_t = 0;
    double m_run = NAN;        // where the sampling run stands
    int m_steps = 0;           // T
    double m_told = -1;        // what the run knows
    SamplingPlace m_followed;  // the place that was seen last
    bool m_dragged = false;    // by the mouse, just now
};

// The run of the place, or its branch; null where there is none.
core::TrajectoryPtr runOf(const core::Frame& frame, int64_t id);

// Squares of equal size side by side, each below its title in a line of words, with its mark if they are a
// legend, too; what is left of the area is below them.
std::vector<Rect> squares(Canvas& canvas, Rect& area, const std::vector<LegendEntry>& titles, float tallest,
                          bool marked = false);

}  // namespace views::ddpm
