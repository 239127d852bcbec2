// Operations along the last axis, normalisation, attention and look-up.
#include <cmath>

#include "core/graph/ops.h"

namespace core {
namespace {

Var alongLast(Op op, Var x, const char* name) {
    return x.recorder().add({.op = op, .shape = x.shape(), .inputs = {x.id()}, .name = name});
}

Var toOne(Op op, Var x, const char* name) {
    return x.recorder().add({.op = op, .shape = x.shape().withChannels(1), .inputs = {x.id()}, .name = name});
}

Var normalised(Var x, int groups, const Shape& momentsShape, float epsilon, Var scale, Var shift,
               const char* name) {
    Recorder& r = x.recorder();
    CHECK(bool(scale) == bool(shift), "{}: expected a scale and a shift or neither", name);
    const Var moments = r.add({.op = Op::moments,
                               .shape = momentsShape,
                               .inputs = {x.id()},
                               .a = epsilon,
                               .parts = groups,
                               .name = name});
    Node n{.op = Op::normalise,
           .shape = x.shape(),
           .inputs = {x.id(), moments.id()},
           .parts = groups,
           .name = name};
    for (const Var v : {scale, shift}) {
        if (!v) continue;
        const Extents e = v.shape().extents(), image = x.shape().extents();
        CHECK(e.channels == image.channels && e.positions() == 1 &&
                  (e.samples == 1 || e.samples == image.samples),
              "{}: expected a scale and a shift of [C] or [B, C] for {}, got {}", name, x.shape().text(),
              v.shape().text());
        n.inputs.push_back(v.id());
    }
    return r.add(std::move(n));
}

void checkIndex(const Shape& x, const Shape& index, const char* name) {
    CHECK(x.rank() >= 2 && index == x.withChannels(1), "{}: expected an index for each row of {}, got {}",
          name, x.text(), index.text());
}

}  // namespace

// ---- along the last axis

Var softmax(Var x) {
    return alongLast(Op::softmax, x, "softmax");
}

Var causalSoftmax(Var x) {
    CHECK(x.shape().rank() == 4, "causalSoftmax: expected scores [B, heads, T, S], got {}", x.shape().text());
    return x.recorder().add(
        {.op = Op::softmax, .shape = x.shape(), .inputs = {x.id()}, .causal = true, .name = "softmax"});
}

Var logSumExp(Var x) {
    return toOne(Op::logSumExp, x, "logSumExp");
}

Var argmax(Var x) {
    return toOne(Op::argmax, x, "argmax");
}

Var topK(Var x, int k) {
    CHECK(k >= 1, "topK: expected at least 1, got {}", k);
    if (k >= x.shape().channels()) return x;
    return x.recorder().add(
        {.op = Op::topK, .shape = x.shape(), .inputs = {x.id()}, .window = k, .name = "topK"});
}

// ---- normalisation

Var layerNorm(Var x, float epsilon, Var scale, Var shift) {
    CHECK(x.shape().rank() >= 2, "layerNorm: expected at least two axes, got {}", x.shape().text());
    return normalised(x, 0, x.shape().withChannels(2), epsilon, scale, shift, "layerNorm");
}

Var groupNorm(Var x, int groups, float epsilon, Var scale, Var shift) {
    const Shape& s = x.shape();
    CHECK(s.rank() >= 2 && groups >= 1 && s.channels() % groups == 0,
          "groupNorm: expected channels divisible by {}, got {}", groups, s.text());
    return normalised(x, groups, {s[0], groups, 2}, epsilon, scale, shift, "groupNorm");
}

namespace {

Var rowsOf(Var x) {
    const int channels = int(x.shape().channels());
    return reshape(x, {int(x.shape().size() / channels), channels});
}

}  // namespace

BatchMoments batchMoments(Var x) {
    const Var rows = rowsOf(x);
    const float share = 1 / float(rows.rows());
    const Var mean = share * sumRows(rows);
    return {mean, share * sumRows(square(rows - mean))};
}

Var batchNorm(Var x, const BatchMoments& moments, float epsilon, Var scale, Var shift) {
    const Shape width{int(x.shape().channels())};
    CHECK(scale.shape() == width && shift.shape() == width,
          "batchNorm: expected a scale and a shift {}, got {} and {}", width.text(), scale.shape().text(),
          shift.shape().text());
    const Var slope = reciprocal(sqrt(moments.variance + epsilon)) * scale;
    return reshape((rowsOf(x) - moments.mean) * slope + shift, x.shape());
}

// ---- attention

Var attentionScores(Var q, Var k, int heads) {
    const Shape &s = q.shape(), &t = k.shape();
    CHECK(s.rank() == 3 && t.rank() == 3 && s[0] == t[0] && s[2] == t[2] && heads >= 1 && s[2] % heads == 0,
          "attention: expected q [B, T, D] and k [B, S, D] with D divisible by {} heads, got {} and {}",
          heads, s.text(), t.text());
    const int perHead = s[2] / heads;
    return q.recorder().add({.op = Op::headScores,
                             .shape = {s[0], heads, s[1], t[1]},
                             .inputs = {q.id(), k.id()},
                             .a = 1 / std::sqrt(float(perHead)),
                             .parts = heads,
                             .name = "attention"});
}

Var attentionWeights(Var q, Var k, int heads, bool causal) {
    const Var scores = attentionScores(q, k, heads);
    CHECK(!causal || scores.shape()[2] == scores.shape()[3],
          "attention: expected as many keys as queries, got {} and {}", q.shape().text(), k.shape().text());
    return causal ? causalSoftmax(scores) : softmax(scores);
}

Var attend(Var weights, Var v) {
    const Shape &p = weights.shape(), &s = v.shape();
    CHECK(p.rank() == 4 && s.rank() == 3 && p[0] == s[0] && p[3] == s[1] && s[2] % p[1] == 0,
          "attend: expected weights [B, heads, T, S] and v [B, S, D], got {} and {}", p.text(), s.text());
    return v.recorder().add({.op = Op::headMix,
                             .shape = {p[0], p[2], s[2]},
                             .inputs = {weights.id(), v.id()},
                             .parts = p[1],
                             .name = "attend"});
}

// ---- look-up

Var gatherRows(Var table, Var index) {
    const Shape &t = table.shape(), &i = index.shape();
    CHECK(t.rank() == 2 && i.rank() == 2,
          "gatherRows: expected a table [K, D] and an index [B, N], got {} and {}", t.text(), i.text());
    return table.recorder().add({.op = Op::gatherRows,
                                 .shape = {i[0], i[1], t[1]},
                                 .inputs = {table.id(), index.id()},
                                 .name = "gatherRows"});
}

Var scatterRows(Var x, Var index, int rows) {
    const Shape &s = x.shape(), &i = index.shape();
    CHECK(s.rank() == 3 && i.rank() == 2 && s[0] == i[0] && s[1] == i[1] && rows >= 1,
          "scatterRows: expected [B, N, D] and an index [B, N], got {} and {}", s.text(), i.text());
    return x.recorder().add({.op = Op::scatterRows,
                             .shape = {rows, s[2]},
                             .inputs = {x.id(), index.id()},
                             .name = "scatterRows"});
}

Var pick(Var x, Var index) {
    checkIndex(x.shape(), index.shape(), "pick");
    return x.recorder().add(
        {.op = Op::pick, .shape = index.shape(), .inputs = {x.id(), index.id()}, .name = "pick"});
}

Var place(Var x, Var index, int channels) {
    CHECK(x.shape() == index.shape() && x.shape().channels() == 1 && channels >= 1,
          "place: expected values and indices [..., 1], got {} and {}", x.shape().text(),
          index.shape().text());
    return x.recorder().add({.op = Op::place,
                             .shape = x.shape().withChannels(channels),
                             .inputs = {x.id(), index.id()},
                             .name = "place"});
}

Var nearestRow(Var x, Var table) {
    CHECK(x.shape().rank() >= 2 && table.shape().rank() == 2 && x.shape().channels() == table.shape()[1],
          "nearestRow: expected [..., D] and a table [K, D], got {} and {}", x.shape().text(),
          table.shape().text());
    return x.recorder().add({.op = Op::nearestRow,
                             .shape = x.shape().withChannels(1),
                             .inputs = {x.id(), table.id()},
                             .name = "nearestRow"});
}

}  // namespace core
