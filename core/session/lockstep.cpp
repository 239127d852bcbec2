#include "core/session/lockstep.h"

#include <algorithm>
#include <cstdlib>

namespace core {

void Lockstep::join(int side, std::function<void()> wake) {
    const std::lock_guard lock(m_mutex);
    const bool asked = m_sides[side].asked;
    m_sides[side] = {};
    m_sides[side].asked = asked;
    m_sides[side].wake = std::move(wake);
}

void Lockstep::leave(int side) {
    const std::lock_guard lock(m_mutex);
    m_sides[side] = {};
    wakeOther(side);
}

void Lockstep::wakeOther(int side) const {
    if (other(side).wake) other(side).wake();
}

void Lockstep::at(int side, int64_t step, bool running) {
    const std::lock_guard lock(m_mutex);
    Side& me = m_sides[side];
    if (me.step == step && me.running == running) return;
    if (step < me.step) me.looked = m_look = -1;  // it went back: the step may be reached again
    // A step that somebody asked for at rest is no debt of the other side.
    if (running || step < me.step) me.begun = step;
    me.step = step;
    me.running = running;
    wakeOther(side);
}

bool Lockstep::begin(int side) {
    const std::lock_guard lock(m_mutex);
    Side& me = m_sides[side];
    const bool otherRuns = other(side).running || other(side).asked;
    const bool may = m_held ? owes(side) : !otherRuns || other(side).step >= me.step;
    if (may) me.begun = me.step + 1;
    return may;
}

bool Lockstep::owesAStep(int side) const {
    const std::lock_guard lock(m_mutex);
    return m_held && owes(side);
}

bool Lockstep::areTogether() const {
    return m_sides[0].running && m_sides[1].running && std::abs(m_sides[0].step - m_sides[1].step) <= 1;
}

bool Lockstep::together() const {
    const std::lock_guard lock(m_mutex);
    return areTogether();
}

// The other side cannot be beyond that step: it waits for this one to reach it.
void Lockstep::lookAfterNext(int side) {
    const std::lock_guard lock(m_mutex);
    const int64_t least = std::min(m_sides[0].step, m_sides[1].step);
    const bool seen = m_sides[0].looked == m_look && m_sides[1].looked == m_look;
    if (m_look > m_sides[side].step || (m_look >= least && !seen)) return;
    m_look = m_sides[side].step + 1;
    wakeOther(side);
}

bool Lockstep::looksNow(int side) {
    const std::lock_guard lock(m_mutex);
    Side& me = m_sides[side];
    if (!areTogether() || m_look != me.step || me.looked == m_look) return false;
    me.looked = m_look;
    return true;
}

void Lockstep::hold() {
    const std::lock_guard lock(m_mutex);
    m_held = true;
}

void Lockstep::release(int side) {
    const std::lock_guard lock(m_mutex);
    m_held = false;
    m_sides[side].asked = true;
}

void Lockstep::released(int side) {
    const std::lock_guard lock(m_mutex);
    m_sides[side].asked = false;
    wakeOther(side);
}

}  // namespace core
