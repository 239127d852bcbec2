#include "core/cpu/pool.h"

#include <sched.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <thread>
#include <vector>

namespace core::cpu {
namespace {

constexpr auto spinTime = std::chrono::microseconds(30);

// Spins until `ready()` or until the time is up; says whether it became ready.
template <class F>
bool spinUntil(F ready) {
    const auto end = std::chrono::steady_clock::now() + spinTime;
    for (;;) {
        for (int i = 0; i < 32; ++i) {
            if (ready()) return true;
            __builtin_ia32_pause();
        }
        if (std::chrono::steady_clock::now() > end) return false;
    }
}

// The window's threads go first. Where the system forbids it, the work goes on all the same.
void lowerPriority() {
    const sched_param none{};
    sched_setscheduler(0, SCHED_BATCH, &none);
    setpriority(PRIO_PROCESS, id_t(gettid()), 5);
}

}  // namespace

struct Pool::Impl {
    using Body = void (*)(void*, int64_t, int);

    // The job's number above, its indices still to be taken below. Taking one is a compare-exchange on both,
    // so a thread that slept through a whole job can neither take from nor count in the next one: if the
    // exchange succeeds, the index is open, hence the job is, hence body and context are its.
    alignas(64) std::atomic<uint64_t> ticket{0};
    std::atomic<Body> body{nullptr};
    std::atomic<void*> context{nullptr};
    alignas(64) std::atomic<int> unfinished{0};
    alignas(64) std::atomic<int> generation{0};  // changes with every job; sleepers wait on it
    std::atomic<int> sleepers{0};
    std::atomic<bool> stopping{false};
    std::vector<std::thread> workers;

    void work(int worker) {
        uint64_t seen = ticket.load(std::memory_order_acquire);
        while (uint32_t(seen) != 0) {
            const Body f = body.load(std::memory_order_relaxed);
            void* const c = context.load(std::memory_order_relaxed);
            if (!ticket.compare_exchange_weak(seen, seen - 1, std::memory_order_acq_rel,
                                              std::memory_order_acquire))
                continue;
            f(c, int64_t(uint32_t(seen) - 1), worker);
            if (unfinished.fetch_sub(1, std::memory_order_acq_rel) == 1) unfinished.notify_one();
            seen = ticket.load(std::memory_order_acquire);
        }
    }

    void live(int worker) {
        lowerPriority();
        int seen = 0;
        while (!stopping.load(std::memory_order_acquire)) {
            work(worker);
            const auto changed = [&] { return generation.load(std::memory_order_acquire) != seen; };
            if (!spinUntil(changed)) {
                // Announced before the value is read again: either run() sees a sleeper and wakes it, or the
                // sleeper sees the new generation.
                sleepers.fetch_add(1);
                generation.wait(seen);
                sleepers.fetch_sub(1);
            }
            seen = generation.load(std::memory_order_acquire);
        }
    }

    void wake() {
        generation.fetch_add(1);
        if (sleepers.load() > 0) generation.notify_all();
    }
};

Pool::Pool(int threads) : m_impl(std::make_unique<Impl>()) {
    if (threads <= 0) threads = std::max(1, int(std::thread::hardware_concurrency()) - 1);
    for (int i = 1; i < threads; ++i)
        m_impl->workers.emplace_back([impl = m_impl.get(), i] { impl->live(i); });
}

Pool::~Pool() {
    m_impl->stopping.store(true, std::memory_order_release);
    m_impl->wake();
    for (std::thread& worker : m_impl->workers) worker.join();
}

int Pool::threads() const {
    return int(m_impl->workers.size()) + 1;
}

void Pool::run(void (*body)(void* context, int64_t index, int worker), void* context, int64_t count) {
    Impl& impl = *m_impl;
    if (impl.workers.empty() || count <= 1) {
        for (int64_t i = count; i-- > 0;) body(context, i, 0);
        return;
    }
    impl.body.store(body, std::memory_order_relaxed);
    impl.context.store(context, std::memory_order_relaxed);
    impl.unfinished.store(int(count), std::memory_order_relaxed);
    const uint64_t job = (impl.ticket.load(std::memory_order_relaxed) >> 32) + 1;
    impl.ticket.store(job << 32 | uint32_t(count), std::memory_order_release);
    impl.wake();
    impl.work(0);
    const auto finished = [&] { return impl.unfinished.load(std::memory_order_acquire) == 0; };
    if (spinUntil(finished)) return;
    for (int left; (left = impl.unfinished.load(std::memory_order_acquire)) != 0;) impl.unfinished.wait(left);
}

}  // namespace core::cpu
