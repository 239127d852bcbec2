// Where a pane's picture is drawn, with the OpenGL context that it needs.
#pragma once

#include <QImage>
#include <QOffscreenSurface>
#include <QOpenGLContext>
#include <QOpenGLFramebufferObject>
#include <QOpenGLWidget>
#include <functional>
#include <memory>
#include <vector>

namespace app {

// With a graphics card: straight into the window, which OpenGL composes from all its widgets.
class DirectSurface : public QOpenGLWidget {
    Q_OBJECT

  public:
    explicit DirectSurface(QWidget* parent);
    ~DirectSurface() override;

  signals:
    // In all three the context is current.
    void contextMade();
    void contextGoes();
    void painting(unsigned framebuffer);

  protected:
    void initializeGL() override;
    void paintGL() override;

  private:
    void leaveContext();
};

// In software: into memory, from where QPainter takes it. A window composed by OpenGL would be drawn
// twice over and handed to the display whole for every label that changes: two thirds of a frame.
class MemorySurface {
  public:
    MemorySurface();  // throws core::Error if there is no context to be had
    ~MemorySurface();
    MemorySurface(const MemorySurface&) = delete;
    MemorySurface& operator=(const MemorySurface&) = delete;

    bool makeCurrent();
    // Lets `draw` fill a framebuffer of that size in pixels. The context must be current.
    const QImage& picture(QSize size, const std::function<void(unsigned framebuffer)>& draw);
    // As it was drawn last.
    const QImage& picture() const { return m_picture; }

  private:
    void read();

    QOffscreenSurface m_surface;
    QOpenGLContext m_context;
    std::unique_ptr<QOpenGLFramebufferObject> m_target;
    QImage m_picture;
    std::vector<uchar> m_upsideDown;  // OpenGL's first row is the lowest
};

}  // namespace app
