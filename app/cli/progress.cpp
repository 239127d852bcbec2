#include "app/cli/progress.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace app {

Progress::Progress(std::string what, int64_t total, bool quiet, int64_t from)
    : m_what(std::move(what)),
      m_total(total),
      m_from(from),
      m_quiet(quiet),
      m_terminal(isatty(STDERR_FILENO) == 1) {
    winsize size{};
    if (m_terminal && ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
        m_columns = size.ws_col;
}

Progress::~Progress() {
    if (m_lineOpen) fmt::print(stderr, "\n");
}

double Progress::seconds() const {
    return std::chrono::duration<double>(Clock::now() - m_start).count();
}

bool Progress::due(int64_t done) {
    if (m_quiet) return false;
    const auto now = Clock::now();
    const auto apart = m_terminal ? std::chrono::milliseconds(100) : std::chrono::milliseconds(2000);
    if (now - m_printed < apart && done != m_total) return false;
    m_printed = now;
    return true;
}

void Progress::print(int64_t done, const std::string& note) {
    const double elapsed = seconds();
    const double rate = elapsed > 0 ? double(done - m_from) / elapsed : 0;
    const int64_t left = rate > 0 ? std::llround(double(m_total - done) / rate) : 0;
    std::string figures = fmt::format("{} of {} steps, {:.0f} a second, {}:{:02} left", done, m_total, rate,
                                      left / 60, left % 60);
    if (!note.empty()) figures += "  " + note;
    if (!m_terminal) {
        fmt::print(stderr, "{}: {}\n", m_what, figures);
        return;
    }
    constexpr int cells = 24;
    const int full = m_total > 0 ? int(cells * done / m_total) : 0;
    std::string bar;
    for (int i = 0; i < cells; ++i) bar += i < full ? "━" : "┄";
    const int room = std::max(0, m_columns - cells - int(m_what.size()) - 3);
    fmt::print(stderr, "\r{} {} {}\x1b[K", m_what, bar, figures.substr(0, size_t(room)));
    std::fflush(stderr);
    m_lineOpen = true;
}

}  // namespace app
