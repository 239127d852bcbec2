// Where the parts of the viewer stand, and the words at its head.
#include <algorithm>
#include <cmath>

#include "views/lessons/ddpm/viewer.h"

namespace views::ddpm {

namespace {

using core::Trajectory;

std::string nameOf(const std::string& figure) {
    return figure == "w2"           ? "W_2"
           : figure == "frechet"    ? "Fréchet"
           : figure == "round_trip" ? "lost"
           : figure == "noise_rms"  ? "noise rms"
                                    : figure;
}

// By its name in the knob.
std::string samplerOf(const Canvas& canvas, const Trajectory& run) {
    const auto it = run.choices.find("sampler");
    if (it == run.choices.end()) return {};
    const std::string& option = it->second;
    return option == "ddpm"    ? "DDPM"
           : option == "ddim"  ? "DDIM"
           : option == "euler" ? "Euler"
           : option == "heun"  ? "Heun"
           : option == "dpm++" ? "DPM-Solver++ 2M"
                               : canvas.words(option == "inversion" ? "Inversion (DDIM)" : option);
}

// Lines no wider than that, broken between words.
std::vector<std::string> broken(const Canvas& canvas, const std::string& text, float width) {
    std::vector<std::string> lines = {""};
    for (size_t start = 0; start < text.size();) {
        const size_t end = std::min(text.find(' ', start), text.size());
        const std::string word = text.substr(start, end - start);
        const std::string longer = lines.back().empty() ? word : lines.back() + " " + word;
        if (lines.back().empty() || canvas.measure(longer, Size::small).x <= width)
            lines.back() = longer;
        else
            lines.push_back(word);
        start = end + 1;
    }
    return lines;
}

}  // namespace

// How the run was made and what the result is worth, in lines; the first stands between time and button, and
// is empty where it has no room there.
std::vector<std::string> Viewer::headLines(const Canvas& canvas, const Shown& shown, float width) const {
    const Trajectory& run = shown.run;
    const auto how = [&](int step) {
        std::string words = samplerOf(canvas, run);
        words += (words.empty() ? "" : " · ") + std::to_string(step) + " / " + std::to_string(run.total);
        if (run.forkStep > 0 || run.parent >= 0) words += " · " + canvas.words("branch");
        return words;
    };
    std::vector<std::string> parts = {canvas.words("network of step") + " " + count(run.trainingStep)};
    size_t silent = std::string::npos;
    if (!run.problem.empty()) {
        parts = {run.problem};
    } else if (!run.complete()) {
        parts.push_back(canvas.words("sampling") + " " + std::to_string(run.steps.size()) + " / " +
                        std::to_string(run.total));
    }
    for (const auto& [name, value] : run.figures) {
        if (name.ends_with("_baseline") || name.ends_with("_count")) continue;
        const auto baseline = run.figures.find(name + "_baseline"),
                   judged = run.figures.find(name + "_count");
        parts.push_back(canvas.words(nameOf(name)) + " " + figure(value));
        if (baseline == run.figures.end()) continue;
        parts.back() += ", " + canvas.words("real") + " " + figure(baseline->second);
        if (judged != run.figures.end())
            parts.back() += " (" + count(int64_t(judged->second)) + " " + canvas.words("samples") + ")";
        // As far from the data as so few real ones are says nothing; its room stays.
        if (value < 1.25 * baseline->second) silent = parts.size() - 1;
    }
    // By the longest that it can be, so that nothing jumps from step to step.
    const float first = width - placeWidth(canvas) - buttonWidth(canvas) - canvas.px(8);
    std::vector<std::string> lines = {how(shown.step)};
    if (canvas.measure(how(run.total), Size::small).x > first) {
        lines = broken(canvas, how(shown.step), width);
        lines.insert(lines.begin(), std::string());
    }
    for (size_t i = 0; i < parts.size(); ++i) {
        const std::string longer = lines.back() + " · " + parts[i];
        if (i > 0 && canvas.measure(longer, Size::small).x <= width) {
            if (i != silent) lines.back() = longer;
            continue;
        }
        for (const std::string& piece : broken(canvas, parts[i], width))
            lines.push_back(i == silent ? std::string() : piece);
    }
    return lines;
}

float Viewer::placeWidth(const Canvas& canvas) const {
    return canvas.measure("t = 1 000").x + canvas.px(12);
}

float Viewer::buttonWidth(const Canvas& canvas) const {
    return canvas.measure(canvas.words(m_single ? "all" : "one"), Size::small).x + canvas.px(20);
}

// How large a plane, a picture or a sheet is in so much room. Of a sheet a third is left out where the rest
// is larger then.
Viewer::Fit Viewer::fitIn(const Canvas& canvas, const Trajectory& run, Vec room) const {
    const float side = std::min(room.x, room.y);
    const int pixels = run.width() == 2 ? 0 : sideOf(size_t(run.width()));
    if (pixels == 0) return {{side, side}, side, 1, run.count};
    const int n = m_single ? 1 : run.count;
    const auto width = float(pixels), gap = std::max(1.f, canvas.snap(canvas.px(1)));
    const auto best = [&](bool all) {
        Fit best;
        float bestStrain = 0;
        for (int columns = 1; columns <= n; ++columns) {
            for (int rows = 1; (rows - 1) * columns < n; ++rows) {
                const int count = std::min(n, columns * rows);
                if (all ? count < n : 3 * count < 2 * n || count < columns * rows) continue;
                float scale = std::min((room.x - gap * float(columns - 1)) / (float(columns) * width),
                                       (room.y - gap * float(rows - 1)) / (float(rows) * width));
                if (scale >= 1) scale = std::floor(scale);
                // Of equal scales the one with full rows, and a shape near to a square.
                const float strain =
                    std::abs(std::log(float(columns) / float(rows))) + (columns * rows == count ? 0 : 1);
                const float larger = scale * width - best.measure;
                if (larger < 0 || (larger == 0 && (count < best.count || strain >= bestStrain))) continue;
                bestStrain = strain;
                const auto across = [&](int of) { return float(of) * (scale * width + gap) - gap; };
                best = {{across(columns), across(rows)}, scale * width, columns, count};
            }
        }
        return best;
    };
    const Fit all = best(true), fewer = best(false);
    return fewer.measure > 1.3f * all.measure ? fewer : all;
}

// Words above the picture and tiles below it, or both beside it: what makes the picture larger. All runs
// have it in the same way.
std::vector<Viewer::Places> Viewer::arranged(const Canvas& canvas, const std::vector<Shown>& runs,
                                             const std::vector<Rect>& rooms) const {
    const Rect& room = rooms[0];
    const Trajectory& run = runs[0].run;
    const float small = canvas.lineHeight(Size::small), line = small + canvas.px(2);
    const float gap = canvas.px(6), apart = canvas.px(12);
    const int pixels = run.width() == 2 ? 0 : sideOf(size_t(run.width()));
    const auto heightOf = [&](float width) {
        size_t lines = 0;
        for (const Shown& shown : runs) lines = std::max(lines, headLines(canvas, shown, width).size());
        return float(lines) * small + canvas.px(6);
    };
    // Pictures fill their tiles.
    const auto whole = [&](float tile) {
        return pixels > 0 && tile >= float(pixels) ? std::floor(tile / float(pixels)) * float(pixels) : tile;
    };
    // Below: five tiles in a row.
    const float head = heightOf(room.width());
    const float low = whole(std::min((room.width() - 4 * gap) / 5, room.height() * 0.24f));
    const Fit stacked = fitIn(canvas, run, {room.width(), room.height() - head - low - line - gap});
    // Beside: of the widths that leave tiles to be seen, the one with the largest pictures and the most of
    // them; and as many columns of tiles as make these largest.
    Fit alone;
    float tile = 0;
    int across = 1;
    const float words = std::max(placeWidth(canvas) + buttonWidth(canvas), canvas.px(96));
    for (int i = 0; i < 5; ++i) {
        const float least = words + float(i) * canvas.px(32);
        const Fit fit = fitIn(canvas, run, {room.width() - apart - least, room.height()});
        if (fit.measure < alone.measure || (fit.measure == alone.measure && fit.count <= alone.count))
            continue;
        const float width = room.width() - apart - fit.size.x;
        const float height = room.height() - heightOf(width) - gap;
        float largest = 0;
        int columns = 1;
        for (const int n : {1, 2, 3, 5}) {
            const int rows = (5 + n - 1) / n;
            const float fits = std::min((width - float(n - 1) * gap) / float(n),
                                        (height - float(rows - 1) * gap) / float(rows) - line);
            if (fits > largest) largest = fits, columns = n;
        }
        largest = whole(std::min(largest, room.height() * 0.45f));
        if (largest > canvas.px(24)) alone = fit, tile = largest, across = columns;
    }
    const bool beside = alone.measure > 1.04f * stacked.measure;
    const float width = room.width() - apart - alone.size.x;
    std::vector<Places> all;
    for (const Rect& where : rooms) {
        Places p{.head = where, .picture = where, .tiles = where};
        if (beside) {
            p.fit = alone;
            p.picture.x1 = where.x0 + alone.size.x;
            p.head.x0 = p.tiles.x0 = p.picture.x1 + apart;
            p.head.y1 = where.y0 + heightOf(width);
            p.tiles.y0 = p.head.y1 + gap;
            p.tile = tile;
            p.columns = across;
        } else {
            p.fit = stacked;
            p.head = p.picture.cutTop(head);
            p.tiles = p.picture.cutBottom(low + line);
            p.picture.cutBottom(gap);
            p.tile = low;
        }
        all.push_back(p);
    }
    return all;
}

}  // namespace views::ddpm
