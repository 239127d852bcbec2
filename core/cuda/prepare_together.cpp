// Which weights' gradients are multiplied by one launch.
#include <algorithm>

#include "core/cuda/lowering.h"

namespace core::cuda {
namespace {

constexpr int64_t processors = 132;
constexpr int64_t mostTiles = 24;      // of one launch: each sum is still shared by some blocks
constexpr int64_t mostRead = 3 << 20;  // floats of narrow products, which fill the card

int64_t tilesOf(const Product& p, int form) {
    if (form == Together::narrow)
        return std::min(p.m, p.n) / Together::few *
               ((std::max(p.m, p.n) + Together::many - 1) / Together::many);
    const int side = Together::sides[form];
    return int64_t(p.m / side) * (p.n / side);
}

bool fits(const Product& p, const Pass& pass, int form) {
    const auto divides = [&](int side) { return p.m % side == 0 && p.n % side == 0; };
    if (p.left != Product::columns || p.batches != 1 || !p.wideA || !p.wideB || !pass.wide || !pass.direct ||
        p.columnSums || p.lde != p.n || p.k < 1024)
        return false;
    if (form == Together::narrow)
        return std::min(p.m, p.n) <= Together::narrowest && std::max(p.m, p.n) >= 64 && !p.rowSums;
    return divides(Together::sides[form]) && !(form > 0 && divides(Together::sides[0])) &&
           reinterpret_cast<uintptr_t>(p.rowSums) % 16 == 0;
}

// How far a launch is filled by the product: 1 is enough.
double fills(const Product& p, int form) {
    return form == Together::narrow ? double(p.k) * std::max(p.m, p.n) / double(mostRead)
                                    : double(tilesOf(p, form)) / double(mostTiles);
}

}  // namespace

bool Lowering::meet(const std::vector<Interval>& of, const std::vector<Interval>& with) {
    return std::any_of(of.begin(), of.end(), [&](const Interval& a) {
        return std::any_of(with.begin(), with.end(), [&](const Interval& b) {
            const bool apart = a.part >= 0 && a.part == b.part;
            return !apart && a.begin < b.end && b.begin < a.end;
        });
    });
}

// Does one of the launches have to come before the other?
bool Lowering::ordered(const Prepared& x, const Prepared& y) {
    return meet(x.writes, y.reads) || meet(x.writes, y.writes) || meet(x.reads, y.writes);
}

// The launch in the place of some; what was to be done by one alone stays as it is, unless it is narrow.
void Lowering::joinInto(std::vector<Prepared>& out, std::vector<Prepared>& members, int form) {
    if (members.size() < (form == Together::narrow ? 1 : 2)) {
        std::move(members.begin(), members.end(), std::back_inserter(out));
        members.clear();
        return;
    }
    Prepared joined;
    joined.launch.kind = Kind::together;
    joined.cluster = members[0].cluster, joined.segment = members[0].segment;
    Together& all = joined.launch.together;
    all.form = form, all.count = int32_t(members.size());
    int64_t work = 0;
    for (const Prepared& m : members) work += tilesOf(m.launch.product, form) * m.launch.product.k;
    for (const Prepared& m : members) {
        Member member{m.launch.product, m.launch.pass.direct, all.blocks, all.runs, nullptr};
        Product& p = member.product;
        p.splits = int32_t(std::clamp<int64_t>(processors * p.k / std::max<int64_t>(work, 1), 1, p.k / 64));
        p.partial = p.splits > 1 ? workspace(int64_t(p.splits) * p.m * (p.n + 1)) : nullptr;
        if (form == Together::narrow && p.splits > 1) member.tickets = tickets(tilesOf(p, form));
        all.blocks += int32_t(tilesOf(p, form)) * p.splits;
        all.runs += p.m * (p.n + (p.rowSums ? 1 : 0)) / 4;
        joined.members.push_back(member);
        joined.reads.insert(joined.reads.end(), m.reads.begin(), m.reads.end());
        joined.writes.insert(joined.writes.end(), m.writes.begin(), m.writes.end());
    }
    out.push_back(std::move(joined));
    members.clear();
}

// Each waits for the last that is ready, if nothing between them minds.
void Lowering::joinProducts() {
    if (m_options.exact || !m_card->table().warpgroups(m_card->device())) return;
    for (int form = 0; form < Together::forms; ++form) {
        std::vector<Prepared> all, members;
        double full = 0;
        for (Prepared& p : m_launches) {
            const bool alone =
                !members.empty() && (members[0].segment != p.segment ||
                                     std::any_of(members.begin(), members.end(),
                                                 [&](const Prepared& m) { return ordered(m, p); }));
            if (alone) joinInto(all, members, form), full = 0;
            if (p.launch.kind != Kind::product || !fits(p.launch.product, p.launch.pass, form)) {
                all.push_back(std::move(p));
                continue;
            }
            full += fills(p.launch.product, form);
            members.push_back(std::move(p));
            if (full >= 1) joinInto(all, members, form), full = 0;
        }
        joinInto(all, members, form);
        m_launches = std::move(all);
    }
    std::vector<Member> list;
    for (const Prepared& p : m_launches) list.insert(list.end(), p.members.begin(), p.members.end());
    if (list.empty()) return;
    m_memberMemory = Memory(m_card, list.size() * sizeof(Member));
    m_card->upload(m_memberMemory.data(), list.data(), list.size() * sizeof(Member));
    const Member* at = static_cast<const Member*>(m_memberMemory.data());
    for (Prepared& p : m_launches) {
        if (p.members.empty()) continue;
        p.launch.together.list = at;
        at += p.members.size();
    }
}

}  // namespace core::cuda
