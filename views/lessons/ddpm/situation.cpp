#include "views/lessons/ddpm/situation.h"

#include <algorithm>
#include <cmath>

namespace views::ddpm {

Kind kindOf(const core::Frame& frame) {
    const std::string data = choiceOf(frame, "data", "ring8");
    if (data == "fashion" || data == "shapes") return Kind::images;
    for (const char* channel : {"forward_x0", "x0"})
        if (const core::Tensor* x = frame.find(channel))
            return sideOf(size_t(x->shape.columns())) > 0 ? Kind::images : Kind::points;
    return Kind::points;
}

bool isMixture(const core::Frame& frame) {
    const std::string data = choiceOf(frame, "data", "ring8");
    return data == "ring8" || data == "grid25";
}

int timesteps(const core::Frame& frame) {
    return std::max(2, int(std::lround(setting(frame, "timesteps", 1000))));
}

Axis planeAxis(const std::string& label, bool ticks) {
    return {.low = -extent, .high = extent, .label = label, .ticks = ticks};
}

PlotStyle axes(const Axis& x, const Axis& y) {
    PlotStyle style;
    style.x = x;
    style.y = y;
    return style;
}

Grid planeGrid(std::span<const float> values, int side) {
    if (values.size() < size_t(side) * size_t(side)) return {};
    return {values, side, side, -extent, extent, -extent, extent};
}

std::string distanceLabel(const Canvas& canvas, double samples) {
    return std::isfinite(samples) ? "W_2, " + count(int64_t(samples)) + " " + canvas.words("samples") : "W_2";
}

Images dataPictures(std::span<const float> values, int side) {
    return {.values = values, .width = side, .height = side, .low = -1, .high = 1};
}

Images noisePictures(std::span<const float> values, int side, float reach) {
    return {.values = values, .width = side, .height = side, .low = -reach, .high = reach, .diverging = true};
}

Moment momentAt(const core::Frame& frame, double t) {
    const auto row = rowOf(frame.find("schedule"), std::max<int64_t>(0, std::llround(t) - 1));
    if (row.size() < 6) return {};
    return {double(row[0]), double(row[1]), double(row[2]), double(row[3]), double(row[4]), double(row[5])};
}

void SharedTime::settle(const core::Frame& frame, const SamplingPlace& place, const SetHandle& set) {
    const int steps = timesteps(frame);
    if (steps != m_steps) {
        m_t = m_steps > 0 ? m_t * steps / m_steps : steps / 4.0;
        m_steps = steps;
        m_told = -1;
    }
    const core::TrajectoryPtr run = runOf(frame, place.run);
    m_run = run && !run->steps.empty() ? run->timeOf(std::clamp(place.step, 0, int(run->steps.size()))) : NAN;
    if (run && !(place == m_followed)) {
        m_followed = place;
        // At the result, and where the mouse has just put it, time stays as it is.
        if (!m_dragged && place.step < int(run->steps.size())) m_t = run->timeOf(place.step);
    }
    m_dragged = false;
    const double t = std::clamp(std::round(m_t), 1.0, double(steps));
    if (t == m_told) return;
    m_told = t;
    set("t", {float(t)});
}

void SharedTime::drag(double t, const SamplingActions& actions) {
    m_t = std::clamp(t, 1.0, double(std::max(1, m_steps)));
    m_dragged = true;
    if (actions.goTo) actions.goTo(m_t);
}

bool SharedTime::ruler(Canvas& canvas, const std::string& id, Rect where, const core::Frame& frame,
                       const SamplingActions& actions) {
    const double high = timesteps(frame);
    const float line = canvas.lineHeight(Size::small), y = canvas.snap(where.y0 + canvas.px(8));
    const float margin = canvas.px(6);
    const auto xOf = [&](double t) {
        return where.x0 + margin + (where.width() - 2 * margin) * float(1 - t / high);
    };
    const Rect grip = {where.x0, where.y0, where.x1, where.y0 + canvas.px(16)};
    const bool held = canvas.holds(id, grip);
    if (canvas.hovered(grip))
        canvas.tooltip(
            "The time that these panels look at. The ring is where the run of the sampler stands.");
    if (held) {
        const float share = (canvas.mouse().at.x - where.x0 - margin) / (where.width() - 2 * margin);
        drag(std::round(high * (1 - double(std::clamp(share, 0.f, 1.f)))), actions);
    }
    canvas.line({xOf(high), y}, {xOf(0), y}, Stroke(Ink::grid, 3));
    // As many numbers as have room, at round times.
    double spacing = 1;
    for (const double wanted = high * double(canvas.px(56) / where.width()); spacing < wanted;)
        for (const double factor : {2.0, 2.5, 2.0})
            if (spacing < wanted) spacing *= factor;
    for (int mark = 0; mark * spacing <= high + 1e-9; ++mark) {
        const double t = mark * spacing;
        const std::string label = t == 0 ? "t = 0" : count(int64_t(t));
        const float width = canvas.measure(label, Size::small).x;
        const float left = std::clamp(xOf(t) - width / 2, where.x0, where.x1 - width);
        canvas.line({xOf(t), y - canvas.px(2)}, {xOf(t), y + canvas.px(3)}, Stroke(Ink::faint, 1));
        if (where.height() > canvas.px(14) + line)
            canvas.text({left, y + canvas.px(5)}, label, {.paint = Ink::faint, .size = Size::small});
    }
    if (std::isfinite(m_run)) canvas.circle({xOf(m_run), y}, 4, Stroke(Ink::generated, 2));
    canvas.dot({xOf(m_t), y}, 5, Ink::selection);
    return held;
}

core::TrajectoryPtr runOf(const core::Frame& frame, int64_t id) {
    const core::TrajectoryPtr run = frame.samplings && id ? frame.samplings->find(id) : nullptr;
    return run && run->start ? run : nullptr;
}

std::vector<Rect> squares(Canvas& canvas, Rect& area, const std::vector<LegendEntry>& titles, float tallest,
                          bool marked) {
    const float gap = canvas.px(10), line = canvas.lineHeight(Size::small) + canvas.px(2);
    const auto n = int(titles.size());
    const float side =
        std::min((area.width() - gap * float(n - 1)) / float(n), std::min(tallest, area.height()) - line);
    // A title that is wider than its square takes the room it needs.
    std::vector<float> widths;
    float spare = 0;
    const auto measure = [&] {
        widths.clear();
        spare = area.width() - gap * float(n - 1);
        for (const LegendEntry& title : titles) {
            const float mark = marked ? canvas.px(22) : 0;
            widths.push_back(std::max(side, mark + canvas.measure(title.label, Size::small).x));
            spare -= widths.back();
        }
    };
    measure();
    // Where the marks have no room their colour is that of the words.
    if (marked && spare < 0) marked = false, measure();
    std::vector<Rect> out;
    float x = area.x0 + std::max(0.f, spare / 2);
    for (size_t i = 0; i < titles.size(); ++i) {
        if (marked)
            canvas.legend({x, area.y0, x + widths[i], area.y0 + line}, {titles[i]});
        else
            canvas.text({x, area.y0}, titles[i].label, {.paint = titles[i].paint, .size = Size::small});
        out.push_back({x, area.y0 + line, x + side, area.y0 + line + side});
        x += std::max(side, widths[i] + std::min(0.f, spare / float(n))) + gap;
    }
    area.y0 += line + side;
    return out;
}

}  // namespace views::ddpm
