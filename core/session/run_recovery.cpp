// What a run does where a step did not end well: a device failed, or a number was not finite.
#include "core/session/devices.h"
#include "core/session/non_finite.h"
#include "core/session/run.h"
#include "core/session/run_plans.h"

namespace core {

// From the snapshot at or before `from` up to `to`, or the first step with a number that is not finite.
void Run::repeat(int64_t from, int64_t to) {
    int64_t at = 0;
    const Snapshot known = m_timeline.before(from, at);
    restore(known);
    for (m_step = at; m_step < to;) {
        applyJournal();
        if (!runSteps(1)) return;
    }
    applyJournal();
}

// After a device failed in a step: its numbers are those of no step.
void Run::recover() {
    if (!m_adrift) return;
    m_plans->staged.reset();
    m_plans->last = m_plans->step.get();
    repeat(m_step, m_step);
}

void Run::moveTo(const RunRequest& request) {
    const DevicePtr before = m_device, device = openDevice(request);
    bool known = !m_adrift;
    try {
        while (known && inStep()) stage();
        if (known) store();
    } catch (const DeviceError&) {
        known = false;
    }
    int64_t at = 0;
    std::optional<Snapshot> from;
    if (!known && m_timeline.size() > 0) {
        from = m_timeline.before(m_step, at);
        for (const auto& [name, value] : from->settings) m_lesson->knob(name).set(value);
    }
    m_fetched = true;
    m_samplings.leaveDevice();
    m_device = device;
    try {
        rebuild(known);
    } catch (const Error&) {
        m_device = before;
        m_fetched = false;
        throw;
    }
    m_adrift = false;
    if (known) return;
    for (auto& [name, history] : m_histories) history.truncate(at);
    m_step = at;
    m_applied = 0;
    if (from) restore(*from);
}

// The state before the step is restored by replay, and the step is done once more with every value kept,
// to find the first operation that gave a number that is not finite. It is one of the next `steps`.
void Run::explainNonFinite(int64_t steps) {
    if (steps > 1) repeat(m_step, m_step + steps - 1);
    repeat(m_step, m_step);
    m_store->live.back() = float(m_step);
    std::string culprit =
        firstNonFinite(m_plans->train, *m_layout, store(), m_seed, uint64_t(m_step), m_threads);
    if (culprit.empty()) culprit = "the card's arithmetic";  // the CPU's is finite
    m_problem = fmt::format(
        "Step {}: expected finite numbers, {} gave one that is not. The state before it is kept: turn a knob "
        "or go back.",
        m_step, culprit);
}

}  // namespace core
