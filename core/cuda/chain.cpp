// Which launches become one: those that every row goes through by itself, in blocks that share nothing.
#include <algorithm>
#include <set>

#include "core/cuda/lowering.h"

namespace core::cuda {
namespace {

constexpr int64_t fewestBlocks = 32, mostBlocks = 96;
constexpr int fewestProducts = 4;

}  // namespace

// The value that a link's program ends with, where it is stored as it is.
const float* Lowering::endOf(const Link& l) {
    const Instruction& in = l.program.code[l.program.count - 1];
    return in.store == Instruction::nothing || l.program.outputs[in.store].step != 0
               ? nullptr
               : l.program.outputs[in.store].data;
}

// Can blocks of some rows each carry the launch out?
bool Lowering::goesByRows(const Prepared& p, int64_t rows) {
    const Launch& l = p.launch;
    if (p.program < 0 || p.parts <= 0 || p.parts % rows != 0 || l.pass.size % rows != 0) return false;
    for (const Interval& range : p.writes)
        if (range.parts % rows != 0) return false;
    if (l.kind == Kind::pointwise) return true;
    if (l.kind != Kind::product || l.product.left != Product::rows || l.product.batches > 1) return false;
    return l.product.m == rows && (l.pass.wide || l.product.n <= Link::fewest) &&
           wayOf(l.product) != Link::elements;
}

bool Lowering::chains(const Prepared& p, int64_t rows) const {
    return !p.launch.pass.clock && goesByRows(p, rows);
}

Link::Way Lowering::wayOf(const Product& p) {
    if (p.n <= Link::fewest) return Link::fewColumns;
    if (p.k <= Link::shortest) return Link::shortSums;
    const bool tiles = p.wideA && p.wideB && p.k % 32 == 0 && p.k <= Chain::widest && p.n % 16 == 0;
    return tiles ? Link::tiles : Link::elements;
}

Link Lowering::linkOf(const Prepared& p, int64_t rows) const {
    Link l;
    l.way = p.launch.kind == Kind::product ? wayOf(p.launch.product) : Link::elements;
    l.pass = p.launch.pass;
    l.product = p.launch.product;
    Straight& straight = l.product.straight;
    const auto seldom = [](uint8_t op) { return Op(op) >= Op::gelu && Op(op) <= Op::erfGeluSlope; };
    if (seldom(straight.activation) || seldom(straight.slope) || straight.gate.data || straight.added2 ||
        straight.shift.data || straight.aside || straight.added3)
        straight.there = false;
    l.program = m_programs[size_t(p.program)];
    l.each = int32_t(l.pass.size / rows);
    if (l.way == Link::elements)
        // A thread for each element where there are enough.
        l.pass.wide = l.pass.wide && l.each * Chain::together > Chain::threads &&
                      l.each * Chain::together % 4 == 0 && l.pass.size % 4 == 0;
    return l;
}

// Does `later` wait for `earlier`; and if so, row by row?
Lowering::Waiting Lowering::waiting(const Prepared& earlier, const Prepared& later, int64_t rows) {
    Waiting out = Waiting::none;
    const auto meet = [&](const std::vector<Interval>& of, const std::vector<Interval>& with) {
        for (const Interval& a : of)
            for (const Interval& b : with) {
                if (a.end <= b.begin || b.end <= a.begin || (a.part >= 0 && a.part == b.part)) continue;
                const bool apart =
                    a.begin == b.begin && a.end == b.end && a.parts % rows == 0 && b.parts % rows == 0;
                out = std::max(out, apart ? Waiting::byRow : Waiting::whole);
            }
    };
    meet(earlier.writes, later.reads);
    meet(earlier.writes, later.writes);
    meet(earlier.reads, later.writes);
    return out;
}

// Are the links a perceptron as kernels/chain_wide.cu has it? Its number of hidden products,
// or 0. What only the next link reads is then stored nowhere.
int Lowering::widen(Link* links, size_t count, int32_t& width) const {
    if (count < 3 || count > Chain::wideLinks || links[0].way != Link::shortSums) return 0;
    const int32_t wide = links[0].product.n;
    if (wide != 64 && wide != 96 && wide != Chain::wideWidth) return 0;
    int layers = 0;
    while (layers < Chain::wideLayers && links[1 + layers].way == Link::tiles) ++layers;
    const Product& last = links[1 + layers].product;
    if (layers == 0 || links[1 + layers].way != Link::fewColumns || last.k != wide) return 0;
    for (size_t i = 2 + size_t(layers); i < count; ++i)
        if (links[i].way != Link::elements) return 0;
    for (int i = 0; i <= layers; ++i) {
        const Product &p = links[i].product, &next = links[i + 1].product;
        if (!p.straight.there || p.n != wide || p.lde != wide) return 0;
        if (i > 0 && (p.k != wide || !p.rightTurned)) return 0;
        if (endOf(links[i]) != next.a || next.lda != wide) return 0;
    }
    for (int i = 0; i <= layers; ++i) {
        Straight& s = links[i].product.straight;
        float*& end = s.activation || s.slope || !s.early ? s.late : s.early;
        const auto readers = m_readers.find(reinterpret_cast<const char*>(end));
        if (readers == m_readers.end() || readers->second <= 1) end = nullptr;
    }
    width = wide;
    return layers;
}

// The members that wait for each other, apart from those that do not, where there is enough of each.
std::vector<std::vector<size_t>> Lowering::strands(const std::vector<Prepared>& launches,
                                                   const std::vector<size_t>& members, int64_t rows) {
    std::vector<std::vector<size_t>> out;
    for (size_t i : members) {
        std::vector<size_t> strand;
        for (auto& earlier : out) {
            const bool joined = std::any_of(earlier.begin(), earlier.end(), [&](size_t k) {
                return waiting(launches[k], launches[i], rows) != Waiting::none;
            });
            if (joined) strand.insert(strand.end(), earlier.begin(), earlier.end()), earlier.clear();
        }
        strand.push_back(i);
        std::sort(strand.begin(), strand.end());
        out.erase(std::remove_if(out.begin(), out.end(), [](const auto& s) { return s.empty(); }), out.end());
        out.push_back(std::move(strand));
    }
    for (const auto& strand : out) {
        const auto heavy = std::count_if(strand.begin(), strand.end(),
                                         [&](size_t i) { return launches[i].launch.kind == Kind::product; });
        if (heavy < fewestProducts) return {members};
    }
    return out;
}

// The programs that a hidden chain begins with are run beside what does not wait for them, if they are short.
void Lowering::setBeside(const std::vector<Prepared>& launches, const std::vector<size_t>& members,
                         int64_t rows, Link* links, Chain& c) {
    constexpr int mostElements = 4;  // of a row
    int count = 0;
    while (count < c.count && links[count].way == Link::elements && links[count].each <= mostElements)
        ++count;
    const auto awaits = [&](size_t i) {
        return std::any_of(members.begin(), members.begin() + count, [&](size_t k) {
            return waiting(launches[k], launches[members[i]], rows) != Waiting::none;
        });
    };
    if (count == c.count || awaits(size_t(count))) return;
    c.beside = count;
    for (size_t i = size_t(count); i < members.size(); ++i) links[i].awaits = links[i].awaits || awaits(i);
}

// One launch for some; false where no kernel can carry it out.
bool Lowering::linkChain(const std::vector<Prepared>& launches, const std::vector<size_t>& members,
                         int64_t rows, Prepared& chain) {
    chain.launch.kind = Kind::chain;
    Chain& c = chain.launch.chain;
    c.rows = int32_t(rows), c.count = int32_t(members.size());
    chain.firstLink = m_links.size();
    std::set<std::pair<const char*, const char*>> written, read;
    for (size_t i : members) {
        const Prepared& p = launches[i];
        m_links.push_back(linkOf(p, rows));
        m_linkClusters.push_back(p.cluster);
        chain.cluster = p.cluster, chain.segment = p.segment;
        for (const Interval& range : p.writes)
            if (written.emplace(range.begin, range.end).second)
                chain.writes.push_back({range.begin, range.end});
        for (const Interval& range : p.reads)
            if (read.emplace(range.begin, range.end).second) chain.reads.push_back({range.begin, range.end});
    }
    Link* const links = m_links.data() + chain.firstLink;
    if (rows > mostBlocks * Chain::together) {
        c.layers = widen(links, members.size(), c.width);
        if (c.layers == 0) m_links.resize(chain.firstLink), m_linkClusters.resize(chain.firstLink);
        return c.layers > 0;
    }
    if (m_card->table().warpgroups(m_card->device())) hide(links, c);
    if (c.hidden > 0) setBeside(launches, members, rows, links, c);
    for (size_t i = 0; c.hidden == 0 && i < members.size(); ++i) {
        Link& l = links[i];
        if (l.way == Link::tiles) c.width = std::max(c.width, l.product.k);
        if (i == 0 || (l.way != Link::tiles && l.way != Link::fewColumns)) continue;
        Link& before = links[i - 1];
        const bool makes = before.way == Link::tiles || before.way == Link::shortSums;
        const Product &of = before.product, &in = l.product;
        l.leftThere = makes && before.pass.wide && endOf(before) == in.a && of.lde == in.lda &&
                      of.n == in.k && of.n <= Chain::widest;
        before.keeps = l.leftThere;
        if (l.leftThere) c.width = std::max(c.width, (of.n + 31) / 32 * 32);
    }
    return true;
}

// The launches of a segment, with chains in the place of what they carry out.
std::vector<Prepared> Lowering::chained(std::vector<Prepared> launches) {
    // The number of rows that most products have.
    std::map<int64_t, int> votes;
    for (const Prepared& p : launches)
        if (p.launch.kind == Kind::product && chains(p, p.launch.product.m)) ++votes[p.launch.product.m];
    int64_t rows = 0;
    for (const auto& [count, vote] : votes)
        if (vote > 2 && (rows == 0 || vote > votes[rows])) rows = count;
    if (rows < fewestBlocks * Chain::together) return launches;

    // What stands between two launches of a chain parts it: the number of such partings.
    const size_t count = launches.size();
    std::vector<bool> fits(count);
    std::vector<int> parting(count, 0);
    int last = 0;
    for (size_t i = 0; i < count; ++i) {
        fits[i] = chains(launches[i], rows);
        for (size_t k = 0; k < i; ++k) {
            if (parting[k] + 1 <= parting[i]) continue;
            const Waiting how = waiting(launches[k], launches[i], rows);
            if (how == Waiting::none) continue;
            const bool parts = fits[k] && !(fits[i] && how == Waiting::byRow);
            parting[i] = std::max(parting[i], parting[k] + (parts ? 1 : 0));
        }
        last = std::max(last, parting[i]);
    }
    std::vector<Prepared> out;
    for (int at = 0; at <= last; ++at) {
        std::vector<size_t> members;
        int heavy = 0;
        for (size_t i = 0; i < count; ++i) {
            if (parting[i] != at) continue;
            if (fits[i]) members.push_back(i);
            if (fits[i] && launches[i].launch.kind == Kind::product) ++heavy;
            if (!fits[i]) out.push_back(std::move(launches[i]));
        }
        if (heavy < fewestProducts) {
            for (size_t i : members) out.push_back(std::move(launches[i]));
            continue;
        }
        for (const std::vector<size_t>& strand : strands(launches, members, rows)) {
            Prepared chain;
            if (linkChain(launches, strand, rows, chain))
                out.push_back(std::move(chain));
            else
                for (size_t i : strand) out.push_back(std::move(launches[i]));
        }
    }
    return out;
}

void Lowering::countReaders() {
    for (const Prepared& p : m_launches)
        for (const Interval& range : p.reads) ++m_readers[range.begin];
    for (const auto& [channel, id] : g.probes)
        if (m_plan.alive[size_t(id)]) m_readers[reinterpret_cast<const char*>(address(id))] += 2;
}

void Lowering::formChains() {
    if (m_options.exact || !m_card->table().chains(m_card->device())) return;
    std::vector<Prepared> all;
    for (size_t begin = 0, end = 0; begin < m_launches.size(); begin = end) {
        while (end < m_launches.size() && m_launches[end].segment == m_launches[begin].segment) ++end;
        std::vector<Prepared> segment(std::make_move_iterator(m_launches.begin() + int64_t(begin)),
                                      std::make_move_iterator(m_launches.begin() + int64_t(end)));
        for (Prepared& p : chained(std::move(segment))) all.push_back(std::move(p));
    }
    m_launches = std::move(all);
    if (m_links.empty()) return;
    m_linkMemory = Memory(m_card, m_links.size() * sizeof(Link));
    m_stampMemory = Memory(m_card, (m_links.size() + 3 * m_launches.size()) * sizeof(int64_t));
    const Link* const links = static_cast<const Link*>(m_linkMemory.data());
    for (size_t i = 0; i < m_links.size(); ++i)
        if (m_links[i].pass.size > 0) m_links[i].pass.program = &links[i].program;
    m_card->upload(m_linkMemory.data(), m_links.data(), m_links.size() * sizeof(Link));
    int64_t* stamps = static_cast<int64_t*>(m_stampMemory.data());
    for (Prepared& p : m_launches) {
        if (p.launch.kind != Kind::chain) continue;
        p.launch.chain.links = links + p.firstLink;
        p.launch.chain.stamps = stamps;
        stamps += p.launch.chain.count + 3;
    }
}

}  // namespace core::cuda
