// A pane without a window to show a lesson's frames in, the hand that moves over it, and what frames are made
// of.
#pragma once

#include <QImage>
#include <QOffscreenSurface>
#include <QOpenGLContext>
#include <QOpenGLFramebufferObject>
#include <QOpenGLFunctions>
#include <QSurfaceFormat>
#include <QXmlStreamReader>
#include <QtTest>
#include <cmath>
#include <numbers>

#include "views/pane.h"

namespace viewstage {

using core::Frame;
using core::Tensor;

constexpr int side = 28, pixels = side * side;

// A stream of standard normal numbers, the same in every run.
class Dice {
  public:
    explicit Dice(uint64_t seed) : m_state(seed * 2 + 1) {}
    float uniform() {
        m_state = m_state * 6364136223846793005ull + 1442695040888963407ull;
        return float((m_state >> 40) + 0.5) / float(1 << 24);
    }
    float normal() {
        return std::sqrt(-2 * std::log(uniform())) * std::cos(2 * std::numbers::pi_v<float> * uniform());
    }

  private:
    uint64_t m_state;
};

inline float edge(float inside) {
    return 1 / (1 + std::exp(-4 * inside));
}

// A garment that changes smoothly with its code: sleeves with z_1, from trousers to a dress with z_2.
inline void garment(float z1, float z2, float blur, float* out) {
    const float sleeve = 4 + 7 * edge(z1), flare = 0.25f * z2, waist = 5 + 0.8f * z1;
    const float split = edge(-z2 - 0.6f), grey = 0.55f + 0.35f * std::sin(1.7f * z1 - z2);
    for (int j = 0; j < side; ++j)
        for (int i = 0; i < side; ++i) {
            const float x = float(i) - 13.5f, y = float(j) - 13.5f, sharp = 1 / blur;
            const float half = std::max(2.5f, waist + flare * (y + 10) * 0.5f);
            float ink = edge(sharp * (half - std::abs(x))) * edge(sharp * (11.5f - std::abs(y)));
            const float arm = edge(sharp * (2.2f - std::abs(y + 8 - std::abs(x) * 0.35f))) *
                              edge(sharp * (sleeve + 2 - std::abs(x)));
            ink = std::max(ink, arm * (1 - split));
            ink *= 1 - split * edge(sharp * (1.2f - std::abs(x))) * edge(sharp * (y + 5));
            out[j * side + i] =
                ink * std::clamp(grey, 0.2f, 1.f) * (1 - 0.12f * std::abs(std::sin(x * 0.9f)));
        }
}

inline Tensor filled(int rows, int columns, auto value) {
    Tensor t{{rows, columns}, std::vector<float>(size_t(rows) * size_t(columns))};
    for (int i = 0; i < rows; ++i)
        for (int k = 0; k < columns; ++k) t.values[size_t(i * columns + k)] = value(i, k);
    return t;
}

inline void scalar(Frame& frame, const std::string& name, auto valueAt) {
    core::History& history = frame.histories[name];
    for (int64_t step = 1; step <= frame.step; step += 4) history.add(step, float(valueAt(double(step))));
    frame.channels[name] = {{1}, {history.last()}};
}

inline Frame withoutChannels(Frame frame) {
    frame.channels.clear();
    frame.histories.clear();
    frame.step = 0;
    return frame;
}

// A pane on an offscreen surface, and the hand that moves over it.
class PaneStage {
  public:
    PaneStage(const std::string& lesson, int width, int height, views::Palette palette = views::Palette::dark,
              float scale = 1)
        : m_width(width), m_height(height) {
        QSurfaceFormat format;
        format.setVersion(3, 3);
        format.setProfile(QSurfaceFormat::CoreProfile);
        m_surface.setFormat(format);
        m_surface.create();
        m_context.setFormat(format);
        m_context.create();
        m_context.makeCurrent(&m_surface);
        m_target = std::make_unique<QOpenGLFramebufferObject>(width, height);
        pane.initialise();
        pane.resize(width, height, 1);
        pane.setTheme({.palette = palette, .scale = scale, .moves = false});
        pane.setLesson(lesson);
        pane.setHandle(
            [this](const std::string& name, const std::vector<float>& values) { handles[name] = values; });
    }
    ~PaneStage() {
        pane.release();
        m_target.reset();
        m_context.doneCurrent();
    }

    void show(const Frame& frame) {
        pane.setFrame(std::make_shared<const Frame>(frame));
        draw();
    }
    void draw() {
        m_target->bind();
        for (int i = 0; i < 12 && (i < 3 || pane.wantsFrame()); ++i) pane.render(m_target->handle());
    }
    void drawOnce() {
        m_target->bind();
        pane.render(m_target->handle());
        m_context.functions()->glFinish();
    }
    // A panel, or every one of them for "*", as a vector file.
    QString drawing(const std::string& panel = "*") {
        pane.writeDown(panel);
        drawOnce();
        return QString::fromStdString(pane.written());
    }
    // What a panel, or every one of them for "*", says: the words of its vector file, each beside the next.
    QString words(const std::string& panel = "*") {
        QXmlStreamReader reader(drawing(panel));
        QStringList words;
        while (!reader.atEnd())
            if (reader.readNext() == QXmlStreamReader::Characters && !reader.isWhitespace())
                words << reader.text().toString();
        return words.join(' ');
    }
    QImage picture() { return m_target->toImage().convertToFormat(QImage::Format_RGB32); }
    GLenum error() { return m_context.functions()->glGetError(); }
    void move(views::Vec to) {
        pane.mouseMove(to.x, to.y);
        draw();
    }
    void press(views::Vec at) {
        move(at);
        pane.mousePress(at.x, at.y);
        draw();
    }
    void release(views::Vec at) {
        pane.mouseRelease(at.x, at.y);
        draw();
    }
    views::Rect body(const std::string& panel) const {
        for (const auto& p : pane.panelRects())
            if (p.id == panel) return p.body;
        return {};
    }

    views::Pane pane;
    std::map<std::string, std::vector<float>> handles;

  private:
    int m_width, m_height;
    QOffscreenSurface m_surface;
    QOpenGLContext m_context;
    std::unique_ptr<QOpenGLFramebufferObject> m_target;
};

inline int differences(const QImage& a, const QImage& b, views::Rect where) {
    int n = 0;
    for (int y = int(where.y0); y < int(where.y1); ++y)
        for (int x = int(where.x0); x < int(where.x1); ++x) n += a.pixel(x, y) != b.pixel(x, y);
    return n;
}

inline int coloured(const QImage& image, views::Rect where, views::Rgba colour) {
    int n = 0;
    for (int y = int(where.y0); y < int(where.y1); ++y)
        for (int x = int(where.x0); x < int(where.x1); ++x)
            n += image.pixel(x, y) == qRgb(colour.r, colour.g, colour.b);
    return n;
}

// How many pictures of that side a vector file holds; -1 if one of them is not at whole-number scale.
inline int wholePictures(const QString& drawing) {
    QXmlStreamReader reader(drawing);
    int n = 0;
    while (!reader.atEnd()) {
        if (reader.readNext() != QXmlStreamReader::StartElement || reader.name() != u"image") continue;
        if (!reader.attributes().value("style").contains(u"pixelated")) continue;
        for (const char* length : {"width", "height"}) {
            const double scale = reader.attributes().value(length).toDouble() / side;
            if (scale < 1 || scale != std::round(scale)) return -1;
        }
        ++n;
    }
    return n;
}

// Where pictures for the eye go, if somebody asks for them.
inline void keep(const QImage& image, const QString& name) {
    const QString folder = qEnvironmentVariable("GENSCOPE_TEST_PICTURES");
    if (!folder.isEmpty()) image.save(folder + "/" + name + ".png");
}

}  // namespace viewstage
