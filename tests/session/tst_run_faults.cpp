// What cannot be: numbers that are not finite are caught and rolled back, refused values change nothing.
#include <QtTest>

#include <cmath>
#include <random>

#include "core/data/fashion_mnist.h"
#include "core/session/run.h"
#include "tests/support/small.h"

using namespace core;
using support::small;

namespace {

std::vector<std::string> parameterNames(const Layout& layout) {
    std::vector<std::string> names;
    for (const Layout::Entry& e : layout.entries())
        if (e.trained) names.push_back(e.name);
    return names;
}

std::vector<float> valuesOf(Run& run, const std::string& name) {
    const Layout::Entry& e = run.layout().entries()[size_t(run.layout().find(name))];
    const auto first = run.store().weights.parameters.begin() + e.offset;
    return {first, first + e.shape.size()};
}

std::vector<std::string> ganLosses() {
    return makeLesson("gan")->knob("loss").parameter().options;
}

}  // namespace

class TestRunFaults : public QObject {
    Q_OBJECT

    // Held for all runs, so that the pictures are read once.
    const ImageSet m_train = fashionMnist(Split::train), m_test = fashionMnist(Split::test);

  private slots:
    void aNanInAnyParameterIsCaughtNamedAndRolledBack_data() {
        QTest::addColumn<QString>("lesson");
        QTest::addColumn<QString>("knob");
        QTest::addColumn<QString>("value");
        const auto row = [](const char* lesson, const char* knob, const char* value) {
            QTest::addRow("%s %s %s", lesson, knob, value) << lesson << knob << value;
        };
        for (const std::string& loss : ganLosses()) row("gan", "loss", loss.c_str());
        row("gan", "spectral_norm", "on");
        row("gan", "r1", "1");
        row("gan", "k_d", "0");
        row("vae", "data", "moons");
        row("vae", "learn_sigma", "on");
        row("vae", "beta", "0");
        row("vae", "data", "fashion");
    }
    void aNanInAnyParameterIsCaughtNamedAndRolledBack() {
        QFETCH(QString, lesson);
        QFETCH(QString, knob);
        QFETCH(QString, value);
        std::vector<std::pair<std::string, std::string>> extra;
        if (lesson == "vae") extra = {{"data", "moons"}, {"z_dim", "2"}};
        extra.emplace_back(knob.toStdString(), value.toStdString());
        Run run(small(lesson.toStdString(), "", extra));
        std::vector<uint64_t> hashes;
        for (int i = 0; i < 6; ++i) {
            hashes.push_back(run.parameterHash());
            QVERIFY(run.step());
        }
        for (const std::string& name : parameterNames(run.layout()))
            for (float bad : {std::nanf(""), std::numeric_limits<float>::infinity()}) {
                // Infinite logits have finite gradients, and nothing writes D: no harm is done.
                if (knob == "k_d" && !std::isnan(bad)) continue;
                run.reset(run.seed());
                for (int i = 0; i < 3; ++i) QVERIFY(run.step());
                run.plant(name, bad);
                const uint64_t before = run.parameterHash();
                const bool stepped = run.step();
                QVERIFY2(!stepped, fmt::format("{} in {} was not noticed", bad, name).c_str());
                QCOMPARE(run.stepCount(), int64_t(3));
                QCOMPARE(run.parameterHash(), before);  // no update was applied
                QVERIFY2(run.problem().find("parameter " + name) != std::string::npos, run.problem().c_str());
                run.look(run.channelNames());  // may show nothing, but may not fall over
                run.goTo(2);
                QCOMPARE(run.parameterHash(), hashes[2]);
                QVERIFY(run.problem().empty());
                for (int i = 3; i <= 5; ++i) {
                    QVERIFY2(run.step(), run.problem().c_str());
                    QCOMPARE(run.parameterHash(), hashes[size_t(i)]);
                }
            }
    }

    void slowModeCatchesANanToo() {
        Run run(small("gan", "ring8"));
        for (int i = 0; i < 3; ++i) QVERIFY(run.step());
        run.plant("generator.2.bias", std::nanf(""));
        while (!run.stage()) {
        }
        QCOMPARE(run.stepCount(), int64_t(3));
        QVERIFY2(run.problem().find("generator.2.bias") != std::string::npos, run.problem().c_str());
        run.goTo(2);
        while (!run.stage()) {
        }
        QCOMPARE(run.stepCount(), int64_t(3));
        QVERIFY(run.problem().empty());
    }

    void divergingSettingsNeverCrash_data() {
        QTest::addColumn<QString>("lesson");
        QTest::addColumn<QString>("knob");
        QTest::addColumn<QString>("value");
        for (const std::string& loss : ganLosses())
            QTest::addRow("gan %s", loss.c_str()) << "gan"
                                                  << "loss" << QString::fromStdString(loss);
        QTest::newRow("vae points") << "vae"
                                    << "data"
                                    << "moons";
        QTest::newRow("vae pictures") << "vae"
                                      << "data"
                                      << "fashion";
    }
    void divergingSettingsNeverCrash() {
        QFETCH(QString, lesson);
        QFETCH(QString, knob);
        QFETCH(QString, value);
        std::vector<std::pair<std::string, std::string>> extra = {{knob.toStdString(), value.toStdString()}};
        if (lesson == "gan")
            extra.insert(extra.end(), {{"lr_d", "0.1"}, {"lr_g", "0.1"}, {"beta1", "0"}, {"depth", "6"}});
        else
            extra.insert(extra.end(), {{"lr", "0.1"}, {"z_dim", "2"}, {"sigma_x", "0.01"}, {"depth", "4"}});
        Run run(small(lesson.toStdString(), "", extra));
        int stopped = 0;
        for (int i = 0; i < 400; ++i) {
            const int64_t before = run.stepCount();
            const bool stepped = run.step();
            QCOMPARE(run.stepCount(), before + (stepped ? 1 : 0));
            QCOMPARE(run.problem().empty(), stepped);
            if (i % 100 == 99) run.look(run.channelNames());
            if (stepped) continue;
            ++stopped;
            run.goTo(std::max<int64_t>(0, before - 3));
            run.set(lesson == "gan" ? "lr_g" : "lr", 1e-4 * (1 + stopped));
        }
    }

    void aStructuralChangeKeepsWhatStillFits() {
        Run run(small("gan", "ring8"));
        for (int i = 0; i < 10; ++i) QVERIFY(run.step());
        const uint64_t before = run.parameterHash();
        run.set("batch", 64);
        QCOMPARE(run.parameterHash(), before);  // nothing has another shape
        QVERIFY(run.step());

        std::map<std::string, std::vector<float>> old;
        for (const std::string& name : parameterNames(run.layout())) old[name] = valuesOf(run, name);
        run.set("depth", 3);
        int kept = 0, fresh = 0;
        for (const std::string& name : parameterNames(run.layout())) {
            const bool fits = old.count(name) && old[name].size() == valuesOf(run, name).size();
            if (fits) QCOMPARE(valuesOf(run, name), old[name]);
            ++(fits ? kept : fresh);
        }
        QVERIFY(kept >= 8 && fresh >= 4);
        QVERIFY(run.step());
    }

    void refusedValuesChangeNothing_data() {
        QTest::addColumn<QString>("knob");
        QTest::addColumn<double>("value");
        QTest::newRow("unknown knob") << "lr_x" << 1.0;
        QTest::newRow("too large") << "lr" << 1.0;
        QTest::newRow("not a number") << "lr" << std::nan("");
        QTest::newRow("not whole") << "batch" << 32.5;
        QTest::newRow("no such option") << "likelihood" << 2.0;
        QTest::newRow("cannot be built") << "z_dim" << 3.0;
    }
    void refusedValuesChangeNothing() {
        QFETCH(QString, knob);
        QFETCH(double, value);
        Run run(small("vae", "linear-gaussian"));
        for (int i = 0; i < 12; ++i) QVERIFY(run.step());
        const uint64_t future = run.parameterHash();
        run.goTo(6);
        const Settings settings = run.settings();
        const uint64_t hash = run.parameterHash();
        const std::string line = run.journal().toLine();
        try {
            run.set(knob.toStdString(), value);
            QFAIL("not refused");
        } catch (const Error& e) {
            QVERIFY2(QString(e.what()).contains(knob) || QString(e.what()).contains("knob"), e.what());
        }
        QCOMPARE(run.settings(), settings);
        QCOMPARE(run.parameterHash(), hash);
        QCOMPARE(run.journal().toLine(), line);
        QCOMPARE(run.furthest(), int64_t(12));
        run.look(run.channelNames());
        run.goTo(12);
        QCOMPARE(run.parameterHash(), future);
    }

    void whatCannotBeOpenedIsSaid() {
        QVERIFY_EXCEPTION_THROWN(Run({.lesson = "gun"}), Error);
        QVERIFY_EXCEPTION_THROWN(Run({.lesson = "gan", .preset = "ring9"}), Error);
        QVERIFY_EXCEPTION_THROWN(Run({.lesson = "gan", .settings = {{"width", "many"}}}), Error);
        QVERIFY_EXCEPTION_THROWN(
            Run({.lesson = "vae", .preset = "linear-gaussian", .settings = {{"z_dim", "3"}}}), Error);
    }
};

QTEST_GUILESS_MAIN(TestRunFaults)
#include "tst_run_faults.moc"
