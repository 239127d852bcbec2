// Every operation is a row of one table: its gradient, the gradient of its gradient and its
// single-precision kernels are checked for all rows. Adding an operation adds a row.
#include <QtTest>

#include <cmath>
#include <set>

#include "core/cpu/executor.h"
#include "tests/support/interpreter.h"
#include "tests/support/op_rows.h"

using namespace core;
using namespace support;

namespace {

// The largest |claimed - difference| over the largest difference, over at most 60 elements of every input.
double differenceError(const Recorded& recorded, NodeId of, const std::vector<NodeId>& gradients) {
    Interpreter oracle(recorded.graph, recorded.layout);
    oracle.run(3, 5);
    std::vector<std::vector<double>> claimed;
    for (NodeId id : gradients) claimed.push_back(oracle.value(id));
    double error = 0, scale = 1e-3;
    for (size_t k = 0; k < recorded.inputs.size(); ++k) {
        const size_t n = claimed[k].size(), apart = std::max<size_t>(1, n / 60);
        for (size_t i = 0; i < n; i += apart) {
            double& x = oracle.leaf(recorded.inputs[k])[i];
            const double centre = x, h = 1e-4;
            const auto at = [&](double value) {
                x = value;
                oracle.run(3, 5);
                return oracle.value(of)[0];
            };
            // Fourth order, so that the rest is rounding.
            const double slope =
                (8 * (at(centre + h) - at(centre - h)) - at(centre + 2 * h) + at(centre - 2 * h)) / (12 * h);
            x = centre;
            error = std::max(error, std::abs(slope - claimed[k][i]));
            scale = std::max(scale, std::abs(slope));
        }
    }
    return error / scale;
}

// What is refused, by an error that begins with the row's first word and holds the shapes of all inputs.
struct Wrong {
    const char* name;
    std::vector<Shape> inputs;
    std::function<Var(const Inputs&)> build;
};

const std::vector<Wrong>& wrongs() {
    using In = const Inputs&;
    static const std::vector<Wrong> rows = {
        {"add", {{7, 5}, {6, 4}}, [](In x) { return x[0] + x[1]; }},
        {"subtract", {{7, 5}, {6, 4}}, [](In x) { return x[0] - x[1]; }},
        {"multiply", {{7, 5}, {6, 4}}, [](In x) { return x[0] * x[1]; }},
        {"divide", {{7, 5}, {6, 4}}, [](In x) { return x[0] / x[1]; }},
        {"add tokens", {{3, 5, 7}, {5, 1}}, [](In x) { return x[0] + x[1]; }},
        {"add images", {{3, 5, 4, 7}, {3, 1, 4, 7}}, [](In x) { return x[0] + x[1]; }},
        {"matmul", {{7, 5}, {6, 4}}, [](In x) { return matmul(x[0], x[1]); }},
        {"matmulTransposedLeft", {{7, 5}, {6, 4}}, [](In x) { return matmulTransposedLeft(x[0], x[1]); }},
        {"reshape", {{7, 5}, {6, 4}}, [](In x) { return reshape(x[0], x[1].shape()); }},
        {"sum", {{7, 5}, {6, 4}}, [](In x) { return sumTo(x[0], x[1].shape()); }},
        {"broadcast", {{7, 5}, {6, 4}}, [](In x) { return broadcastTo(x[0], x[1].shape()); }},
        {"concatRows", {{7, 5}, {6, 4}}, [](In x) { return concatRows(x[0], x[1]); }},
        {"concatColumns", {{7, 5}, {6, 4}}, [](In x) { return concatColumns(x[0], x[1]); }},
        {"concatColumns of tokens", {{7, 5, 2}, {7, 4, 2}}, [](In x) { return concatColumns(x[0], x[1]); }},
        {"dropout", {{7}}, [](In x) { return dropout(x[0], "m", x[0]); }},
        {"upsample", {{7, 5}}, [](In x) { return upsample(x[0], 2); }},
        {"sumPool", {{2, 5, 4, 3}}, [](In x) { return sumPool(x[0], 2); }},
        {"depthToSpace", {{2, 5, 4, 6}}, [](In x) { return depthToSpace(x[0], 2); }},
        {"spaceToDepth", {{2, 5, 4, 6}}, [](In x) { return spaceToDepth(x[0], 2); }},
        {"padImage", {{7, 5}}, [](In x) { return padImage(x[0], 2); }},
        {"cropImage", {{2, 5, 4, 6}}, [](In x) { return cropImage(x[0], 2); }},
        {"causalSoftmax", {{7, 5}}, [](In x) { return causalSoftmax(x[0]); }},
        {"layerNorm", {{3, 5, 7}, {5}}, [](In x) { return layerNorm(x[0], 0, x[1], x[1]); }},
        {"groupNorm", {{3, 5, 6}, {2, 6}}, [](In x) { return groupNorm(x[0], 2, 0, x[1], x[1]); }},
        {"groupNorm in parts", {{3, 5, 7}}, [](In x) { return groupNorm(x[0], 2, 0); }},
        {"gatherRows", {{7, 5}, {2, 3, 1}}, [](In x) { return gatherRows(x[0], x[1]); }},
        {"scatterRows", {{2, 3, 5}, {3, 2}}, [](In x) { return scatterRows(x[0], x[1], 7); }},
        {"pick", {{2, 3, 5}, {2, 3, 2}}, [](In x) { return pick(x[0], x[1]); }},
        {"place", {{2, 3, 1}, {3, 2, 1}}, [](In x) { return place(x[0], x[1], 5); }},
        {"nearestRow", {{2, 3, 5}, {7, 4}}, [](In x) { return nearestRow(x[0], x[1]); }},
    };
    return rows;
}

void addRows(bool onlyTwice = false) {
    QTest::addColumn<int>("index");
    for (size_t i = 0; i < table().size(); ++i)
        if (table()[i].twice || !onlyTwice) QTest::newRow(table()[i].name) << int(i);
}

}  // namespace

class TestOps : public QObject {
    Q_OBJECT

  private slots:
    void everyOperationIsInTheTable() {
        std::set<Op> seen = {Op::update, Op::assign};  // effects: updatesAndAssignmentsMatchTheReference
        for (const Row& row : table()) {
            const auto recorded = record(row);
            // What the row itself recorded, not what differentiating it added: but for an operation that has
            // no second gradient, its first is all there is to check.
            const NodeId last = row.twice ? recorded->loss : recorded->penalty;
            for (NodeId id = 0; id <= last; ++id) seen.insert(recorded->graph->nodes[size_t(id)].op);
        }
        // concat is an addition of padded operands.
        for (int op = int(Op::fill); op < int(Op::count); ++op)
            QVERIFY2(seen.count(Op(op)), qPrintable(QString("op number %1 of op.h has no row").arg(op)));
    }

    void gradientMatchesDifferences_data() { addRows(); }
    void gradientMatchesDifferences() {
        QFETCH(int, index);
        const auto recorded = record(table()[size_t(index)]);
        const double error = differenceError(*recorded, recorded->loss, recorded->first);
        QVERIFY2(error < 1e-6, qPrintable(QString::number(error)));
    }

    void gradientOfTheGradientMatchesDifferences_data() { addRows(true); }
    void gradientOfTheGradientMatchesDifferences() {
        QFETCH(int, index);
        const auto recorded = record(table()[size_t(index)]);
        const double error = differenceError(*recorded, recorded->penalty, recorded->second);
        QVERIFY2(error < 1e-6, qPrintable(QString::number(error)));
    }

    void singlePrecisionMatchesDouble_data() { addRows(); }
    void singlePrecisionMatchesDouble() {
        QFETCH(int, index);
        const auto recorded = record(table()[size_t(index)]);
        Interpreter oracle(recorded->graph, recorded->layout);
        oracle.run(3, 5);
        for (const char* isa : {"sse", "avx2", "avx512"}) {
            const cpu::KernelSet* kernels = cpu::kernelsNamed(isa);
            if (!kernels) continue;
            Store store;
            store.initialise(recorded->layout, 0, 1);
            cpu::Pool pool(2);
            cpu::Executor executor(compile(recorded->graph, recorded->layout, {}), store, pool, *kernels);
            executor.poison();
            executor.run(3, 5);
            for (const auto& [channel, id] : recorded->graph->probes) {
                const std::vector<double>& expected = oracle.value(id);
                const Tensor got = executor.read(channel);
                double scale = 1, error = 0;
                for (double x : expected) scale = std::max(scale, std::abs(x));
                for (size_t i = 0; i < expected.size(); ++i) {
                    QVERIFY(std::isfinite(got.values[i]));
                    error = std::max(error, std::abs(double(got.values[i]) - expected[i]));
                }
                QVERIFY2(error < 4e-6 * scale,
                         qPrintable(
                             QString("%1 on %2: %3 of %4").arg(channel.c_str(), isa).arg(error).arg(scale)));
            }
        }
    }

    void detachedValuesPassNoGradient() {
        Layout layout;
        Recorder r(layout, Recorder::Access::train);
        const Var x = r.handle("x", {3, 2}, {1, 2, 3, 4, 5, 6});
        r.probe("g", r.gradient(sum(x * detach(square(x))), {x})[0]);
        const NodeId g = r.graph().probes.at("g");
        auto graph = std::make_shared<const Graph>(r.take());
        Interpreter oracle(graph, layout);
        oracle.run(1, 0);
        for (int i = 0; i < 6; ++i) QCOMPARE(oracle.value(g)[size_t(i)], double((i + 1) * (i + 1)));
    }

    void updatesAndAssignmentsMatchTheReference() {
        Layout layout;
        const auto graph = recordUpdates(layout);
        Store store;
        store.initialise(layout, 3, 9);
        store.live.assign(1, 0);
        Interpreter oracle(graph, layout);
        oracle.load(store);
        cpu::Pool pool(2);
        cpu::Executor executor(compile(graph, layout, {}), store, pool);
        for (uint64_t step = 0; step < 20; ++step) {
            QVERIFY(executor.run(9, step));
            oracle.run(9, step);
        }
        for (int entry = 0; entry < int(layout.entries().size()); ++entry) {
            const Layout::Entry& e = layout.entries()[size_t(entry)];
            const Buffer& buffer = e.trained ? store.weights.parameters : store.weights.state;
            for (int64_t i = 0; i < e.shape.size(); ++i) {
                const double expected = oracle.parameter(entry)[size_t(i)];
                const double got = double(buffer[size_t(e.offset + i)]);
                QVERIFY2(std::abs(got - expected) < 2e-5, qPrintable(QString("%1[%2]: %3, expected %4")
                                                                         .arg(e.name.c_str())
                                                                         .arg(i)
                                                                         .arg(got)
                                                                         .arg(expected)));
            }
        }
    }

    void shapeErrorsNameTheOperationAndBothShapes_data() {
        QTest::addColumn<int>("which");
        for (size_t i = 0; i < wrongs().size(); ++i) QTest::newRow(wrongs()[i].name) << int(i);
    }
    void shapeErrorsNameTheOperationAndBothShapes() {
        QFETCH(int, which);
        Layout layout;
        Recorder r(layout, Recorder::Access::train);
        const Wrong& wrong = wrongs()[size_t(which)];
        Inputs x;
        for (const Shape& shape : wrong.inputs) x.push_back(r.normal(fmt::format("x{}", x.size()), shape));
        try {
            wrong.build(x);
            QFAIL("no error");
        } catch (const Error& e) {
            const QString said = e.what();
            const QString tag = QTest::currentDataTag();
            QVERIFY2(said.startsWith(tag.section(' ', 0, 0) + ":"), e.what());
            for (const Shape& shape : wrong.inputs)
                QVERIFY2(said.contains(QString::fromStdString(shape.text())), e.what());
        }
    }

    void slicesOutsideAreRefused() {
        Layout layout;
        Recorder r(layout, Recorder::Access::train);
        const Var x = r.normal("x", {7, 5});
        QVERIFY_EXCEPTION_THROWN(sliceRows(x, 5, 3), Error);
        QVERIFY_EXCEPTION_THROWN(sliceRows(x, -1, 3), Error);
        QVERIFY_EXCEPTION_THROWN(sliceColumns(x, 2, 4), Error);
        QVERIFY_EXCEPTION_THROWN(r.gradient(x, {x}), Error);
    }
};

QTEST_APPLESS_MAIN(TestOps)
#include "tst_ops.moc"
