// Every network against PyTorch: outputs, all gradients, and the losses of ten Adam steps, as
// tests/peer/make_goldens.py wrote them.
#include <QtTest>

#include "core/cpu/executor.h"
#include "core/data/idx.h"
#include "core/data/safetensors.h"
#include "tests/support/networks.h"

using namespace core;
using support::numbers;
using support::RecordedNetwork;
using support::SmallNetwork;

namespace {

constexpr double tolerance = 1e-4;
constexpr size_t samples = 64;  // of each gradient

double largest(const std::vector<float>& values) {
    double out = 0;
    for (float x : values) out = std::max(out, std::abs(double(x)));
    return out;
}

// What keeps ours from being theirs within the tolerance of `scale`; empty if nothing does.
QString difference(const std::vector<float>& ours, const std::vector<float>& theirs, double scale) {
    if (ours.size() != theirs.size())
        return QString("%1 numbers, expected %2").arg(ours.size()).arg(theirs.size());
    for (size_t i = 0; i < ours.size(); ++i)
        if (!(std::abs(double(ours[i]) - double(theirs[i])) <= tolerance * scale))
            return QString("%1 at %2, expected %3").arg(double(ours[i])).arg(i).arg(double(theirs[i]));
    return {};
}

struct Golden {
    Safetensors file;

    explicit Golden(const std::string& name) {
        const auto bytes = readFile(SOURCE_DIR "/tests/goldens/" + name + ".safetensors", 1 << 20);
        file = readSafetensors(bytes);
    }
    const std::vector<float>& at(const std::string& name) const {
        const auto it = file.tensors.find(name);
        CHECK(it != file.tensors.end(), "expected {} in the golden", name);
        return it->second.values;
    }
    std::vector<std::string> below(const std::string& folder) const {
        std::vector<std::string> out;
        for (const auto& [name, tensor] : file.tensors)
            if (name.starts_with(folder + "/")) out.push_back(name.substr(folder.size() + 1));
        return out;
    }
};

// Norm, product with a fixed vector, and some elements, in PyTorch's order.
std::vector<float> summary(const std::string& name, const std::vector<float>& g) {
    const std::vector<float> probe = numbers("probe/" + name, int64_t(g.size()));
    double squares = 0, product = 0;
    for (size_t i = 0; i < g.size(); ++i) {
        squares += double(g[i]) * double(g[i]);
        product += double(g[i]) * double(probe[i]);
    }
    std::vector<float> out = {float(std::sqrt(squares)), float(product)};
    const size_t apart = (g.size() + samples - 1) / samples;
    for (size_t i = 0; i < g.size(); i += apart) out.push_back(g[i]);
    return out;
}

}  // namespace

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

        QVERIFY(executor.run(1, 0));
        for (const std::string& name : golden.below("out")) {
            const std::vector<float>& theirs = golden.at("out/" + name);
            const QString fault = difference(executor.read(name).values, theirs, largest(theirs));
            QVERIFY2(fault.isEmpty(), qPrintable(QString::fromStdString(name) + ": " + fault));
        }
        compareGradients(golden, recorded, store);

        const std::vector<std::string> losses = golden.below("losses");
        QVERIFY(!losses.empty());
        for (size_t step = 0; step < 10; ++step) {
            if (step > 0) QVERIFY(executor.run(1, step));
            for (const std::string& name : losses) {
                const double theirs = double(golden.at("losses/" + name)[step]);
                const double ours = double(executor.read(name).values[0]);
                QVERIFY2(std::abs(ours - theirs) <= tolerance * std::abs(theirs),
                         qPrintable(QString("%1 at step %2: %3, expected %4")
                                        .arg(QString::fromStdString(name))
                                        .arg(step)
                                        .arg(ours)
                                        .arg(theirs)));
            }
        }
    }

  private:
    static void compareGradients(const Golden& golden, const RecordedNetwork& recorded, const Store& store) {
        const std::vector<std::string> names = golden.below("gradient");
        double total = 0;
        for (const std::string& name : names)
            total = std::hypot(total, double(golden.at("gradient/" + name)[0]));
        size_t trained = 0;
        for (const Update& update : recorded.graph->updates) trained += update.entries.size();
        QCOMPARE(names.size(), trained);  // the same parameters, none forgotten on either side
        for (const std::string& name : names) {
            const int entry = recorded.layout.find(name);
            QVERIFY2(entry >= 0, qPrintable("no parameter " + QString::fromStdString(name)));
            const Layout::Entry& e = recorded.layout.entries()[size_t(entry)];
            const auto first = store.gradients.begin() + e.offset;
            const std::vector<float> values(first, first + e.shape.size());
            const std::vector<float> ours = summary(name, toTorch(values, e.shape));
            const std::vector<float>& theirs = golden.at("gradient/" + name);
            // Some gradients are zero but for rounding (a bias before a norm): they are judged against all.
            const double least = 1e-3 * total;
            const std::vector<float> elements(theirs.begin() + 2, theirs.end());
            const QString whole =
                difference({ours[0], ours[1]}, {theirs[0], theirs[1]}, std::max(double(theirs[0]), least));
            const QString parts =
                difference({ours.begin() + 2, ours.end()}, elements, std::max(largest(elements), least));
            QVERIFY2(whole.isEmpty() && parts.isEmpty(),
                     qPrintable(QString::fromStdString(name) + ": " + whole + parts));
        }
    }
};

QTEST_APPLESS_MAIN(TestGoldens)
#include "tst_goldens.moc"
