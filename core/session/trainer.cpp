#include "core/session/trainer.h"

#include <future>

#include "core/session/trainer_state.h"

namespace core {

using Clock = std::chrono::steady_clock;

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
            if (state.waits && !state.samples()) {
                m_wake.wait_for(lock, std::chrono::milliseconds(50),
                                [&] { return m_quit || m_nudged || !m_commands.empty(); });
            } else if (!state.busy()) {
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
                state.travel(pending);
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
        s.leaveFor(request.lesson);
        s.request = request;
        s.asked = true;
        s.reopen();
    });
}

void Trainer::comeBack(const RunRequest& request) {
    act([request](State& s) { s.comeBack(request); });
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
                s.depart(step);
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
        s.depart(std::max<int64_t>(inStep ? from : from - 1, 0));
    });
}

void Trainer::goTo(int64_t step) {
    hold();
    act([=](State& s) { s.depart(step); });
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

template <typename Answer>
Answer Trainer::ask(const std::function<Answer(State&)>& question) {
    auto answer = std::make_shared<std::promise<Answer>>();
    std::future<Answer> ready = answer->get_future();
    post([=](State& s) {
        try {
            answer->set_value(question(s));
        } catch (...) {
            answer->set_value({});
            throw;
        }
    });
    return ready.get();
}

std::string Trainer::share() {
    return ask<std::string>([](State& s) -> std::string {
        if (!s.run) return "";
        Journal journal = s.run->journal();
        journal.step = s.target.value_or(s.run->stepCount());
        return journal.toLine();
    });
}

std::shared_ptr<const Moment> Trainer::moment() {
    return ask<std::shared_ptr<const Moment>>([](State& s) -> std::shared_ptr<const Moment> {
        return s.run ? std::make_shared<const Moment>(s.run->moment()) : nullptr;
    });
}

void Trainer::openAt(std::shared_ptr<const Moment> moment, const RunRequest& request) {
    act([=](State& s) {
        s.request = request;
        s.adopt(Run::from(*moment, s.here(moment->journal, request.ownData)), moment->journal,
                request.ownData);
    });
}

void Trainer::replay(const Journal& journal, const std::vector<OwnDataPtr>& ownData) {
    act([=](State& s) {
        s.adopt(Run::replay(journal, s.here(journal, ownData)), journal, ownData);
        if (journal.step > 0) s.depart(journal.step);
    });
}

void Trainer::openSaved(std::shared_ptr<const SavedRun> saved, const std::vector<OwnDataPtr>& ownData) {
    act([=](State& s) { s.adopt(Run::open(*saved, s.request.threads, ownData), saved->journal, ownData); });
}

}  // namespace core
