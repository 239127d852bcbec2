// Whether OpenGL 3.3 is to be had on this display: asked before a widget that would need it is made.
#pragma once

#include <QString>

namespace app {

struct GlProbe {
    bool usable = false;
    QString version, vendor, renderer;
    QString reason;  // one sentence where it is not usable
    // Drawn by the processor: anti-aliasing costs too much.
    bool software() const { return renderer.contains("llvmpipe") || renderer.contains("softpipe"); }
};

// Needs a QGuiApplication. Asks once.
const GlProbe& glProbe();

// OpenGL 3.3 core for every context to come; call before QApplication is made.
void requestGl();

}  // namespace app
