#include "app/window/pane_widget.h"

#include <QKeyEvent>
#include <QMouseEvent>
#include <QPainter>
#include <QResizeEvent>
#include <QWheelEvent>
#include <cmath>
#include <exception>
#include <functional>
#include <optional>

#include "app/window/gl_probe.h"
#include "app/window/pane_surface.h"

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

PaneWidget::Drawn PaneWidget::quicker() {
    return glProbe().software() ? Drawn::intoMemory : Drawn::direct;
}

PaneWidget::PaneWidget(QWidget* parent, Drawn drawn) : QWidget(parent) {
    setMouseTracking(true);
    setFocusPolicy(Qt::StrongFocus);
    setMinimumSize(320, 240);
    setAttribute(Qt::WA_OpaquePaintEvent);
    if (drawn == Drawn::direct) {
        drawDirect();
    } else {
        drawIntoMemory();
    }
}

PaneWidget::~PaneWidget() {
    delete m_direct;  // says that its context goes, to a widget that is whole
    if (m_memory && m_memory->makeCurrent() && m_pane.initialised()) m_pane.release();
}

void PaneWidget::drawDirect() {
    m_direct = new DirectSurface(this);
    connect(m_direct, &DirectSurface::contextMade, this,
            [this] { attempt([this] { m_pane.initialise(); }); });
    connect(m_direct, &DirectSurface::contextGoes, this, [this] {
        if (m_pane.initialised()) m_pane.release();
    });
    connect(m_direct, &DirectSurface::painting, this, [this](unsigned framebuffer) {
        m_sinceStart.start();
        render(framebuffer);
    });
    connect(m_direct, &QOpenGLWidget::frameSwapped, this, &PaneWidget::finishFrame);
}

void PaneWidget::drawIntoMemory() {
    attempt([this] {
        m_memory = std::make_unique<MemorySurface>();
        m_memory->makeCurrent();
        m_pane.initialise();
    });
}

void PaneWidget::attempt(const std::function<void()>& work) {
    try {
        work();
        m_problem.clear();
    } catch (const std::exception& fault) {
        m_problem = QString::fromUtf8(fault.what());
    }
}

QSize PaneWidget::sizeInPixels() const {
    // As the pane rounds it.
    return {int(std::lround(width() * devicePixelRatioF())),
            int(std::lround(height() * devicePixelRatioF()))};
}

void PaneWidget::refresh() {
    if (!m_pane.wantsFrame()) return;
    m_direct ? m_direct->update() : update();
}

void PaneWidget::render(unsigned framebuffer) {
    if (!m_pane.initialised()) return;
    attempt([&] { m_pane.render(framebuffer); });
    ++m_framesDrawn;
}

void PaneWidget::finishFrame() {
    if (!m_sinceStart.isValid()) return;
    m_frameMs = double(m_sinceStart.nsecsElapsed()) / 1e6;
    m_sinceStart.invalidate();
    emit shown();
}

QImage PaneWidget::picture() {
    if (m_direct) return m_direct->grabFramebuffer();
    if (!m_memory || !m_memory->makeCurrent()) return {};
    return m_memory->picture(sizeInPixels(), [this](unsigned framebuffer) { render(framebuffer); });
}

void PaneWidget::paintEvent(QPaintEvent*) {
    if (!m_memory) return;
    const bool stale = m_pane.wantsFrame() || m_memory->picture().size() != sizeInPixels();
    if (stale && !m_sinceStart.isValid()) {
        m_sinceStart.start();
        // Its turn comes when all that is to be painted is painted and on its way to the display.
        QMetaObject::invokeMethod(this, &PaneWidget::finishFrame, Qt::QueuedConnection);
    }
    const QImage picture = stale ? this->picture() : m_memory->picture();
    QPainter(this).drawImage(QRectF(rect()), picture);
}

void PaneWidget::resizeEvent(QResizeEvent* event) {
    m_pane.resize(event->size().width(), event->size().height(), float(devicePixelRatioF()));
    if (m_direct) m_direct->setGeometry(rect());
}

bool PaneWidget::event(QEvent* event) {
    if (event->type() == QEvent::ScreenChangeInternal)
        m_pane.resize(width(), height(), float(devicePixelRatioF()));
    return QWidget::event(event);
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
    QWidget::keyPressEvent(event);
}

}  // namespace app
