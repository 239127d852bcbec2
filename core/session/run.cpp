#include "core/session/run.h"

#include <algorithm>
#include <cmath>

#include "core/session/devices.h"
#include "core/session/run_plans.h"

namespace core {
namespace {

Preset presetNamed(const Lesson& lesson, const std::string& lessonId, const std::string& name) {
    std::vector<std::string> names;
    for (const Preset& preset : lesson.presets()) {
        if (name.empty() || preset.name == name) return preset;
        names.push_back(preset.name);
    }
    throw Error(fmt::format("preset: expected one of {} in lesson {}, got '{}'", fmt::join(names, ", "),
                            lessonId, name));
}

}  // namespace

Run::Run(const RunRequest& request)
    : m_lessonId(request.lesson),
      m_lesson(configure(request)),
      m_seed(request.seed),
      m_threads(request.threads),
      m_device(openDevice(request)) {
    m_preset = presetNamed(*m_lesson, m_lessonId, request.preset).name;
    rebuild(false);
    beginJournal();
}

std::unique_ptr<Lesson> Run::configure(const RunRequest& request) {
    std::unique_ptr<Lesson> lesson = makeLesson(request.lesson);
    for (const OwnDataPtr& own : request.ownData) lesson->offer(own);
    const Preset preset = presetNamed(*lesson, request.lesson, request.preset);
    for (const auto& list : {preset.settings, request.settings})
        for (const auto& [name, text] : list) {
            Knob& knob = lesson->knob(name);
            knob.set(knob.parameter().parse(text));
        }
    return lesson;
}

void Run::describe(const Lesson& lesson, Frame& frame) {
    for (const Knob* knob : lesson.knobs()) {
        const Parameter& p = knob->parameter();
        frame.settings[p.name] = knob->value();
        if (!p.options.empty()) frame.choices[p.name] = p.options[size_t(knob->value())];
    }
    for (const Knob* knob : lesson.idle()) frame.idle.push_back(knob->parameter().name);
    frame.ownData = lesson.offered();
}

Run::~Run() = default;

// ---- building

void Run::rebuild(bool keepWeights) {
    m_lesson->open();
    auto layout = std::make_unique<Layout>();
    auto store = std::make_unique<Store>();
    auto plans = std::make_unique<Plans>();
    store->live.assign(m_lesson->knobs().size() + 1, 0);  // the last is the step's number

    Recorder train(*layout, Recorder::Access::train);
    m_lesson->train(train);
    plans->train = std::make_shared<const Graph>(train.take());
    Recorder view(*layout, Recorder::Access::view);
    m_lesson->view(view);
    plans->view = std::make_shared<const Graph>(view.take());
    Recorder evaluation(*layout, Recorder::Access::view);
    m_lesson->evaluate(evaluation);
    plans->evaluation = std::make_shared<const Graph>(evaluation.take());

    store->initialise(*layout, int(plans->train->updates.size()), m_seed);
    if (keepWeights) store->adopt(*layout, this->store(), *m_layout);
    plans->deployment = m_device->deploy(*store);
    plans->step = plans->deployment->prepare(compile(plans->train, *layout, {}));
    plans->last = plans->step.get();

    m_samplings.networkChanged();
    m_measures = m_lesson->measures();
    m_plans = std::move(plans);
    m_layout = std::move(layout);
    m_store = std::move(store);
    m_fetched = true;
    m_idle.clear();
    m_evaluation.clear();
    m_evaluationSum.clear();
    m_evaluationPiece = 0;
    writeLive();
}

void Run::writeLive() {
    for (const Knob* knob : m_lesson->knobs()) m_store->live[size_t(knob->slot())] = float(knob->value());
}

Settings Run::settings() const {
    Settings out;
    for (const Knob* knob : m_lesson->knobs()) out[knob->parameter().name] = knob->value();
    return out;
}

void Run::apply(const Settings& settings) {
    bool structural = false;
    for (const auto& [name, value] : settings) {
        Knob& knob = m_lesson->knob(name);
        structural = structural || (knob.value() != value && knob.parameter().change == Change::structural);
        knob.set(value);
    }
    if (structural) rebuild(true);
    writeLive();
}

int Run::budget() const {
    return presetNamed(*m_lesson, m_lessonId, m_preset).budget;
}

// ---- knobs

void Run::set(const std::string& name, double value) {
    Knob& knob = m_lesson->knob(name);
    knob.parameter().check(value);
    if (knob.parameter().change == Change::sampling) {
        // Training knows nothing of it: no step is completed, and there is nothing to replay.
        knob.set(value);
        m_journal.initial[name] = value;
        writeLive();
        return;
    }
    recover();
    while (inStep()) stage();
    const Settings before = settings();
    try {
        Settings after = before;
        after[name] = value;
        apply(after);
    } catch (const Error&) {
        for (const auto& [known, old] : before) m_lesson->knob(known).set(old);
        m_lesson->open();
        throw;
    }
    m_problem.clear();
    if (m_furthest > m_step) {
        m_timeline.forgetAfter(m_step);
        for (auto& [channel, history] : m_histories) history.truncate(m_step);
        m_furthest = m_step;
    }
    m_journal.entries.resize(m_applied);
    // A slider's way within one step leaves one entry; a structural change on the way changes weights.
    auto& entries = m_journal.entries;
    const bool sameAgain = !entries.empty() && entries.back().step == m_step && entries.back().knob == name &&
                           knob.parameter().change != Change::structural;
    if (sameAgain) {
        entries.back().value = value;
        m_timeline.forgetAfter(m_step - 1);  // a snapshot of this very step has the former value
    } else {
        entries.push_back({m_step, name, value});
    }
    m_applied = entries.size();
}

void Run::applyPreset(const std::string& name) {
    const Preset preset = presetNamed(*m_lesson, m_lessonId, name);
    Settings settings;
    for (const Knob* knob : m_lesson->knobs()) settings[knob->parameter().name] = knob->parameter().initial;
    for (const auto& [knob, text] : preset.settings)
        settings[knob] = m_lesson->knob(knob).parameter().parse(text);
    const Settings before = this->settings();
    try {
        apply(settings);
    } catch (const Error&) {
        for (const auto& [known, old] : before) m_lesson->knob(known).set(old);
        m_lesson->open();
        throw;
    }
    m_preset = preset.name;
    reset(m_seed);
}

void Run::reset(uint64_t seed) {
    m_seed = seed;
    rebuild(false);
    m_timeline.clear();
    m_histories.clear();
    m_step = m_furthest = m_began = 0;
    m_applied = 0;
    m_problem.clear();
    beginJournal();
}

void Run::openData(const OwnDataPtr& own) {
    const std::vector<OwnDataPtr>& offered = m_lesson->offered();
    const auto known = std::find_if(offered.begin(), offered.end(), [&](const OwnDataPtr& other) {
        return other->path == own->path && other->fingerprint == own->fingerprint;
    });
    if (known != offered.end()) {
        const double last = m_lesson->knob("data").parameter().maximum;
        return set("data", last - double(offered.end() - known - 1));
    }
    const double option = m_lesson->offer(own);
    try {
        set("data", option);
    } catch (const Error&) {
        m_lesson->withdrawLast();
        throw;
    }
    m_journal.files.push_back({own->path, own->fingerprint});
}

// ---- training

void Run::beginJournal() {
    m_journal = {.lesson = m_lessonId, .preset = m_preset, .seed = m_seed, .initial = settings()};
    for (const OwnDataPtr& own : m_lesson->offered())
        m_journal.files.push_back({own->path, own->fingerprint});
}

void Run::applyJournal() {
    while (m_applied < m_journal.entries.size() && m_journal.entries[m_applied].step <= m_step) {
        const Journal::Entry& e = m_journal.entries[m_applied++];
        Settings after = settings();
        after[e.knob] = e.value;
        apply(after);
    }
}

int64_t Run::snapshotBytes() const {
    return 12 * m_layout->parameterCount();
}

Snapshot Run::present(bool fine) const {
    Snapshot now{.weights = store().weights, .settings = settings(), .applied = m_applied};
    for (const auto& [channel, id] : m_plans->train->probes)
        if (idles(id) && (m_plans->ran || m_idle.count(channel)))
            readRecorded(channel, id, now.idle[channel]);
    if (fine && (m_plans->ran || m_step == m_began)) now.channels.emplace();
    if (fine && m_plans->ran)
        for (const auto& [channel, id] : m_plans->train->probes)
            m_plans->last->read(channel, (*now.channels)[channel]);
    return now;
}

void Run::snapshot(bool fine) {
    if (!fine && m_step < m_timeline.nextDue(snapshotBytes())) return;
    m_timeline.add(m_step, present(fine));
}

void Run::restore(const Snapshot& snapshot) {
    bool structural = false;
    for (const auto& [name, value] : snapshot.settings) {
        Knob& knob = m_lesson->knob(name);
        if (knob.parameter().change == Change::sampling) continue;
        structural = structural || (knob.value() != value && knob.parameter().change == Change::structural);
        knob.set(value);
    }
    if (structural) rebuild(false);
    writeLive();
    m_store->weights = snapshot.weights;
    m_plans->deployment->upload();
    m_fetched = true;
    m_applied = snapshot.applied;
    m_idle = snapshot.idle;
    m_plans->ran = snapshot.channels && !snapshot.channels->empty();
    if (snapshot.channels)
        for (const auto& [channel, values] : *snapshot.channels) m_plans->last->write(channel, values);
}

int64_t Run::steps(int64_t most) {
    recover();
    if (inStep()) {
        const int64_t before = m_step;
        while (m_step == before)
            if (stage() && m_step == before) return 0;  // stopped by a number that is not finite
        return 1;
    }
    return advance(most);
}

int64_t Run::advance(int64_t most) {
    applyJournal();
    snapshot(false);
    int64_t count = std::clamp<int64_t>(most, 1, m_plans->step->together());
    if (m_applied < m_journal.entries.size())
        count = std::min(count, m_journal.entries[m_applied].step - m_step);
    count = std::min(count, std::max<int64_t>(1, m_timeline.nextDue(snapshotBytes()) - m_step));
    if (!runSteps(int(count))) {
        explainNonFinite(count);
        return 0;
    }
    m_furthest = std::max(m_furthest, m_step);
    return count;
}

// False, with the step where it was, if a number was not finite.
bool Run::runSteps(int count) {
    m_plans->last = m_plans->step.get();
    m_plans->ran = true;
    m_fetched = false;
    m_adrift = true;
    m_store->live.back() = float(m_step);
    const bool finite = m_plans->step->run(m_seed, uint64_t(m_step), count);
    m_adrift = false;
    if (!finite) return false;
    for (int i = 0; i < count; ++i) {
        ++m_step;
        recordScalars(i);
    }
    return true;
}

bool Run::inStep() const {
    return m_plans->staged && m_plans->staged->inStep();
}

bool Run::stage() {
    recover();
    if (!m_plans->staged)
        m_plans->staged = m_plans->deployment->prepare(compile(m_plans->train, *m_layout, {.byStage = true}));
    Executor& staged = *m_plans->staged;
    if (!staged.inStep()) {
        applyJournal();
        snapshot(true);
        staged.adoptChannels(*m_plans->last);
        m_plans->last = &staged;
    }
    m_plans->ran = true;
    m_fetched = false;
    m_adrift = true;
    m_store->live.back() = float(m_step);
    const bool complete = staged.runSegment(m_seed, uint64_t(m_step)), finite = staged.finite();
    m_adrift = false;
    if (!complete) return false;
    if (!finite) {
        explainNonFinite(1);
        return true;
    }
    ++m_step;
    m_furthest = std::max(m_furthest, m_step);
    recordScalars(0);
    return true;
}

std::string Run::nextStage() const {
    if (!inStep()) return "";
    const int stage = m_plans->staged->nextSegment().stage;
    return stage < 0 ? "" : m_plans->train->stages[size_t(stage)];
}

void Run::goTo(int64_t target, const std::function<bool()>& interrupted) {
    recover();
    while (inStep()) stage();
    target = std::max<int64_t>(target, 0);
    m_problem.clear();
    if (target < m_step || m_step == m_furthest) snapshot(true);  // who leaves comes back at once
    if (target != m_step) leap(target);
    while (m_step < target && !interrupted()) {
        // The last few steps before the target are kept, so that going back further is immediate.
        applyJournal();
        constexpr int64_t kept = 8;
        if (target - m_step <= kept) snapshot(true);
        if (!advance(target - m_step - kept)) return;
    }
    applyJournal();
}

// To the latest snapshot on the way to the target.
void Run::leap(int64_t target) {
    int64_t at = 0;
    const Snapshot* from = &m_timeline.before(target, at);
    // One step at least is done again where the channels of the target are not kept.
    if (at == target && target != m_began && !from->channels) from = &m_timeline.before(target - 1, at);
    if (target > m_step && at <= m_step) return;
    restore(*from);
    m_evaluation.clear();  // it judged another step
    m_evaluationPiece = 0;
    m_step = at;
}

void Run::recordScalars(int step) {
    m_plans->last->readScalars(step, m_scalars);
    size_t next = 0;
    for (const auto& [channel, id] : m_plans->train->probes) {
        if (!idles(id)) m_idle.erase(channel);
        if (m_plans->train->nodes[size_t(id)].shape.size() != 1) continue;
        const auto old = m_idle.find(channel);
        const float value = m_scalars[next++];
        keep(channel, old == m_idle.end() ? value : old->second.values[0]);
    }
}

const Store& Run::store() const {
    if (!m_fetched) m_plans->deployment->download();
    m_fetched = true;
    return *m_store;
}

// ---- replay and tests

RunRequest Run::requestOf(const Journal& journal, int threads, const std::vector<OwnDataPtr>& ownData) {
    CHECK(ownData.size() == journal.files.size(), "journal: expected its {} files of data, got {}",
          journal.files.size(), ownData.size());
    for (size_t i = 0; i < ownData.size(); ++i)
        CHECK(ownData[i]->fingerprint == journal.files[i].fingerprint,
              "{}: expected the file that the run was shared with, it has changed since", ownData[i]->path);
    RunRequest request{.lesson = journal.lesson,
                       .preset = journal.preset,
                       .ownData = ownData,
                       .seed = journal.seed,
                       .threads = threads};
    const std::unique_ptr<Lesson> lesson = configure(request);
    const auto parameter = [&](const std::string& knob, double value) -> const Parameter& {
        const Parameter& p = lesson->knob(knob).parameter();
        p.check(value);
        return p;
    };
    for (const auto& [knob, value] : journal.initial)
        request.settings.emplace_back(knob, parameter(knob, value).print(value));
    for (const Journal::Entry& entry : journal.entries) parameter(entry.knob, entry.value);
    return request;
}

std::unique_ptr<Run> Run::replay(const Journal& journal, const RunRequest& request) {
    auto run = std::make_unique<Run>(request);
    run->m_journal.entries = journal.entries;
    return run;
}

void Run::plant(const std::string& parameter, float value) {
    const int entry = m_layout->find(parameter);
    CHECK(entry >= 0, "plant: expected a parameter's name, got '{}'", parameter);
    store();
    m_store->weights.parameters[size_t(m_layout->entries()[size_t(entry)].offset)] = value;
    m_plans->deployment->upload();
    m_timeline.forgetAfter(m_step - 1);
    snapshot(true);
}

}  // namespace core
