// Progress of a long piece of work on stderr: a bar on a terminal, now and then a line elsewhere.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace app {

class Progress {
  public:
    // What is done already, `from`, took no time.
    Progress(std::string what, int64_t total, bool quiet, int64_t from = 0);
    ~Progress();  // leaves the terminal on a fresh line
    Progress(const Progress&) = delete;
    Progress& operator=(const Progress&) = delete;

    // `note` is called only when something is printed.
    template <typename Note>
    void at(int64_t done, Note note) {
        if (due(done)) print(done, note());
    }
    double seconds() const;

  private:
    using Clock = std::chrono::steady_clock;
    bool due(int64_t done);
    void print(int64_t done, const std::string& note);

    std::string m_what;
    int64_t m_total, m_from;
    bool m_quiet, m_terminal;
    bool m_lineOpen = false;
    Clock::time_point m_start = Clock::now(), m_printed{};
    int m_columns = 80;
};

}  // namespace app
