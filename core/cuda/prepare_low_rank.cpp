// Which products of low rank are added by the launch of the product that they are added to, as in
// y = x W^T + (x A^T) B^T (Hu et al. 2021).
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
            *placeOf(s, earlier.launch.pass.direct) = nullptr;
            if (!s.added) std::swap(s.added, s.added2);
            if (!s.added2) std::swap(s.added2, s.added3);
            const bool low = isLow(earlier.launch.product);
            const LowRank added = lowOf(low ? earlier.launch.product : later.launch.product);
            if (!low) {
                later.launch.product = earlier.launch.product;
                later.cluster = earlier.cluster;
            }
            later.launch.product.straight = s, later.launch.product.low = added;
            std::erase_if(later.reads, [&](const Interval& r) { return meet({r}, earlier.writes); });
            later.reads.insert(later.reads.end(), earlier.reads.begin(), earlier.reads.end());
            m_launches.erase(m_launches.begin() + int64_t(i));
            --i;
            break;
        }
}

}  // namespace core::cuda
