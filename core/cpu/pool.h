// Threads that share one step's work: a bounded spin, then a wait; lower priority than the window.
#pragma once

#include <cstdint>
#include <memory>

namespace core::cpu {

class Pool {
  public:
    // `threads` counts the caller too; 0 leaves one core to the window (at least one thread).
    explicit Pool(int threads);
    ~Pool();
    Pool(const Pool&) = delete;
    Pool& operator=(const Pool&) = delete;

    int threads() const;

    // Calls body(context, i, worker) for every i in [0, count), spread over the threads; returns when all
    // are done. The last is begun first. Which worker, a number below threads(), runs which i is not fixed:
    // results must not depend on it.
    void run(void (*body)(void* context, int64_t index, int worker), void* context, int64_t count);

  private:
    struct Impl;
    std::unique_ptr<Impl> m_impl;
};

}  // namespace core::cpu
