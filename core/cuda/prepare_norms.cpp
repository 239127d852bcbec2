// Normalised groups of images, and their gradients, as blocks that keep what they look at.
#include "core/cuda/lowering.h"

namespace core::cuda {

Groups groupsOf(int64_t positions, int64_t channels, int parts) {
    Groups out;
    const int64_t each = parts > 0 ? channels / parts : 0;
    if (each == 0 || each % 4 != 0 || each > Groups::mostChannels) return out;
    const auto held = [&](int64_t taken, int64_t threads) {
        const int64_t lines = threads / (taken / 4);
        return (positions + lines - 1) / lines;
    };
    // Runs of 32 bytes are read as fast as longer ones, and blocks should be many.
    int64_t taken = each;
    while (taken < 8 && taken + each <= channels) taken += each;
    while (channels % taken != 0) taken += each;
    if (taken > Groups::mostChannels || held(taken, Groups::mostThreads) > Groups::mostHeld) taken = each;
    if (held(taken, Groups::mostThreads) > Groups::mostHeld) return out;
    int threads = 128;
    while (threads < Groups::mostThreads && held(taken, threads) > 2) threads *= 2;
    out.channels = int32_t(taken);
    out.threads = threads;
    out.held = int32_t(held(taken, threads));
    return out;
}

void Lowering::prepareGroups(const Cluster& c, Prepared& p) {
    Plain& s = p.launch.plain;
    if (m_options.exact) return;
    const Sizes& x = c.kind == Kind::moments ? s.inSizes[0] : s.sizes;
    const int64_t positions = int64_t(x.height) * x.width;
    s.groups = groupsOf(positions, x.channels, s.parts);
    if (s.groups.channels == 0) return;
    if (p.program >= 0 && s.wide && p.launch.pass.wide) {
        const Program& program = m_programs[size_t(p.program)];
        if (c.kind == Kind::moments) {
            s.scaling = scaled(program, s);
        } else if (const Straight to = straightened(program);
                   to.there && !to.bias && !to.added3 && !to.shift.data && !to.aside && !to.biased &&
                   !to.gate.data && !to.activation && !to.slope && !(to.early && to.late)) {
            s.groups.out = to.early ? to.early : to.late;
            s.groups.added = to.added, s.groups.added2 = to.added2;
        }
    }
    const auto place = [&](NodeId sum) -> float* {
        if (sum < 0) return nullptr;
        writes(p, address(sum), x.channels);
        return address(sum);
    };
    s.groups.scaleSums = place(c.scaleSums);
    s.groups.shiftSums = place(c.shiftSums);
    if (!s.groups.scaleSums && !s.groups.shiftSums) return;
    s.groups.partial = workspace(int64_t(2) * x.samples * x.channels);
    s.groups.tickets = tickets(x.channels / s.groups.channels);
}

}  // namespace core::cuda
