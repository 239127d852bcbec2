#include "views/lessons/gan_panels.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

#include "views/parts.h"

namespace views::gan {

namespace {

using core::Frame;
using core::Tensor;

constexpr double log2 = std::numbers::ln2, log4 = 2 * std::numbers::ln2;

std::string choice(const Frame& frame, const std::string& knob) {
    const auto it = frame.choices.find(knob);
    return it == frame.choices.end() ? "" : it->second;
}

double known(const Frame& frame, const std::string& channel) {
    return double(frame.scalar(channel, std::numeric_limits<float>::quiet_NaN()));
}

}  // namespace

// ---- the value of the game

std::vector<std::string> valueNeeds() {
    return {"value", "value_ceiling", "c_g", "jsd", "jsd_baseline"};
}

void drawValue(Canvas& canvas, const Frame& frame) {
    // The measures are only there for data whose density is known.
    const bool exact = frame.find("c_g");
    Rect& area = canvas.area();
    if (exact) {
        const bool roomy = area.height() > canvas.px(260);
        const float each = canvas.px(roomy ? 60 : 38);
        Rect gauges = area.cutBottom(2 * each);
        area.cutBottom(canvas.px(8));
        canvas.gauge(gauges.row(0, 2, 0),
                     {.label = "C(G)",
                      .low = -log4,
                      .high = 0,
                      .unit = "nats",
                      .paint = Ink::exact,
                      .marks = {{-log4, "−log 4"}, {0, "0"}}},
                     known(frame, "c_g"));
        std::vector<Mark> marks = {{0, "0"}, {log2, "log 2"}};
        if (frame.find("jsd_baseline"))
            marks.push_back({known(frame, "jsd_baseline"), "real against real", Ink::data});
        canvas.gauge(
            gauges.row(1, 2, 0),
            {.label = "JSD", .low = 0, .high = log2, .unit = "nats", .paint = Ink::generated, .marks = marks},
            known(frame, "jsd"));
    }
    std::vector<Curve> curves = {curveOf(frame, "value", "V(D,G)", Ink::learned)};
    if (exact || frame.histories.contains("value_ceiling")) {
        curves.push_back(curveOf(frame, "value_ceiling", "max_D V", Stroke(Ink::exact, 1.75f, Dash::dashed)));
    }
    canvas.history("value", curves, {.y = {.label = "nats"}});
}

// ---- the generator's losses over the logit

namespace {

double sigmoid(double a) {
    return 1 / (1 + std::exp(-a));
}
double softplus(double a) {
    return a > 30 ? a : std::log1p(std::exp(a));
}

struct Shape {
    const char* option;
    const char* label;
    double (*loss)(double);
    double (*slope)(double);
};

// By the name of the knob's option; slopes with respect to the logit a of a fake.
constexpr Shape shapes[] = {
    {"minimax", "log(1−σ(a))", [](double a) { return -softplus(a); }, [](double a) { return -sigmoid(a); }},
    {"non-saturating", "−log σ(a)", [](double a) { return softplus(-a); },
     [](double a) { return sigmoid(a) - 1; }},
    {"least-squares", "½(a−1)²", [](double a) { return (a - 1) * (a - 1) / 2; },
     [](double a) { return a - 1; }},
    {"hinge", "−a", [](double a) { return -a; }, [](double) { return -1.0; }},
    {"wgan-gp", "−a", [](double a) { return -a; }, [](double) { return -1.0; }},
};

constexpr double logitReach = 8;

struct Sampled {
    std::vector<float> x, y;
    Series series() const { return Series::of(x, y); }
};

Sampled sampled(double (*f)(double)) {
    Sampled out;
    for (int i = 0; i <= 160; ++i) {
        const double a = -logitReach + 2 * logitReach * i / 160;
        out.x.push_back(float(a));
        out.y.push_back(float(f(a)));
    }
    return out;
}

// The fakes of the batch as dots on the curve.
Sampled dotsOn(double (*f)(double), const Tensor* logits) {
    Sampled out;
    for (float a : logits ? std::span<const float>(logits->values) : std::span<const float>()) {
        if (!std::isfinite(a)) continue;
        out.x.push_back(std::clamp(a, float(-logitReach), float(logitReach)));
        out.y.push_back(float(f(double(out.x.back()))));
    }
    return out;
}

// Whether curves are named at their ends; else the rows below show whose line is whose.
bool namesFit(const Canvas& canvas, float width) {
    return width > canvas.px(320);
}

void drawShapes(Canvas& canvas, const Frame& frame, const std::vector<const Shape*>& shown,
                const Shape& active, bool slopes, Rect where) {
    Axis x{-logitReach, logitReach, slopes ? "logit a of a fake" : ""};
    Axis y = slopes ? Axis{-1.15, 0.15, "dℓ/da"} : Axis{-8, 8, "ℓ(a)"};
    if (slopes && active.option == std::string("least-squares")) y = {-6, 6, "dℓ/da"};
    x.ticks = slopes;
    PlotStyle style{.x = x, .y = y};
    // The same room in both plots, so that they share the logit's axis.
    const bool named = namesFit(canvas, where.width());
    for (const Shape* shape : shown) {
        if (named) style.ends.push_back(shape->label);
    }
    Plot plot = canvas.plot(slopes ? "slopes" : "losses", style, where);
    plot.vertical(0, Stroke(Paint(Ink::faint, 0.5f), 1, Dash::dotted));
    plot.horizontal(0, Stroke(Paint(Ink::faint, 0.5f), 1, Dash::dotted));
    const Tensor* logits = frame.find("logits_fake");
    for (const Shape* shape : shown) {
        const bool now = shape == &active;
        const auto f = slopes ? shape->slope : shape->loss;
        const Sampled curve = sampled(f);
        const Paint paint = now ? Paint(Ink::learned) : Paint(Ink::faint);
        plot.line(curve.series(), Stroke(paint, now ? 2.25f : 1.5f, now ? Dash::solid : Dash::dashed));
        if (!slopes && named) plot.endLabel(double(curve.y.back()), shape->label, paint);
        const Sampled dots = dotsOn(f, logits);
        plot.points(dots.series(), Paint(Ink::generated, now ? 0.8f : 0.25f), now ? 2.5f : 1.75f);
    }
    if (!logits && !slopes) plot.text(logitReach, logitReach, "dots: fakes of a batch", Ink::faint, {1, 0});
}

}  // namespace

std::vector<std::string> lossShapeNeeds() {
    return {"logits_fake", "logits_real", "grad_norm_saturating", "grad_norm_non_saturating"};
}

void drawLossShapes(Canvas& canvas, const Frame& frame) {
    const std::string loss = choice(frame, "loss");
    const Shape* active = &shapes[1];
    for (const Shape& shape : shapes) {
        if (loss == shape.option) active = &shape;
    }
    std::vector<const Shape*> shown = {&shapes[0], &shapes[1]};
    if (std::find(shown.begin(), shown.end(), active) == shown.end()) shown.push_back(active);

    // What the same batch does to the weights under both losses.
    Rect& area = canvas.area();
    const bool named = namesFit(canvas, area.width());
    const LegendEntry other{"counterfactual", Ink::faint, LegendEntry::dashed};
    std::vector<LegendEntry> key;
    if (!named && active != &shapes[0] && active != &shapes[1])
        key.push_back({active->label, Ink::learned, LegendEntry::line});
    if (!named) key.push_back(other);
    const float line = canvas.lineHeight() + canvas.px(2);
    Rect foot = area.cutBottom(2 * line + (named ? 0 : canvas.lineHeight()));
    area.cutBottom(canvas.px(8));
    const char* labels[] = {"|∇_θ G|  log(1−σ(a))", "|∇_θ G|  −log σ(a)"};
    const char* channels[] = {"grad_norm_saturating", "grad_norm_non_saturating"};
    float widest = 0;
    for (const char* label : labels) widest = std::max(widest, canvas.measure(label).x);
    const float indent = named ? 0 : canvas.px(22);
    const float right = foot.x0 + indent + widest + canvas.px(12) + canvas.measure("0.00000").x;
    for (int i = 0; i < 2; ++i) {
        const bool now = active == &shapes[i];
        const float y = foot.y0 + float(i) * line, middle = y + canvas.lineHeight() / 2;
        if (!named)
            canvas.line({foot.x0, middle}, {foot.x0 + canvas.px(16), middle},
                        Stroke(now ? Ink::learned : Ink::faint, 2, now ? Dash::solid : Dash::dashed));
        canvas.text({foot.x0 + indent, y}, labels[i], {now ? Ink::learned : Ink::faint});
        canvas.text({right, y}, figure(known(frame, channels[i])),
                    {now ? Ink::text : Ink::faint, Size::base, {1, 0}});
        if (!now && named)
            canvas.text({right + canvas.px(12), y}, other.label, {Paint(Ink::faint, 0.8f), Size::small});
    }
    foot.cutTop(2 * line);
    if (!named) drawKey(canvas, foot, key);
    Rect upper = area;
    const Rect lower = upper.cutBottom(area.height() * 0.46f);
    if (!named) upper.cutRight(canvas.px(8));  // half a tick label of the plot below
    drawShapes(canvas, frame, shown, *active, false, upper);
    drawShapes(canvas, frame, shown, *active, true, lower);
}

// ---- coverage

std::vector<std::string> coverageNeeds() {
    return {"modes_covered",     "modes",          "mode_counts",
            "mode_centres",      "share_near",     "pairwise_distance",
            "pairwise_baseline", "collapse_alarm", "samples"};
}

void drawCoverage(Canvas& canvas, const Frame& frame) {
    Rect& area = canvas.area();
    const Tensor* counts = frame.find("mode_counts");
    // The samples of a generator that has not learned yet are close together too: that is said, and alarms
    // nobody.
    constexpr int firstSteps = 300;
    const bool collapsed = frame.scalar("collapse_alarm") > 0.5f;
    const bool alarm = collapsed && frame.step >= firstSteps;
    const bool modes = frame.find("modes_covered");

    // The distance between samples beside the data's own.
    const double baseline = known(frame, "pairwise_baseline");
    Rect foot = area.cutBottom(canvas.lineHeight() + canvas.lineHeight(Size::small) + canvas.px(24));
    GaugeStyle distance{.label = "distance between samples", .paint = alarm ? Ink::alarm : Ink::generated};
    distance.high = std::isfinite(baseline) && baseline > 0 ? 1.5 * baseline : 1;
    distance.marks = {{0, "0"}, {baseline, "between data", Ink::data}};
    canvas.gauge(foot, distance, known(frame, "pairwise_distance"));
    area.cutBottom(canvas.px(8));

    Rect head = area.cutTop(canvas.lineHeight(Size::small) + canvas.lineHeight(Size::big) + canvas.px(4));
    const Paint paint = alarm ? Paint(Ink::alarm) : Paint(Ink::text);
    if (modes) {
        const auto whole = [&](const char* channel) {
            const double value = known(frame, channel);
            return std::isfinite(value) ? count(std::llround(value)) : "–";
        };
        canvas.readout(head.column(0, 2, canvas.px(8)), "modes covered",
                       whole("modes_covered") + " / " + whole("modes"), paint);
        const double share = known(frame, "share_near");
        canvas.readout(head.column(1, 2, canvas.px(8)), "within 3σ",
                       std::isfinite(share) ? figure(100 * share) + " %" : "–");
    } else {
        canvas.readout(head, "state",
                       collapsed                      ? "collapsed"
                       : frame.find("collapse_alarm") ? "varied"
                                                      : "–",
                       paint);
    }
    if (alarm && modes) {
        Rect line = area.cutTop(canvas.lineHeight() + canvas.px(4));
        canvas.fill({line.x0, line.y0 + canvas.px(2), line.x0 + canvas.px(3), line.y1 - canvas.px(2)},
                    Ink::alarm);
        const bool close = known(frame, "pairwise_distance") < 0.5 * baseline;
        canvas.text({line.x0 + canvas.px(10), line.y0},
                    close ? "Collapse: samples close together" : "Alarm: few modes", {Ink::alarm});
    }
    if (!counts || counts->shape.columns() != 2) {
        if (modes) return;
        return canvas.history(
            "pairwise",
            {curveOf(frame, "pairwise_distance", "samples", Ink::generated),
             curveOf(frame, "pairwise_baseline", "data", Stroke(Ink::data, 1.75f, Dash::dashed))},
            {.y = {.label = "mean distance"}});
    }
    // A bar for each mode; the dash is its exact weight.
    const auto n = size_t(counts->shape.rows());
    double high = 0;
    for (float v : counts->values) {
        if (std::isfinite(v)) high = std::max(high, double(v));
    }
    // Below the alarm of a small window the bars have the room that their numbers would take.
    const bool low = area.height() < canvas.px(72);
    Axis x{.low = 0.4, .high = double(n) + 0.6, .ticks = !low, .whole = true};
    Plot plot = canvas.plot(
        "modes", {.x = x, .y = {0, std::max(0.05, std::ceil(high * 1.05 * 20) / 20), "share within 3σ"}});
    for (size_t i = 0; i < n; ++i) {
        const double centre = double(i) + 1, share = double(counts->values[2 * i]);
        const auto weight = double(counts->values[2 * i + 1]);
        plot.box(centre - 0.36, 0, centre + 0.36, share, Ink::generated);
        const float at[] = {float(centre - 0.42), float(centre + 0.42)},
                    level[] = {float(weight), float(weight)};
        plot.line(Series::of(at, level), Stroke(Ink::data, 2));
    }
}

// ---- losses

std::vector<std::string> lossNeeds() {
    return {"loss_d", "loss_g", "penalty", "grad_norm_d", "grad_norm_g", "d_real", "d_fake", "d_mean"};
}

void drawLosses(Canvas& canvas, const Frame& frame) {
    const Rect area = canvas.area();
    const float gap = canvas.px(8);
    std::vector<Curve> losses = {curveOf(frame, "loss_d", "L_D", Ink::learned),
                                 curveOf(frame, "loss_g", "L_G", Ink::generated)};
    if (frame.histories.contains("penalty")) {
        losses.push_back(curveOf(frame, "penalty", "penalty", Stroke(Ink::faint, 1.25f)));
    }
    const std::vector<Curve> norms = {curveOf(frame, "grad_norm_d", "|∇_D|", Ink::learned),
                                      curveOf(frame, "grad_norm_g", "|∇_G|", Ink::generated)};
    const std::vector<Curve> answers = {curveOf(frame, "d_real", "D(x)", Ink::data),
                                        curveOf(frame, "d_fake", "D(G(z))", Ink::generated)};
    // Three plots where there is room, else the first two.
    const int rows = area.height() > canvas.px(420) ? 3 : 2;
    // The same room for labels in all of them, so that their steps stand above each other.
    const std::vector<std::string> ends = {"L_D", "L_G", "|∇_D|", rows == 3 ? "D(G(z))" : "",
                                           losses.back().label};
    PlotStyle upper{.x = {.label = " ", .ticks = false}, .y = {.label = "loss"}};
    PlotStyle middle{.x = {.label = " ", .ticks = false}, .y = {0, 1.0001, "mean of D"}};
    PlotStyle lower{.y = {.label = "gradient norm", .log = true}};
    upper.ends = middle.ends = lower.ends = ends;
    canvas.history("losses", losses, upper, area.row(0, rows, gap));
    if (rows == 3) {
        canvas.history("answers", answers, middle, area.row(1, rows, gap));
    }
    canvas.history("norms", norms, lower, area.row(rows - 1, rows, gap));
}

// ---- pictures

void drawSamples(Canvas& canvas, const Frame& frame) {
    const Images sheet = Images::of(frame.find("sheet"));
    if (sheet.size() == 0) return canvas.empty("Samples from the same noise after every step.");
    canvas.sheet("samples", sheet, {.fewer = true});
}

void drawInterpolation(Canvas& canvas, const Frame& frame) {
    constexpr int steps = 9;
    const Images walks = Images::of(frame.find("lerp"));
    if (walks.size() < steps) return canvas.empty("Each row walks between two points of noise.");
    Rect area = canvas.area();
    const Rect foot = area.cutBottom(canvas.lineHeight(Size::small) + canvas.px(4));
    const Walk shown = walkThatFits(walks, steps, 4, {area.width(), area.height()});
    const Sheet drawn = canvas.sheet("interpolation", {shown.values, walks.width, walks.height},
                                     {.columns = shown.steps, .gap = 0}, area);
    if (drawn.cells.empty()) return;
    const float y = std::min(drawn.cells.back().y1 + canvas.px(4), foot.y0 + canvas.px(4));
    canvas.text({drawn.cells.front().x0, y}, "z_0", {Ink::noise, Size::small});
    canvas.text({drawn.cells[size_t(shown.steps) - 1].x1, y}, "z_1", {Ink::noise, Size::small, {1, 0}});
}

void drawNearest(Canvas& canvas, const Frame& frame) {
    const Images query = Images::of(frame.find("nearest_query")),
                 found = Images::of(frame.find("nearest_image"));
    if (query.size() == 0) return canvas.empty("Samples above the training images closest to them.");
    Rect area = canvas.area();
    const float line = canvas.lineHeight(Size::small) + canvas.px(3);
    const char *above = "above: generated", *below = "below: closest training image, its distance";
    const bool wraps = canvas.measure(below, Size::small).x > area.width();
    area.cutBottom((wraps ? 3.f : 2.f) * line + canvas.px(6));
    // Each pair is one picture of double height: they stay together however the sheet is broken.
    const int n = std::min(query.size(), found.size());
    constexpr size_t pixels = 28 * 28;
    std::vector<float> paired;
    for (size_t i = 0; i < size_t(n); ++i) {
        const auto above = query.values.subspan(i * pixels, pixels),
                   below = found.values.subspan(i * pixels, pixels);
        paired.insert(paired.end(), above.begin(), above.end());
        paired.insert(paired.end(), below.begin(), below.end());
    }
    SheetStyle style{.gap = 6, .fewer = true};
    if (const Tensor* distance = frame.find("nearest_distance")) {
        for (float d : distance->values) style.captions.push_back(figure(double(d)));
    }
    const Sheet drawn = canvas.sheet("nearest", {paired, 28, 56}, style, area);
    if (drawn.cells.empty()) return;
    const float y = drawn.cells.back().y1 + line + canvas.px(6);
    canvas.text({area.x0, y}, above, {Ink::generated, Size::small});
    canvas.paragraph({area.x0, y + line, area.x1, canvas.area().y1}, below, {Ink::data, Size::small});
}

}  // namespace views::gan
