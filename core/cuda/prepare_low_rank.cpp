// Which products of low rank are added, or made, by the launch of the product that they are added to, as in
// y = x W^T + (x A^T) B^T (Hu et al. 2021), and which sums of products are one with a longer sum.
#include <algorithm>

#include "core/cuda/lowering.h"

namespace core::cuda {
namespace {

constexpr int highestRank = 16;

bool plain(const Product& p) {
    return p.left == Product::rows && p.batches == 1;
}

// Four ranks, or four columns, are read at a time.
bool isLow(const Product& p) {
    const bool lines = p.wideA && p.lda % 4 == 0 && p.wideB && p.ldb % 4 == 0;
    return plain(p) && p.k <= highestRank && p.k % 4 == 0 && lines;
}

LowRank lowOf(const Product& p) {
    return {p.a, p.b, p.k, p.lda, p.ldb, p.rightTurned, p.scale};
}

// Where the straight program adds what stands there; null: nowhere.
const float** placeOf(Straight& s, const float* added) {
    for (const float** place : {&s.added, &s.added2, &s.added3})
        if (*place && *place == added) return place;
    return nullptr;
}

void addNoMore(Straight& s, const float* added) {
    *placeOf(s, added) = nullptr;
    if (!s.added) std::swap(s.added, s.added2);
    if (!s.added2) std::swap(s.added2, s.added3);
}

void addReads(Prepared& to, const Prepared& of) {
    to.reads.insert(to.reads.end(), of.reads.begin(), of.reads.end());
}

}  // namespace

// Is one of the two products of low rank, and all that is done with the earlier one's result that the later
// one adds it?
bool Lowering::absorbs(const Prepared& earlier, const Prepared& later) {
    const Product &p = earlier.launch.product, &q = later.launch.product;
    const float* const between = earlier.launch.pass.direct;
    Straight s = q.straight;
    return earlier.launch.kind == Kind::product && later.launch.kind == Kind::product && between &&
           m_readers[reinterpret_cast<const char*>(between)] == 1 && earlier.segment == later.segment &&
           plain(p) && plain(q) && isLow(p) != isLow(q) && !p.low.left && !q.low.left &&
           (isLow(p) ? q : p).groupTile >= 0 && !p.columnSums && !p.rowSums && p.m == q.m && p.n == q.n &&
           p.lde == q.lde && p.n % 4 == 0 && later.launch.pass.wide && s.there && !later.launch.pass.direct &&
           !s.gate.data && placeOf(s, between);
}

void Lowering::absorbLowRank() {
    for (size_t i = 0; i < m_launches.size(); ++i)
        for (size_t k = i + 1; k < m_launches.size(); ++k) {
            if (!absorbs(m_launches[i], m_launches[k])) continue;
            const Prepared& earlier = m_launches[i];
            // What the earlier one reads must still be there, and not be what the later one writes.
            const bool changed =
                std::any_of(m_launches.begin() + int64_t(i) + 1, m_launches.begin() + int64_t(k) + 1,
                            [&](const Prepared& p) { return meet(p.writes, earlier.reads); });
            if (changed) break;
            Prepared& later = m_launches[k];
            Straight s = later.launch.product.straight;
            addNoMore(s, earlier.launch.pass.direct);
            const bool low = isLow(earlier.launch.product);
            const LowRank added = lowOf(low ? earlier.launch.product : later.launch.product);
            if (!low) {
                later.launch.product = earlier.launch.product;
                later.cluster = earlier.cluster;
            }
            later.launch.product.straight = s, later.launch.product.low = added;
            std::erase_if(later.reads, [&](const Interval& r) { return meet({r}, earlier.writes); });
            addReads(later, earlier);
            m_launches.erase(m_launches.begin() + int64_t(i));
            --i;
            break;
        }
}

// The launches whose sum `sum` is, in the order in which their left operands lie; alone, if it is no sum of
// several, or if those are not equally far apart.
std::vector<size_t> Lowering::termsOf(size_t sum) {
    const Prepared& last = m_launches[sum];
    const Product& q = last.launch.product;
    Straight s = q.straight;
    std::vector<size_t> terms;
    for (size_t i = 0; i < sum && s.there && !s.gate.data; ++i) {
        const Prepared& e = m_launches[i];
        const Product& p = e.launch.product;
        const float* const result = e.launch.pass.direct;
        const bool term = e.launch.kind == Kind::product && result && placeOf(s, result) &&
                          m_readers[reinterpret_cast<const char*>(result)] == 1 &&
                          e.segment == last.segment && plain(p) && !p.low.left && p.m == q.m && p.n == q.n &&
                          p.k == q.k && p.lda == q.lda && p.ldb == q.ldb && p.rightTurned == q.rightTurned &&
                          p.lde == q.lde && p.scale == q.scale && (p.groupTile < 0) == (q.groupTile < 0);
        const auto changes = [&](const Prepared& between) { return meet(between.writes, e.reads); };
        if (term &&
            std::none_of(m_launches.begin() + int64_t(i) + 1, m_launches.begin() + int64_t(sum), changes))
            terms.push_back(i);
    }
    terms.push_back(sum);
    const auto left = [&](size_t i) { return m_launches[i].launch.product.a; };
    std::sort(terms.begin(), terms.end(), [&](size_t x, size_t y) { return left(x) < left(y); });
    for (size_t i = 2; i < terms.size(); ++i)
        if (left(terms[i - 1]) - left(terms[i - 2]) != left(terms[i]) - left(terms[i - 1])) return {sum};
    return terms;
}

// Where the right operands of terms are transposes that were made for them, they get places in the order of
// the terms.
bool Lowering::lineUp(const std::vector<size_t>& terms, Prepared& joined) {
    std::vector<std::pair<Prepared*, Turn*>> turns;
    for (size_t t : terms)
        for (Prepared& by : m_launches)
            for (Turn& turn : by.turns)
                if (turn.to == m_launches[t].launch.product.b) turns.emplace_back(&by, &turn);
    if (turns.size() != terms.size()) return false;
    Product& p = joined.launch.product;
    p.bTerm = int64_t(p.k) * p.n;
    float* to = workspace(int64_t(terms.size()) * p.bTerm);
    p.b = to;
    for (const auto& [by, turn] : turns) {
        turn->to = to;
        writes(*by, to, p.bTerm);
        joined.reads.push_back(by->writes.back());
        to += p.bTerm;
    }
    return true;
}

// Sums of products, as of what comes back from q, k and v, become one with a sum as long as theirs together.
void Lowering::joinTerms() {
    for (size_t i = 0; i < m_launches.size(); ++i) {
        const Product& sum = m_launches[i].launch.product;
        if (m_launches[i].launch.kind != Kind::product || !plain(sum) || sum.groupTile < 0) continue;
        std::vector<size_t> terms = termsOf(i);
        if (terms.size() < 2) continue;
        Prepared joined = m_launches[i];
        Product& p = joined.launch.product;
        p.a = m_launches[terms[0]].launch.product.a, p.terms = int32_t(terms.size());
        p.aTerm = m_launches[terms[1]].launch.product.a - p.a;
        if (!lineUp(terms, joined)) continue;
        p.groupTile = bestTile(p);
        for (size_t t : terms) {
            if (t == i) continue;
            const Prepared& term = m_launches[t];
            addNoMore(p.straight, term.launch.pass.direct);
            std::erase_if(joined.reads, [&](const Interval& r) { return meet({r}, term.writes); });
            addReads(joined, term);
        }
        m_launches[i] = std::move(joined);
        std::sort(terms.rbegin(), terms.rend());
        for (size_t t : terms)
            if (t != i) m_launches.erase(m_launches.begin() + int64_t(t)), --i;
    }
}

// The left operand of what is added, as x A^T in y = x W^T + (x A^T) B^T, becomes further columns of the
// product that it is added to, where both are products of the same x, or sums of such.
bool Lowering::makeLeft(size_t index) {
    const Prepared& wide = m_launches[index];
    const Product& q = wide.launch.product;
    if (q.groupTile < 0 || !q.low.left || q.low.down || q.low.rank > LowRank::mostMade) return false;
    const auto makes = [&](const Prepared& p) {
        const Straight& s = p.launch.product.straight;
        const bool more = !s.there || s.bias || s.shift.data || s.gate.data || s.activation || s.slope ||
                          s.biased || s.aside || (s.early && s.late);
        const float* const result = p.launch.pass.direct ? p.launch.pass.direct
                                    : more               ? nullptr
                                    : s.early            ? s.early
                                                         : s.late;
        return p.launch.kind == Kind::product && result == q.low.left && p.segment == wide.segment;
    };
    size_t made = index;
    while (made > 0 && !makes(m_launches[made - 1])) --made;
    if (made-- == 0) return false;
    const Product& p = m_launches[made].launch.product;
    const std::vector<size_t> terms = termsOf(made);
    const auto operands = [&](size_t i) -> const Product& { return m_launches[terms[i]].launch.product; };
    const int64_t apart = terms.size() < 2 ? 0 : operands(1).a - operands(0).a;
    const auto added =
        size_t((p.straight.added ? 1 : 0) + (p.straight.added2 ? 1 : 0) + (p.straight.added3 ? 1 : 0));
    const bool same = plain(p) && operands(0).a == q.a && apart == q.aTerm &&
                      terms.size() == size_t(q.terms) && (p.straight.there ? added : 0) + 1 == terms.size() &&
                      p.m == q.m && p.k == q.k && p.lda == q.lda && p.n == q.low.rank &&
                      p.lde == q.low.leftStep;
    // It comes to where the operand was made, before others read that.
    const bool ready =
        std::none_of(m_launches.begin() + int64_t(made) + 1, m_launches.begin() + int64_t(index),
                     [&](const Prepared& between) { return ordered(between, wide); });
    if (!same || !ready) return false;
    // Where it does not lie in lines along k, a launch that turns weights, and is behind what writes it, has
    // to.
    size_t turning = made;
    while (turning > 0 && m_launches[turning - 1].launch.kind != Kind::turn) --turning;
    const auto changes = [&](const Prepared& between) {
        return std::any_of(terms.begin(), terms.end(), [&](size_t t) {
            const Product& term = m_launches[t].launch.product;
            const float* const end = term.b + int64_t(term.k - 1) * term.ldb + term.n;
            return meet(between.writes,
                        {{reinterpret_cast<const char*>(term.b), reinterpret_cast<const char*>(end)}});
        });
    };
    if (!p.rightTurned &&
        (turning == 0 || m_launches[turning - 1].segment != wide.segment ||
         std::any_of(m_launches.begin() + int64_t(turning), m_launches.begin() + int64_t(made), changes)))
        return false;

    Prepared joined = wide;
    LowRank& low = joined.launch.product.low;
    low.made = const_cast<float*>(low.left), low.downScale = p.scale;
    if (p.rightTurned) {
        low.down = p.b, low.downStep = p.ldb;
    } else {
        Prepared& turns = m_launches[turning - 1];
        float* const to = workspace(int64_t(terms.size()) * p.k * p.n);
        low.down = to, low.downStep = p.k, low.downTerm = int64_t(p.k) * p.n;
        for (size_t i = 0; i < terms.size(); ++i) {
            turn(turns, {operands(i).b, to + int64_t(i) * low.downTerm, p.k, p.n, p.ldb});
            joined.reads.push_back(turns.writes.back());
        }
    }
    for (size_t t : terms) addReads(joined, m_launches[t]);
    for (size_t t : terms)
        std::erase_if(joined.reads, [&](const Interval& r) { return meet({r}, m_launches[t].writes); });
    joined.writes.insert(joined.writes.end(), m_launches[made].writes.begin(), m_launches[made].writes.end());
    m_launches[made] = std::move(joined);
    std::vector<size_t> gone = terms;
    gone.push_back(index);
    std::sort(gone.rbegin(), gone.rend());
    for (size_t i : gone)
        if (i != made) m_launches.erase(m_launches.begin() + int64_t(i));
    return true;
}

void Lowering::makeOnTheWay() {
    for (size_t i = 0; i < m_launches.size(); ++i)
        if (m_launches[i].launch.kind == Kind::product && makeLeft(i)) i = 0;
}

}  // namespace core::cuda
