#include "core/session/trainer_state.h"

namespace core {
namespace {

using std::chrono::duration;

double secondsSince(std::chrono::steady_clock::time_point then) {
    return duration<double>(std::chrono::steady_clock::now() - then).count();
}

// A frame is made at most this often, and never for more than a quarter of the trainer's time.
constexpr double frameInterval = 0.030, lookShare = 4;
// A long way to another step is interrupted to show where it has got; a short one is over before it is seen.
constexpr double showTheWayAfter = 0.2;
// Seconds that it may take to train again up to a step that is gone back to.
constexpr double longestWayBack = 60;
// A round of evaluation starts at most this often, and takes at most a tenth of the time; while it lasts, a
// quarter.
constexpr double evaluationInterval = 1.0, evaluationShare = 10, pieceShare = 3;
// Between two training steps, and between two looks at the commands.
constexpr double samplingSlice = 0.010;

}  // namespace

Trainer::State::~State() {
    if (pace) pace->leave(side);
}

void Trainer::State::report() const {
    if (pace) pace->at(side, run ? run->stepCount() : 0, running && run && !target);
}

void Trainer::State::reopen() {
    halt();
    run.reset();
    shown.reset();
    evaluatedStep = -1;
    problem.clear();
    deviceFailed = false;
    run = std::make_unique<Run>(request);
}

void Trainer::State::leaveFor(const std::string& lesson) {
    left.erase(lesson);
    if (!run || deviceFailed || lesson == request.lesson) return;
    halt();
    run->samplings().discardAll();
    left[request.lesson] = {std::move(run), request};
}

void Trainer::State::comeBack(const RunRequest& there) {
    Left found = left.count(there.lesson) ? std::move(left.at(there.lesson)) : Left{nullptr, there};
    leaveFor(there.lesson);
    if (!found.run) {
        request = there;
        asked = true;
        return reopen();
    }
    halt();
    const bool moved = found.request.device != there.device || found.request.exact != there.exact;
    run = std::move(found.run);
    request = std::move(found.request);
    request.device = there.device;
    request.exact = there.exact;
    evaluatedStep = -1;
    evaluating = deviceFailed = false;
    problem.clear();
    shown.reset();
    if (moved) run->moveTo(request);
}

void Trainer::State::fail(const std::exception& fault) {
    problem = fault.what();
    deviceFailed = dynamic_cast<const DeviceError*>(&fault) != nullptr;
    halt();
    evaluating = false;
    if (run) evaluatedStep = run->stepCount();
}

RunRequest Trainer::State::here(const Journal& journal, const std::vector<OwnDataPtr>& ownData) const {
    RunRequest other = Run::requestOf(journal, request.threads, ownData);
    other.device = request.device;
    other.exact = request.exact;
    return other;
}

void Trainer::State::adopt(std::unique_ptr<Run> other, const Journal& journal,
                           const std::vector<OwnDataPtr>& ownData) {
    leaveFor(journal.lesson);
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

void Trainer::State::halt() {
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

void Trainer::State::count(int64_t steps) {
    counted += steps;
    const double elapsed = secondsSince(countedSince);
    if (elapsed < 0.5) return;
    rate = double(counted) / elapsed;
    counted = 0;
    countedSince = Clock::now();
}

void Trainer::State::train() {
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

void Trainer::State::depart(int64_t to) {
    if (!target) cameFrom = run ? run->stepCount() : 0;
    halt();
    target = to;
}

void Trainer::State::travel(const std::function<bool()>& interrupted) {
    const Clock::time_point start = Clock::now();
    const int64_t here = run->stepCount();
    run->goTo(*target, [&] { return interrupted() || secondsSince(start) > showTheWayAfter; });
    changed = true;
    const int64_t left = *target - run->stepCount(), done = run->stepCount() - here;
    if (left == 0 || !run->problem().empty()) return target.reset();
    const double ahead = double(left) * secondsSince(start) / double(std::max<int64_t>(done, 1));
    if (*target >= cameFrom || done <= 0 || ahead < longestWayBack) return;
    problem = fmt::format(
        "Step {} is no longer kept, and training up to it again would take about {:.0f} minutes here: back "
        "at "
        "step {}.",
        *target, ahead / 60, cameFrom);
    target.reset();
    run->goTo(cameFrom, interrupted);
}

void Trainer::State::evaluate() {
    // A run that stands still has the time.
    const double wait = running ? evaluationShare * evaluationSeconds : 0;
    const bool due = secondsSince(evaluatedAt) > std::max(evaluationInterval, wait);
    if (!evaluating && (!due || evaluatedStep == run->stepCount())) return;
    // Between its pieces training goes on, so that it never seems to stand still.
    if (evaluating && running && secondsSince(pieceAt) < pieceShare * pieceSeconds) return;
    if (!evaluating) evaluationSeconds = 0;
    const Clock::time_point start = Clock::now();
    evaluating = !run->evaluatePiece(watched);
    pieceAt = Clock::now();
    pieceSeconds = secondsSince(start);
    evaluationSeconds += pieceSeconds;
    if (evaluating) return;
    evaluatedAt = Clock::now();
    evaluatedStep = run->stepCount();
    changed = true;
}

void Trainer::State::sample() {
    const Clock::time_point start = Clock::now();
    while (run->sampleMore() && secondsSince(start) < samplingSlice) {
    }
    sampled = true;
}

bool Trainer::State::frameDue() const {
    // Nothing waits for the time that looking takes.
    if (!running && !target && !samples()) return changed || sampled;
    return (changed || sampled) && secondsSince(lookedAt) > std::max(frameInterval, lookShare * lookSeconds);
}

Frame Trainer::State::unseen() const {
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

FramePtr Trainer::State::look() {
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

}  // namespace core
