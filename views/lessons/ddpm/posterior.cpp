#include "views/lessons/ddpm/posterior.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace views::ddpm {

namespace {

constexpr int samples = 241;

double density(double x, double mean, double width) {
    const double u = (x - mean) / width;
    return std::exp(-u * u / 2) / (width * std::sqrt(2 * std::numbers::pi));
}

struct Bell {
    double mean, width;
    // Its curve from low to high.
    std::vector<float> over(double low, double high) const {
        std::vector<float> y;
        for (int i = 0; i < samples; ++i)
            y.push_back(float(density(low + (high - low) * i / (samples - 1), mean, width)));
        return y;
    }
};

std::vector<float> places(double low, double high) {
    std::vector<float> x;
    for (int i = 0; i < samples; ++i) x.push_back(float(low + (high - low) * i / (samples - 1)));
    return x;
}

void drawBells(Plot& plot, const Bell& q, const Bell& p, double low, double high) {
    const auto x = places(low, high), exact = q.over(low, high), learned = p.over(low, high);
    plot.area(Series::of(x, learned), 0, Paint(Ink::learned, 0.15f));
    plot.line(Series::of(x, learned), Stroke(Ink::learned, 2));
    plot.line(Series::of(x, exact), Stroke(Ink::exact, 2, Dash::dashed));
}

}  // namespace

void Posterior::draw(Canvas& canvas, const core::Frame& frame, const SharedTime& time, const SetHandle& set) {
    Rect area = canvas.area();
    const float small = canvas.lineHeight(Size::small);
    const Rect key = area.cutBottom(small + canvas.px(4));
    drawKey(canvas, key,
            {{"q(x_{t−1} | x_t, x_0)", Ink::exact, LegendEntry::dashed},
             {"p_θ(x_{t−1} | x_t)", Ink::learned, LegendEntry::line}});
    const Rect words = area.cutTop(small + canvas.px(4));
    const auto row = rowOf(frame.find("posterior"));
    const bool known = row.size() >= 6 && allFinite(row) && row[1] > 0 && row[3] > 0;
    std::string told = "t = " + count(std::llround(std::max(1.0, time.t())));
    if (known) told += " · KL(q ‖ p_θ) = " + figure(double(row[4])) + " " + canvas.words("nats");
    canvas.text({words.x0, words.y0}, told, {.paint = Ink::text, .size = Size::small});

    // Where things are; the two points are taken with the mouse.
    const Rect overview = area.cutTop(canvas.px(64));
    {
        Plot plot = canvas.plot("line",
                                {.x = {.low = -extent, .high = extent, .label = "x"},
                                 .y = {.low = 0, .high = 1, .ticks = false},
                                 .grid = false},
                                overview);
        plot.horizontal(0.5, Stroke(Ink::grid, 1));
        double y = 0.5;
        if (known)
            plot.box(double(row[0]) - 2 * double(row[1]), 0.38, double(row[0]) + 2 * double(row[1]), 0.62,
                     Paint(Ink::exact, 0.6f));
        plot.draggable("x0", m_x0, y, Ink::data);
        y = 0.5;
        plot.draggable("xt", m_xt, y, Ink::generated);
        m_x0 = std::clamp(m_x0, -extent, extent);
        m_xt = std::clamp(m_xt, -extent, extent);
        plot.text(m_x0, 0.78, "x_0", Ink::data, {0.5f, 1});
        plot.text(m_xt, 0.78, "x_t", Ink::generated, {0.5f, 1});
    }
    if (const std::array<double, 2> here = {m_x0, m_xt}; here != m_told) {
        m_told = here;
        set("posterior", {float(m_x0), 0, float(m_xt), 0});
    }
    area.cutTop(canvas.px(4));
    if (!known) return canvas.empty("Both answers to x_t appear here.", area);
    // Close by: the two bells are narrow beside the way between the points.
    const Bell q{double(row[0]), double(row[1])}, p{double(row[2]), double(row[3])};
    const double low = std::min(q.mean - 4 * q.width, p.mean - 4 * p.width);
    const double high = std::max(q.mean + 4 * q.width, p.mean + 4 * p.width);
    const double top = std::max(density(0, 0, q.width), density(0, 0, p.width)) * 1.12;
    Plot plot = canvas.plot(
        "bells",
        {.x = {.low = low, .high = high, .label = "x_{t−1}"}, .y = {.low = 0, .high = top, .ticks = false}},
        area);
    drawBells(plot, q, p, low, high);
}

}  // namespace views::ddpm
