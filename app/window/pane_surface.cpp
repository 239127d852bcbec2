#include "app/window/pane_surface.h"

#include <QOpenGLFunctions>
#include <cstring>

#include "app/window/gl_probe.h"
#include "core/base/error.h"

namespace app {

// ---- straight into the window

DirectSurface::DirectSurface(QWidget* parent) : QOpenGLWidget(parent) {
    QSurfaceFormat wanted = QSurfaceFormat::defaultFormat();
    wanted.setSamples(glProbe().software() ? 0 : 4);
    setFormat(wanted);
    setFocusPolicy(Qt::NoFocus);
    setAttribute(Qt::WA_TransparentForMouseEvents);
}

DirectSurface::~DirectSurface() {
    // The context would call leaveContext once more, when the members are gone.
    if (context()) disconnect(context(), nullptr, this, nullptr);
    leaveContext();
}

void DirectSurface::initializeGL() {
    connect(context(), &QOpenGLContext::aboutToBeDestroyed, this, &DirectSurface::leaveContext,
            Qt::UniqueConnection);
    emit contextMade();
}

void DirectSurface::leaveContext() {
    if (!context()) return;
    makeCurrent();
    emit contextGoes();
    doneCurrent();
}

void DirectSurface::paintGL() {
    emit painting(defaultFramebufferObject());
}

// ---- into memory

MemorySurface::MemorySurface() {
    m_surface.create();
    m_context.setShareContext(QOpenGLContext::globalShareContext());
    CHECK(m_surface.isValid() && m_context.create(), "OpenGL: expected a context, none could be made");
}

MemorySurface::~MemorySurface() {
    makeCurrent();
    m_target.reset();
    m_context.doneCurrent();
}

bool MemorySurface::makeCurrent() {
    return m_context.makeCurrent(&m_surface);
}

const QImage& MemorySurface::picture(QSize size, const std::function<void(unsigned framebuffer)>& draw) {
    if (!m_target || m_target->size() != size) {
        m_target = std::make_unique<QOpenGLFramebufferObject>(size);
        m_picture = QImage(size, QImage::Format_RGB32);
        m_upsideDown.resize(size_t(m_picture.sizeInBytes()));
    }
    m_target->bind();
    draw(m_target->handle());
    m_target->bind();
    read();
    return m_picture;
}

void MemorySurface::read() {
    constexpr GLenum blueGreenRed = 0x80E1, packed = 0x8367;  // GL_BGRA, GL_UNSIGNED_INT_8_8_8_8_REV
    QOpenGLFunctions* gl = m_context.functions();
    gl->glPixelStorei(GL_PACK_ALIGNMENT, 4);
    gl->glReadPixels(0, 0, m_picture.width(), m_picture.height(), blueGreenRed, packed, m_upsideDown.data());
    const size_t row = size_t(m_picture.width()) * 4;
    const int rows = m_picture.height();
    for (int y = 0; y < rows; ++y)
        std::memcpy(m_picture.scanLine(y), m_upsideDown.data() + size_t(rows - 1 - y) * row, row);
}

}  // namespace app
