// Every network against PyTorch: outputs, all gradients, and the losses of ten Adam steps.
#include <QtTest>

#include "core/cpu/executor.h"
#include "tests/support/goldens.h"

using namespace core;
using support::Golden;
using support::RecordedNetwork;
using support::SmallNetwork;

class TestGoldens : public QObject {
    Q_OBJECT

  private slots:
    void aNetworkIsPyTorchs_data() {
        QTest::addColumn<int>("index");
        for (size_t i = 0; i < support::smallNetworks().size(); ++i)
            QTest::newRow(support::smallNetworks()[i].name) << int(i);
    }
    void aNetworkIsPyTorchs() {
        QFETCH(int, index);
        const SmallNetwork& network = support::smallNetworks()[size_t(index)];
        const Golden golden(network.name);
        const RecordedNetwork recorded(network);
        Store store = recorded.store();
        cpu::Pool pool(2);
        cpu::Executor executor(compile(recorded.graph, recorded.layout, {}), store, pool);
        const auto read = [&](const std::string& name) { return executor.read(name).values; };
        for (int step = 0; step < Golden::steps; ++step) {
            QVERIFY(executor.run(1, uint64_t(step)));
            if (step == 0) {
                QCOMPARE(golden.outputFault(read), std::string());
                QCOMPARE(golden.gradientFault(recorded, store.gradients), std::string());
            }
            QCOMPARE(golden.lossFault(read, step), std::string());
        }
    }
};

QTEST_APPLESS_MAIN(TestGoldens)
#include "tst_goldens.moc"
