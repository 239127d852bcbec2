#include "app/window/pane_widget.h"

#include <QElapsedTimer>
#include <QKeyEvent>
#include <QMouseEvent>
#include <QOpenGLContext>
#include <QResizeEvent>
#include <QWheelEvent>
#include <exception>
#include <optional>

#include "app/window/gl_probe.h"

namespace app {
namespace {

std::optional<views::Key> keyOf(int key) {
    switch (key) {
        case Qt::Key_Escape:
            return views::Key::escape;
        case Qt::Key_Return:
        case Qt::Key_Enter:
            return views::Key::enter;
        case Qt::Key_Up:
            return views::Key::up;
        case Qt::Key_Down:
            return views::Key::down;
        case Qt::Key_Backspace:
            return views::Key::backspace;
        case Qt::Key_Delete:
            return views::Key::remove;
        default:
            return {};
    }
}

}  // namespace

PaneWidget::PaneWidget(QWidget* parent) : QOpenGLWidget(parent) {
    QSurfaceFormat wanted = QSurfaceFormat::defaultFormat();
    wanted.setSamples(glProbe().software() ? 0 : 4);
    setFormat(wanted);
    setMouseTracking(true);
    setFocusPolicy(Qt::StrongFocus);
    setMinimumSize(320, 240);
}

PaneWidget::~PaneWidget() {
    // The context would call releaseGl once more, when the members are gone.
    if (context()) disconnect(context(), nullptr, this, nullptr);
    releaseGl();
}

void PaneWidget::refresh() {
    if (m_pane.wantsFrame()) update();
}

void PaneWidget::initializeGL() {
    connect(context(), &QOpenGLContext::aboutToBeDestroyed, this, &PaneWidget::releaseGl,
            Qt::UniqueConnection);
    try {
        m_pane.initialise();
        m_problem.clear();
    } catch (const std::exception& fault) {
        m_problem = QString::fromUtf8(fault.what());
    }
}

void PaneWidget::releaseGl() {
    if (!m_pane.initialised()) return;
    makeCurrent();
    m_pane.release();
    doneCurrent();
}

void PaneWidget::paintGL() {
    if (!m_pane.initialised()) return;
    QElapsedTimer timer;
    timer.start();
    try {
        m_pane.render(defaultFramebufferObject());
        m_problem.clear();
    } catch (const std::exception& fault) {
        m_problem = QString::fromUtf8(fault.what());
    }
    m_frameMs = double(timer.nsecsElapsed()) / 1e6;
    ++m_framesDrawn;
    emit painted();
}

void PaneWidget::resizeEvent(QResizeEvent* event) {
    m_pane.resize(event->size().width(), event->size().height(), float(devicePixelRatioF()));
    QOpenGLWidget::resizeEvent(event);
}

bool PaneWidget::event(QEvent* event) {
    if (event->type() == QEvent::ScreenChangeInternal)
        m_pane.resize(width(), height(), float(devicePixelRatioF()));
    return QOpenGLWidget::event(event);
}

void PaneWidget::mouseMoveEvent(QMouseEvent* event) {
    m_pane.mouseMove(float(event->position().x()), float(event->position().y()));
    refresh();
}

void PaneWidget::mousePressEvent(QMouseEvent* event) {
    if (event->button() != Qt::LeftButton) return;
    m_pane.mousePress(float(event->position().x()), float(event->position().y()));
    refresh();
}

void PaneWidget::mouseDoubleClickEvent(QMouseEvent* event) {
    if (event->button() != Qt::LeftButton) return;
    m_pane.mousePress(float(event->position().x()), float(event->position().y()), true);
    refresh();
}

void PaneWidget::mouseReleaseEvent(QMouseEvent* event) {
    if (event->button() != Qt::LeftButton) return;
    m_pane.mouseRelease(float(event->position().x()), float(event->position().y()));
    refresh();
}

void PaneWidget::wheelEvent(QWheelEvent* event) {
    m_pane.wheel(float(event->angleDelta().y()) / 120);
    refresh();
}

void PaneWidget::leaveEvent(QEvent*) {
    m_pane.mouseLeave();
    refresh();
}

void PaneWidget::keyPressEvent(QKeyEvent* event) {
    const auto key = keyOf(event->key());
    if (key && m_pane.key(*key)) {
        refresh();
        return;
    }
    QOpenGLWidget::keyPressEvent(event);
}

}  // namespace app
