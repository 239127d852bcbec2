#include "views/pane.h"

#include <backends/imgui_impl_opengl3.h>
#include <imgui.h>

#include <cmath>

#include "core/base/error.h"
#include "views/pane_state.h"

namespace views {

namespace {

constexpr Vec nowhere = {-1e4f, -1e4f};

}  // namespace

void Pane::State::listPanels() {
    panels.clear();
    if (view) panels = view->panels(shownFrame());
    bool there = maximised.empty();
    for (const Panel& panel : panels) there = there || panel.id == maximised;
    if (!there) maximised.clear();
}

void Pane::State::tellSampling() const {
    if (view) view->setSampling(place, actions);
}

// Everything up to and including one change of the button: two in one frame would cancel out.
void Pane::State::takeEvent() {
    mouse.pressed = mouse.released = mouse.doubled = false;
    mouse.wheel = 0;
    while (!events.empty()) {
        const PaneEvent event = events.front();
        events.pop_front();
        if (event.kind == PaneEvent::wheel) {
            mouse.wheel += event.steps;
            continue;
        }
        mouse.at = event.at;
        if (event.kind == PaneEvent::press) {
            mouse.down = mouse.pressed = true;
            mouse.doubled = event.doubled;
            return;
        }
        if (event.kind == PaneEvent::release) {
            mouse.released = mouse.down;
            mouse.down = false;
            return;
        }
    }
}

void Pane::State::rebuildFonts() {
    // Every word that may turn up, so that this happens once.
    Fonts& fonts = painter->fonts();
    for (const auto& [english, translation] : memory.phrases) fonts.want(translation);
    for (const auto& [panel, words] : titles) fonts.want(words.title + words.symbol + words.tooltip);
    fonts.build(deviceTheme().scale);
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
    s.place = {};
    s.tellSampling();
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
    m_state->laidOutFor = {};
    m_state->changed();
}

void Pane::setPhrases(std::map<std::string, std::string> phrases) {
    m_state->memory.phrases = std::move(phrases);
    m_state->changed();
}

void Pane::setHandle(SetHandle handle) {
    m_state->handle = std::move(handle);
}

void Pane::setSamplingPlace(const SamplingPlace& place) {
    State& s = *m_state;
    if (s.place == place) return;
    s.place = place;
    s.tellSampling();
    s.changed();
}

void Pane::setSamplingActions(SamplingActions actions) {
    m_state->actions = std::move(actions);
    m_state->tellSampling();
}

void Pane::mouseMove(float x, float y) {
    m_state->events.push_back({PaneEvent::move, Vec{x, y} * m_state->ratio});
}

void Pane::mousePress(float x, float y, bool doubled) {
    m_state->events.push_back({PaneEvent::press, Vec{x, y} * m_state->ratio, doubled});
}

void Pane::mouseRelease(float x, float y) {
    m_state->events.push_back({PaneEvent::release, Vec{x, y} * m_state->ratio});
}

void Pane::mouseLeave() {
    m_state->events.push_back({PaneEvent::move, nowhere});
}

void Pane::wheel(float steps) {
    m_state->events.push_back({PaneEvent::wheel, {}, false, steps});
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
    // The mouse is no part of a file.
    const Mouse mouse = s.mouse;
    if (!s.writing.empty()) s.mouse = {.at = nowhere};

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

    if (!s.writing.empty()) {
        s.mouse = mouse;
        s.writing.clear();
        s.changed();
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

void Pane::writeDown(const std::string& panel) {
    m_state->writing = panel;
    m_state->written.clear();
    m_state->changed();
}

const std::string& Pane::written() const {
    return m_state->written;
}

bool Pane::wantsFrame() const {
    return m_state->settling > 0 || !m_state->events.empty() || m_state->memory.stillMoving;
}

std::set<std::string> Pane::needs() const {
    std::set<std::string> names;
    for (size_t i = 0; i < m_state->panels.size(); ++i) {
        const Panel& panel = m_state->panels[i];
        if (m_state->isShown(i)) names.insert(panel.needs.begin(), panel.needs.end());
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

std::vector<std::string> Pane::panels() const {
    std::vector<std::string> ids;
    for (const Panel& panel : m_state->panels) ids.push_back(panel.id);
    return ids;
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
