// What the run is about, as the VAE's panels see it: the kind of data, its classes, and rows of channels.
#pragma once

#include <array>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/contract/frame.h"
#include "views/canvas.h"
#include "views/view.h"

namespace views::vae {

enum class Kind { images, points, exact };

struct Situation {
    Kind kind = Kind::images;
    int zDim = 2;
};
Situation situationOf(const core::Frame& frame);

double setting(const core::Frame& frame, const std::string& name, double fallback);

// "Sneaker"; empty where the classes of the data set have no names.
const std::string& className(const core::Frame& frame, int label);
// The names of the classes of rows [n, 1] of labels.
std::vector<std::string> namesOf(const core::Frame& frame, const core::Tensor* labels);

// Row i of a channel [n, c]; empty if there is none.
std::span<const float> rowOf(const core::Tensor* t, int64_t i = 0);
bool allFinite(std::span<const float> values);

// The side of a square picture of that many pixels, 0 if it is none.
int sideOf(size_t pixels);

// One datum in the middle of a rectangle: a picture, a point of the plane, or its coordinates as bars.
void drawDatum(Canvas& canvas, const std::string& id, std::span<const float> x, Rect where, Paint paint);

// A row of labels above numbers; what does not fit is left out, the last first.
struct Number {
    std::string label, value;
    Paint paint = Ink::text;
};
void drawNumbers(Canvas& canvas, Rect where, const std::vector<Number>& numbers);
constexpr float numbersHeight = 38;  // logical pixels at scale 1
// What colours and marks mean, side by side in one line.
void drawKey(Canvas& canvas, Rect where, const std::vector<LegendEntry>& entries);

// The density of all codes, measured on 64 x 64 places from -4 to 4 in the first two hidden numbers.
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
const core::History* historyOf(const core::Frame& frame, const std::string& channel);
Paired paired(const core::History* a, const core::History* b);

// A moving average over a fiftieth of the values, so that batches do not hide the way that they go.
std::vector<float> smooth(const std::vector<float>& values);
// The value below which that share of the finite values lies; NaN if there are none.
float quantile(std::vector<float> values, double share);

// The point of the latent space under the mouse, wherever it points: shared by the panels that show it.
struct Cursor {
    std::string panel;     // whose mouse it is
    std::vector<float> z;  // empty if there is none

    // Moves it there, with zeros for the other hidden numbers, and asks for the decoded point.
    void point(const std::string& from, Vec at, std::array<int, 2> axes, int zDim, const SetHandle& set);
    void leave(const std::string& from);
};

}  // namespace views::vae
