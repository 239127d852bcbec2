// Every network of core/nn, at a small size: neither memory nor threads nor instruction set change a bit, and
// a number that is not finite is caught in its step, wherever it was planted.
#include <QtTest>
#include <limits>
#include <set>

#include "core/cpu/executor.h"
#include "core/session/non_finite.h"
#include "tests/support/allocations.h"
#include "tests/support/networks.h"

using namespace core;
using support::RecordedNetwork;
using support::SmallNetwork;

namespace {

constexpr float notANumber = std::numeric_limits<float>::quiet_NaN();

uint64_t hashAfterSteps(const RecordedNetwork& recorded, const PlanOptions& options, int threads,
                        const cpu::KernelSet& kernels = cpu::bestKernels()) {
    Store store = recorded.store();
    cpu::Pool pool(threads);
    cpu::Executor executor(compile(recorded.graph, recorded.layout, options), store, pool, kernels);
    for (uint64_t step = 0; step < 3; ++step) {
        executor.poison();
        if (!executor.run(1, step)) return 0;
    }
    return store.hash();
}

}  // namespace

class TestNetworks : public QObject {
    Q_OBJECT

  private slots:
    void memoryIsReusedWithoutATrace_data() { addNetworks(); }
    void memoryIsReusedWithoutATrace() {
        const RecordedNetwork recorded(network());
        const uint64_t plain = hashAfterSteps(recorded, {.reuse = false}, 1);
        QVERIFY(plain != 0);
        QVERIFY(plain != recorded.store().hash());
        QCOMPARE(hashAfterSteps(recorded, {}, 1), plain);
        QCOMPARE(hashAfterSteps(recorded, {.everyChannel = false}, 1), plain);
        const Plan reused = compile(recorded.graph, recorded.layout, {.everyChannel = false});
        const Plan kept = compile(recorded.graph, recorded.layout, {.reuse = false});
        QVERIFY(reused.arenaSize < kept.arenaSize);
    }

    void aStepAllocatesNothing_data() { addNetworks(); }
    void aStepAllocatesNothing() {
        const RecordedNetwork recorded(network());
        Store store = recorded.store();
        cpu::Pool pool(2);
        cpu::Executor executor(compile(recorded.graph, recorded.layout, {}), store, pool);
        QVERIFY(executor.run(1, 0));
        const int64_t before = support::allocations;
        bool finite = true;
        for (uint64_t step = 1; step < 4; ++step) finite = finite && executor.run(1, step);
        QCOMPARE(support::allocations - before, int64_t(0));
        QVERIFY(finite);
    }

    void threadsChangeNothing_data() { addNetworks(); }
    void threadsChangeNothing() {
        const RecordedNetwork recorded(network());
        const uint64_t one = hashAfterSteps(recorded, {}, 1);
        QVERIFY(one != 0);
        for (int threads : {2, 3, 4}) QCOMPARE(hashAfterSteps(recorded, {}, threads), one);
    }

    void instructionSetsAgree_data() { addNetworks(); }
    void instructionSetsAgree() {
        const RecordedNetwork recorded(network());
        const uint64_t expected = hashAfterSteps(recorded, {}, 1, *cpu::kernelsNamed("sse"));
        QVERIFY(expected != 0);
        for (const char* name : {"avx2", "avx512"})
            if (const cpu::KernelSet* kernels = cpu::kernelsNamed(name))
                QCOMPARE(hashAfterSteps(recorded, {}, 2, *kernels), expected);
    }

    void aPlantedNumberIsCaughtAndNamed_data() { addNetworks(); }
    void aPlantedNumberIsCaughtAndNamed() {
        const RecordedNetwork recorded(network());
        std::set<int> trained;
        for (const Update& update : recorded.graph->updates)
            trained.insert(update.entries.begin(), update.entries.end());
        for (int entry = 0; entry < int(recorded.layout.entries().size()); ++entry) {
            const Layout::Entry& e = recorded.layout.entries()[size_t(entry)];
            Store store = recorded.store();
            float* first = (e.trained ? store.weights.parameters : store.weights.state).data() + e.offset;
            // Of what no optimizer looks at, only what the step reads can be caught: not every row of a
            // table.
            if (trained.count(entry))
                first[e.shape.size() / 2] = notANumber;
            else
                std::fill_n(first, e.shape.size(), notANumber);
            expectCaught(recorded, recorded.graph, store, e.name);
        }
    }

    void aPlantedInputIsCaughtAndNamed_data() { addNetworks(); }
    void aPlantedInputIsCaughtAndNamed() {
        const RecordedNetwork recorded(network());
        for (const auto& [name, index] : recorded.graph->handles) {
            if (name == "z") continue;  // decoded to be looked at; training does not read it
            auto graph = std::make_shared<Graph>(*recorded.graph);
            std::vector<float>& values = graph->handleValues[size_t(index)];
            values[values.size() / 2] = notANumber;
            expectCaught(recorded, graph, recorded.store(), name);
        }
    }

  private:
    static void addNetworks() {
        QTest::addColumn<int>("index");
        for (size_t i = 0; i < support::smallNetworks().size(); ++i)
            QTest::newRow(support::smallNetworks()[i].name) << int(i);
    }
    static const SmallNetwork& network() {
        QFETCH(int, index);
        return support::smallNetworks()[size_t(index)];
    }

    static void expectCaught(const RecordedNetwork& recorded, const std::shared_ptr<const Graph>& graph,
                             const Store& before, const std::string& name) {
        Store store = before;
        cpu::Pool pool(1);
        cpu::Executor executor(compile(graph, recorded.layout, {}), store, pool);
        QVERIFY2(!executor.run(1, 0), name.c_str());
        const std::string culprit = firstNonFinite(graph, recorded.layout, before, 1, 0, 2);
        QVERIFY2(culprit.find(name) != culprit.npos, (name + ": " + culprit).c_str());
    }
};

QTEST_APPLESS_MAIN(TestNetworks)
#include "tst_networks.moc"
