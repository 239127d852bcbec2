// Which products the warpgroups of a Hopper card multiply, and the transposes of weights that they want.
#include <algorithm>

#include "core/cuda/executor.h"

namespace core::cuda {
namespace {

constexpr int64_t processors = 132;

// Cycles, about: what a processor has to copy, and what it has to write.
int64_t costOf(const Product& p, int tile) {
    const int64_t height = Product::groupHeights[tile], width = Product::groupWidths[tile];
    const int64_t blocks = ((p.m + height - 1) / height) * ((p.n + width - 1) / width);
    const int64_t rounds = (blocks + processors - 1) / processors;
    return rounds * ((height + width) * p.k / 10 + height * width / 3);
}

bool overlap(const char* begin, const char* end, const char* otherBegin, const char* otherEnd) {
    return begin < otherEnd && otherBegin < end;
}

}  // namespace

// Both operands have to lie in lines along k: weights that do not are turned, all that can be in one launch.
void Executor::useWarpgroups() {
    if (m_options.exact || !m_card->table().warpgroups(m_card->device())) return;
    std::vector<Prepared> all;
    size_t turning = 0;  // the place of the newest launch that turns, and what it turns
    std::vector<std::vector<Turn>> turns;
    for (Prepared& prepared : m_launches) {
        Product& p = prepared.launch.product;
        const Pass& pass = prepared.launch.pass;
        const bool fits = prepared.launch.kind == Kind::product && p.left == Product::rows &&
                          p.batches == 1 && p.wideA && pass.wide && (pass.direct || p.straight.there) &&
                          (p.rightTurned ? p.wideB : p.k % 4 == 0) && p.k >= 32 && p.n >= 32 && p.m >= 1024;
        if (fits && !p.rightTurned) {
            const Node& n = g.nodes[size_t(m_clusters.all[size_t(prepared.cluster)].anchor)];
            const NodeId right = m_builder->view(n.inputs[1]).node;
            if (g.nodes[size_t(right)].op != Op::parameter) {
                all.push_back(std::move(prepared));
                continue;
            }
            const Interval whole{reinterpret_cast<const char*>(p.b),
                                 reinterpret_cast<const char*>(p.b + int64_t(p.k - 1) * p.ldb + p.n)};
            const bool first =
                turns.empty() || all[turning].segment != prepared.segment ||
                std::any_of(all.begin() + int64_t(turning), all.end(), [&](const Prepared& other) {
                    return std::any_of(other.writes.begin(), other.writes.end(), [&](const Interval& w) {
                        return overlap(w.begin, w.end, whole.begin, whole.end);
                    });
                });
            if (first) {
                turning = all.size();
                turns.emplace_back();
                Prepared turn;
                turn.launch.kind = Kind::turn;
                turn.cluster = prepared.cluster, turn.segment = prepared.segment;
                all.push_back(std::move(turn));
            }
            Prepared& turn = all[turning];
            Turns& t = turn.launch.turns;
            float* const to = workspace(int64_t(p.k) * p.n);
            turns.back().push_back({p.b, to, p.k, p.n, p.ldb, t.blocks});
            ++t.count, t.blocks += ((p.k + 31) / 32) * ((p.n + 31) / 32);
            turn.reads.push_back(whole);
            writes(turn, to, int64_t(p.k) * p.n);
            prepared.reads.push_back(turn.writes.back());
            p.b = to, p.ldb = p.k, p.rightTurned = true;
        }
        if (fits) {
            p.groupTile = 0;
            for (int tile = 1; tile < Product::groupTiles; ++tile)
                if (costOf(p, tile) < costOf(p, p.groupTile)) p.groupTile = tile;
            p.splits = 1, p.lineRows = 0;
        }
        all.push_back(std::move(prepared));
    }
    m_launches = std::move(all);
    size_t count = 0;
    for (const auto& list : turns) count += list.size();
    if (count == 0) return;
    m_turnMemory = Memory(m_card, count * sizeof(Turn));
    Turn* at = static_cast<Turn*>(m_turnMemory.data());
    auto list = turns.begin();
    for (Prepared& p : m_launches) {
        if (p.launch.kind != Kind::turn) continue;
        p.launch.turns.list = at;
        m_card->upload(at, list->data(), list->size() * sizeof(Turn));
        at += (list++)->size();
    }
}

}  // namespace core::cuda
