#include "views/lessons/ddpm/losses.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include <fmt/format.h>

namespace views::ddpm {

namespace {

std::string channelOf(int part) {
    return fmt::format("loss_t{:02}", part);
}

// "t  1 … 62"
std::string timesOf(const core::Frame& frame, size_t part) {
    const double width = double(timesteps(frame)) / parts;
    return fmt::format("t  {} … {}", count(int64_t(double(part) * width) + 1),
                       count(int64_t(double(part + 1) * width)));
}

// One value for each part, as a stair.
struct Stair {
    std::vector<float> x, y;
    Series series() const { return Series::of(std::span<const float>(x), std::span<const float>(y)); }
};
Stair stairOf(std::span<const float> values, double width) {
    Stair stair;
    for (size_t i = 0; i < values.size(); ++i) {
        stair.x.insert(stair.x.end(), {float(double(i) * width), float(double(i + 1) * width)});
        stair.y.insert(stair.y.end(), {values[i], values[i]});
    }
    return stair;
}

}  // namespace

std::vector<std::string> lossNeeds() {
    std::vector<std::string> needs = {"loss", "loss_by_t", "loss_floor"};
    for (int i = 0; i < parts; ++i) needs.push_back(channelOf(i));
    return needs;
}

LossGrid lossGrid(const core::Frame& frame, int columns) {
    LossGrid grid;
    for (int part = 0; part < parts; ++part)
        if (const core::History* history = historyOf(frame, channelOf(part)))
            grid.lastStep = std::max(grid.lastStep, double(history->buckets().back().step));
    if (grid.lastStep <= 0) return grid;
    grid.columns = columns;
    grid.values.assign(size_t(columns * parts), std::numeric_limits<float>::quiet_NaN());
    for (int part = 0; part < parts; ++part) {
        const core::History* history = historyOf(frame, channelOf(part));
        if (!history) continue;
        std::vector<double> sum(size_t(columns), 0.0), weight(size_t(columns), 0.0);
        for (const auto& bucket : history->buckets()) {
            if (!std::isfinite(bucket.mean)) continue;
            const auto column =
                size_t(std::clamp(int(double(bucket.step) / grid.lastStep * columns), 0, columns - 1));
            sum[column] += double(bucket.mean) * bucket.count;
            weight[column] += bucket.count;
        }
        float last = std::numeric_limits<float>::quiet_NaN();
        for (int column = 0; column < columns; ++column) {
            // Columns without a step of their own carry on what was known before.
            if (weight[size_t(column)] > 0) last = float(sum[size_t(column)] / weight[size_t(column)]);
            grid.values[size_t(part * columns + column)] = last;
        }
    }
    return grid;
}

void drawLossByTime(Canvas& canvas, const core::Frame& frame) {
    Rect area = canvas.area();
    const double steps = timesteps(frame), width = steps / parts;
    const Rect key = area.cutBottom(canvas.lineHeight(Size::small) + canvas.px(4));
    std::vector<LegendEntry> entries = {{"loss", Ink::learned, LegendEntry::area}};
    if (isMixture(frame)) entries.push_back({"floor", Ink::exact, LegendEntry::dashed});
    drawKey(canvas, key, entries);
    const LossGrid grid = lossGrid(frame, 96);
    const bool two = area.height() > canvas.px(150) && (grid.columns > 0 || frame.step == 0);
    const Rect upper = two ? area.row(0, 2, canvas.px(6)) : area;
    const auto loss = allOf(frame.find("loss_by_t"), parts), floor = allOf(frame.find("loss_floor"), parts);
    {
        Plot plot = canvas.plot(
            "by_t", {.x = {.low = 0, .high = steps, .label = "t"}, .y = {.low = 0, .high = 1.05}}, upper);
        for (size_t i = 0; i < loss.size(); ++i)
            if (std::isfinite(loss[i]))
                plot.box(double(i) * width + width * 0.06, 0, double(i + 1) * width - width * 0.06,
                         double(loss[i]), Paint(Ink::learned, 0.7f));
        const Stair exact = stairOf(floor, width);
        plot.line(exact.series(), Stroke(Ink::exact, 2, Dash::dashed));
        if (loss.empty())
            canvas.empty(frame.step > 0
                             ? "This network was trained before: its losses appear when it trains on."
                             : "The loss of each part of the chain appears with the first steps.",
                         plot.rect());
        if (const auto at = plot.hover(); at && !loss.empty()) {
            const auto part = size_t(std::clamp(int(double(at->x) / width), 0, parts - 1));
            std::string tip = fmt::format("{}\n{}  {}", timesOf(frame, part), canvas.words("loss"),
                                          figure(double(loss[part])));
            if (part < floor.size())
                tip += fmt::format("\n{}  {}", canvas.words("floor"), figure(double(floor[part])));
            canvas.tooltip(tip);
        }
    }
    if (!two) return;
    const FieldStyle style{.map = Map::viridis, .low = 0, .high = 1, .smooth = false};
    const double last = std::max(1.0, grid.lastStep);
    Plot plot = canvas.plot("over_steps",
                            {.x = {.low = 0, .high = last, .label = "step", .whole = true},
                             .y = {.low = 0, .high = steps, .label = "t"},
                             .grid = false,
                             .bar = true},
                            area.row(1, 2, canvas.px(6)));
    plot.field({grid.values, grid.columns, parts, 0, last, 0, steps}, style);
    plot.colourBar(style, canvas.words("loss"));
    if (grid.columns == 0) canvas.outline(plot.rect(), Stroke(Ink::grid, 1));
}

// The terms on a logarithmic axis. L_0 of points is a density's, and where it is negative its bar is the
// hollow one.
void drawBound(Canvas& canvas, const core::Frame& frame) {
    Rect area = canvas.area();
    const auto bits = allOf(frame.find("bound_bits"), parts + 2);
    const float total = frame.scalar("bound_total", NAN);
    const Rect sum = area.cutTop(canvas.px(numbersHeight));
    if (!bits.empty() && std::isfinite(total)) {
        double middle = 0;
        for (size_t i = 1; i <= parts; ++i) middle += double(bits[i]);
        const auto signedFigure = [](double v) { return (v < 0 ? "" : "+ ") + figure(v); };
        drawNumbers(canvas, sum,
                    {{"L_0", figure(double(bits[0])), Ink::data},
                     {"Σ L_{t−1}", signedFigure(middle), Ink::learned},
                     {"L_T", signedFigure(double(bits[parts + 1])), Ink::data},
                     {canvas.words("bound"), "= " + figure(double(total))}});
    }
    const bool negative = !bits.empty() && bits[0] < 0;
    if (negative) {
        const std::string why = "L_0 is a density's, which may be above 1: its bits are negative.";
        const float height = canvas.paragraphHeight(area.width(), why, Size::small);
        canvas.paragraph(area.cutBottom(height), why, {.paint = Ink::faint, .size = Size::small});
    }
    double least = 1e-5, most = 1;
    for (const float b : bits) {
        const double size = std::abs(double(b));
        if (!(size > 0) || !std::isfinite(size)) continue;
        least = std::min(least, size);
        most = std::max(most, size);
    }
    area.cutBottom(canvas.px(8));  // half a line of the lowest number
    PlotStyle style;
    style.x = {.low = 0, .high = parts + 2, .ticks = false};
    style.y = axisOver(least, most, "bits a dimension", true);
    Plot plot = canvas.plot("bits", style, area);
    for (size_t i = 0; i < bits.size(); ++i) {
        const double left = double(i) + 0.1, right = double(i) + 0.9;
        const Paint paint = i == 0 || i == parts + 1 ? Paint(Ink::data, 0.75f) : Paint(Ink::learned, 0.75f);
        if (bits[i] > 0) {
            plot.box(left, style.y.low, right, double(bits[i]), paint);
        } else if (i == 0 && negative) {
            const Vec foot = plot.place(left, style.y.low), head = plot.place(right, -double(bits[0]));
            canvas.outline({foot.x, head.y, head.x, foot.y}, Stroke(Ink::data, 1.5f));
        }
    }
    const double top = style.y.high;
    plot.text(0.5, top, "L_0", Ink::text, {0.5f, -0.2f});
    plot.text(9, top, "L_{t−1}", Ink::text, {0.5f, -0.2f});
    plot.text(17.5, top, "L_T", Ink::text, {0.5f, -0.2f});
    if (bits.empty())
        return canvas.empty("The terms of the bound are measured every few seconds.", plot.rect());
    if (const auto at = plot.hover()) {
        const auto i = size_t(std::clamp(int(at->x), 0, parts + 1));
        const std::string term = i == 0 ? "L_0" : i == parts + 1 ? "L_T" : timesOf(frame, i - 1);
        canvas.tooltip(
            fmt::format("{}\n{} {}", term, figure(double(bits[i])), canvas.words("bits a dimension")));
    }
}

void drawDistance(Canvas& canvas, const core::Frame& frame) {
    canvas.history("w2",
                   {curveOf(frame, "w2", "W_2", Ink::generated),
                    curveOf(frame, "w2_baseline", "real", Stroke(Ink::exact, 2, Dash::dashed))},
                   {.y = {.label = distanceLabel(canvas, double(frame.scalar("w2_count", NAN)))}});
}

}  // namespace views::ddpm
