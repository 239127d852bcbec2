// How a pane draws its panels: titles, bodies, tooltips, and what moves between layouts.
#include <imgui.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "core/base/error.h"
#include "views/layout.h"
#include "views/pane_state.h"
#include "views/svg.h"

namespace views {

// The title line: quantity, symbol, and at its end the button that maximises. Cuts it from `where`.
Rect Pane::State::drawTitle(const Panel& panel, Rect& where, Canvas& canvas) {
    const float line = canvas.lineHeight(Size::title);
    const Rect title = where.cutTop(std::round(line + canvas.px(8)));
    const PanelTitle words = titleOf(panel.id);
    const Rect button = {title.x1 - canvas.px(20), title.y0, title.x1, title.y0 + canvas.px(20)};

    const Vec size = canvas.text({title.x0, title.y0}, words.title, {Ink::text, Size::title});
    const float symbolAt = title.x0 + size.x + canvas.px(10);
    if (!words.symbol.empty() && symbolAt + canvas.measure(words.symbol).x < button.x0) {
        const float drop = line - canvas.lineHeight();
        canvas.text({symbolAt, title.y0 + std::round(drop * 0.8f)}, words.symbol, {Ink::faint});
    }
    // Four corners, drawn outward to grow and inward to shrink.
    const bool full = maximised == panel.id;
    const bool lit = canvas.hovered(button);
    const Vec middle = {canvas.snap(button.centre().x) + 0.5f, canvas.snap(title.y0 + line / 2) + 0.5f};
    SvgWriter* const svg = std::exchange(memory.svg, nullptr);  // a button is no part of a file
    const float outer = canvas.snap(canvas.px(5)), arm = canvas.snap(canvas.px(3));
    for (const Vec s : {Vec{-1, -1}, Vec{1, -1}, Vec{1, 1}, Vec{-1, 1}}) {
        const float near = full ? outer - arm : outer, far = full ? outer : outer - arm;
        canvas.polyline({{middle.x + s.x * far, middle.y + s.y * near},
                         {middle.x + s.x * near, middle.y + s.y * near},
                         {middle.x + s.x * near, middle.y + s.y * far}},
                        Stroke(lit ? Ink::text : Paint(Ink::faint, 0.7f), 1.25f));
    }
    memory.svg = svg;
    if (canvas.clicked("maximise", button)) {
        toggle(panel.id);
    } else if (canvas.hovered(title) && mouse.doubled && !lit) {
        toggle(panel.id);
    } else if (canvas.hovered(title) && !lit && !words.tooltip.empty()) {
        canvas.tooltip(words.tooltip);
    }
    return title;
}

void Pane::State::drawPanel(const Panel& panel, const Rect& where, const Theme& t) {
    ImDrawList* list = ImGui::GetWindowDrawList();
    list->PushClipRect({where.x0, where.y0}, {where.x1, where.y1}, false);
    const int depth = list->_ClipRectStack.Size;
    std::optional<SvgWriter> svg;
    SvgWriter* const whole = memory.svg;
    if (writing == panel.id) memory.svg = &svg.emplace(where.inset(-t.px(12)), ratio, t.ink(Ink::background));
    if (memory.svg) memory.svg->pushClip(where);
    Rect body = where;
    Canvas heading(panel.id, where, t, *painter, memory, mouseFor(panel.id, where));
    const Rect title = drawTitle(panel, body, heading);
    rects.push_back({panel.id, where, title, body});

    Canvas canvas(panel.id, body, t, *painter, memory, mouseFor(panel.id, body));
    const core::Frame& shown = shownFrame();
    const bool main = !panels.empty() && panels.front().id == panel.id;
    try {
        if (!shown.problem.empty() && main) {
            canvas.problem(shown.problem);
        } else if (panel.draw) {
            panel.draw(
                canvas, shown, handle ? handle : [](const std::string&, const std::vector<float>&) {});
        }
    } catch (const core::Error& error) {
        while (list->_ClipRectStack.Size > depth) list->PopClipRect();
        canvas.problem(error.what());
    }
    list->PopClipRect();
    if (memory.svg) memory.svg->popClip();
    if (svg) written = svg->finish(titleOf(panel.id).title);
    memory.svg = whole;
}

void Pane::State::drawTooltip(const Theme& t) {
    if (memory.tooltip.empty()) return;
    const Rect all = {0, 0, float(width) * ratio, float(height) * ratio};
    Canvas canvas("tooltip", all, t, *painter, memory, {});
    const std::string text = canvas.words(memory.tooltip);
    std::vector<std::string> lines;
    for (size_t start = 0; start <= text.size();) {
        const size_t end = std::min(text.find('\n', start), text.size());
        lines.push_back(text.substr(start, end - start));
        start = end + 1;
    }
    float widest = 0, height = canvas.px(12);
    const float most = std::min(canvas.px(320), all.width() - canvas.px(40));
    for (const std::string& line : lines) widest = std::max(widest, canvas.measure(line, Size::small).x);
    const float width = std::min(widest + 1, most);
    // A long line is broken; how often is known when it has been laid out off the screen.
    for (const std::string& line : lines) {
        ImDrawList* list = canvas.list();
        list->PushClipRect({0, 0}, {0, 0}, false);
        height += canvas.paragraph({0, 0, width, 1e4f}, line, {Ink::text, Size::small});
        list->PopClipRect();
    }
    const float boxWidth = width + canvas.px(20);
    float x = mouse.at.x + canvas.px(16), y = mouse.at.y + canvas.px(16);
    if (x + boxWidth > all.x1) x = mouse.at.x - canvas.px(8) - boxWidth;
    if (y + height > all.y1) y = mouse.at.y - canvas.px(8) - height;
    x = std::max(x, canvas.px(4));
    y = std::max(y, canvas.px(4));
    const Rect box = {std::round(x), std::round(y), std::round(x + boxWidth), std::round(y + height)};
    canvas.fill(box, Ink::surface, 6);
    canvas.outline(box, Stroke(Ink::grid, 1), 6);
    float top = box.y0 + canvas.px(6);
    for (const std::string& line : lines) {
        top += canvas.paragraph({box.x0 + canvas.px(10), top, box.x0 + canvas.px(10) + width, box.y1}, line,
                                {Ink::text, Size::small});
    }
}

PanelTitle Pane::State::titleOf(const std::string& panel) const {
    const auto found = titles.find(panel);
    return found != titles.end() ? found->second : PanelTitle{panel, "", ""};
}

// The buttons of the panels from `first` on: rows from the left, the last one at the bottom of the area.
std::vector<Rect> Pane::State::layOutShelf(size_t first, const Rect& area, const Theme& t) {
    Canvas measure("shelf", area, t, *painter, memory, {});
    const float height = t.px(26), between = t.px(8), turn = t.px(48);
    std::vector<Rect> buttons;
    float y = area.y0;
    const auto deal = [&](float widest, float right) {
        buttons.clear();
        y = area.y0;
        float x = area.x0;
        for (size_t i = first; i < panels.size(); ++i) {
            const float title = measure.measure(titleOf(panels[i].id).title, Size::small).x;
            const float width = std::min(std::ceil(title) + t.px(20), widest);
            if (x + width > right && x > area.x0) x = area.x0, y += height + between;
            buttons.push_back({x, y, x + width, y + height});
            x += width + between;
        }
    };
    shelfTurn = {};
    if (inHall()) {
        // A row at a time: its last button turns to the next.
        deal(area.width() - turn - between, area.x1);
        if (y > area.y0) {
            deal(area.width() - turn - between, area.x1 - turn - between);
            const auto rowOf = [&](const Rect& r) {
                return size_t(std::lround((r.y0 - area.y0) / (height + between)));
            };
            shelfRow %= rowOf(buttons.back()) + 1;
            float end = area.x0;
            for (Rect& button : buttons) {
                if (rowOf(button) != shelfRow) {
                    button = {};
                    continue;
                }
                button.y0 = area.y0, button.y1 = area.y0 + height;
                end = button.x1 + between;
            }
            shelfTurn = {end, area.y1 - height, end + turn, area.y1};
            y = area.y0;
        }
    } else {
        // Long titles are cut short before the shelf takes more than a fifth of a small pane from its panels.
        const auto depth = [&](float widest) {
            deal(widest, area.x1);
            return std::max(y + height - area.y0, area.height() / 5);
        };
        const float least = depth(t.px(72));
        float widest = area.width();
        while (depth(widest) > least) widest -= t.px(8);
    }
    const float down = area.y1 - (y + height);
    for (Rect& button : buttons)
        if (!button.empty()) button.y0 += down, button.y1 += down;
    return buttons;
}

// Where every panel stands. The last ones go to the shelf at the bottom while any would be too small to be
// read.
void Pane::State::layOut(const Rect& area, const Theme& t) {
    const float titleHeight = painter->fonts().font(Size::title)->FontSize + t.px(8);
    std::vector<std::string> ids;
    // Titles grow when the letters of another language have come.
    std::vector<float> weights, titleWidths;
    const Canvas measure("titles", area, t, *painter, memory, {});
    size_t wanted = 0;
    for (const Panel& panel : panels) {
        ids.push_back(panel.id);
        weights.push_back(panel.weight);
        titleWidths.push_back(measure.measure(titleOf(panel.id).title, Size::small).x);
        if (!panel.shelved) ++wanted;
    }
    const std::tuple key(area, ids, weights, titleWidths, titleHeight);
    if (laidOutFor == key) return;
    laidOutFor = key;
    const float gap = t.px(24);
    for (shown = inHall() ? std::min<size_t>(wanted, 3) : wanted;; --shown) {
        const std::vector<Rect> shelf = layOutShelf(shown, area, t);
        Rect room = area;
        for (const Rect& button : shelf)
            if (!button.empty()) room.y1 = std::min(room.y1, button.y0 - gap / 2);
        weights.resize(shown);
        places = inHall() ? layOutHall(room, shown, gap) : layOutPanels(room, weights, gap, titleHeight);
        const auto isReadable = [&](const Rect& r) {
            return r.width() > 7.2f * titleHeight && r.height() > 6.4f * titleHeight;
        };
        const bool readable = std::all_of(places.begin(), places.end(), isReadable);
        const bool fewer = shown > 2 || (shown > 1 && (inHall() || !isReadable(places.front())));
        if (!readable && fewer) continue;
        places.insert(places.end(), shelf.begin(), shelf.end());
        return;
    }
}

void Pane::State::drawShelf(const Rect& area, const Theme& t) {
    if (!maximised.empty() || shown >= panels.size()) return;
    Canvas canvas("shelf", area, t, *painter, memory, mouseFor("shelf", area));
    size_t hidden = 0;
    for (size_t i = shown; i < panels.size(); ++i) hidden += places[i].empty();
    if (hidden > 0) {
        if (canvas.button("turn", shelfTurn, "+ " + std::to_string(hidden))) {
            ++shelfRow;
            laidOutFor = {};
            return changed(2);
        }
        if (canvas.hovered(shelfTurn)) canvas.tooltip("The other panels.");
    }
    for (size_t i = shown; i < panels.size(); ++i) {
        if (places[i].empty()) continue;
        const PanelTitle words = titleOf(panels[i].id);
        if (canvas.button(panels[i].id, places[i], words.title)) return toggle(panels[i].id);
        if (canvas.hovered(places[i])) canvas.tooltip(words.title + "\n" + words.tooltip);
    }
}

void Pane::State::draw() {
    const Theme t = deviceTheme();
    const Vec display = {float(width) * ratio, float(height) * ratio};
    painter->begin(display, t);
    memory.tooltip.clear();
    memory.stillMoving = false;
    rects.clear();
    std::optional<SvgWriter> svg;
    memory.svg = nullptr;
    if (writing == "*")
        memory.svg = &svg.emplace(Rect{0, 0, display.x, display.y}, ratio, t.ink(Ink::background));

    ImGui::SetNextWindowPos({0, 0});
    ImGui::SetNextWindowSize({display.x, display.y});
    ImGui::PushStyleVar(ImGuiStyleVar_WindowPadding, {0, 0});
    ImGui::PushStyleVar(ImGuiStyleVar_WindowBorderSize, 0);
    ImGui::Begin("pane", nullptr,
                 ImGuiWindowFlags_NoDecoration | ImGuiWindowFlags_NoBackground | ImGuiWindowFlags_NoMove |
                     ImGuiWindowFlags_NoSavedSettings | ImGuiWindowFlags_NoNav | ImGuiWindowFlags_NoInputs);
    const float margin = t.px(16);
    const Rect area = {margin, margin, display.x - margin, display.y - margin};
    layOut(area, t);

    // A rectangle that the user's choice moves gets there in 150 ms.
    Canvas mover("pane", area, t, *painter, memory, {});
    std::optional<size_t> top;
    const auto placeOf = [&](size_t i) {
        const Rect to = panels[i].id == maximised ? area : places[i];
        const std::string& id = panels[i].id;
        if (id != maximised && id != shrinking) return to;
        return Rect{mover.follow(id + ".x0", to.x0), mover.follow(id + ".y0", to.y0),
                    mover.follow(id + ".x1", to.x1), mover.follow(id + ".y1", to.y1)};
    };
    for (size_t i = 0; i < panels.size(); ++i) {
        if (panels[i].id == maximised || panels[i].id == shrinking) {
            top = i;
        } else {
            // Known to follow() before it is needed, so that it starts from here.
            for (const auto& [part, value] : {std::pair{".x0", places[i].x0},
                                              {".y0", places[i].y0},
                                              {".x1", places[i].x1},
                                              {".y1", places[i].y1}}) {
                memory.moving["pane/" + panels[i].id + part] = value;
            }
            if (isShown(i)) drawPanel(panels[i], places[i], t);
        }
    }
    drawShelf(area, t);
    if (top) {
        const Rect where = placeOf(*top);
        const bool moving = memory.stillMoving;
        if (moving)
            mover.fill({where.x0 - margin, where.y0 - margin, where.x1 + margin, where.y1 + margin},
                       Ink::background);
        if (!moving) shrinking.clear();
        drawPanel(panels[*top], where, t);
    }
    memory.svg = nullptr;
    if (svg) written = svg->finish(lesson);
    drawTooltip(t);
    ImGui::End();
    ImGui::PopStyleVar(2);
    if (!mouse.down) memory.held.clear();
}

}  // namespace views
