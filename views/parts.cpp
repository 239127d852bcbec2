#include "views/parts.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

namespace views {

namespace {

const std::string none;
const std::array<std::string, 10> garments = {"T-shirt/top", "Trouser", "Pullover", "Dress", "Coat",
                                              "Sandal",      "Shirt",   "Sneaker",  "Bag",   "Ankle boot"};
const std::array<std::string, 10> shapes = {"disc",    "ring",       "square",      "frame", "triangle",
                                            "diamond", "bar across", "bar upright", "plus",  "cross"};

constexpr float keyGap = 16;

struct KeyLayout {
    std::vector<Vec> places;
    int lines = 1;
};

// One beside the other, on a further line where the width asks for it.
KeyLayout placesInKey(const Canvas& canvas, float width, const std::vector<LegendEntry>& entries) {
    KeyLayout layout;
    float x = 0;
    for (const LegendEntry& entry : entries) {
        const float entryWidth = widthOf(canvas, entry);
        if (x > 0 && x + entryWidth > width + 1) {
            x = 0;
            ++layout.lines;
        }
        layout.places.push_back({x, float(layout.lines - 1) * canvas.lineHeight()});
        x += entryWidth + canvas.px(keyGap);
    }
    return layout;
}

}  // namespace

std::string choiceOf(const core::Frame& frame, const std::string& knob, const std::string& fallback) {
    const auto it = frame.choices.find(knob);
    return it == frame.choices.end() ? fallback : it->second;
}

double setting(const core::Frame& frame, const std::string& name, double fallback) {
    const auto it = frame.settings.find(name);
    return it == frame.settings.end() ? fallback : it->second;
}

const std::string& className(const core::Frame& frame, int label) {
    if (label < 0 || label > 9) return none;
    const std::string data = choiceOf(frame, "data", "fashion");
    return data == "fashion" ? garments[size_t(label)] : data == "shapes" ? shapes[size_t(label)] : none;
}

std::vector<std::string> namesOf(const core::Frame& frame, const core::Tensor* labels) {
    std::vector<std::string> names;
    if (labels)
        for (float label : labels->values)
            names.push_back(std::isfinite(label) ? className(frame, int(label)) : none);
    return names;
}

std::span<const float> rowOf(const core::Tensor* t, int64_t i) {
    if (!t || i < 0 || i >= t->shape.rows()) return {};
    const auto c = size_t(t->shape.columns());
    if (t->values.size() < (size_t(i) + 1) * c) return {};
    return std::span(t->values).subspan(size_t(i) * c, c);
}

std::span<const float> allOf(const core::Tensor* t, size_t count) {
    return t && t->values.size() == count ? std::span<const float>(t->values) : std::span<const float>();
}

bool allFinite(std::span<const float> values) {
    return std::all_of(values.begin(), values.end(), [](float v) { return std::isfinite(v); });
}

int sideOf(size_t pixels) {
    const int side = int(std::lround(std::sqrt(double(pixels))));
    return side >= 8 && size_t(side) * size_t(side) == pixels ? side : 0;
}

const core::History* historyOf(const core::Frame& frame, const std::string& channel) {
    const auto it = frame.histories.find(channel);
    return it == frame.histories.end() || it->second.empty() ? nullptr : &it->second;
}

float quantile(std::vector<float> values, double share) {
    std::erase_if(values, [](float v) { return !std::isfinite(v); });
    if (values.empty()) return std::numeric_limits<float>::quiet_NaN();
    const auto at = values.begin() + std::ptrdiff_t(share * double(values.size() - 1));
    std::nth_element(values.begin(), at, values.end());
    return *at;
}

Walk walkThatFits(const Images& walks, int steps, int fewest, Vec room) {
    const auto wide = float(walks.width), high = float(walks.height);
    int stride = 1, scale = 1;
    // Halving keeps both ends of 2^k + 1 steps.
    const auto shown = [&] { return (steps - 1) / stride + 1; };
    while ((steps - 1) % (2 * stride) == 0 && float(shown()) * wide > room.x) stride *= 2;
    Walk walk{.values = {}, .steps = shown()};
    const auto fits = [&](int at) {
        return float(walk.steps * at) * wide <= room.x && float(fewest * at) * high <= room.y;
    };
    while (fits(scale + 1)) ++scale;
    walk.rows = std::min(walks.size() / steps, std::max(2, int(room.y / (high * float(scale)))));
    const auto pixels = size_t(walks.width) * size_t(walks.height);
    for (int row = 0; row < walk.rows; ++row)
        for (int step = 0; step < steps; step += stride) {
            const auto picture = walks.values.subspan(size_t(row * steps + step) * pixels, pixels);
            walk.values.insert(walk.values.end(), picture.begin(), picture.end());
        }
    return walk;
}

void drawNumbers(Canvas& canvas, Rect where, const std::vector<Number>& numbers) {
    Size size = Size::title;
    float gap = canvas.px(16), used = 0;
    const auto widthOf = [&](const Number& n) {
        return std::max(canvas.measure(n.label, Size::small).x, canvas.measure(n.value, size).x);
    };
    size_t shown = 0;
    const auto fill = [&] {
        shown = 0;
        used = 0;
        while (shown < numbers.size() && used + widthOf(numbers[shown]) <= where.width() + 1)
            used += widthOf(numbers[shown++]) + gap;
        return shown == numbers.size();
    };
    // Closer, and then smaller, before one is left out.
    if (!fill()) gap = canvas.px(8);
    if (!fill()) size = Size::base;
    (void)fill();
    // Columns of equal gaps, so that a longer number does not push its neighbours.
    const float spare = shown > 1 ? std::min(canvas.px(32), (where.width() - used + gap) / float(shown)) : 0;
    float x = where.x0;
    for (size_t i = 0; i < shown; ++i) {
        canvas.text({x, where.y0}, numbers[i].label, {.paint = Ink::faint, .size = Size::small});
        canvas.text({x, where.y0 + canvas.lineHeight(Size::small)}, numbers[i].value,
                    {.paint = numbers[i].paint, .size = size});
        x += widthOf(numbers[i]) + gap + spare;
    }
}

float widthOf(const Canvas& canvas, const LegendEntry& entry) {
    return canvas.px(22) + canvas.measure(entry.label, Size::small).x;
}

float keyWidth(const Canvas& canvas, const std::vector<LegendEntry>& entries) {
    float width = 0;
    for (const LegendEntry& entry : entries)
        width += widthOf(canvas, entry) + (width > 0 ? canvas.px(keyGap) : 0);
    return width;
}

float keyHeight(const Canvas& canvas, float width, const std::vector<LegendEntry>& entries) {
    return float(placesInKey(canvas, width, entries).lines) * canvas.lineHeight();
}

void drawKey(Canvas& canvas, Rect where, const std::vector<LegendEntry>& entries) {
    const std::vector<Vec> places = placesInKey(canvas, where.width(), entries).places;
    for (size_t i = 0; i < entries.size(); ++i) {
        const Vec at = {where.x0 + places[i].x, where.y0 + places[i].y};
        if (places[i].y > 0 && at.y + canvas.lineHeight() > where.y1 + 1) return;
        canvas.legend({at.x, at.y, at.x + widthOf(canvas, entries[i]), where.y1}, {entries[i]});
    }
}

void drawKeyAbove(Canvas& canvas, Rect& area, const std::vector<LegendEntry>& entries) {
    drawKey(canvas, area.cutTop(keyHeight(canvas, area.width(), entries)), entries);
}

}  // namespace views
