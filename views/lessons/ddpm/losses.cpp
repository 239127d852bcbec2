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
    const bool two = area.height() > canvas.px(150);
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
            canvas.empty("The loss of each part of the chain appears with the first steps.", plot.rect());
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
    const LossGrid grid = lossGrid(frame, 96);
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

void drawBound(Canvas& canvas, const core::Frame& frame) {
    Rect area = canvas.area();
    const auto bits = allOf(frame.find("bound_bits"), parts + 2);
    const Rect words = area.cutTop(canvas.lineHeight(Size::small) + canvas.px(4));
    if (const float total = frame.scalar("bound_total", NAN); std::isfinite(total))
        canvas.text(
            {words.x0, words.y0},
            canvas.words("bound") + " = " + figure(double(total)) + " " + canvas.words("bits a dimension"),
            {.paint = Ink::text, .size = Size::small});
    double least = 1e-5, most = 1;
    for (const float b : bits) {
        if (!(b > 0) || !std::isfinite(b)) continue;
        least = std::min(least, double(b));
        most = std::max(most, double(b));
    }
    area.cutBottom(canvas.px(8));  // half a line of the lowest number
    PlotStyle style;
    style.x = {.low = 0, .high = parts + 2, .ticks = false};
    style.y = axisOver(least, most, "bits a dimension", true);
    Plot plot = canvas.plot("bits", style, area);
    for (size_t i = 0; i < bits.size(); ++i) {
        if (!(bits[i] > 0)) continue;
        const Paint paint = i == 0 || i == parts + 1 ? Paint(Ink::data, 0.75f) : Paint(Ink::learned, 0.75f);
        plot.box(double(i) + 0.1, style.y.low, double(i) + 0.9, double(bits[i]), paint);
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
