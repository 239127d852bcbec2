// Phases that repeat within a step: what they read from outside, and what is computed in the first repetition
// alone.
#include <QtTest>

#include "core/cpu/executor.h"
#include "core/graph/gradient.h"
#include "core/graph/ops.h"

using namespace core;

class TestRepeatedPhases : public QObject {
    Q_OBJECT

  private slots:
    // A value from outside a repeated phase lives until its last repetition has read it.
    void aRepeatedPhaseReadsWhatAnEarlierOneMade() {
        std::vector<uint64_t> hashes;
        for (bool reuse : {false, true})
            for (bool byStage : {false, true}) {
                Layout layout;
                Recorder r(layout, Recorder::Access::train);
                r.phase("once");
                const Var x = tanh(r.normal("x", {64, 8}));
                r.phase("thrice", [] { return 3; });
                r.stage("early");
                const Var s = r.state("s", {1, 8}, {Initial::constant, 0});
                const Var u = x * r.uniform("u", {64, 8});
                const Var square8 = matmulTransposedLeft(u, u);  // [8, 8]; x has been read for the last time
                r.stage("late");
                const Var q = matmul(tanh(r.uniform("v", {64, 8})), square8);
                const Var p = matmul(exp(0.01f * q), square8);
                r.assign(s, s + sumRows(p));
                const auto graph = std::make_shared<const Graph>(r.take());
                Store store;
                store.initialise(layout, 0, 5);
                cpu::Pool pool(1);
                cpu::Executor executor(compile(graph, layout, {.byStage = byStage, .reuse = reuse}), store,
                                       pool);
                for (uint64_t step = 0; step < 3; ++step) QVERIFY(executor.run(1, step));
                QVERIFY(store.weights.state[0] != 0.0f);
                hashes.push_back(store.hash());
            }
        for (uint64_t hash : hashes) QCOMPARE(hash, hashes[0]);
    }

    // A phase that repeats within a step, against a step for each of its repetitions: the weights that it
    // leaves alone are turned and laid in panels once, and anew in the next step. It turns a knob, trains a
    // weight and may be skipped.
    void whatARepetitionLeavesAsItIsIsComputedOnce() {
        constexpr int64_t rows = 515, width = 131;
        const std::vector<int> timesInStep{4, 0, 3, 1};
        int times = 0;
        bool last = true;
        const auto record = [&](Layout& layout) {
            Recorder r(layout, Recorder::Access::train);
            r.phase("often", [&] { return times; });
            const Var w = r.parameter("w", {width, width}, {Initial::normal, 0.05f});
            const Var v = r.parameter("v", {width, width}, {Initial::normal, 0.05f});
            const Var x = r.state("x", {rows, width}, {Initial::normal, 1});
            r.stage("move");
            const Var inner = tanh(matmul(x, transpose(w))), steady = sigmoid(w);
            r.assign(x, 0.9f * x + matmul(inner, matmul(transpose(v), steady) + r.live(0) * w));
            r.stage("train");
            r.update(r.gradients(sum(matmul(inner, v) * matmul(x, steady)), "v"), Sgd{{0.001f}});
            r.phase("weights", [&] { return last ? 1 : 0; });
            r.update(r.gradients(sum(square(w)), "w"), Sgd{{0.01f}});
            return std::make_shared<const Graph>(r.take());
        };
        std::vector<uint64_t> hashes;
        const auto train = [&](bool together, const PlanOptions& options, int threads) {
            Layout layout;
            const auto graph = record(layout);
            Plan plan = compile(graph, layout, options);
            int steady = 0, segments = 0;
            for (const Segment& segment : plan.segments) {
                if (segment.phase != 0) continue;
                ++segments;
                for (const Level& level : segment.levels)
                    steady +=
                        int(std::count_if(level.begin(), level.end(), [](auto& g) { return g.steady; }));
            }
            QCOMPARE(segments, options.byStage ? 2 : 1);
            QCOMPARE(steady, 2);  // w turned, and its sigmoid
            Store store;
            store.initialise(layout, int(graph->updates.size()), 5);
            store.live.assign(2, 0);
            cpu::Pool pool(threads);
            cpu::Executor executor(std::move(plan), store, pool);
            uint64_t steps = 0;
            const auto step = [&](int turn, int repetitions, bool updates) {
                times = repetitions;
                last = updates;
                executor.poison();
                for (int segment = 0, ends = 0; ends == 0; ++segment) {
                    const int repetition = segment / segments;
                    store.live[0] = 1 + 0.125f * float(turn + repetition);
                    ends = executor.runSegment(1, steps) ? 1 : 0;
                }
                ++steps;
            };
            for (size_t i = 0; i < timesInStep.size(); ++i) {
                if (together) {
                    step(int(i), timesInStep[i], true);
                } else {
                    for (int t = 0; t < timesInStep[i]; ++t) step(int(i) + t, 1, false);
                    step(0, 0, true);
                }
            }
            QVERIFY(executor.finite());
            store.live.assign(2, 0);
            hashes.push_back(store.hash());
        };
        train(false, {.reuse = false}, 1);
        for (bool byStage : {false, true})
            for (bool reuse : {false, true})
                for (int threads : {1, 3}) train(true, {.byStage = byStage, .reuse = reuse}, threads);
        for (uint64_t hash : hashes) QCOMPARE(hash, hashes[0]);
    }
};

QTEST_APPLESS_MAIN(TestRepeatedPhases)
#include "tst_repeated_phases.moc"
