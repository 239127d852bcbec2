// Which two products are the layers of a perceptron that one launch takes rows through.
#include <algorithm>

#include "core/cuda/lowering.h"

namespace core::cuda {
namespace {

constexpr int64_t fewestBlocks = 66, mostBlocks = 132;  // that all run at once

bool isLayer(const Prepared& p) {
    const Product& q = p.launch.product;
    return p.launch.kind == Kind::product && q.groupTile >= 0 && q.batches == 1 && q.terms == 1 &&
           !q.low.left && q.straight.there && p.launch.pass.wide;
}

// Is all that the program does an activation behind a bias, or a slope?
bool isBetween(const Straight& s) {
    const bool more = s.bias2 || s.shift.data || s.gate.data || s.added || s.added2 || s.added3 || s.biased ||
                      s.aside || !s.late;
    const Op f = Op(s.slope ? s.slope : s.activation);
    const bool slope = f == Op::geluSlope || f == Op::erfGeluSlope;
    return !more && (slope ? !s.bias && !s.early && !s.activation : f == Op::gelu || f == Op::erfGelu);
}

}  // namespace

bool Lowering::follows(const Prepared& first, const Prepared& second) {
    const Product &p = first.launch.product, &q = second.launch.product;
    const bool known =
        std::find(std::begin(Layers::widths), std::end(Layers::widths), p.k) != std::end(Layers::widths);
    return isLayer(first) && isLayer(second) && first.segment == second.segment && isBetween(p.straight) &&
           !q.straight.activation && !q.straight.slope && p.straight.late == q.a && p.m == q.m &&
           p.n == q.k && p.lde == p.n && q.lda == p.n && known && q.n == p.k &&
           p.n % (Layers::parts * Layers::chunk) == 0 &&
           (p.m + Layers::rows - 1) / Layers::rows * Layers::parts >= fewestBlocks &&
           (p.m + Layers::rows - 1) / Layers::rows * Layers::parts <= mostBlocks;
}

void Lowering::joinLayers() {
    float* shared = nullptr;  // by launches one after the other
    int64_t most = 0;
    for (size_t k = 1; k < m_launches.size(); ++k)
        for (size_t i = 0; i < k; ++i) {
            if (!follows(m_launches[i], m_launches[k])) continue;
            const Prepared &first = m_launches[i], &second = m_launches[k];
            const auto mind = [&](const Prepared& moved) {
                return std::any_of(m_launches.begin() + int64_t(i) + 1, m_launches.begin() + int64_t(k),
                                   [&](const Prepared& between) { return ordered(between, moved); });
            };
            const bool forwards = !mind(second);
            // Some blocks write while others still read.
            const bool apart = !meet(second.writes, first.reads) && !meet(second.writes, first.writes);
            if (!apart || (!forwards && mind(first))) break;
            Prepared joined = first;
            joined.launch.kind = Kind::layers;
            const Product& q = second.launch.product;
            const int64_t tiles = (q.m + Layers::rows - 1) / Layers::rows;
            const int64_t shares = tiles * Layers::rows * Layers::parts * q.n;
            if (shares > most) shared = workspace(most = shares);
            joined.launch.layers = {first.launch.product, q, shared, tickets(tiles)};
            std::copy_if(second.reads.begin(), second.reads.end(), std::back_inserter(joined.reads),
                         [&](const Interval& r) { return !meet({r}, first.writes); });
            const auto* const late = reinterpret_cast<const char*>(second.launch.product.a);
            if (m_readers[late] == 1) {
                joined.launch.layers.first.straight.late = nullptr;
                std::erase_if(joined.writes, [&](const Interval& w) { return w.begin == late; });
            }
            joined.writes.insert(joined.writes.end(), second.writes.begin(), second.writes.end());
            writes(joined, shared, shares);
            m_launches[forwards ? i : k] = std::move(joined);
            m_launches.erase(m_launches.begin() + int64_t(forwards ? k : i));
            --k;
            break;
        }
}

}  // namespace core::cuda
