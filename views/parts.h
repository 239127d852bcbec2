// Small parts that the panels of several lessons are made of: what a frame says, rows of numbers, keys.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "core/contract/frame.h"
#include "views/canvas.h"

namespace views {

// The option's name of a choice knob.
std::string choiceOf(const core::Frame& frame, const std::string& knob, const std::string& fallback);
double setting(const core::Frame& frame, const std::string& name, double fallback);

// "Sneaker"; empty where the classes of the data set have no names.
const std::string& className(const core::Frame& frame, int label);
// The names of the classes of rows [n, 1] of labels.
std::vector<std::string> namesOf(const core::Frame& frame, const core::Tensor* labels);

// Row i of a channel [n, c]; empty if there is none.
std::span<const float> rowOf(const core::Tensor* t, int64_t i = 0);
// All numbers of a channel that has `count` of them; empty if it has another number.
std::span<const float> allOf(const core::Tensor* t, size_t count);
bool allFinite(std::span<const float> values);

// The side of a square picture of that many pixels, 0 if it is none.
int sideOf(size_t pixels);

const core::History* historyOf(const core::Frame& frame, const std::string& channel);

// The value below which that share of the finite values lies; NaN if there are none.
float quantile(std::vector<float> values, double share);

// A row of labels above numbers; what does not fit is left out, the last first.
struct Number {
    std::string label, value;
    Paint paint = Ink::text;
};
void drawNumbers(Canvas& canvas, Rect where, const std::vector<Number>& numbers);
constexpr float numbersHeight = 38;  // logical pixels at scale 1
// Of walks of `steps` pictures each, one a row, what can be shown at whole-number scale: every step, every
// second one and so on, both ends always; as many walks as there is room for, at least two; larger while
// `fewest` of them remain.
struct Walk {
    std::vector<float> values;
    int steps = 0, rows = 0;
};
Walk walkThatFits(const Images& walks, int steps, int fewest, Vec room);

// What colours and marks mean, side by side, on as many lines as the width asks for; what is below the
// rectangle then is left out.
float widthOf(const Canvas& canvas, const LegendEntry& entry);
float keyWidth(const Canvas& canvas, const std::vector<LegendEntry>& entries);  // on one line
float keyHeight(const Canvas& canvas, float width, const std::vector<LegendEntry>& entries);
void drawKey(Canvas& canvas, Rect where, const std::vector<LegendEntry>& entries);
// All of it, at the top of the area, which keeps the rest.
void drawKeyAbove(Canvas& canvas, Rect& area, const std::vector<LegendEntry>& entries);

}  // namespace views
