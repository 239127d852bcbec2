// What a step is made of, in its order, and which launch waits for which.
#include <algorithm>

#include "core/cuda/lowering.h"

namespace core::cuda {

// The launches of one segment, as its `repeat`th time in a step so many steps ahead.
void Lowering::append(Sequence& out, int segment, int repeat, uint64_t ahead) const {
    for (const Prepared& p : m_launches) {
        if (p.segment != segment) continue;
        Launch l = p.launch;
        l.pass.repeat = l.plain.repeat = uint32_t(repeat);
        l.pass.stepsAhead = l.plain.stepsAhead = ahead;
        out.launches.push_back(l);
        out.from.push_back(&p);
    }
}

Sequence Lowering::stage(int segment, int repeat) const {
    Sequence out;
    append(out, segment, repeat, 0);
    return out;
}

Sequence Lowering::steps(const std::vector<int>& repeats, int steps) {
    Sequence out;
    const int count = int(m_plan.segments.size());
    const size_t atEnd = m_counting.size() / size_t(m_options.unroll);
    for (int step = 0; step < steps; ++step) {
        for (int begin = 0, end = 0; begin < count; begin = end) {
            while (end < count && m_plan.segments[size_t(end)].phase == m_plan.segments[size_t(begin)].phase)
                ++end;
            if (const ReadyLoop* loop = loopOf(begin, repeats[size_t(begin)])) {
                for (const Prepared* p : {&loop->first, &loop->second}) {
                    out.launches.push_back(p->launch);
                    out.launches.back().loop.stepsAhead = uint64_t(step);
                    out.from.push_back(p);
                }
                continue;
            }
            for (int repeat = 0; repeat < repeats[size_t(begin)]; ++repeat)
                for (int segment = begin; segment < end; ++segment)
                    append(out, segment, repeat, uint64_t(step));
        }
        for (size_t i = 0; i < atEnd; ++i) {
            const size_t which = size_t(step) * atEnd + i;
            out.launches.push_back(m_counting[which].launch);
            out.from.push_back(&m_counting[which]);
        }
    }
    return out;
}

std::vector<std::array<int32_t, 2>> Sequence::edges() const {
    std::vector<std::array<int32_t, 2>> out;
    struct Access {
        Interval range;
        int launch;
        bool write;
    };
    std::vector<Access> active;
    // ancestors[i]: which launches i waits for, directly or not.
    std::vector<std::vector<bool>> ancestors(launches.size());
    for (int i = 0; i < int(launches.size()); ++i) {
        const Prepared& p = *from[size_t(i)];
        std::vector<int> waits;
        const auto meet = [&](const Interval& range, bool write) {
            for (const Access& a : active)
                if ((write || a.write) && !(range.part >= 0 && range.part == a.range.part) &&
                    a.range.begin < range.end && range.begin < a.range.end)
                    waits.push_back(a.launch);
        };
        for (const Interval& range : p.reads) meet(range, false);
        for (const Interval& range : p.writes) meet(range, true);
        std::sort(waits.rbegin(), waits.rend());
        waits.erase(std::unique(waits.begin(), waits.end()), waits.end());
        ancestors[size_t(i)].assign(size_t(i), false);
        for (int w : waits) {
            if (ancestors[size_t(i)][size_t(w)]) continue;
            out.push_back({w, i});
            ancestors[size_t(i)][size_t(w)] = true;
            for (int k = 0; k < w; ++k)
                if (ancestors[size_t(w)][size_t(k)]) ancestors[size_t(i)][size_t(k)] = true;
        }
        // What is written whole again hides what was there.
        for (const Interval& range : p.writes)
            if (range.part < 0)
                active.erase(std::remove_if(active.begin(), active.end(),
                                            [&](const Access& a) {
                                                return range.begin <= a.range.begin &&
                                                       a.range.end <= range.end;
                                            }),
                             active.end());
        for (const Interval& range : p.reads) active.push_back({range, i, false});
        for (const Interval& range : p.writes) active.push_back({range, i, true});
    }
    return out;
}

}  // namespace core::cuda
