// What becomes one launch on a card, and what a machine without a card is told; needs none.
#include <QTemporaryFile>
#include <QtTest>

#include "core/cuda/cluster.h"
#include "core/cuda/plugin.h"
#include "core/graph/ops.h"

using namespace core;
using cuda::Cluster;
using cuda::ClusterBuilder;
using cuda::Clusters;
using cuda::Kind;

namespace {

struct Built {
    Layout layout;
    Plan plan;
    Clusters clusters;

    int count(Kind kind) const {
        return int(std::count_if(clusters.all.begin(), clusters.all.end(),
                                 [&](const Cluster& c) { return c.kind == kind; }));
    }
};

template <class Record>
std::unique_ptr<Built> build(const Record& record, bool exact = false) {
    auto out = std::make_unique<Built>();
    Recorder r(out->layout, Recorder::Access::train);
    record(r);
    out->plan = compile(std::make_shared<const Graph>(r.take()), out->layout, {});
    out->clusters = ClusterBuilder(out->plan, exact).build();
    return out;
}

Var layer(Recorder& r, Var x, int from, int to, const std::string& name) {
    const Var w = r.parameter(name + ".weight", {to, from}, {Initial::uniform, 0.5f});
    return matmul(x, transpose(w)) + r.parameter(name + ".bias", {to}, {});
}

}  // namespace

class TestCluster : public QObject {
    Q_OBJECT

  private slots:
    void aLayerIsOneLaunch() {
        const auto built = build([](Recorder& r) {
            r.probe("y",
                    leakyRelu(layer(r, r.handle("x", {13, 7}, std::vector<float>(91)), 7, 5, "0"), 0.2f));
        });
        QCOMPARE(built->clusters.all.size(), size_t(1));
        QCOMPARE(built->clusters.all[0].kind, Kind::product);
        QCOMPARE(built->clusters.all[0].program.code.size(), size_t(2));  // bias and slope
    }

    // Looking must not change what is computed together.
    void channelsChangeNothingButWhatIsStored() {
        const auto record = [](bool look) {
            return [look](Recorder& r) {
                const Var h = layer(r, r.handle("x", {13, 7}, std::vector<float>(91)), 7, 5, "0");
                if (look) r.probe("h", h);
                r.probe("y", leakyRelu(h, 0.2f));
            };
        };
        const auto plain = build(record(false)), looked = build(record(true));
        QCOMPARE(plain->clusters.all.size(), looked->clusters.all.size());
        QCOMPARE(plain->clusters.all[0].program.sinks.size(), size_t(1));
        QCOMPARE(looked->clusters.all[0].program.sinks.size(), size_t(2));
        QCOMPARE(plain->clusters.all[0].program.code.size(), looked->clusters.all[0].program.code.size());
    }

    void weightGradientsAreWrittenAsTheWeightsLie() {
        const auto built = build([](Recorder& r) {
            const Var h = leakyRelu(layer(r, r.normal("x", {13, 7}), 7, 6, "0"), 0.2f);
            r.minimize(mean(square(layer(r, h, 6, 5, "1"))), "", Adam{{0.01f}, {0.9f}});
        });
        QCOMPARE(built->count(Kind::transpose), 0);
        QCOMPARE(built->count(Kind::product), 5);  // two layers, two weights, one gradient of h
        // The biases' gradients come with the weights'.
        int sums = 0;
        for (const Cluster& c : built->clusters.all) sums += c.columnSums >= 0 ? 1 : 0;
        QCOMPARE(sums, 2);
        QCOMPARE(built->count(Kind::update), 1);
    }

    // A norm's gradient sums its lines for those of its scale and shift, and of the gate on what it ends
    // with.
    void gradientsOfNormsSumTheirLines() {
        for (const bool exact : {false, true}) {
            const auto built = build(
                [](Recorder& r) {
                    const auto part = [&](const char* name) { return r.parameter(name, {5, 12}, {}); };
                    Var h = r.normal("x", {5, 7, 12});
                    h = layer(r, h, 12, 12, "0");
                    for (int i = 0; i < 2; ++i)
                        h = h + part(i ? "g1" : "g0") * square(layerNorm(h, 1e-5f, 1 + part(i ? "a1" : "a0"),
                                                                         part(i ? "b1" : "b0")));
                    r.minimize(mean(square(h)), "", Adam{{0.01f}, {0.9f}});
                },
                exact);
            int scales = 0, shifts = 0, last = 0;
            for (const Cluster& c : built->clusters.all) {
                scales += c.scaleSums >= 0 ? 1 : 0;
                shifts += c.shiftSums >= 0 ? 1 : 0;
                last += c.lastSums >= 0 ? 1 : 0;
                if (c.scaleSums >= 0) QCOMPARE(c.outer * c.length, 35);
            }
            QCOMPARE(scales, exact ? 0 : 2);
            QCOMPARE(shifts, exact ? 0 : 2);
            QCOMPARE(last, exact ? 0 : 1);
            QCOMPARE(built->count(Kind::normaliseGradient), 2);
        }
    }

    // What only norms and gradients of lines read as s + 1 is made of s by themselves, in FP32 too.
    void aScalePlusOneHasNoLaunch() {
        const auto count = [](bool look, bool train, int channels, bool exact) {
            const auto built = build(
                [&](Recorder& r) {
                    const Var all = layer(r, r.normal("c", {5, 8}), 8, 2 * channels, "0");
                    const Var scale = 1 + sliceColumns(all, 0, channels);
                    if (look) r.probe("scale", scale);
                    Var h = layer(r, r.normal("x", {5, 7, channels}), channels, channels, "1");
                    h = layerNorm(h, 1e-5f, scale, sliceColumns(all, channels, channels));
                    if (train)
                        r.minimize(mean(square(h)), "", Adam{{0.01f}, {0.9f}});
                    else
                        r.probe("h", h);
                },
                exact);
            return built->count(Kind::pointwise);
        };
        for (const bool exact : {false, true}) {
            QCOMPARE(count(true, false, 13, exact) - count(false, false, 13, exact), 1);
            QCOMPARE(count(true, true, 12, exact) - count(false, true, 12, exact), 1);
            QCOMPARE(count(true, true, 13, exact) - count(false, true, 13, exact), 0);
        }
        const auto weight = build([](Recorder& r) {  // which may change before it is read
            r.probe("h", layerNorm(r.normal("x", {5, 12}), 1e-5f, 1 + r.parameter("s", {12}, {}),
                                   r.parameter("b", {12}, {})));
        });
        QCOMPARE(weight->count(Kind::pointwise), 2);
    }

    // Attention is one launch, and its gradient another, whoever looks at what is in between; in FP32
    // neither.
    void attentionIsOneLaunch() {
        for (const bool look : {false, true})
            for (const bool exact : {false, true}) {
                const auto built = build(
                    [&](Recorder& r) {
                        const Var x = r.normal("x", {3, 10, 8});
                        const Var q = layer(r, x, 8, 8, "q"), k = layer(r, x, 8, 8, "k");
                        const Var scores = attentionScores(q, k, 2), weights = softmax(scores);
                        if (look) r.probe("scores", scores), r.probe("weights", weights);
                        r.minimize(mean(square(attend(weights, layer(r, x, 8, 8, "v")))), "",
                                   Adam{{0.01f}, {0.9f}});
                    },
                    exact);
                QCOMPARE(built->count(Kind::attention), exact ? 0 : 1);
                QCOMPARE(built->count(Kind::attentionGradient), exact ? 0 : 1);
                QCOMPARE(built->count(Kind::softmax), exact ? 1 : 0);
                for (const Cluster& c : built->clusters.all) {
                    if (c.kind != Kind::attention) continue;
                    QCOMPARE(bool(built->clusters.kept[size_t(c.heads.scores)]), look);
                    QVERIFY(built->clusters.kept[size_t(c.heads.weights)]);  // the gradient reads them
                }
            }
    }

    // The biases' gradients of parts of a layer come with the weights' and go straight to their place.
    void biasesOfPartsAreSummedByProducts() {
        const auto built = build([](Recorder& r) {
            const Var x = r.normal("x", {13, 7});
            const Var wT = transpose(r.parameter("w", {15, 7}, {Initial::uniform, 0.5f}));
            const Var bias = reshape(r.parameter("b", {15}, {}), {1, 15});
            Var all;
            for (int i = 0; i < 3; ++i) {
                const Var y = tanh(matmul(x, sliceColumns(wT, 5 * i, 5)) + sliceColumns(bias, 5 * i, 5));
                all = i == 0 ? y : all * y;
            }
            r.minimize(mean(all), "", Adam{{0.01f}, {0.9f}});
        });
        int sums = 0;
        for (const Cluster& c : built->clusters.all) sums += c.columnSums >= 0 ? 1 : 0;
        QCOMPARE(sums, 3);
        QCOMPARE(built->clusters.inside.size(), size_t(3));
        QCOMPARE(built->count(Kind::sum), 0);
    }

    void whatIsWrittenInBetweenSeparates() {
        const auto built = build([](Recorder& r) {
            const Var s = r.state("s", {3}, {});
            const Var twice = 2 * s;
            r.assign(s, twice + 1);
            r.probe("old", square(twice));
        });
        // The old value is taken before the state changes.
        QCOMPARE(built->clusters.all.size(), size_t(3));
        QVERIFY(built->clusters.all[0].assigned < 0);
    }

    // Products read parts of weights where they lie, also where other numbers change before the last of them.
    void weightsAreReadWhereTheyLie() {
        std::vector<NodeId> parts;
        const auto built = build([&](Recorder& r) {
            const Var h = layer(r, r.normal("x", {13, 7}), 7, 6, "0");
            const Var wT = transpose(r.parameter("w", {10, 6}, {Initial::uniform, 0.5f}));
            const Var left = sliceColumns(wT, 0, 5), right = sliceColumns(wT, 5, 5);
            parts = {wT.id(), left.id(), right.id()};
            const Var a = matmul(h, left), b = matmul(h, right);
            const Var seen = r.state("seen", {1}, {});
            r.assign(seen, seen + 1);
            r.minimize(mean(square(a * b)), "", Adam{{0.01f}, {0.9f}});
        });
        QCOMPARE(built->count(Kind::transpose), 0);
        for (NodeId part : parts) QVERIFY(!built->clusters.kept[size_t(part)]);
    }

    // But what it was before is kept where it changes before the last of them.
    void whatChangesIsTakenBefore() {
        const auto built = build([](Recorder& r) {
            const Var s = r.state("s", {5, 7}, {});
            const Var old = transpose(s);
            r.probe("a", matmul(r.normal("x", {13, 7}), old));
            r.assign(s, 2 * s);
            r.probe("b", matmul(r.normal("y", {13, 7}), old));
        });
        QCOMPARE(built->count(Kind::transpose), 1);
        QCOMPARE(built->count(Kind::product), 2);
        const auto at = [&](const auto& claim) {
            return std::find_if(built->clusters.all.begin(), built->clusters.all.end(), claim);
        };
        const auto turned = at([](const Cluster& c) { return c.kind == Kind::transpose; });
        QVERIFY(turned < at([](const Cluster& c) { return c.kind == Kind::product; }));
        QVERIFY(turned < at([](const Cluster& c) { return c.assigned >= 0; }));
    }

    void withoutAPluginOneSentenceSaysSo() {
        const cuda::Availability none = cuda::availability("/nowhere/genscope_cuda.so");
        QVERIFY(!none.there);
        QVERIFY(none.text.find("no CUDA plugin") != std::string::npos);
        QTemporaryFile file;
        QVERIFY(file.open());
        file.write("not a library");
        file.flush();
        const cuda::Availability broken = cuda::availability(file.fileName().toStdString());
        QVERIFY(!broken.there);
        QVERIFY(broken.text.find("cannot be loaded") != std::string::npos);
        QVERIFY_EXCEPTION_THROWN(cuda::Card::open(file.fileName().toStdString()), Error);
    }
};

QTEST_APPLESS_MAIN(TestCluster)
#include "tst_cluster.moc"
