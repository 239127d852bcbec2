#include "views/pane.h"

#include <backends/imgui_impl_opengl3.h>
#include <imgui.h>

#include <chrono>
#include <cmath>
#include <deque>
#include <optional>
#include <tuple>

#include "core/base/error.h"
#include "views/canvas.h"
#include "views/layout.h"
#include "views/painter.h"

namespace views {

namespace {

struct Event {
    enum Kind { move, press, release, wheel } kind;
    Vec at;
    bool doubled = false;
    float steps = 0;
};

constexpr Vec nowhere = {-1e4f, -1e4f};

}  // namespace

struct Pane::State {
    ImGuiContext* context = nullptr;
    std::unique_ptr<Painter> painter;
    Theme theme;
    int width = 0, height = 0;  // logical
    float ratio = 1;

    std::string lesson;
    std::unique_ptr<View> view;
    core::FramePtr frame;
    std::shared_ptr<core::Frame> blank = std::make_shared<core::Frame>();
    std::vector<Panel> panels;
    std::map<std::string, PanelTitle> titles;
    SetHandle handle;
    std::string maximised;
    std::string shrinking;  // drawn above the others while it goes back to its place

    std::deque<Event> events;
    Mouse mouse;  // in device pixels, for the whole pane
    std::string typed;
    CanvasMemory memory;
    std::vector<PanelRect> rects;  // device pixels
    // Trying out layouts takes milliseconds: the last one is kept with what it was made for.
    std::tuple<Rect, std::vector<float>, float> laidOutFor;
    std::vector<Rect> places;
    int settling = 2;  // frames still to be drawn after the last change
    std::chrono::steady_clock::time_point last = std::chrono::steady_clock::now();

    // Theme in device pixels.
    Theme deviceTheme() const {
        Theme t = theme;
        t.scale *= ratio;
        return t;
    }
    const core::Frame& shownFrame() const { return frame && frame->lesson == lesson ? *frame : *blank; }
    void changed(int frames = 1) { settling = std::max(settling, frames); }
    void listPanels();
    void takeEvent();
    void rebuildFonts();
    void draw();
    void drawPanel(const Panel& panel, const Rect& where, const Theme& t);
    Rect drawTitle(const Panel& panel, Rect& where, Canvas& canvas);
    void drawTooltip(const Theme& t);
    Mouse mouseFor(const std::string& panel, const Rect& where) const;
    void toggle(const std::string& panel);
};

void Pane::State::listPanels() {
    panels.clear();
    if (view) panels = view->panels(shownFrame());
    bool there = maximised.empty();
    for (const Panel& panel : panels) there = there || panel.id == maximised;
    if (!there) maximised.clear();
}

// Everything up to and including one change of the button: two in one frame would cancel out.
void Pane::State::takeEvent() {
    mouse.pressed = mouse.released = mouse.doubled = false;
    mouse.wheel = 0;
    while (!events.empty()) {
        const Event event = events.front();
        events.pop_front();
        if (event.kind == Event::wheel) {
            mouse.wheel += event.steps;
            continue;
        }
        mouse.at = event.at;
        if (event.kind == Event::press) {
            mouse.down = mouse.pressed = true;
            mouse.doubled = event.doubled;
            return;
        }
        if (event.kind == Event::release) {
            mouse.released = mouse.down;
            mouse.down = false;
            return;
        }
    }
}

void Pane::State::rebuildFonts() {
    painter->fonts().build(deviceTheme().scale);
    ImGui_ImplOpenGL3_DestroyFontsTexture();
    ImGui_ImplOpenGL3_CreateFontsTexture();
}

Mouse Pane::State::mouseFor(const std::string& panel, const Rect& where) const {
    Mouse seen = mouse;
    const bool mine = memory.held.empty() || memory.held.starts_with(panel + "/");
    seen.inside = mine && where.contains(mouse.at);
    if (!seen.inside) {
        seen.pressed = seen.doubled = false;
        seen.wheel = 0;
    }
    return seen;
}

void Pane::State::toggle(const std::string& panel) {
    shrinking = maximised == panel ? panel : "";
    maximised = maximised == panel ? "" : panel;
    changed(3);
}

// The title line: quantity, symbol, and at its end the button that maximises. Cuts it from `where`.
Rect Pane::State::drawTitle(const Panel& panel, Rect& where, Canvas& canvas) {
    const float line = canvas.lineHeight(Size::title);
    const Rect title = where.cutTop(std::round(line + canvas.px(8)));
    const auto found = titles.find(panel.id);
    const PanelTitle words = found != titles.end() ? found->second : PanelTitle{panel.id, "", ""};
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
    const float outer = canvas.snap(canvas.px(5)), arm = canvas.snap(canvas.px(3));
    for (const Vec s : {Vec{-1, -1}, Vec{1, -1}, Vec{1, 1}, Vec{-1, 1}}) {
        const float near = full ? outer - arm : outer, far = full ? outer : outer - arm;
        canvas.polyline({{middle.x + s.x * far, middle.y + s.y * near},
                         {middle.x + s.x * near, middle.y + s.y * near},
                         {middle.x + s.x * near, middle.y + s.y * far}},
                        Stroke(lit ? Ink::text : Paint(Ink::faint, 0.7f), 1.25f));
    }
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

void Pane::State::draw() {
    const Theme t = deviceTheme();
    const Vec display = {float(width) * ratio, float(height) * ratio};
    painter->begin(display, t);
    memory.tooltip.clear();
    memory.stillMoving = false;
    rects.clear();

    ImGui::SetNextWindowPos({0, 0});
    ImGui::SetNextWindowSize({display.x, display.y});
    ImGui::PushStyleVar(ImGuiStyleVar_WindowPadding, {0, 0});
    ImGui::PushStyleVar(ImGuiStyleVar_WindowBorderSize, 0);
    ImGui::Begin("pane", nullptr,
                 ImGuiWindowFlags_NoDecoration | ImGuiWindowFlags_NoBackground | ImGuiWindowFlags_NoMove |
                     ImGuiWindowFlags_NoSavedSettings | ImGuiWindowFlags_NoNav | ImGuiWindowFlags_NoInputs);
    const float margin = t.px(16), gap = t.px(24);
    const Rect area = {margin, margin, display.x - margin, display.y - margin};
    const float titleHeight = painter->fonts().font(Size::title)->FontSize + t.px(8);
    std::vector<float> weights;
    for (const Panel& panel : panels) weights.push_back(panel.weight);
    if (laidOutFor != std::tuple(area, weights, titleHeight)) {
        laidOutFor = {area, weights, titleHeight};
        places = layOutPanels(area, weights, gap, titleHeight);
    }

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
            if (maximised.empty()) drawPanel(panels[i], places[i], t);
        }
    }
    if (top) {
        const Rect where = placeOf(*top);
        const bool moving = memory.stillMoving;
        if (moving)
            mover.fill({where.x0 - margin, where.y0 - margin, where.x1 + margin, where.y1 + margin},
                       Ink::background);
        if (!moving) shrinking.clear();
        drawPanel(panels[*top], where, t);
    }
    drawTooltip(t);
    ImGui::End();
    ImGui::PopStyleVar(2);
    if (!mouse.down) memory.held.clear();
}

Pane::Pane() : m_state(std::make_unique<State>()) {
    m_state->mouse.at = nowhere;
}

Pane::~Pane() {
    // Without a current GL context its objects cannot be freed; the context frees them itself.
    if (m_state->context) {
        (void)m_state->painter.release();
        ImGui::DestroyContext(m_state->context);
    }
}

void Pane::initialise() {
    State& s = *m_state;
    if (s.context) release();
    checkContext();
    s.context = ImGui::CreateContext();
    ImGui::SetCurrentContext(s.context);
    ImGui::GetIO().IniFilename = nullptr;
    ImGui::GetIO().LogFilename = nullptr;
    try {
        s.painter = std::make_unique<Painter>();
        CHECK(ImGui_ImplOpenGL3_Init("#version 330 core"),
              "Dear ImGui: expected OpenGL 3.3, it did not start");
    } catch (...) {
        s.painter.reset();
        ImGui::DestroyContext(s.context);
        s.context = nullptr;
        throw;
    }
    s.changed(2);
}

void Pane::release() {
    State& s = *m_state;
    if (!s.context) return;
    ImGui::SetCurrentContext(s.context);
    ImGui_ImplOpenGL3_Shutdown();
    s.painter.reset();
    ImGui::DestroyContext(s.context);
    s.context = nullptr;
}

bool Pane::initialised() const {
    return m_state->context;
}

void Pane::resize(int width, int height, float devicePixelRatio) {
    State& s = *m_state;
    s.width = std::max(0, width);
    s.height = std::max(0, height);
    s.ratio = devicePixelRatio > 0 ? devicePixelRatio : 1;
    s.changed();
}

void Pane::setTheme(const Theme& theme) {
    if (m_state->theme == theme) return;
    m_state->theme = theme;
    m_state->theme.scale = std::clamp(theme.scale, 0.5f, 4.f);
    m_state->changed();
}

void Pane::setLesson(const std::string& lesson) {
    if (m_state->lesson != lesson || !m_state->view) setLesson(lesson, makeView(lesson));
}

void Pane::setLesson(const std::string& lesson, std::unique_ptr<View> view) {
    State& s = *m_state;
    s.lesson = lesson;
    s.view = std::move(view);
    s.blank->lesson = lesson;
    s.maximised.clear();
    s.shrinking.clear();
    s.memory.axes.clear();
    s.memory.moving.clear();
    s.listPanels();
    s.changed(2);
}

void Pane::setFrame(core::FramePtr frame) {
    State& s = *m_state;
    if (s.frame == frame) return;
    s.frame = std::move(frame);
    s.listPanels();
    s.changed();
}

void Pane::setPanelTitles(std::map<std::string, PanelTitle> titles) {
    m_state->titles = std::move(titles);
    m_state->changed();
}

void Pane::setPhrases(std::map<std::string, std::string> phrases) {
    m_state->memory.phrases = std::move(phrases);
    m_state->changed();
}

void Pane::setHandle(SetHandle handle) {
    m_state->handle = std::move(handle);
}

void Pane::mouseMove(float x, float y) {
    m_state->events.push_back({Event::move, Vec{x, y} * m_state->ratio});
}

void Pane::mousePress(float x, float y, bool doubled) {
    m_state->events.push_back({Event::press, Vec{x, y} * m_state->ratio, doubled});
}

void Pane::mouseRelease(float x, float y) {
    m_state->events.push_back({Event::release, Vec{x, y} * m_state->ratio});
}

void Pane::mouseLeave() {
    m_state->events.push_back({Event::move, nowhere});
}

void Pane::wheel(float steps) {
    m_state->events.push_back({Event::wheel, {}, false, steps});
}

bool Pane::key(Key key) {
    if (key != Key::escape || m_state->maximised.empty()) return false;
    maximise({});
    return true;
}

void Pane::text(const std::string& utf8) {
    m_state->typed += utf8;
}

void Pane::render(unsigned framebuffer) {
    State& s = *m_state;
    CHECK(s.context, "pane: expected initialise() before render()");
    const int w = int(std::lround(float(s.width) * s.ratio)), h = int(std::lround(float(s.height) * s.ratio));
    if (w < 1 || h < 1) return;
    ImGui::SetCurrentContext(s.context);

    const auto now = std::chrono::steady_clock::now();
    const double seconds = std::clamp(std::chrono::duration<double>(now - s.last).count(), 1e-4, 0.1);
    s.last = now;
    s.memory.seconds = seconds;
    if (s.settling > 0) --s.settling;
    const bool hadEvents = !s.events.empty();
    s.takeEvent();
    if (hadEvents) s.changed(2);

    glActiveTexture(GL_TEXTURE0);
    ImGuiIO& io = ImGui::GetIO();
    // A character that was never shown before has its glyph in the next attempt, not in the next frame.
    for (int attempt = 0; attempt < 2; ++attempt) {
        if (s.painter->fonts().due(s.deviceTheme().scale)) s.rebuildFonts();
        io.DisplaySize = {float(w), float(h)};
        io.DeltaTime = float(seconds);
        io.MousePos = {s.mouse.at.x, s.mouse.at.y};
        io.MouseDown[0] = s.mouse.down;
        io.AddInputCharactersUTF8(s.typed.c_str());
        s.typed.clear();
        ImGui_ImplOpenGL3_NewFrame();
        ImGui::NewFrame();
        s.draw();
        ImGui::Render();
        if (!s.painter->fonts().due(s.deviceTheme().scale)) break;
        // Not twice a click: the user's act is handled once.
        if (s.mouse.pressed || s.mouse.released) {
            s.changed(2);
            break;
        }
    }

    glBindFramebuffer(GL_FRAMEBUFFER, framebuffer);
    glViewport(0, 0, w, h);
    glDisable(GL_SCISSOR_TEST);
    const Rgba back = s.theme.ink(Ink::background);
    glClearColor(float(back.r) / 255, float(back.g) / 255, float(back.b) / 255, 1);
    glClear(GL_COLOR_BUFFER_BIT);
    ImGui_ImplOpenGL3_RenderDrawData(ImGui::GetDrawData());
    s.painter->end();
}

bool Pane::wantsFrame() const {
    return m_state->settling > 0 || !m_state->events.empty() || m_state->memory.stillMoving;
}

std::set<std::string> Pane::needs() const {
    std::set<std::string> names;
    for (const Panel& panel : m_state->panels) {
        if (m_state->maximised.empty() || panel.id == m_state->maximised) {
            names.insert(panel.needs.begin(), panel.needs.end());
        }
    }
    return names;
}

std::vector<Pane::PanelRect> Pane::panelRects() const {
    std::vector<PanelRect> rects = m_state->rects;
    const auto logical = [this](Rect r) {
        const float f = 1 / m_state->ratio;
        return Rect{r.x0 * f, r.y0 * f, r.x1 * f, r.y1 * f};
    };
    for (PanelRect& rect : rects) {
        rect.rect = logical(rect.rect);
        rect.title = logical(rect.title);
        rect.body = logical(rect.body);
    }
    return rects;
}

void Pane::maximise(const std::string& panel) {
    State& s = *m_state;
    if (panel == s.maximised) return;
    if (panel.empty()) {
        s.toggle(s.maximised);
    } else {
        for (const Panel& p : s.panels) {
            if (p.id == panel) return s.toggle(panel);
        }
    }
}

const std::string& Pane::maximised() const {
    return m_state->maximised;
}

}  // namespace views
