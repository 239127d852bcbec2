#include "core/session/trainer.h"

#include <chrono>
#include <future>
#include <optional>

#include "core/session/run.h"

namespace core {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::duration;

double secondsSince(Clock::time_point then) {
    return duration<double>(Clock::now() - then).count();
}

// A frame is made at most this often, and never for more than a quarter of the trainer's time.
constexpr double frameInterval = 0.030, lookShare = 4;
// On the way to another step a frame is made this often.
constexpr double showTheWayAfter = 0.2;
// A round of evaluation starts at most this often, and takes at most a tenth of the time.
constexpr double evaluationInterval = 1.0, evaluationShare = 10;
// Between two training steps, and between two looks at the commands.
constexpr double samplingSlice = 0.010;

}  // namespace

struct Trainer::State {
    std::unique_ptr<Run> run;
    RunRequest request;
    bool asked = false;   // has a lesson been asked for at all?
    std::string problem;  // what went wrong with the last command
    bool deviceFailed = false;
    bool running = false;
    bool changed = true;            // since the last frame
    bool sampled = false;           // since the last frame, and nothing else changed
    std::optional<int64_t> target;  // on the way to another step
    std::set<std::string> watched;
    FramePtr shown;
    double limit = 0;  // steps a second; 0 is none
    Clock::time_point nextStep = Clock::now();

    // Steps a second over the last half second.
    int64_t counted = 0;
    Clock::time_point countedSince = Clock::now();
    double rate = 0;

    Clock::time_point lookedAt{}, evaluatedAt{};
    double lookSeconds = 0, evaluationSeconds = 0;
    bool evaluating = false;
    int64_t evaluatedStep = -1;

    std::shared_ptr<Lockstep> pace;  // with another trainer
    int side = 0;
    bool waits = false;  // for the other one

    ~State() {
        if (pace) pace->leave(side);
    }

    void report() const {
        if (pace) pace->at(side, run ? run->stepCount() : 0, running && run && !target);
    }

    void reopen() {
        halt();
        run.reset();
        shown.reset();
        evaluatedStep = -1;
        problem.clear();
        deviceFailed = false;
        run = std::make_unique<Run>(request);
    }

    // Stops with what is wrong.
    void fail(const std::exception& fault) {
        problem = fault.what();
        deviceFailed = dynamic_cast<const DeviceError*>(&fault) != nullptr;
        halt();
        evaluating = false;
        if (run) evaluatedStep = run->stepCount();
    }

    // How the journal's run began, on the present device.
    RunRequest here(const Journal& journal, const std::vector<OwnDataPtr>& ownData) const {
        RunRequest other = Run::requestOf(journal, request.threads, ownData);
        other.device = request.device;
        other.exact = request.exact;
        return other;
    }

    // Another run in place of the present one.
    void adopt(std::unique_ptr<Run> other, const Journal& journal, const std::vector<OwnDataPtr>& ownData) {
        halt();
        request.lesson = journal.lesson;
        request.preset = other->preset();
        request.seed = journal.seed;
        request.ownData = ownData;
        request.settings.clear();
        asked = true;
        evaluatedStep = -1;
        evaluating = false;
        problem.clear();
        shown.reset();
        run = std::move(other);
    }

    void halt() {
        // What the other one has begun is done here too; both end at the same step.
        const bool able = run && pace && !target && !deviceFailed;
        while (running && able && pace->owesAStep(side) && pace->begin(side)) {
            if (!run->step()) break;
            report();
        }
        running = false;
        waits = false;
        target.reset();
        rate = 0;
        changed = true;
    }

    void count(int64_t steps) {
        counted += steps;
        const double elapsed = secondsSince(countedSince);
        if (elapsed < 0.5) return;
        rate = double(counted) / elapsed;
        counted = 0;
        countedSince = Clock::now();
    }

    void train() {
        waits = pace && !pace->begin(side);
        if (waits) return;
        if (limit > 0)
            nextStep =
                std::max(nextStep + std::chrono::duration_cast<Clock::duration>(duration<double>(1 / limit)),
                         Clock::now() - std::chrono::milliseconds(50));
        // As many as the device takes at a time, where nothing has to be done in between.
        const int64_t done = run->steps(limit > 0 || pace ? 1 : 64);
        if (done == 0) halt();
        count(done);
        changed = true;
        report();
    }

    // One piece of the costly figures, when they are due.
    void evaluate() {
        // A run that stands still has the time.
        const double wait = running ? evaluationShare * evaluationSeconds : 0;
        const bool due = secondsSince(evaluatedAt) > std::max(evaluationInterval, wait);
        if (!evaluating && (!due || evaluatedStep == run->stepCount())) return;
        if (!evaluating) evaluationSeconds = 0;
        const Clock::time_point start = Clock::now();
        evaluating = !run->evaluatePiece(watched);
        evaluationSeconds += secondsSince(start);
        if (evaluating) return;
        evaluatedAt = Clock::now();
        evaluatedStep = run->stepCount();
        changed = true;
    }

    bool samples() const { return run && run->samplings().active(); }

    // Samplers go on for a slice of time, and for at least one evaluation of the network.
    void sample() {
        const Clock::time_point start = Clock::now();
        while (run->sampleMore() && secondsSince(start) < samplingSlice) {
        }
        sampled = true;
    }

    bool frameDue() const {
        // Nothing waits for the time that looking takes.
        if (!running && !target && !samples()) return changed || sampled;
        return (changed || sampled) &&
               secondsSince(lookedAt) > std::max(frameInterval, lookShare * lookSeconds);
    }

    // What there is to show of a run that is not open, or no longer answers: what was last seen of it.
    Frame unseen() const {
        if (run && shown) return *shown;
        Frame frame;
        frame.lesson = request.lesson;
        frame.seed = request.seed;
        try {
            Run::describe(run ? run->lesson() : *Run::configure(request), frame);
        } catch (const Error&) {
            // The problem that kept the run from opening is shown already.
        }
        return frame;
    }

    FramePtr look() {
        const Clock::time_point start = Clock::now();
        Frame frame;
        bool seen = false;
        try {
            if (run && !changed && shown) {
                frame = *shown;
                frame.samplings = run->samplings().published();
            } else if (run) {
                frame = run->look(watched);
            }
            seen = run != nullptr;
        } catch (const std::exception& fault) {
            fail(fault);
        }
        if (!seen) frame = unseen();
        frame.running = running;
        frame.target = target.value_or(-1);
        frame.awaitsFigures = run && evaluatedStep != run->stepCount();
        frame.stepsPerSecond = rate;
        if (!problem.empty()) frame.problem = problem;
        frame.deviceFailed = deviceFailed;
        lookSeconds = secondsSince(start);
        lookedAt = Clock::now();
        changed = sampled = false;
        shown = std::make_shared<const Frame>(std::move(frame));
        return shown;
    }
};

Trainer::Trainer() : m_latest(std::make_shared<const Frame>()), m_thread([this] { loop(); }) {}

Trainer::~Trainer() {
    {
        const std::lock_guard lock(m_mutex);
        m_quit = true;
    }
    m_wake.notify_one();
    m_thread.join();
}

void Trainer::post(Command command) {
    {
        const std::lock_guard lock(m_mutex);
        m_commands.push_back(std::move(command));
    }
    m_wake.notify_one();
}

void Trainer::act(Command command) {
    post([command = std::move(command)](State& s) {
        if (s.run) s.problem.clear(), s.deviceFailed = false;
        command(s);
    });
}

void Trainer::loop() {
    State state;
    const auto pending = [this] {
        const std::lock_guard lock(m_mutex);
        return m_quit || !m_commands.empty();
    };
    while (true) {
        std::deque<Command> commands;
        bool wanted = false;
        {
            std::unique_lock lock(m_mutex);
            const auto awake = [&] {
                return m_quit || !m_commands.empty() || (m_wanted && (state.changed || state.sampled));
            };
            const bool busy =
                state.run && (state.running || state.target || state.evaluating || state.samples());
            if (state.waits && !state.samples()) {
                m_wake.wait_for(lock, std::chrono::milliseconds(50),
                                [&] { return m_quit || m_nudged || !m_commands.empty(); });
            } else if (!busy) {
                m_wake.wait_for(lock, std::chrono::milliseconds(200), awake);
            } else if (state.running && state.limit > 0 && Clock::now() < state.nextStep &&
                       !state.samples()) {
                m_wake.wait_until(
                    lock, std::min(state.nextStep, Clock::now() + std::chrono::milliseconds(30)), awake);
            }
            if (m_quit) return;
            commands.swap(m_commands);
            wanted = m_wanted;
            m_nudged = false;
        }
        for (Command& command : commands) {
            state.changed = true;
            try {
                command(state);
            } catch (const DeviceError& e) {
                state.fail(e);
            } catch (const std::exception& e) {
                state.problem = e.what();
            }
        }
        state.report();
        try {
            const bool together = state.pace && state.pace->together();
            if (together && wanted && state.frameDue()) state.pace->lookAfterNext(state.side);
            if (state.run && state.target) {
                // A long way is interrupted to show where it has got; a short one is over before it is seen.
                const Clock::time_point start = Clock::now();
                state.run->goTo(*state.target,
                                [&] { return pending() || secondsSince(start) > showTheWayAfter; });
                state.changed = true;
                if (state.run->stepCount() == *state.target || !state.run->problem().empty())
                    state.target.reset();
            } else if (state.run && state.running && (state.limit == 0 || Clock::now() >= state.nextStep)) {
                state.train();
            }
            if (state.samples()) state.sample();
            if (state.run && !state.target) state.evaluate();
            // Of a pair that runs, frames are made at the same step.
            if (together ? state.pace->looksNow(state.side) : wanted && state.frameDue()) {
                FramePtr frame = state.look();
                const std::lock_guard lock(m_mutex);
                m_latest = std::move(frame);
                m_wanted = false;
            }
        } catch (const std::exception& e) {
            state.fail(e);
        }
    }
}

// ---- what is run

void Trainer::open(const RunRequest& request) {
    act([request](State& s) {
        s.request = request;
        s.asked = true;
        s.reopen();
    });
}

void Trainer::set(const std::string& knob, double value) {
    act([=](State& s) {
        if (s.run) return s.run->set(knob, value);
        if (!s.asked) return;
        // The lesson could not be opened as it was asked for: perhaps it can like this.
        const std::unique_ptr<Lesson> lesson = Run::configure(s.request);
        const Parameter& parameter = lesson->knob(knob).parameter();
        parameter.check(value);
        s.request.settings.emplace_back(knob, parameter.print(value));
        s.reopen();
    });
}

void Trainer::applyPreset(const std::string& preset) {
    act([=](State& s) {
        s.target.reset();
        s.evaluatedStep = -1;
        if (s.run) return s.run->applyPreset(preset);
        if (!s.asked) return;
        s.request.preset = preset;
        s.request.settings.clear();
        s.reopen();
    });
}

void Trainer::openData(OwnDataPtr own) {
    act([own = std::move(own)](State& s) {
        if (s.run) return s.run->openData(own);
        if (!s.asked) return;
        s.request.ownData.push_back(own);
        const std::unique_ptr<Lesson> lesson = Run::configure(s.request);
        s.request.settings.emplace_back("data", lesson->knob("data").parameter().options.back());
        s.reopen();
    });
}

void Trainer::useDevice(const std::string& device, bool exact) {
    act([=](State& s) {
        RunRequest request = s.request;
        request.device = device;
        request.exact = exact;
        if (s.run) {
            const int64_t step = s.run->stepCount();
            try {
                s.run->moveTo(request);
            } catch (const DeviceError& refusal) {  // the present one goes on
                throw Error(refusal.what());
            }
            if (s.run->stepCount() < step) {
                s.halt();
                s.target = step;
            }
        }
        s.request = request;
        if (!s.run && s.asked) s.reopen();
    });
}

void Trainer::reset() {
    act([](State& s) {
        s.target.reset();
        s.evaluatedStep = -1;
        if (s.run) s.run->reset(s.run->seed());
    });
}

void Trainer::newSeed(uint64_t seed) {
    act([=](State& s) {
        s.target.reset();
        s.evaluatedStep = -1;
        if (s.run) s.run->reset(seed);
    });
}

// ---- transport

void Trainer::run() {
    if (m_pace) m_pace->release(m_side);
    act([](State& s) {
        s.target.reset();
        s.running = s.run != nullptr;
        s.report();
        if (s.pace) s.pace->released(s.side);
        s.counted = 0;
        s.countedSince = s.nextStep = Clock::now();
    });
}

void Trainer::pause() {
    hold();
    act([](State& s) { s.halt(); });
}

void Trainer::stepOnce() {
    hold();
    act([](State& s) {
        s.halt();
        if (s.run) s.run->step();
    });
}

void Trainer::stageOnce() {
    hold();
    act([](State& s) {
        s.halt();
        if (s.run) s.run->stage();
    });
}

void Trainer::back() {
    hold();
    act([](State& s) {
        const int64_t from = s.target ? *s.target : (s.run ? s.run->stepCount() : 0);
        const bool inStep = s.run && !s.run->nextStage().empty();
        s.halt();
        s.target = std::max<int64_t>(inStep ? from : from - 1, 0);
    });
}

void Trainer::goTo(int64_t step) {
    hold();
    act([=](State& s) {
        s.halt();
        s.target = step;
    });
}

void Trainer::keepPace(std::shared_ptr<Lockstep> pace, int side) {
    m_pace = pace;
    m_side = side;
    post([=, this](State& s) {
        if (s.pace) s.pace->leave(s.side);
        s.pace = pace;
        s.side = side;
        s.waits = false;
        if (pace) pace->join(side, [this] { wake(); });
    });
}

void Trainer::hold() {
    if (m_pace) m_pace->hold();
}

void Trainer::wake() {
    {
        const std::lock_guard lock(m_mutex);
        m_nudged = true;
    }
    m_wake.notify_one();
}

void Trainer::setStepsPerSecond(double limit) {
    act([=](State& s) {
        s.limit = limit;
        s.nextStep = Clock::now();
    });
}

// ---- looking

void Trainer::watch(const std::set<std::string>& channels) {
    post([=](State& s) { s.watched = channels; });
}

void Trainer::setHandle(const std::string& name, const std::vector<float>& values) {
    post([=](State& s) {
        if (s.run) s.run->setHandle(name, values);
    });
}

FramePtr Trainer::latest() {
    FramePtr frame;
    {
        const std::lock_guard lock(m_mutex);
        m_wanted = true;
        frame = m_latest;
    }
    m_wake.notify_one();
    return frame;
}

// ---- sampling

int64_t Trainer::sample(const SamplingRequest& request) {
    const int64_t id = ++m_lastSampling;
    act([=](State& s) {
        if (s.run) s.run->sample(id, request);
    });
    return id;
}

int64_t Trainer::fork(int64_t parent, int step, const SamplingRequest& request) {
    const int64_t id = ++m_lastSampling;
    act([=](State& s) {
        if (s.run) s.run->fork(id, parent, step, request);
    });
    return id;
}

void Trainer::discard(int64_t id) {
    post([=](State& s) {
        if (s.run) s.run->samplings().discard(id);
    });
}

void Trainer::discardAll() {
    post([](State& s) {
        if (s.run) s.run->samplings().discardAll();
    });
}

std::string Trainer::share() {
    auto line = std::make_shared<std::promise<std::string>>();
    std::future<std::string> ready = line->get_future();
    post([line](State& s) {
        if (!s.run) return line->set_value("");
        Journal journal = s.run->journal();
        journal.step = s.target.value_or(s.run->stepCount());
        line->set_value(journal.toLine());
    });
    return ready.get();
}

void Trainer::replay(const Journal& journal, const std::vector<OwnDataPtr>& ownData) {
    act([=](State& s) {
        s.adopt(Run::replay(journal, s.here(journal, ownData)), journal, ownData);
        if (journal.step > 0) s.target = journal.step;
    });
}

void Trainer::openSaved(std::shared_ptr<const SavedRun> saved, const std::vector<OwnDataPtr>& ownData) {
    act([=](State& s) { s.adopt(Run::open(*saved, s.request.threads, ownData), saved->journal, ownData); });
}

}  // namespace core
