#include "app/window/sampling_player.h"

#include <algorithm>
#include <cmath>

namespace app {
namespace {

constexpr double wholeRunSeconds = 6;
constexpr int tickMs = 16;
// Sampling on its own account takes at most this share of the time, and shows a result for at least as long.
constexpr qint64 keepUpShare = 8, keepUpMs = 400;

}  // namespace

SamplingPlayer::SamplingPlayer(Source source, QObject* parent)
    : QObject(parent), m_source(std::move(source)) {
    m_timer.setTimerType(Qt::PreciseTimer);
    m_timer.setInterval(tickMs);
    connect(&m_timer, &QTimer::timeout, this, [this] {
        const double seconds = double(m_sinceTick.restart()) / 1000;
        advance(std::min(seconds, 0.25));
    });
}

void SamplingPlayer::setLesson(const std::vector<core::Parameter>& parameters, int stages) {
    m_knobs.clear();
    m_relevant.clear();
    m_stages = stages;
    for (const core::Parameter& parameter : parameters) {
        if (parameter.change == core::Change::sampling) m_knobs.push_back(parameter);
        if (parameter.change != core::Change::live) m_relevant.push_back(parameter.name);
    }
    stop();
    m_samplings.reset();
    m_place = {};
    m_asked = m_timed = 0;
    m_lastMs = 0;
    m_sinceShown.invalidate();
    emit runsChanged();
    emit moved();
}

void SamplingPlayer::startOver() {
    if (!samples()) return;
    stop();
    for (const int64_t run : {m_place.branch, m_place.run, m_asked})
        if (run) m_source.discard(run);
    m_place = {};
    m_asked = m_timed = 0;
    m_sinceShown.invalidate();
    emit runsChanged();
    emit moved();
}

core::Settings SamplingPlayer::relevant(const core::Frame& frame) const {
    core::Settings settings;
    for (const std::string& name : m_relevant)
        if (const auto it = frame.settings.find(name); it != frame.settings.end()) settings.insert(*it);
    return settings;
}

void SamplingPlayer::follow(const core::Frame& frame) {
    if (!samples()) return;
    m_settings = relevant(frame);
    if (frame.samplings != m_samplings) {
        const bool atEnd = run() && m_place.step == lastStep();
        m_samplings = frame.samplings;
        receive();
        const core::TrajectoryPtr timed = m_samplings && m_timed ? m_samplings->find(m_timed) : nullptr;
        if (timed && timed->complete()) {
            m_lastMs = m_sinceAsked.elapsed();
            m_sinceShown.start();
            m_timed = 0;
        }
        // A run that grows is followed by whoever stands at its end.
        if (atEnd && !m_direction && m_place.stage < 0) put(lastStep());
        emit runsChanged();
    }
    keepUp(frame);
}

// What was asked for is shown when it is complete; at once, if it is to be played or there is nothing else.
void SamplingPlayer::receive() {
    const core::TrajectoryPtr arrived = m_samplings && m_asked ? m_samplings->find(m_asked) : nullptr;
    if (!arrived) return;
    const bool over = arrived->complete() || !arrived->problem.empty();
    if (!over && (arrived->steps.empty() || (!m_askedToPlay && run()))) return;
    const bool first = !run(), atEnd = m_place.step == lastStep();
    const double t = time();
    const int64_t before = m_place.run;
    m_timed = arrived->id;
    m_sinceShown.start();
    m_asked = 0;
    m_place = {.run = arrived->id};
    if (before) m_source.discard(before);
    if (m_askedToPlay) {
        put(0);
        play(+1);
    } else if (first || atEnd) {
        put(lastStep());
    } else {
        goToTime(t);
    }
    emit moved();
}

void SamplingPlayer::keepUp(const core::Frame& frame) {
    if (!samples() || !m_keepsUp || m_place.branch || m_direction || !frame.problem.empty() ||
        frame.settings.empty())
        return;
    const bool turned = m_settings != m_askedWith;
    if (m_asked) {
        // What it was asked for is no longer what is wanted.
        if (turned && !m_askedToPlay) ask({.seed = m_seed}, false);
        return;
    }
    const core::TrajectoryPtr shown = run();
    if (shown && !shown->complete() && shown->problem.empty()) return;
    const bool trained = shown && shown->trainingStep != frame.step && frame.stage.empty();
    // A run that stands still is not held up by a sampler.
    const qint64 pause = frame.running ? std::max(keepUpMs, keepUpShare * m_lastMs) : keepUpMs / 4;
    const bool rested = !m_sinceShown.isValid() || m_sinceShown.elapsed() > pause;
    if (!shown ? rested : turned || (trained && rested)) ask({.seed = m_seed}, false);
}

void SamplingPlayer::ask(const core::SamplingRequest& request, bool played) {
    if (!samples()) return;
    if (m_asked) m_source.discard(m_asked);
    m_askedToPlay = played;
    m_askedWith = m_settings;
    m_sinceAsked.start();
    m_asked = m_source.sample(request);
}

// ---- where

int SamplingPlayer::lastStep() const {
    const core::TrajectoryPtr shown = run();
    return shown ? int(shown->steps.size()) : 0;
}

double SamplingPlayer::time() const {
    const core::TrajectoryPtr shown = run();
    return shown && !shown->steps.empty() ? shown->timeOf(std::clamp(m_place.step, 0, lastStep())) : 0;
}

void SamplingPlayer::put(int step, int stage) {
    const views::SamplingPlace before = m_place;
    m_place.step = std::clamp(step, 0, lastStep());
    m_place.stage = m_place.step < lastStep() ? stage : -1;
    m_place.playing = m_direction != 0;
    if (!(m_place == before)) emit moved();
}

// ---- runs

void SamplingPlayer::sample() {
    dropBranch();
    ask({.seed = m_seed}, true);
}

void SamplingPlayer::otherDice() {
    m_seed = m_freshSeed++;
    sample();
}

void SamplingPlayer::fork(const core::SamplingRequest& request) {
    const core::TrajectoryPtr shown = run();
    if (!shown || m_place.step >= shown->total) return;
    dropBranch();
    m_place.branch = m_source.fork(shown->id, m_place.step, request);
    m_freshSeed = std::max(m_freshSeed, request.seed + 1);
    emit runsChanged();
    emit moved();
}

void SamplingPlayer::forkWithOtherDice() {
    fork({.seed = m_freshSeed, .present = false});
}

void SamplingPlayer::dropBranch() {
    if (!m_place.branch) return;
    m_source.discard(m_place.branch);
    m_place.branch = 0;
    emit runsChanged();
    emit moved();
}

void SamplingPlayer::setKeepsUp(bool keepsUp) {
    m_keepsUp = keepsUp;
}

// ---- moving

void SamplingPlayer::moveSteps(int steps) {
    stop();
    put(m_place.stage > 0 && steps < 0 ? m_place.step + steps + 1 : m_place.step + steps);
}

void SamplingPlayer::moveStages(int stages) {
    stop();
    if (m_stages < 1) return;
    // Whoever sees all of a step stands before its first stage, and after the last one of the step before.
    const int done = m_place.step * m_stages + std::max(0, m_place.stage) + stages;
    const int whole = std::clamp(done, 0, lastStep() * m_stages);
    put(whole / m_stages, whole % m_stages);
}

void SamplingPlayer::goToStep(int step) {
    stop();
    put(step);
}

void SamplingPlayer::goToLast() {
    goToStep(lastStep());
}

void SamplingPlayer::goToTime(double t) {
    const core::TrajectoryPtr shown = run();
    if (!shown || shown->steps.empty()) return;
    int nearest = 0;
    for (int i = 1; i <= lastStep(); ++i)
        if (std::abs(shown->timeOf(i) - t) < std::abs(shown->timeOf(nearest) - t)) nearest = i;
    goToStep(nearest);
}

// ---- playing

void SamplingPlayer::play(int direction) {
    if (direction == m_direction || !run()) return stop();
    m_direction = direction;
    m_rest = 0;
    // From the end it begins again.
    const bool nowhere = direction > 0 ? m_place.step >= run()->total : m_place.step == 0;
    put(nowhere ? (direction > 0 ? 0 : lastStep()) : m_place.step);
    m_sinceTick.start();
    m_timer.start();
    emit playing(m_direction);
}

void SamplingPlayer::stop() {
    if (!m_direction) return;
    m_direction = 0;
    m_timer.stop();
    put(m_place.step, m_place.stage);
    emit playing(0);
}

void SamplingPlayer::setSpeed(double stepsPerSecond) {
    m_stepsPerSecond = stepsPerSecond;
}

void SamplingPlayer::advance(double seconds) {
    const core::TrajectoryPtr shown = run();
    if (!m_direction) return;
    if (!shown) return stop();
    const double rate =
        m_stepsPerSecond > 0 ? m_stepsPerSecond : std::max(1.0, double(shown->total) / wholeRunSeconds);
    m_rest += rate * seconds;
    const int steps = int(m_rest);
    if (steps == 0) return;
    m_rest -= steps;
    const int to = m_place.step + m_direction * steps;
    const int end = m_direction > 0 ? lastStep() : 0;
    if (m_direction > 0 ? to < end : to > end) return put(to);
    // What is still being computed is waited for.
    const bool waits = m_direction > 0 && !shown->complete() && shown->problem.empty();
    const bool already = m_place.step == end;
    if (!waits && m_loops && already) return put(m_direction > 0 ? 0 : lastStep());
    put(end);
    if (!waits && !m_loops) stop();
}

}  // namespace app
