// A pane without a window, and panels that draw what a test says.
#pragma once

#include <QImage>
#include <QOffscreenSurface>
#include <QOpenGLContext>
#include <QOpenGLFramebufferObject>
#include <QOpenGLFunctions>
#include <QtGui>
#include <QtTest>
#include <cmath>
#include <limits>

#include "sample_frames.h"
#include "views/canvas.h"
#include "views/layout.h"
#include "views/pane.h"
#include "views/rich_text.h"

namespace stage {

using core::Frame;
using views::Canvas;
using views::Ink;
using views::Rect;
using views::Vec;

using Draw = std::function<void(Canvas&)>;

// Panels "a", "b", ... that draw what a test says.
class TestView : public views::View {
  public:
    explicit TestView(std::vector<Draw> draws) : m_draws(std::move(draws)) {}
    std::vector<views::Panel> panels(const Frame&) override {
        std::vector<views::Panel> all;
        for (size_t i = 0; i < m_draws.size(); ++i) {
            const std::string id(1, char('a' + i));
            all.push_back(
                {id,
                 {"channel_" + id},
                 i == 0 ? 2.f : 1.f,
                 [draw = m_draws[i]](Canvas& c, const Frame&, const views::SetHandle&) { draw(c); }});
        }
        return all;
    }
    std::vector<std::string> needs() const override { return {"channel_a", "channel_b"}; }

  private:
    std::vector<Draw> m_draws;
};

inline bool near(QColor a, views::Rgba b, int tolerance = 6) {
    return std::abs(a.red() - b.r) <= tolerance && std::abs(a.green() - b.g) <= tolerance &&
           std::abs(a.blue() - b.b) <= tolerance;
}

inline std::string text(QColor c) {
    return c.name().toStdString();
}

// The base of a test class: its slots call open(), close() and, before each test, tidy().
class PaneTest : public QObject {
  protected:
    QOffscreenSurface m_surface;
    QOpenGLContext m_context;
    views::Pane m_pane;
    views::Theme m_theme{.moves = false};
    int m_width = 1100, m_height = 800;

    QImage render(float ratio = 1) {
        m_pane.resize(m_width, m_height, ratio);
        QOpenGLFramebufferObject target(int(float(m_width) * ratio), int(float(m_height) * ratio));
        m_pane.render(target.handle());
        const GLenum error = m_context.functions()->glGetError();
        if (error != GL_NO_ERROR) qFatal("OpenGL error %x", error);
        return target.toImage().convertToFormat(QImage::Format_RGB32);
    }
    // Draws every queued event and what settles after it.
    QImage settle() {
        QImage last;
        for (int i = 0; i < 20; ++i) {
            last = render();
            if (!m_pane.wantsFrame()) break;
        }
        return last;
    }
    void show(std::vector<Draw> draws) {
        m_pane.setLesson("test", std::make_unique<TestView>(std::move(draws)));
        m_pane.setPanelTitles({{"a", {"", "", ""}}, {"b", {"", "", ""}}});
    }
    void show(const Frame& frame) {
        m_pane.setLesson("gan");
        m_pane.setFrame(std::make_shared<Frame>(frame));
    }
    Rect rectOf(const std::string& id, bool title = false) {
        for (const auto& panel : m_pane.panelRects()) {
            if (panel.id == id) return title ? panel.title : panel.body;
        }
        return {};
    }
    static std::vector<Frame> allFrames() {
        Frame blank;
        blank.lesson = "gan";
        blank.choices["data"] = "ring8";
        return {samples::planeFrame(), samples::lineFrame(), samples::imageFrame(), blank};
    }

    void open() {
        QSurfaceFormat format;
        format.setVersion(3, 3);
        format.setProfile(QSurfaceFormat::CoreProfile);
        m_surface.setFormat(format);
        m_surface.create();
        m_context.setFormat(format);
        QVERIFY(m_context.create());
        QVERIFY(m_context.makeCurrent(&m_surface));
        m_pane.initialise();
        m_pane.setTheme(m_theme);
    }
    void close() { m_pane.release(); }
    void tidy() {
        m_width = 1100;
        m_height = 800;
        m_pane.setTheme(m_theme);
        m_pane.maximise("");
        m_pane.setPhrases({});
        m_pane.mouseLeave();
    }
};

}  // namespace stage
