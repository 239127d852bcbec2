// A trainer watched from outside, as a window does it: by the frames that it publishes.
#pragma once

#include <QtTest>

#include <chrono>
#include <functional>
#include <thread>

#include "core/session/run.h"
#include "core/session/trainer.h"
#include "tests/support/slower.h"

namespace support {

using core::Frame;
using core::FramePtr;
using core::Trainer;

using Clock = std::chrono::steady_clock;

constexpr int promptly = 300 * slower;  // ms; 100 are promised

inline double msSince(Clock::time_point then) {
    return std::chrono::duration<double, std::milli>(Clock::now() - then).count();
}

// The newest frame for which the claim holds, or nullptr after the time has passed.
inline FramePtr await(Trainer& trainer, const std::function<bool(const Frame&)>& claim,
                      int ms = 20000 * slower) {
    const Clock::time_point start = Clock::now();
    do {
        const FramePtr frame = trainer.latest();
        if (claim(*frame)) return frame;
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
    } while (msSince(start) < ms);
    return nullptr;
}

inline FramePtr awaitStep(Trainer& trainer, int64_t step) {
    return await(trainer, [=](const Frame& f) { return f.step >= step; });
}

// A frame made after everything posted so far, at rest; nullptr if that took too long.
inline FramePtr settled(Trainer& trainer) {
    trainer.pause();
    trainer.share();  // the queue is worked off: whatever is published from here on is of the state at rest
    const FramePtr before = trainer.latest();
    trainer.setHandle("none", {});  // any command asks for another frame
    return await(
        trainer, [&](const Frame& f) { return &f != before.get(); }, 10 * promptly);
}

// What the frame shows must be what a replay of the shared line shows at that step.
inline void compareWithReplay(Trainer& trainer, const Frame& frame) {
    const auto run = core::Run::replay(core::Journal::fromLine(trainer.share()), 1);
    run->goTo(frame.step);
    QCOMPARE(run->stepCount(), frame.step);
    QCOMPARE(run->settings(), frame.settings);
    const Frame again = run->look({"samples", "codes"});
    for (const char* channel : {"samples", "codes"}) {
        const core::Tensor *seen = frame.find(channel), *expected = again.find(channel);
        if (seen && expected) QCOMPARE(seen->values, expected->values);
    }
}

}  // namespace support
