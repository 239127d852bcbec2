#include "views/lessons/ddpm/network.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace views::ddpm {

namespace {

struct Language {
    const char *channel, *symbol, *name;
};
constexpr Language languages[] = {{"predicted_eps", "ε", "noise"},
                                  {"predicted_x0", "x_0", "clean"},
                                  {"predicted_v", "v", "velocity"},
                                  {"predicted_score", "s", "score"}};

// What the right answer of each language is, from x_0 and the noise that it was mixed with.
std::vector<float> truthOf(int language, std::span<const float> x0, std::span<const float> eps, double abar) {
    const double signal = std::sqrt(abar), noise = std::sqrt(1 - abar);
    std::vector<float> out(std::min(x0.size(), eps.size()));
    for (size_t i = 0; i < out.size(); ++i) {
        const double clean = double(x0[i]), e = double(eps[i]);
        const std::array<double, 4> answers = {e, clean, signal * e - noise * clean,
                                               -e / std::max(noise, 1e-6)};
        out[i] = float(answers[size_t(language)]);
    }
    return out;
}

double rms(std::span<const float> a, std::span<const float> b) {
    double sum = 0;
    const size_t n = std::min(a.size(), b.size());
    for (size_t i = 0; i < n; ++i) sum += std::pow(double(a[i]) - double(b[i]), 2);
    return n ? std::sqrt(sum / double(n)) : NAN;
}

}  // namespace

void drawLanguages(Canvas& canvas, const core::Frame& frame, const SharedTime& time) {
    Rect area = canvas.area();
    const core::Tensor *x0 = frame.find("forward_x0"), *eps = frame.find("forward_eps");
    const Moment moment = momentAt(frame, time.t());
    const float small = canvas.lineHeight(Size::small);
    const bool points = kindOf(frame) == Kind::points;
    const Rect words = area.cutTop(small + canvas.px(4));
    canvas.text({words.x0, words.y0}, "t = " + count(std::llround(std::max(1.0, time.t()))),
                {.paint = Ink::text, .size = Size::small});
    const Rect key = area.cutBottom(small + canvas.px(2));
    if (points) drawKey(canvas, key, {{"predicted", Ink::learned}, {"true", Ink::exact, LegendEntry::ring}});
    if (!x0 || !eps || !frame.find("predicted_eps"))
        return canvas.empty("What the network answers appears here.", area);
    // Four in a row, or two by two where that makes them larger.
    const float aspect = area.width() / std::max(1.f, area.height());
    const int columns = aspect > 2.2f ? 4 : 2;
    const float gap = canvas.px(8), line = 2 * small + canvas.px(2);
    for (int i = 0; i < 4; ++i) {
        Rect cell = area.row(i / columns, 4 / columns, gap).column(i % columns, columns, gap);
        const core::Tensor* predicted = frame.find(languages[i].channel);
        const std::vector<float> truth = truthOf(i, x0->values, eps->values, moment.abar);
        const Rect head = cell.cutTop(line);
        canvas.pushClip(head);
        canvas.text({head.x0, head.y0},
                    std::string(languages[i].symbol) + "  " + canvas.words(languages[i].name),
                    {.paint = Ink::learned, .size = Size::small});
        if (predicted)
            canvas.text({head.x0, head.y0 + small},
                        canvas.words("error") + " " + figure(rms(predicted->values, truth), 2),
                        {.paint = Ink::faint, .size = Size::small});
        canvas.popClip();
        if (!predicted) continue;
        if (!points) {
            const int side = sideOf(size_t(predicted->shape.columns()));
            if (side == 0) continue;
            const auto pixels = size_t(side * side);
            // The answer above the truth, of as many pictures as have room.
            const auto rows = std::min(predicted->values.size(), truth.size()) / pixels;
            const auto shown = std::min<size_t>(
                rows, std::max<size_t>(1, size_t(cell.width() / std::max(28.f, cell.height() / 2))));
            std::vector<float> both(predicted->values.begin(),
                                    predicted->values.begin() + std::ptrdiff_t(shown * pixels));
            both.insert(both.end(), truth.begin(), truth.begin() + std::ptrdiff_t(shown * pixels));
            const float reach = i == 3 ? float(2.5 / std::sqrt(std::max(1e-4, 1 - moment.abar))) : 2.5f;
            canvas.sheet(languages[i].channel,
                         i == 1 ? dataPictures(both, side) : noisePictures(both, side, reach),
                         {.columns = int(shown)}, cell);
            continue;
        }
        const double reach = i == 3 ? extent / std::sqrt(std::max(1e-4, 1 - moment.abar)) : extent;
        const Axis axis{.low = -reach, .high = reach, .ticks = false};
        Plot plot =
            canvas.plot(languages[i].channel, {.x = axis, .y = axis, .equal = true, .grid = false}, cell);
        canvas.outline(plot.rect(), Stroke(Ink::grid, 1));
        const Series answers = Series::columns(predicted);
        const size_t n = std::min(answers.size, truth.size() / 2);
        const Series right{truth.data(), truth.data() + 1, n, 2, 2};
        plot.segments(answers, right, Stroke(Paint(Ink::faint, 0.5f), 1));
        plot.points(right, Paint(Ink::exact, 0.8f), 1.5f);
        plot.points(answers, Ink::learned, 2.f);
    }
}

void drawTimeEmbedding(Canvas& canvas, const core::Frame& frame) {
    Rect area = canvas.area();
    const double steps = timesteps(frame);
    const core::Tensor *given = frame.find("time_embedding"), *made = frame.find("time_mlp");
    if (!given && !made) return canvas.empty("How the network is told the time appears here.", area);
    const core::Tensor* tables[] = {given, made};
    const char* titles[] = {"sines and cosines of t", "what the network makes of them"};
    const float gap = canvas.px(8), small = canvas.lineHeight(Size::small);
    const int count = made && given ? 2 : 1;
    int at = 0;
    for (int i = 0; i < 2; ++i) {
        const core::Tensor* t = tables[i];
        if (!t || t->values.empty()) continue;
        const bool beside = area.width() > area.height();
        Rect cell = beside ? area.column(at, count, gap) : area.row(at, count, gap);
        ++at;
        const Rect head = cell.cutTop(small + canvas.px(2));
        canvas.pushClip(head);
        canvas.text({head.x0, head.y0}, titles[i], {.paint = Ink::faint, .size = Size::small});
        canvas.popClip();
        const int rows = int(t->shape.rows()), columns = int(t->shape.columns());
        if (rows < 1 || columns < 1) continue;
        std::vector<float> sizes;
        for (const float v : t->values) sizes.push_back(std::abs(v));
        const float reach = i == 0 ? 1.f : std::max(1e-3f, quantile(sizes, 0.98));
        const FieldStyle style{
            .map = Map::diverging, .low = -double(reach), .high = double(reach), .smooth = false};
        Plot plot = canvas.plot(titles[i],
                                {.x = {.low = 0, .high = double(columns), .label = "unit", .whole = true},
                                 .y = {.low = 0, .high = steps, .label = "t"},
                                 .grid = false,
                                 .bar = true},
                                cell);
        plot.field({t->values, columns, rows, 0, double(columns), 0, steps}, style);
        plot.colourBar(style, "");
    }
}

void Nearest::draw(Canvas& canvas, const core::Frame& frame, const SamplingPlace& place, int sample,
                   const SetHandle& set) {
    Rect area = canvas.area();
    const core::TrajectoryPtr run = runOf(frame, place.run);
    const int side = run ? sideOf(size_t(run->width())) : 0;
    const auto nothing = [&] {
        canvas.empty("A sample and the training image closest to it appear here.", area);
    };
    if (!run || run->steps.empty() || side == 0) return nothing();
    sample = std::clamp(sample, 0, run->count - 1);
    if (run->complete() && (run->id != m_run || sample != m_sample)) {
        m_run = run->id;
        m_sample = sample;
        m_query = run->values(core::Trajectory::state, int(run->steps.size()), sample, 1);
        set("nearest_query", m_query);
    }
    if (m_query.empty()) return nothing();
    const core::Tensor* image = frame.find("nearest_image");
    const float small = canvas.lineHeight(Size::small);
    const Rect words = area.cutBottom(small + canvas.px(4));
    const bool beside = area.width() > area.height();
    const float gap = canvas.px(16);
    const Paint paints[] = {Ink::generated, Ink::data};
    const char* titles[] = {"sample", "nearest"};
    const std::span<const float> pictures[] = {
        m_query, image ? std::span<const float>(image->values) : std::span<const float>()};
    for (int i = 0; i < 2; ++i) {
        Rect cell = beside ? area.column(i, 2, gap) : area.row(i, 2, gap);
        const Rect head = cell.cutTop(small + canvas.px(2));
        canvas.pushClip(head);
        canvas.text({head.x0, head.y0}, titles[i], {.paint = paints[i], .size = Size::small});
        canvas.popClip();
        if (pictures[i].size() >= size_t(side * side)) canvas.image(dataPictures(pictures[i], side), cell);
    }
    const float distance = frame.scalar("nearest_distance", NAN),
                real = frame.scalar("nearest_baseline", NAN);
    std::string told = canvas.words("distance") + " " + figure(double(distance));
    if (std::isfinite(real)) told += " · " + canvas.words("of test images") + " " + figure(double(real));
    if (std::isfinite(distance))
        canvas.text({words.x0, words.y0}, told, {.paint = Ink::text, .size = Size::small});
}

}  // namespace views::ddpm
