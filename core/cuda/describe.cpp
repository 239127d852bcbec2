// What a step is made of, for people: each launch in a line.
#include "core/cuda/executor.h"

namespace core::cuda {

std::string Executor::describeLaunch(const Cluster& c, const Launch& l) const {
    std::string line = fmt::format("{} of {}", kindNames[int(c.kind)], c.size);
    if (c.kind == Kind::product) {
        const Product& q = l.product;
        line += fmt::format(" m {} n {} k {} x {} tile {} splits {} left {}{}{}{}{}{}", q.m, q.n, q.k,
                            q.batches, q.tile, q.splits, int(q.left), q.rightTurned ? " turned" : "",
                            q.wideA && q.wideB ? "" : " narrow", q.columnSums ? " sums" : "",
                            q.lineRows ? fmt::format(" lines {} x {}", q.lineRows, q.lineWarps) : "",
                            q.straight.there ? " straight" : "");
    }
    if (c.kind == Kind::sum) line += fmt::format(" {} {} {}", c.outer, c.length, c.inner);
    line += " |";
    for (const Instruction& in : c.program.code)
        line += fmt::format(" {}{}", int(in.op), in.store != Instruction::nothing ? "!" : "");
    if (!l.pass.wide) line += " (one by one)";
    if (c.anchor >= 0) line += " " + g.nodes[size_t(c.anchor)].name;
    return line;
}

std::vector<std::string> Executor::describe() const {
    std::vector<std::string> out;
    for (const Prepared& p : m_launches) {
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
        std::vector<int64_t> stamps(size_t(c.count) + 1);
        m_card->download(stamps.data(), c.stamps, stamps.size() * sizeof(int64_t));
        std::string text = fmt::format("chain of {} for {} rows", c.count, c.rows);
        for (size_t i = 0; i < size_t(c.count); ++i) {
            const Link& l = m_links[p.firstLink + i];
            Launch launch;
            launch.pass = l.pass, launch.product = l.product;
            text +=
                fmt::format("\n        {:7.2f} {}", double(stamps[i + 1] - stamps[i]) / 1e3,
                            describeLaunch(m_clusters.all[size_t(m_linkClusters[p.firstLink + i])], launch));
        }
        out.push_back(text);
    }
    return out;
}

}  // namespace core::cuda
