#include "views/lessons/ddpm/schedule.h"

#include <algorithm>
#include <cmath>

namespace views::ddpm {

namespace {

constexpr double reach = 12;  // of the logarithm of the ratio

// A column of the schedule against t, every so many rows.
struct Column {
    std::vector<float> t, value;
    Series series() const { return Series::of(std::span<const float>(t), std::span<const float>(value)); }
};
Column columnOf(const core::Tensor& schedule, int column, double factor = 1) {
    Column out;
    const int64_t rows = schedule.shape.rows(), every = std::max<int64_t>(1, rows / 250);
    const auto take = [&](int64_t row) {
        out.t.push_back(float(row + 1));
        out.value.push_back(float(factor * double(rowOf(&schedule, row)[size_t(column)])));
    };
    for (int64_t row = 0; row < rows; row += every) take(row);
    if ((rows - 1) % every != 0) take(rows - 1);
    return out;
}

// The first t at which there is less signal than noise; 0 if there is none.
int crossing(const core::Tensor& schedule) {
    for (int64_t row = 0; row < schedule.shape.rows(); ++row)
        if (rowOf(&schedule, row)[2] < 1) return int(row + 1);
    return 0;
}

// Where signal and noise are equal. Its words stand in the upper right corner, which the curve leaves free,
// or left of the rule at `now` where that would run through them.
void nameCrossing(Canvas& canvas, Plot& plot, int t, double now) {
    plot.ring(double(t), 0, Ink::exact, 3, 1.5f);
    const std::string at = "t = " + std::to_string(t);
    const Rect& rect = plot.rect();
    const float rule = plot.place(now, 0).x, room = canvas.px(6);
    for (const std::string& words : {"SNR = 1, " + at, at}) {
        const float width = canvas.measure(words, Size::small).x + room;
        const bool left = rule > rect.x1 - width - room;
        const float right = left ? rule - room : rect.x1 - canvas.px(3);
        // The curve falls steeply from its upper end.
        if (words != at && right - width < rect.x0 + rect.width() * 0.2f) continue;
        return plot.text(plot.xAt(right), reach, words, Ink::faint, {1, 0});
    }
}

}  // namespace

void Schedule::drawKnots(const Canvas& canvas, Plot& plot, const core::Frame& frame, const SetHandle& set) {
    const double steps = timesteps(frame);
    if (!canvas.mouse().down && !canvas.mouse().released) m_held = -1;
    for (int k = 0; k < knots; ++k)
        if (k != m_held) m_knots[size_t(k)] = setting(frame, "drawn_" + std::to_string(k), 0);
    for (int k = 0; k < knots; ++k) {
        double x = steps * k / (knots - 1), y = m_knots[size_t(k)];
        if (!plot.draggable("knot" + std::to_string(k), x, y, Ink::selection, 5)) continue;
        m_held = k;
        // It must fall from knot to knot.
        const double high = k > 0 ? m_knots[size_t(k - 1)] : reach;
        const double low = k + 1 < knots ? m_knots[size_t(k + 1)] : -reach;
        y = std::clamp(y, std::min(low, high), high);
        if (y == m_knots[size_t(k)]) continue;
        m_knots[size_t(k)] = y;
        set("drawn_" + std::to_string(k), {float(y)});
    }
}

void Schedule::draw(Canvas& canvas, const core::Frame& frame, SharedTime& time,
                    const SamplingActions& actions, const SetHandle& set) {
    Rect area = canvas.area();
    const core::Tensor* schedule = frame.find("schedule");
    const double steps = timesteps(frame);
    const bool known = schedule && schedule->shape.columns() >= 6 && schedule->shape.rows() >= 2 &&
                       int64_t(schedule->values.size()) >= schedule->shape.size();
    const bool drawn = choiceOf(frame, "schedule", "linear") == "drawn";
    const int rows = area.height() > canvas.px(150) ? 3 : 2;
    const float gap = canvas.px(2);
    const Axis across{.low = 0, .high = steps, .label = "t"};
    Axis silent = across;
    silent.ticks = false;
    silent.label.clear();
    const auto mark = [&](Plot& plot) {
        plot.vertical(time.t(), Stroke(Ink::selection, 1));
        if (const auto at = plot.drag()) time.drag(std::round(double(at->x)), actions);
    };
    // What is not the linear schedule is seen beside it.
    const auto linear = allOf(frame.find("schedule_linear"), size_t(steps));
    const bool other = choiceOf(frame, "schedule", "linear") != "linear";
    const auto compare = [&](Plot& plot, auto value) {
        if (!other || linear.empty()) return;
        Column curve;
        for (size_t i = 0; i < linear.size(); i += std::max<size_t>(1, linear.size() / 250)) {
            curve.t.push_back(float(i + 1));
            curve.value.push_back(float(value(double(linear[i]))));
        }
        plot.line(curve.series(), Stroke(Ink::faint, 1.75f, Dash::dashed));
        const size_t named = curve.t.size() / 3;
        plot.text(double(curve.t[named]), double(curve.value[named]), canvas.words("linear"), Ink::faint,
                  {1.05f, 0});
    };
    const std::vector<std::string> ends = {"log SNR", "β / β_T"};
    {
        PlotStyle style = axes(silent, {.low = 0, .high = 1});
        style.ends = ends;
        Plot plot = canvas.plot("abar", style, area.row(0, rows, gap));
        if (!known) return canvas.empty("The schedule appears here.", area);
        float largest = 0;
        const Column beta = columnOf(*schedule, 0), abar = columnOf(*schedule, 1);
        for (const float b : beta.value) largest = std::max(largest, b);
        const Column relative = columnOf(*schedule, 0, 1 / std::max(1e-9, double(largest)));
        compare(plot, [](double a) { return a; });
        plot.line(abar.series(), Stroke(Ink::exact, 2));
        plot.line(relative.series(), Stroke(Ink::noise, 2));
        plot.endLabel(double(abar.value.back()), "ᾱ", Ink::exact);
        plot.endLabel(double(relative.value.back()), "β / β_T", Ink::noise);
        mark(plot);
        if (const auto at = plot.hover()) {
            const Moment m = momentAt(frame, double(at->x));
            canvas.tooltip("t  " + figure(std::round(double(at->x))) + "\nβ  " + figure(m.beta) + "\nᾱ  " +
                           figure(m.abar) + "\nSNR  " + figure(m.snr) + "\n" + canvas.words("weight") + "  " +
                           figure(m.weight));
        }
    }
    {
        PlotStyle style = axes(rows == 2 ? across : silent, {.low = -reach, .high = reach});
        style.ends = ends;
        Plot plot = canvas.plot("snr", style, area.row(1, rows, gap));
        const Column logSnr = columnOf(*schedule, 3);
        plot.horizontal(0, Stroke(Ink::faint, 1, Dash::dotted));
        compare(plot, [](double a) { return std::log(a / (1 - a)); });
        plot.line(logSnr.series(), Stroke(Ink::exact, 2));
        plot.endLabel(double(logSnr.value.back()), "log SNR", Ink::exact);
        if (const int t = crossing(*schedule)) nameCrossing(canvas, plot, t, time.t());
        if (drawn) {
            drawKnots(canvas, plot, frame, set);
            plot.vertical(time.t(), Stroke(Ink::selection, 1));
        } else {
            mark(plot);
        }
    }
    if (rows == 2) return;
    const Column weight = columnOf(*schedule, 4);
    float least = 1, most = 1;
    for (const float w : weight.value) {
        if (!std::isfinite(w) || w <= 0) continue;
        least = std::min(least, w);
        most = std::max(most, w);
    }
    PlotStyle style = axes(across, axisOver(double(least), double(most), {}, true));
    style.ends = ends;
    Plot plot = canvas.plot("weight", style, area.row(2, rows, gap));
    plot.horizontal(1, Stroke(Ink::learned, 1.75f));
    plot.line(weight.series(), Stroke(Ink::exact, 2, Dash::dashed));
    plot.endLabel(double(weight.value.back()), canvas.words("weight"), Ink::exact);
    plot.endLabel(1, "1", Ink::learned);
    mark(plot);
}

}  // namespace views::ddpm
