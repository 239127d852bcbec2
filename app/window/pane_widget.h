// The widget that shows a views::Pane: it lends an OpenGL context and hands on mouse and keys.
#pragma once

#include <QElapsedTimer>
#include <QWidget>
#include <memory>

#include "views/pane.h"

namespace app {

class DirectSurface;
class MemorySurface;

class PaneWidget : public QWidget {
    Q_OBJECT

  public:
    enum class Drawn { intoMemory, direct };
    // What is quicker on this display.
    static Drawn quicker();

    explicit PaneWidget(QWidget* parent = nullptr, Drawn drawn = quicker());
    ~PaneWidget() override;

    views::Pane& pane() { return m_pane; }
    const views::Pane& pane() const { return m_pane; }

    // Asks for a repaint if the pane has something to show; the window calls it on its timer.
    void refresh();
    // The whole pane drawn anew, in device pixels.
    QImage picture();
    // Milliseconds of the last frame from the start of its drawing until the window had it: the panels,
    // their rasterisation, and putting the window together.
    double frameMs() const { return m_frameMs; }
    int framesDrawn() const { return m_framesDrawn; }
    // What the pane cannot draw, in one sentence; empty when all is well.
    const QString& problem() const { return m_problem; }

  signals:
    // A frame is in the window; frameMs() is its time.
    void shown();

  protected:
    void paintEvent(QPaintEvent* event) override;
    void resizeEvent(QResizeEvent* event) override;
    bool event(QEvent* event) override;
    void mouseMoveEvent(QMouseEvent* event) override;
    void mousePressEvent(QMouseEvent* event) override;
    void mouseDoubleClickEvent(QMouseEvent* event) override;
    void mouseReleaseEvent(QMouseEvent* event) override;
    void wheelEvent(QWheelEvent* event) override;
    void leaveEvent(QEvent* event) override;
    void keyPressEvent(QKeyEvent* event) override;

  private:
    // Each does its work and notes what went wrong.
    void attempt(const std::function<void()>& work);
    void drawDirect();
    void drawIntoMemory();
    void render(unsigned framebuffer);
    void finishFrame();
    QSize sizeInPixels() const;

    views::Pane m_pane;
    DirectSurface* m_direct = nullptr;  // one of the two
    std::unique_ptr<MemorySurface> m_memory;
    QElapsedTimer m_sinceStart;  // valid while a frame is on its way
    double m_frameMs = 0;
    int m_framesDrawn = 0;
    QString m_problem;
};

}  // namespace app
