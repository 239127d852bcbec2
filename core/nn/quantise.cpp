#include "core/nn/quantise.h"

#include "core/nn/losses.h"

namespace core {
namespace {

// [..., C] as one sample of all positions, for look-up: [1, N, C].
Var asRows(Var x) {
    const int channels = x.shape().channels();
    return reshape(x, {1, int(x.shape().size()) / channels, channels});
}
Var asIndex(Var index) {
    return reshape(index, {1, int(index.shape().size())});
}

// How many positions chose each row: [K, 1].
Var choices(Var index, int count) {
    const Var one = index.recorder().fill({1, int(index.shape().size()), 1}, 1);
    return scatterRows(one, asIndex(index), count);
}

}  // namespace

Quantised quantise(Var x, Var codebook) {
    const Var index = nearestRow(detach(x), detach(codebook));
    const int samples = x.rows(), positions = int(index.shape().size()) / samples;
    const Var code = reshape(gatherRows(codebook, reshape(index, {samples, positions})), x.shape());
    return {index, code, x + detach(code - x)};
}

Var codebookLoss(Var x, Var code) {
    return mse(code, detach(x));
}
Var commitmentLoss(Var x, Var code) {
    return mse(x, detach(code));
}

AveragedCodebook::AveragedCodebook(const Scope& scope, int rows, int width)
    : weight(scope.state("weight", {rows, width}, {Initial::uniform, 1 / float(rows)})),
      count(scope.state("count", {rows, 1}, {Initial::constant, 1})) {
    // Counts of one: the sums start as the rows themselves.
    Initial same{Initial::uniform, 1 / float(rows)};
    same.like = scope.recorder->node(weight.id()).name;
    sum = scope.state("sum", {rows, width}, same);
}

void AveragedCodebook::update(Var x, Var index, Var decay, Var threshold, const std::string& stream) const {
    Recorder& r = x.recorder();
    const int rows = weight.rows(), vectors = int(index.shape().size());
    const Var all = asRows(x);
    const auto follow = [&](Var old, Var now) { return now + decay * (old - now); };
    const Var n = follow(count, choices(index, rows));
    const Var total = follow(sum, scatterRows(all, asIndex(index), rows));

    const Var drawn = floor(r.uniform(stream, {1, rows}, 0, float(vectors)));
    const Var fresh = reshape(gatherRows(reshape(x, {vectors, weight.columns()}), drawn), weight.shape());
    const Var dead = core::step(threshold - n);  // [K, 1]
    const auto restart = [&](Var value, Var from) { return value + dead * (from - value); };
    const Var newCount = restart(n, r.fill({rows, 1}, 1)), newSum = restart(total, fresh);
    r.assign(count, newCount);
    r.assign(sum, newSum);
    r.assign(weight, newSum / (newCount + 1e-5f));
}

Var perplexity(Var index, int count) {
    const Var p = affine(choices(index, count), 1 / float(index.shape().size()), 0);
    return exp(-core::sum(p * log(p + 1e-10f)));
}

}  // namespace core
