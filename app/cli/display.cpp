#include "app/cli/display.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>

#include "core/base/error.h"

namespace app {
namespace {

const char* variable(const char* name) {
    const char* value = std::getenv(name);
    return value && *value ? value : nullptr;
}

// X listens on a path, and on Linux on the same name in the abstract space.
bool socketAnswers(const std::string& path, bool abstract) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    const size_t offset = abstract ? 1 : 0;
    if (path.size() + offset >= sizeof address.sun_path) return false;
    std::memcpy(address.sun_path + offset, path.data(), path.size());
    const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) return false;
    const auto length =
        socklen_t(offsetof(sockaddr_un, sun_path) + offset + path.size() + (abstract ? 0 : 1));
    const bool answers = connect(fd, reinterpret_cast<const sockaddr*>(&address), length) == 0;
    close(fd);
    return answers;
}

bool xServerAnswers(std::string_view display) {
    const size_t colon = display.rfind(':');
    if (colon == std::string_view::npos) return false;
    const std::string_view host = display.substr(0, colon);
    if (!host.empty() && host != "unix") return true;  // over the network: Qt will see
    const std::string_view number = display.substr(colon + 1);
    const std::string path = "/tmp/.X11-unix/X" + std::string(number.substr(0, number.find('.')));
    return socketAnswers(path, false) || socketAnswers(path, true);
}

// Reads the display number that the server writes when it is ready.
std::string readNumber(int fd, int timeoutMs) {
    std::string number;
    pollfd waiting{fd, POLLIN, 0};
    while (poll(&waiting, 1, timeoutMs) > 0) {
        char c = 0;
        if (read(fd, &c, 1) != 1) return {};
        if (c == '\n') return number;
        number += c;
    }
    return {};
}

}  // namespace

bool displayAnswers() {
    if (variable("QT_QPA_PLATFORM") && std::string_view(variable("QT_QPA_PLATFORM")) != "xcb") return true;
    if (variable("WAYLAND_DISPLAY") && !variable("DISPLAY")) return true;
    const char* display = variable("DISPLAY");
    return display && xServerAnswers(display);
}

void nameRuntimeFolder() {
    if (variable("XDG_RUNTIME_DIR")) return;
    const std::string folder = "/tmp/genscope-" + std::to_string(getuid());
    if (mkdir(folder.c_str(), 0700) == 0 || errno == EEXIST) setenv("XDG_RUNTIME_DIR", folder.c_str(), 1);
}

bool VirtualDisplay::installed() {
    return access("/usr/bin/Xvfb", X_OK) == 0;
}

VirtualDisplay::VirtualDisplay(int width, int height) {
    CHECK(installed(), "display: expected Xvfb to draw without a display, found none (apt-get install xvfb)");
    int ends[2];
    CHECK(pipe2(ends, O_CLOEXEC) == 0, "display: expected a pipe, got {}", std::strerror(errno));
    const std::string screen = fmt::format("{}x{}x24", width, height);
    const std::string readyFd = std::to_string(ends[1]);
    m_server = fork();
    CHECK(m_server >= 0, "display: expected a process for Xvfb, got {}", std::strerror(errno));
    if (m_server == 0) {
        prctl(PR_SET_PDEATHSIG, SIGTERM);  // never outlives us
        setpgid(0, 0);                     // Ctrl+C is for us, not for the server
        fcntl(ends[1], F_SETFD, 0);
        const int nowhere = open("/dev/null", O_RDWR | O_CLOEXEC);
        dup2(nowhere, STDOUT_FILENO);
        dup2(nowhere, STDERR_FILENO);
        execl("/usr/bin/Xvfb", "Xvfb", "-displayfd", readyFd.c_str(), "-screen", "0", screen.c_str(),
              "-nolisten", "tcp", "-noreset", static_cast<char*>(nullptr));
        _exit(127);
    }
    close(ends[1]);
    const std::string number = readNumber(ends[0], 10'000);
    close(ends[0]);
    if (number.empty()) {
        kill(m_server, SIGKILL);
        waitpid(m_server, nullptr, 0);
        throw core::Error("display: expected Xvfb to start within 10 seconds, it did not");
    }
    setenv("DISPLAY", (":" + number).c_str(), 1);
    setenv("QT_QPA_PLATFORM", "xcb", 1);
    setenv("LIBGL_ALWAYS_SOFTWARE", "1", 1);
    unsetenv("XAUTHORITY");
}

VirtualDisplay::~VirtualDisplay() {
    kill(m_server, SIGTERM);
    waitpid(m_server, nullptr, 0);
}

}  // namespace app
