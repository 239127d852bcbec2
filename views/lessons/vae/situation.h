// What the run is about, as the VAE's panels see it: the kind of data, its classes, and rows of channels.
#pragma once

#include <array>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/contract/frame.h"
#include "views/canvas.h"
#include "views/parts.h"
#include "views/view.h"

namespace views::vae {

enum class Kind { images, points, exact };

struct Situation {
    Kind kind = Kind::images;
    int zDim = 2;
};
Situation situationOf(const core::Frame& frame);

// One datum in the middle of a rectangle: a picture, a point of the plane, or its coordinates as bars.
void drawDatum(Canvas& canvas, const std::string& id, std::span<const float> x, Rect where, Paint paint);

// Which two hidden numbers every panel shows: those that say most of the data.
std::array<int, 2> planeOf(const core::Frame& frame);

// The density of all codes, measured on 64 x 64 places from -4 to 4 in that plane.
struct AggregateField {
    static constexpr int side = 64;
    static constexpr double reach = 4, cell = 2 * reach / (side - 1);

    // The grid of such a field: the places are the middles of its cells. Empty if there is no field.
    static Grid gridOf(std::span<const float> values);
    static double placeOf(int i) { return -reach + i * cell; }
};

// The quantile of the standard normal distribution (Acklam 2003, relative error below 1.2e-9).
double normalQuantile(double u);
// Where the manifold's picture in that row and column of `count` is decoded from; the first row is the
// largest z_2.
Vec manifoldPlace(int row, int column, int count);

// Two scalars at the steps where both were measured.
struct Paired {
    std::vector<float> step, a, b;
    bool empty() const { return step.empty(); }
};
Paired paired(const core::History* a, const core::History* b);

// A moving average over a fiftieth of the values, so that batches do not hide the way that they go.
std::vector<float> smooth(const std::vector<float>& values);

// The point of the latent space under the mouse, wherever it points: shared by the panels that show it.
struct Cursor {
    std::string panel;     // whose mouse it is
    std::vector<float> z;  // empty if there is none

    // Moves it there, with zeros for the other hidden numbers, and asks for the decoded point.
    void point(const std::string& from, Vec at, std::array<int, 2> axes, int zDim, const SetHandle& set);
    void leave(const std::string& from);
};

}  // namespace views::vae
