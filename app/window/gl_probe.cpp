#include "app/window/gl_probe.h"

#include <QGuiApplication>
#include <QOffscreenSurface>
#include <QOpenGLContext>
#include <QOpenGLFunctions>
#include <QSurfaceFormat>

namespace app {
namespace {

GlProbe ask() {
    GlProbe probe;
    // Qt's offscreen and minimal platforms have no GL, and crash when a widget asks for it.
    const QString platform = QGuiApplication::platformName();
    if (platform == "offscreen" || platform == "minimal" || platform == "vnc" || platform == "linuxfb") {
        probe.reason =
            QStringLiteral("OpenGL: expected 3.3, the display platform '%1' has none").arg(platform);
        return probe;
    }
    QOpenGLContext context;
    QOffscreenSurface surface;
    surface.create();
    if (!context.create() || !surface.isValid() || !context.makeCurrent(&surface)) {
        probe.reason = QStringLiteral("OpenGL: expected 3.3, no context could be made");
        return probe;
    }
    const auto text = [&](GLenum name) {
        const GLubyte* value = context.functions()->glGetString(name);
        return value ? QString::fromUtf8(reinterpret_cast<const char*>(value)) : QString();
    };
    probe.version = text(GL_VERSION);
    probe.vendor = text(GL_VENDOR);
    probe.renderer = text(GL_RENDERER);
    // A lower version can be handed out without an error.
    const QSurfaceFormat got = context.format();
    probe.usable = got.version() >= qMakePair(3, 3);
    if (!probe.usable)
        probe.reason = QStringLiteral("OpenGL: expected 3.3, this display has %1").arg(probe.version);
    context.doneCurrent();
    return probe;
}

}  // namespace

const GlProbe& glProbe() {
    static const GlProbe probe = ask();
    return probe;
}

void requestGl() {
    QSurfaceFormat format;
    format.setVersion(3, 3);
    format.setProfile(QSurfaceFormat::CoreProfile);
    format.setSwapBehavior(QSurfaceFormat::DoubleBuffer);
    QSurfaceFormat::setDefaultFormat(format);
    QCoreApplication::setAttribute(Qt::AA_ShareOpenGLContexts);
}

}  // namespace app
