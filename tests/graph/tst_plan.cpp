// The compiled plan against the plain one: reuse, stages, threads, probes and pruning never change a bit.
#include <QtTest>

#include <cmath>
#include <cstring>

#include "core/cpu/executor.h"
#include "core/graph/ops.h"
#include "tests/support/allocations.h"
#include "tests/support/interpreter.h"
#include "tests/support/recording.h"
#include "tests/support/small.h"

using namespace core;
using support::allocations;
using support::Recording;
using support::small;

namespace {

// What a plan is trained with: a recording, its numbers and the executor of one way to compile it.
struct Trained {
    Store store;
    cpu::Pool pool;
    cpu::Executor executor;

    Trained(const Recording& recording, const PlanOptions& options, int threads = 1)
        : store(recording.store(3)),
          pool(threads),
          executor(compile(recording.graph, recording.layout, options), store, pool) {}

    bool step(uint64_t index) {
        store.live.back() = float(index);
        return executor.run(3, index);
    }
};

bool sameBits(const Tensor& x, const Tensor& y) {
    return x.shape == y.shape && std::memcmp(x.values.data(), y.values.data(), 4 * x.values.size()) == 0;
}

// All presets, and what the presets leave out: repeated phases, double backward, state.
struct Case {
    const char *lesson, *preset;
    std::vector<std::pair<std::string, std::string>> extra;
};
const std::vector<Case>& cases() {
    static const std::vector<Case> all = [] {
        std::vector<Case> cases = {
            {"gan", "ring8", {{"k_d", "3"}, {"k_g", "2"}}},
            {"gan", "ring8", {{"loss", "wgan-gp"}, {"k_d", "2"}}},
            {"gan", "ring8", {{"loss", "hinge"}, {"spectral_norm", "on"}, {"k_d", "2"}}},
            {"gan", "ring8", {{"loss", "least-squares"}, {"r1", "2"}, {"depth", "4"}}},
            {"gan", "ring8", {{"k_d", "0"}}},
            {"gan", "fashion", {}},
            {"vae", "fashion16", {{"learn_sigma", "on"}, {"likelihood", "gaussian"}}},
            {"vae", "fashion2d", {{"free_bits", "0.1"}, {"anneal_steps", "4"}}},
            {"vae", "linear-gaussian", {}}};
        return cases;
    }();
    return all;
}

}  // namespace

class TestPlan : public QObject {
    Q_OBJECT

    static void addCases() {
        QTest::addColumn<int>("index");
        for (size_t i = 0; i < cases().size(); ++i) {
            QString name = QString("%1/%2").arg(cases()[i].lesson, cases()[i].preset);
            for (const auto& [knob, value] : cases()[i].extra)
                name += QString(" %1=%2").arg(knob.c_str(), value.c_str());
            QTest::newRow(qPrintable(name)) << int(i);
        }
    }
    static RunRequest request(int index, const char* batch = "29") {
        const Case& c = cases()[size_t(index)];
        RunRequest out = small(c.lesson, c.preset, c.extra);
        out.settings.emplace_back("batch", batch);
        return out;
    }

  private slots:
    void everyWayToCompileGivesTheSameBits_data() { addCases(); }
    void everyWayToCompileGivesTheSameBits() {
        QFETCH(int, index);
        const Recording recording(request(index, "131"));
        Trained plain(recording, {.reuse = false});
        Trained reused(recording, {}), staged(recording, {.byStage = true}),
            blind(recording, {.everyChannel = false});
        Trained poisoned(recording, {}), poisonedStages(recording, {.byStage = true});
        Trained shared(recording, {}, 3), sharedStages(recording, {.byStage = true}, 2);
        for (uint64_t i = 0; i < 5; ++i) {
            poisoned.executor.poison();
            poisonedStages.executor.poison();
            QVERIFY(plain.step(i));
            for (Trained* other :
                 {&reused, &staged, &blind, &poisoned, &poisonedStages, &shared, &sharedStages}) {
                QVERIFY(other->step(i));
                QCOMPARE(other->store.hash(), plain.store.hash());
            }
            for (const auto& [channel, id] : recording.graph->probes) {
                const Tensor expected = plain.executor.read(channel);
                for (Trained* other : {&reused, &staged, &shared, &sharedStages})
                    QVERIFY2(sameBits(other->executor.read(channel), expected), channel.c_str());
            }
        }
        QVERIFY(reused.executor.plan().arenaSize < plain.executor.plan().arenaSize);
        QVERIFY(blind.executor.plan().arenaSize <= reused.executor.plan().arenaSize);
    }

    void aStepMatchesDoublePrecision_data() { addCases(); }
    void aStepMatchesDoublePrecision() {
        QFETCH(int, index);
        const Recording recording(request(index));
        Trained trained(recording, {});
        support::Interpreter oracle(recording.graph, recording.layout);
        oracle.load(trained.store);
        trained.step(0);
        oracle.run(3, 0);
        for (const auto& [channel, id] : recording.graph->probes) {
            if (recording.graph->phases.size() > 1 &&
                recording.graph->phases[size_t(recording.graph->nodes[size_t(id)].phase)].repeats() == 0)
                continue;
            const Tensor got = trained.executor.read(channel);
            const std::vector<double>& expected = oracle.value(id);
            double scale = 1e-2, error = 0;
            for (size_t i = 0; i < expected.size(); ++i) {
                scale = std::max(scale, std::abs(expected[i]));
                error = std::max(error, std::abs(double(got.values[i]) - expected[i]));
            }
            // Adam's first steps are the sign of the gradient: a repeat sees rounding made larger.
            QVERIFY2(error < 2e-3 * scale,
                     qPrintable(QString("%1: %2 of %3").arg(channel.c_str()).arg(error).arg(scale)));
        }
    }

    void productsAddTheirBias() {
        const Recording recording(small("gan", "ring8"));
        const auto carried = [&](const PlanOptions& options) {
            const Plan plan = compile(recording.graph, recording.layout, options);
            return std::count_if(plan.biased.begin(), plan.biased.end(), [](NodeId sum) { return sum >= 0; });
        };
        // Three layers of G and twice of D for the discriminator's loss, of G and D for the generator's; what
        // is seen keeps a place of its own.
        QVERIFY2(carried({}) >= 10, qPrintable(QString::number(carried({}))));
        QCOMPARE(carried({.reuse = false}), 0);
    }

    void aStepAllocatesNothing_data() { addCases(); }
    void aStepAllocatesNothing() {
        QFETCH(int, index);
        const Recording recording(request(index));
        for (int threads : {1, 2})
            for (bool byStage : {false, true}) {
                Trained trained(recording, {.byStage = byStage}, threads);
                trained.step(0);
                const int64_t before = allocations;
                for (uint64_t i = 1; i < 4; ++i) trained.step(i);
                QCOMPARE(allocations - before, int64_t(0));
            }
        const int64_t before = allocations;  // the counter does count
        ::operator delete(::operator new(8));
        QVERIFY(allocations > before);
    }

    // L layers each. D's phase: G forward; D forward twice; back through each to every weight, and to
    // every activation but the input. G's phase: both forward; back through D to its input only, and through
    // G.
    void onlyTheGradientsThatAreUsedAreComputed() {
        for (int depth : {1, 2, 3}) {
            const Recording recording(small("gan", "ring8", {{"depth", std::to_string(depth)}}));
            const Plan plan = compile(recording.graph, recording.layout, {});
            int products[2] = {0, 0};
            for (size_t id = 0; id < plan.alive.size(); ++id) {
                const Node& n = recording.graph->nodes[id];
                if (plan.alive[id] && n.op == Op::matmul) ++products[n.phase];
            }
            const int L = depth + 1;
            QCOMPARE(products[0], L + 2 * L + 2 * L + 2 * (L - 1));
            QCOMPARE(products[1], L + L + L + L + (L - 1));
        }
    }

    void channelsThatNobodyAskedForAreNotComputed() {
        Recording recording(small("gan", "ring8"));
        Recorder r(recording.layout, Recorder::Access::view);
        recording.lesson->view(r);
        const auto graph = std::make_shared<const Graph>(r.take());
        const auto alive = [&](std::set<std::string> channels) {
            const Plan plan =
                compile(graph, recording.layout, {.channels = std::move(channels), .everyChannel = false});
            return std::count(plan.alive.begin(), plan.alive.end(), true);
        };
        QCOMPARE(alive({}), 0);
        QVERIFY(alive({"samples"}) > 0);
        QVERIFY(alive({"samples"}) < alive({"samples", "d_field"}));
        QVERIFY_EXCEPTION_THROWN(alive({"sample"}), Error);
    }

    void aPhaseThatDoesNotRunKeepsItsChannels() {
        for (bool byStage : {false, true}) {
            const Recording recording(small("gan", "ring8"));
            Trained trained(recording, {.byStage = byStage});
            for (uint64_t i = 0; i < 3; ++i) trained.step(i);
            const Tensor fake = trained.executor.read("fake"), loss = trained.executor.read("loss_g");
            const Tensor real = trained.executor.read("real");
            recording.lesson->knob("freeze_g").set(1);
            for (uint64_t i = 3; i < 6; ++i) trained.step(i);
            QVERIFY(sameBits(trained.executor.read("fake"), fake));
            QVERIFY(sameBits(trained.executor.read("loss_g"), loss));
            QVERIFY(!sameBits(trained.executor.read("real"), real));
        }
    }

    void valuesBeforeAndAfterAnUpdateAreOldAndNew() {
        for (bool byStage : {false, true})
            for (bool reuse : {false, true}) {
                Layout layout;
                Recorder r(layout, Recorder::Access::train);
                r.stage("before");
                const Var w = r.parameter("w", {31, 7}, {Initial::normal, 1});
                const Var s = r.state("s", {1, 7}, {Initial::normal, 1});
                r.probe("old", 2.0f * w);
                r.probe("old_state", s * 3.0f);
                r.update(r.gradients(sum(square(w)), "w"), Sgd{{0.25f}});  // w := w - 2 w / 4
                r.assign(s, s + 1);
                r.stage("after");
                r.probe("new", 2.0f * w);
                r.probe("new_state", s * 3.0f);
                const auto graph = std::make_shared<const Graph>(r.take());
                Store store;
                store.initialise(layout, 1, 5);
                cpu::Pool pool(2);
                cpu::Executor executor(compile(graph, layout, {.byStage = byStage, .reuse = reuse}), store,
                                       pool);
                for (uint64_t step = 0; step < 3; ++step) {
                    const Weights before = store.weights;
                    QVERIFY(executor.run(1, step));
                    const auto check = [&](const char* channel, const Buffer& values, float factor) {
                        const Tensor got = executor.read(channel);
                        for (size_t i = 0; i < got.values.size(); ++i)
                            QCOMPARE(got.values[i], factor * values[i]);
                    };
                    check("old", before.parameters, 2);
                    check("new", store.weights.parameters, 2);
                    check("old_state", before.state, 3);
                    check("new_state", store.weights.state, 3);
                    QCOMPARE(store.weights.parameters[0], before.parameters[0] / 2);
                    QCOMPARE(store.weights.state[0], before.state[0] + 1);
                }
            }
    }

    // What reads the old value may be many levels deeper than what the update waits for.
    void anUpdateWaitsForLateReadersOfTheOldValue() {
        for (bool byStage : {false, true}) {
            Layout layout;
            Recorder r(layout, Recorder::Access::train);
            const Var w = r.parameter("w", {31, 7}, {Initial::normal, 1});
            const Var s = r.state("s", {31, 7}, {Initial::normal, 1});
            Var deep = sum(square(r.normal("x", {5, 3})));
            for (int i = 0; i < 3; ++i) deep = sum(broadcastTo(deep, {4, 4})) / 16;
            r.probe("depth", deep);
            r.probe("old", w * deep);
            r.probe("old_state", s * deep);
            r.update(r.gradients(sum(square(w)), "w"), Sgd{{0.25f}});
            r.assign(s, r.uniform("u", {31, 7}));
            const auto graph = std::make_shared<const Graph>(r.take());
            Store store;
            store.initialise(layout, 1, 5);
            cpu::Pool pool(2);
            cpu::Executor executor(compile(graph, layout, {.byStage = byStage}), store, pool);
            for (uint64_t step = 0; step < 3; ++step) {
                const Weights before = store.weights;
                QVERIFY(executor.run(1, step));
                const float factor = executor.read("depth").values[0];
                const Tensor old = executor.read("old"), oldState = executor.read("old_state");
                for (size_t i = 0; i < old.values.size(); ++i) {
                    QCOMPARE(old.values[i], factor * before.parameters[i]);
                    QCOMPARE(oldState.values[i], factor * before.state[i]);
                }
            }
        }
    }

    // It could run at once, but would be kept in memory until a later group reads it.
    void whatALaterGroupReadsAloneRunsInIt() {
        Layout layout;
        Recorder r(layout, Recorder::Access::train);
        const Var w = r.parameter("w", {8, 8}, {Initial::normal, 1});
        const Var early = matmul(r.normal("x", {64, 4}), r.constant({4, 8}, std::vector<float>(32, 0.5f)));
        const Var turned = matmul(r.fill({1, 8}, 1), transpose(w));
        r.probe("scaled", early * turned);
        r.update(r.gradients(sum(square(w)), "w"), Sgd{{0.25f}});
        const Plan plan = compile(std::make_shared<const Graph>(r.take()), layout, {});
        QVERIFY(plan.places[size_t(early.id())].memory == Place::slab);
        QVERIFY(plan.places[size_t(turned.id())].memory == Place::arena);
    }

    // What reads a parameter does not wait for its readers beyond the update.
    void whatIsReadBeforeAnUpdateIsNotPostponed() {
        Layout layout;
        Recorder r(layout, Recorder::Access::train);
        const Var w = r.parameter("w", {31, 7}, {Initial::normal, 1});
        const Var doubled = w + w;
        Var deep = sum(square(r.normal("x", {5, 3})));
        for (int i = 0; i < 3; ++i) deep = sum(broadcastTo(deep, {4, 4})) / 16;
        r.probe("depth", deep);
        r.probe("late", doubled * deep);
        r.update(r.gradients(sum(square(w)), "w"), Sgd{{0.25f}});
        const auto graph = std::make_shared<const Graph>(r.take());
        Store store;
        store.initialise(layout, 1, 5);
        cpu::Pool pool(2);
        cpu::Executor executor(compile(graph, layout, {}), store, pool);
        const Weights before = store.weights;
        QVERIFY(executor.run(1, 0));
        const float factor = executor.read("depth").values[0];
        const Tensor late = executor.read("late");
        for (size_t i = 0; i < late.values.size(); ++i)
            QCOMPARE(late.values[i], 2 * before.parameters[i] * factor);
    }

    // The critical path of a step is its number of barriers.
    void aStepHasFewBarriers_data() {
        QTest::addColumn<QString>("lesson");
        QTest::addColumn<QString>("preset");
        QTest::addColumn<int>("bound");
        QTest::newRow("gan/ring8") << "gan"
                                   << "ring8" << 12;
        QTest::newRow("vae/fashion16") << "vae"
                                       << "fashion16" << 7;
    }
    void aStepHasFewBarriers() {
        QFETCH(QString, lesson);
        QFETCH(QString, preset);
        QFETCH(int, bound);
        const Recording recording(small(lesson.toStdString(), preset.toStdString()));
        const Plan plan = compile(recording.graph, recording.layout, {});
        int nodes = 0;
        for (size_t id = 0; id < plan.alive.size(); ++id)
            nodes += plan.alive[id] && recording.graph->nodes[id].op > Op::reshape;
        qInfo("%d levels for %d nodes", plan.levelCount(), nodes);
        QVERIFY2(plan.levelCount() <= bound, qPrintable(QString::number(plan.levelCount())));
    }
};

QTEST_APPLESS_MAIN(TestPlan)
#include "tst_plan.moc"
