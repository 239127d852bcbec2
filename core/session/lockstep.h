// Keeps two running trainers at the same step: neither begins one while the other is behind, and both are
// looked at after the same one. Every method may be called from any thread.
#pragma once

#include <cstdint>
#include <functional>
#include <mutex>

namespace core {

class Lockstep {
  public:
    // `wake` is called, while that side has joined, when it may have something to do; it must not call back.
    void join(int side, std::function<void()> wake);
    void leave(int side);

    // ---- the trainers
    // This side has completed `step` steps.
    void at(int side, int64_t step, bool running);
    // True if this side may do one more, which has then begun.
    bool begin(int side);
    // Held, with a step less than the other side has begun.
    bool owesAStep(int side) const;
    // Both run, a step apart at most: frames are then made where looksNow() says.
    bool together() const;
    // Both are to be looked at after the step that this side is about to begin.
    void lookAfterNext(int side);
    // True once, where such a step is reached.
    bool looksNow(int side);

    // ---- the window, before it tells the trainers to stop or to run
    // No step is begun but those that the other side has begun already.
    void hold();
    // This side is about to run; the other one waits for it, although it may still be opening its lesson.
    void release(int side);
    void released(int side);  // that it runs has reached it

  private:
    struct Side {
        std::function<void()> wake;
        int64_t step = 0, begun = 0, looked = -1;
        bool running = false, asked = false;
    };
    const Side& other(int side) const { return m_sides[1 - side]; }
    void wakeOther(int side) const;
    bool areTogether() const;
    bool owes(int side) const { return m_sides[side].step + 1 == other(side).begun; }

    mutable std::mutex m_mutex;
    Side m_sides[2];
    int64_t m_look = -1;
    bool m_held = false;
};

}  // namespace core
