// Which chains are perceptrons as kernels/chain_hidden.cu has them.
#include <algorithm>
#include <vector>

#include "core/cuda/lowering.h"

namespace core::cuda {
namespace {

constexpr int width = Chain::wideWidth;

// Does the program make nothing but sines and cosines, the halves of a row? Says where they are written.
bool makesWaves(Link& l) {
    const Program& p = l.program;
    const auto is = [&](int i, Op op, uint8_t first, bool keeps, bool stores) {
        const Instruction& in = p.code[i];
        return Op(in.op) == op && in.first == first && (in.keep < Program::registers) == keeps &&
               (in.store != Instruction::nothing) == stores;
    };
    constexpr uint8_t last = Instruction::last;
    if (p.count != 5 || 2 * l.product.n != width || l.product.lde != l.product.n || l.product.k == 0 ||
        !is(0, Op::reshape, last, true, false) || !is(1, Op::sine, last, true, false) ||
        !is(2, Op::cosine, p.code[0].keep, false, false) || !is(3, Op::reshape, last, false, true) ||
        !is(4, Op::reshape, p.code[1].keep, false, true))
        return false;
    const Output &cosines = p.outputs[p.code[3].store], &sines = p.outputs[p.code[4].store];
    if (cosines.step != width || sines.step != width) return false;
    l.wavesTo = std::min(cosines.data, sines.data);
    l.cosinesAt = int32_t(cosines.data - l.wavesTo), l.sinesAt = int32_t(sines.data - l.wavesTo);
    return l.cosinesAt + l.sinesAt == width / 2;
}

// The way of a link in such a chain; elements, where there is none.
Link::Way hiddenWay(Link& l) {
    const Product& p = l.product;
    const bool straight = p.straight.there && l.pass.wide && p.n == width && p.lde == width;
    switch (l.way) {
        case Link::tiles:
            return straight && p.k == width && p.lda == width && p.ldb == width ? Link::hidden
                                                                                : Link::elements;
        case Link::shortSums:
            return straight ? Link::entering : makesWaves(l) ? Link::waves : Link::elements;
        default:
            return p.k == width && p.lda == width && p.wideA && (!p.rightTurned || p.wideB) &&
                           p.n <= Link::fewestLeaving
                       ? Link::leaving
                       : Link::elements;
    }
}

// Does a program read what the link before writes, other than as its product's operand?
bool readsResults(const Program& p, const Link& before, int64_t rows) {
    for (int i = 0; i < before.program.count; ++i) {
        const uint8_t store = before.program.code[i].store;
        if (store == Instruction::nothing) continue;
        const Output& out = before.program.outputs[store];
        const float* const end = out.data + rows * (out.step ? out.step : before.each);
        for (int k = 0; k < p.operandCount; ++k)
            if (p.operands[k].data >= out.data && p.operands[k].data < end) return true;
    }
    return false;
}

}  // namespace

// Changes nothing where the links are something else.
void Lowering::hide(Link* links, Chain& chain) {
    const auto count = size_t(chain.count);
    if (count > size_t(Chain::mostHiddenLinks)) return;
    std::vector<Link> out(links, links + count);
    std::vector<const float*> weights;
    for (size_t i = 0; i < count; ++i) {
        Link& l = out[i];
        if (l.way == Link::elements && l.pass.wide) return;
        if (l.way == Link::elements) continue;
        l.way = hiddenWay(l);
        if (l.way == Link::elements) return;
        if (l.way == Link::hidden) weights.push_back(l.product.b);
        if (i == 0) continue;
        Link& before = out[i - 1];
        const Product &of = before.product, &in = l.product;
        const float* const made = before.way == Link::waves      ? before.wavesTo
                                  : before.way == Link::elements ? nullptr
                                                                 : endOf(before);
        // Of a layer a thread asks for what it has written itself; here others have.
        l.awaits = l.way == Link::leaving && readsResults(l.program, before, chain.rows);
        const bool few = before.way == Link::leaving;
        const bool same = made == in.a && (!few || (of.n == in.k && of.lde == in.lda));
        l.leftThere = made && same && few == (l.way == Link::entering) && l.way != Link::waves;
        before.keeps = l.leftThere;
    }
    if (weights.size() > size_t(Chain::mostHidden)) return;
    std::copy(out.begin(), out.end(), links);
    std::copy(weights.begin(), weights.end(), chain.weights);
    chain.hidden = int32_t(weights.size());
}

}  // namespace core::cuda
