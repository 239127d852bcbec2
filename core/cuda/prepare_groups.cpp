// Which products the warpgroups of a Hopper card multiply, and the transposes of weights that they want.
#include <algorithm>

#include "core/cuda/lowering.h"

namespace core::cuda {
namespace {

constexpr int64_t processors = 132;

// Cycles, about: what a processor has to copy, and what it has to write.
int64_t costOf(const Product& p, int tile) {
    const int64_t height = Product::groupHeights[tile], width = Product::groupWidths[tile];
    const int64_t blocks = ((p.m + height - 1) / height) * ((p.n + width - 1) / width) * p.batches;
    const int64_t rounds = (blocks + processors - 1) / processors;
    return rounds * ((height + width) * p.k * p.terms / 10 + height * width / 3);
}

// Where the result goes, if a bias is all that is added on its way; or null.
float* placeOf(const Product& p, const Pass& pass) {
    if (pass.direct) return pass.direct;
    const Straight& s = p.straight;
    const bool more = s.bias2 || s.shift.data || s.gate.data || s.added || s.slopeOf || s.activation ||
                      s.biased || s.aside || (s.early && s.late);
    return more ? nullptr : s.early ? s.early : s.late;
}

// The same, of what is added to channels so much further on?
bool isLowBeside(const LowRank& p, const LowRank& q, int64_t channels) {
    return p.rank == q.rank && p.leftStep == q.leftStep && p.rightStep == q.rightStep &&
           p.turned == q.turned && p.scale == q.scale &&
           q.right - p.right == channels * (p.turned ? p.rightStep : 1);
}

}  // namespace

// The form of warpgroups' tiles.
int Lowering::bestTile(const Product& p) {
    int best = 0;
    for (int tile = 1; tile < Product::groupTiles; ++tile)
        if (costOf(p, tile) < costOf(p, best)) best = tile;
    return best;
}

// What one launch more is to turn, in memory that nobody writes before.
void Lowering::turn(Prepared& by, const Turn& t) {
    Turns& all = by.launch.turns;
    by.turns.push_back(t);
    by.turns.back().firstBlock = all.blocks;
    ++all.count, all.blocks += ((t.lines + 31) / 32) * ((t.columns + 31) / 32);
    const auto whole = [](const float* from, int64_t floats) {
        return Interval{reinterpret_cast<const char*>(from), reinterpret_cast<const char*>(from + floats)};
    };
    by.reads.push_back(whole(t.from, int64_t(t.lines - 1) * t.apart + t.columns));
    by.writes.push_back(whole(t.to, int64_t(t.lines) * t.columns));
}

// Both operands have to lie in lines along k: weights that do not are turned, all that can be in one launch.
void Lowering::useWarpgroups() {
    if (m_options.exact || !m_card->table().warpgroups(m_card->device())) return;
    std::vector<Prepared> all;
    size_t turning = 0;  // the place of the newest launch that turns
    bool turns = false;
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
                !turns || all[turning].segment != prepared.segment ||
                std::any_of(all.begin() + int64_t(turning), all.end(),
                            [&](const Prepared& other) { return meet(other.writes, {whole}); });
            if (first) {
                turning = all.size(), turns = true;
                Prepared by;
                by.launch.kind = Kind::turn;
                by.cluster = prepared.cluster, by.segment = prepared.segment;
                all.push_back(std::move(by));
            }
            float* const to = workspace(int64_t(p.k) * p.n);
            turn(all[turning], {p.b, to, p.k, p.n, p.ldb});
            prepared.reads.push_back(all[turning].writes.back());
            p.b = to, p.ldb = p.k, p.rightTurned = true;
        }
        if (fits) {
            p.groupTile = bestTile(p);
            p.splits = 1, p.lineRows = 0;
        }
        all.push_back(std::move(prepared));
    }
    m_launches = std::move(all);
}

void Lowering::uploadTurns() {
    size_t count = 0;
    for (const Prepared& p : m_launches) count += p.turns.size();
    if (count == 0) return;
    m_turnMemory = Memory(m_card, count * sizeof(Turn));
    Turn* at = static_cast<Turn*>(m_turnMemory.data());
    for (Prepared& p : m_launches) {
        if (p.turns.empty()) continue;
        p.launch.turns.list = at;
        m_card->upload(at, p.turns.data(), p.turns.size() * sizeof(Turn));
        at += p.turns.size();
    }
}

// Is `later` the same product as `p`, of the right operand that lies `nth` below p's, with the bias beside
// it?
bool Lowering::isBeside(const Prepared& earlier, const Prepared& later, int nth) {
    const Product &p = earlier.launch.product, &q = later.launch.product;
    const Straight &s = p.straight, &t = q.straight;
    const auto below = [&](const float* x, const float* y, int64_t apart) {
        return x && y ? y - x == nth * apart : !x && !y;
    };
    return later.launch.kind == Kind::product && earlier.segment == later.segment && q.groupTile >= 0 &&
           p.a == q.a && p.lda == q.lda && p.m == q.m && p.n == q.n && p.k == q.k && p.lde == q.lde &&
           p.ldb == q.ldb && p.scale == q.scale && p.terms == 1 && q.terms == 1 &&
           below(p.low.left, q.low.left, 0) &&
           (!p.low.left || isLowBeside(p.low, q.low, int64_t(nth) * p.n)) &&
           below(p.b, q.b, int64_t(p.n) * p.ldb) && below(s.bias, t.bias, p.n) &&
           !earlier.launch.pass.direct == !later.launch.pass.direct && !s.early == !t.early &&
           placeOf(q, later.launch.pass) > placeOf(p, earlier.launch.pass);
}

// Products of one left operand with the parts of one weight, as q, k and v are, become one launch.
void Lowering::joinBeside() {
    for (size_t i = 0; i < m_launches.size(); ++i) {
        const Product first = m_launches[i].launch.product;
        if (m_launches[i].launch.kind != Kind::product || first.groupTile < 0 ||
            !placeOf(first, m_launches[i].launch.pass))
            continue;
        const float* const place = placeOf(first, m_launches[i].launch.pass);
        std::vector<size_t> between;
        for (size_t k = i + 1; k < m_launches.size() && m_launches[k].segment == m_launches[i].segment; ++k) {
            Product& joined = m_launches[i].launch.product;
            const Prepared& other = m_launches[k];
            const int64_t apart = isBeside(m_launches[i], other, joined.batches)
                                      ? placeOf(other.launch.product, other.launch.pass) - place
                                      : 0;
            const bool fits = apart > 0 && (joined.batches == 1 || apart == joined.batches * joined.eOuter) &&
                              std::none_of(between.begin(), between.end(),
                                           [&](size_t b) { return ordered(m_launches[b], other); });
            if (!fits) {
                between.push_back(k);
                if (between.size() > 8) break;
                continue;
            }
            if (joined.batches == 1) joined.eOuter = apart;
            ++joined.batches;
            joined.groupTile = bestTile(joined);
            for (const auto part : {&Prepared::reads, &Prepared::writes})
                (m_launches[i].*part)
                    .insert((m_launches[i].*part).end(), (other.*part).begin(), (other.*part).end());
            m_launches.erase(m_launches.begin() + int64_t(k));
            --k;
        }
    }
}

}  // namespace core::cuda
