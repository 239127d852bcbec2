// Whether there is a display to show a window on, and one of our own where there is none.
#pragma once

#include <sys/types.h>

namespace app {

// True where a window can be opened: Wayland, an X server that takes connections, or a platform
// that QT_QPA_PLATFORM names. Qt would abort the program where this is false.
bool displayAnswers();

// Root in a container has no XDG_RUNTIME_DIR, and Qt remarks on it at every start: here is one.
void nameRuntimeFolder();

// A private X server in memory, with software GL; the environment points Qt to it. Ends with the
// object. Make it before QApplication.
class VirtualDisplay {
  public:
    // Throws core::Error if Xvfb is not installed or does not start.
    VirtualDisplay(int width, int height);
    ~VirtualDisplay();
    VirtualDisplay(const VirtualDisplay&) = delete;
    VirtualDisplay& operator=(const VirtualDisplay&) = delete;

    static bool installed();

  private:
    pid_t m_server = -1;
};

}  // namespace app
