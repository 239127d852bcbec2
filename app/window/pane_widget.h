// The widget that shows a views::Pane: it lends its OpenGL context and hands on mouse and keys.
#pragma once

#include <QOpenGLWidget>
#include <set>
#include <string>

#include "views/pane.h"

namespace app {

class PaneWidget : public QOpenGLWidget {
    Q_OBJECT

  public:
    explicit PaneWidget(QWidget* parent = nullptr);
    ~PaneWidget() override;

    views::Pane& pane() { return m_pane; }
    const views::Pane& pane() const { return m_pane; }

    // Asks for a repaint if the pane has something to show; the window calls it on its timer.
    void refresh();
    // Milliseconds that the last frame took to draw.
    double frameMs() const { return m_frameMs; }
    int framesDrawn() const { return m_framesDrawn; }
    // What the pane cannot draw, in one sentence; empty when all is well.
    const QString& problem() const { return m_problem; }

  signals:
    void painted();

  protected:
    void initializeGL() override;
    void paintGL() override;
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
    void releaseGl();

    views::Pane m_pane;
    double m_frameMs = 0;
    int m_framesDrawn = 0;
    QString m_problem;
};

}  // namespace app
