// Weights' gradients over at most some hundred lines: those that can be made at once are one launch.
#include <algorithm>

#include "core/cuda/lowering.h"

namespace core::cuda {
namespace {

constexpr int64_t mostBlocks = 3 * 132;  // that the card holds at once
constexpr int32_t mostTogether = 32;     // a warp finds the one that it is to make
constexpr int32_t fewestLines = 64, shortestSum = 128, narrowestTile = 16;

bool isNarrow(const Product& p) {
    return std::min(p.m, p.n) <= Together::clusterFew;
}

int64_t tilesOf(const Product& p) {
    const auto tiles = [](int64_t extent, int side) { return (extent + side - 1) / side; };
    return isNarrow(p) ? tiles(std::max(p.m, p.n), Together::clusterMany)
                       : tiles(p.m, Together::clusterTile) * tiles(p.n, Together::clusterTile);
}

// The blocks that share each sum.
int32_t sharesOf(const Product& p) {
    int32_t out = Together::mostShares;
    while (out > 1 && p.k < out * fewestLines) out /= 2;
    return out;
}

bool fits(const Prepared& prepared) {
    const Product& p = prepared.launch.product;
    const Pass& pass = prepared.launch.pass;
    if (prepared.launch.kind != Kind::product || p.left != Product::columns || p.batches != 1 ||
        p.groupTile >= 0 || !pass.direct || p.lde != p.n || p.k < shortestSum ||
        p.k > Together::mostShares * Together::longestShare || tilesOf(p) * sharesOf(p) > mostBlocks)
        return false;
    if (isNarrow(p)) return p.m <= Together::clusterFew ? p.wideB : p.wideA;
    return p.wideA && p.wideB && pass.wide && std::min(p.m, p.n) >= narrowestTile;
}

// Does the launch only copy so many numbers? Says from where.
const float* copies(const Prepared& p, const Program& program) {
    const Instruction& in = program.code[0];
    const bool same = Op(in.op) == Op::reshape || (Op(in.op) == Op::affine && in.a == 1 && in.b == 0);
    if (p.launch.kind != Kind::pointwise || program.count != 1 || !same || in.first != Instruction::memory ||
        program.operands[0].kind != Operand::full || program.outputs[in.store].step != 0)
        return nullptr;
    return program.operands[0].data;
}

// What sums of one operand's lines are of, and where they go.
struct Sums {
    const float* operand;
    int32_t apart, count;
    float** to;
    bool operator==(const Sums& other) const {
        return operand == other.operand && apart == other.apart && count == other.count;
    }
};
std::array<Sums, 2> sumsOf(Product& p) {
    return {Sums{p.a, p.lda, p.m, &p.rowSums}, Sums{p.b, p.ldb, p.n, &p.columnSums}};
}

}  // namespace

// Two biases that are added to each other have the same gradient: a product that reads what it sums makes it
// once more, so that nothing has to wait for a copy.
void Lowering::doubleSums() {
    if (m_options.exact) return;
    const auto makes = [&](size_t index, size_t copy, const float* from) {
        Product& made = m_launches[index].launch.product;
        if (m_launches[index].launch.kind != Kind::product || made.left != Product::columns) return false;
        for (const Sums& sum : sumsOf(made)) {
            if (*sum.to != from) continue;
            for (size_t k = 0; k < m_launches.size(); ++k) {
                Prepared& other = m_launches[k];
                Product& p = other.launch.product;
                if (k == index || other.launch.kind != Kind::product || p.left != Product::columns ||
                    p.batches != 1 || p.k != made.k || other.segment != m_launches[copy].segment)
                    continue;
                // What the copy writes is not touched before and after it within these.
                const auto begin = m_launches.begin() + int64_t(std::min(k, copy)),
                           end = m_launches.begin() + int64_t(std::max(k, copy)) + 1;
                const std::vector<Interval>& written = m_launches[copy].writes;
                const bool free = std::all_of(begin, end, [&](const Prepared& between) {
                    return &between == &m_launches[copy] ||
                           !(meet(between.reads, written) || meet(between.writes, written));
                });
                for (const Sums& again : sumsOf(p)) {
                    if (!free || *again.to || !(again == sum)) continue;
                    *again.to = m_programs[size_t(m_launches[copy].program)].outputs[0].data;
                    other.writes.insert(other.writes.end(), written.begin(), written.end());
                    return true;
                }
            }
        }
        return false;
    };
    for (size_t copy = 0; copy < m_launches.size(); ++copy) {
        if (m_launches[copy].program < 0) continue;
        const float* const from = copies(m_launches[copy], m_programs[size_t(m_launches[copy].program)]);
        for (size_t i = 0; from && i < m_launches.size(); ++i) {
            if (!makes(i, copy, from)) continue;
            m_launches.erase(m_launches.begin() + int64_t(copy--));
            break;
        }
    }
}

// What waits for the same launch is ready at once.
void Lowering::joinClusters() {
    if (m_options.exact || !m_card->table().warpgroups(m_card->device())) return;
    std::vector<int> awaited(m_launches.size(), -1);  // by those that fit: the last launch that they wait for
    for (size_t i = 0; i < m_launches.size(); ++i)
        if (fits(m_launches[i]))
            for (size_t k = 0; k < i; ++k)
                if (ordered(m_launches[k], m_launches[i])) awaited[i] = int(k);
    struct Joined {
        size_t at;  // in `all`
        int awaited;
        int32_t k;
    };
    std::vector<Prepared> all;
    std::vector<Joined> open;
    for (size_t i = 0; i < m_launches.size(); ++i) {
        Prepared& p = m_launches[i];
        if (!fits(p)) {
            all.push_back(std::move(p));
            continue;
        }
        Member member{p.launch.product, p.launch.pass.direct};
        Product& product = member.product;
        product.splits = sharesOf(product);
        auto joined = std::find_if(open.begin(), open.end(), [&](const Joined& j) {
            const Together& t = all[j.at].launch.together;
            return j.awaited == awaited[i] && j.k == product.k && all[j.at].segment == p.segment &&
                   t.count < mostTogether && (t.blocks + tilesOf(product)) * t.shares <= mostBlocks;
        });
        if (joined == open.end()) {
            Prepared launch;
            launch.launch.kind = Kind::together;
            launch.launch.together.form = Together::clusters;
            launch.launch.together.shares = product.splits;
            launch.cluster = p.cluster, launch.segment = p.segment;
            joined = open.insert(open.end(), {all.size(), awaited[i], product.k});
            all.push_back(std::move(launch));
        }
        Prepared& launch = all[joined->at];
        Together& together = launch.launch.together;
        member.firstBlock = together.blocks;
        together.blocks += int32_t(tilesOf(product));
        together.count += 1;
        launch.members.push_back(member);
        launch.reads.insert(launch.reads.end(), p.reads.begin(), p.reads.end());
        launch.writes.insert(launch.writes.end(), p.writes.begin(), p.writes.end());
    }
    m_launches = std::move(all);
}

}  // namespace core::cuda
