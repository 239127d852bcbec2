// What a step is made of, for people: each launch in a line, and how little time the work could take.
#include <algorithm>

#include "core/cuda/lowering.h"

namespace core::cuda {
namespace {

double operationsOf(const Product& p) {
    const double all = 2.0 * p.m * p.n * p.k * p.terms;
    // The classes of a transposed convolution's pixels share out both pixels and taps.
    return p.left == Product::scattered ? all / p.batches : all * p.batches;
}

double operationsOf(const Attention& a) {
    const double product = 2.0 * a.samples * a.heads * a.queries * a.keys * a.width;
    return product * (a.dOut.data ? 4 : 2);
}

}  // namespace

void Lowering::countWork(const std::vector<int>& repeats, Recorded& into) const {
    into.operations = into.bytes = 0;
    std::vector<std::pair<const char*, const char*>> read, written;
    for (const Prepared& p : m_launches) {
        const int times = repeats[size_t(p.segment)];
        if (times == 0) continue;
        double operations = p.launch.kind == Kind::product ? operationsOf(p.launch.product)
                            : p.launch.attention.heads > 0 ? operationsOf(p.launch.attention)
                                                           : 0;
        if (p.launch.kind == Kind::layers)
            operations = operationsOf(p.launch.layers.first) + operationsOf(p.launch.layers.second);
        for (const Member& m : p.members) operations += operationsOf(m.product);
        for (int i = 0; p.launch.kind == Kind::chain && i < p.launch.chain.count; ++i) {
            const Link& l = m_links[p.firstLink + size_t(i)];
            if (l.way != Link::elements) operations += operationsOf(l.product);
        }
        into.operations += times * operations;
        for (const Interval& range : p.reads) read.emplace_back(range.begin, range.end);
        for (const Interval& range : p.writes) written.emplace_back(range.begin, range.end);
    }
    for (auto* ranges : {&read, &written}) {
        std::sort(ranges->begin(), ranges->end());
        const char* end = nullptr;
        for (const auto& [from, to] : *ranges) {
            into.bytes += double(std::max<int64_t>(0, to - std::max(from, end)));
            end = std::max(end, to);
        }
    }
}

std::string Lowering::describeLaunch(const Cluster& c, const Launch& l) const {
    std::string line = fmt::format("{} of {}", kindNames[int(c.kind)], c.size);
    if (c.kind == Kind::product) {
        const Product& q = l.product;
        line +=
            fmt::format(" m {} n {} k {} x {} tile {} splits {} left {}{}{}{}{}{}", q.m, q.n, q.k, q.batches,
                        q.tile, q.splits, int(q.left), q.rightTurned ? " turned" : "",
                        q.wideA && q.wideB ? "" : " narrow", q.columnSums ? " sums" : "",
                        q.groupTile >= 0 ? fmt::format(" groups {} x {}", Product::groupHeights[q.groupTile],
                                                       Product::groupWidths[q.groupTile])
                        : q.lineRows     ? fmt::format(" lines {} x {}", q.lineRows, q.lineWarps)
                                         : "",
                        q.straight.there ? " straight" : "");
        if (q.terms > 1) line += fmt::format(" of {} terms", q.terms);
        if (q.low.left)
            line += fmt::format(" with rank {}{}", q.low.rank, q.low.down ? " made on the way" : "");
    }
    if (const Attention& a = l.attention; a.heads > 0)
        line += fmt::format(" {} x {} queries {} keys {} width {}{}", a.samples, a.heads, a.queries, a.keys,
                            a.width, a.weights ? " with P" : "");
    if (l.plain.lines.there)
        line += fmt::format(" groups {} splits {} sums {}{}", l.plain.lines.outer, l.plain.lines.splits,
                            l.plain.lines.sums, l.plain.lines.straight ? " straight" : "");
    if (c.kind == Kind::sum) line += fmt::format(" {} {} {}", c.outer, c.length, c.inner);
    line += " |";
    for (const Instruction& in : c.program.code)
        line += fmt::format(" {}{}", int(in.op), in.store != Instruction::nothing ? "!" : "");
    if (!l.pass.wide) line += " (one by one)";
    if (c.anchor >= 0) line += " " + g.nodes[size_t(c.anchor)].name;
    return line;
}

std::vector<const Prepared*> Lowering::shown() const {
    std::vector<const Prepared*> out;
    for (const Prepared& p : m_launches) out.push_back(&p);
    for (const LoopPlan& plan : m_loops)
        for (const auto& [repeats, loop] : plan.ready) out.insert(out.end(), {&loop.first, &loop.second});
    return out;
}

std::vector<std::string> Lowering::describe() const {
    std::vector<std::string> out;
    for (const Prepared* shown : shown()) {
        const Prepared& p = *shown;
        const Loop& loop = p.launch.loop;
        if (p.launch.kind == Kind::prelude || p.launch.kind == Kind::loop) {
            out.push_back(p.launch.kind == Kind::prelude
                              ? fmt::format("prelude of {} for {} repeats", loop.beforeCount, loop.repeats)
                              : fmt::format("loop of {} layers for {} rows and {} repeats, {} sums",
                                            loop.layers, loop.rows, loop.repeats, loop.sumCount));
            continue;
        }
        if (p.launch.kind == Kind::together) {
            std::string text = fmt::format("{} products together:", p.members.size());
            for (const Member& m : p.members)
                text += fmt::format(" {} x {} k {} splits {}", m.product.m, m.product.n, m.product.k,
                                    m.product.splits);
            out.push_back(text);
            continue;
        }
        if (p.launch.kind == Kind::layers) {
            const Product& q = p.launch.layers.first;
            const Straight& s = q.straight;
            out.push_back(fmt::format("layers of {} rows, {} to {} and back, {} {}{}", q.m, q.k, q.n,
                                      s.slope ? "slope" : "activation", s.slope ? s.slope : s.activation,
                                      s.late ? " stored" : ""));
            continue;
        }
        if (p.launch.kind == Kind::lineSums) {
            out.push_back(fmt::format("{} sums of lines, of {} blocks", p.launch.plain.lines.sums,
                                      p.launch.plain.lines.splits));
            continue;
        }
        if (p.launch.kind == Kind::turn) {
            out.push_back(fmt::format("turn of {} matrices", p.launch.turns.count));
            continue;
        }
        if (p.launch.kind != Kind::chain) {
            out.push_back(describeLaunch(m_clusters.all[size_t(p.cluster)], p.launch));
            continue;
        }
        const Chain& c = p.launch.chain;
        if (c.layers > 0) {
            out.push_back(fmt::format("perceptron of {} layers for {} rows", c.layers, c.rows));
            continue;
        }
        // With the time that each link took when the chain ran last.
        const auto count = size_t(c.count);
        std::vector<int64_t> stamps(count + 3);
        m_card->download(stamps.data(), c.stamps, stamps.size() * sizeof(int64_t));
        std::string text = fmt::format("chain of {} for {} rows", c.count, c.rows);
        const auto between = [&](size_t from, size_t to) { return double(stamps[to] - stamps[from]); };
        const double us = 1e-3 * between(count + 1, count + 2) / between(size_t(c.beside), count);
        for (size_t i = 0; i < count; ++i) {
            const Link& l = m_links[p.firstLink + i];
            Launch launch;
            launch.pass = l.pass, launch.product = l.product;
            const std::string time =
                int32_t(i) < c.beside ? "beside" : fmt::format("{:.2f}", us * between(i, i + 1));
            text +=
                fmt::format("\n        {:>7} {}", time,
                            describeLaunch(m_clusters.all[size_t(m_linkClusters[p.firstLink + i])], launch));
        }
        out.push_back(text);
    }
    return out;
}

}  // namespace core::cuda
