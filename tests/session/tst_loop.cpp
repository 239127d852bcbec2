// Steps on a card, and repeated phases as loops there, by the plugin whose memory and arithmetic are the
// host's.
#include <QtTest>

#include "core/cpu/executor.h"
#include "core/cuda/executor.h"
#include "tests/support/samplers.h"

using namespace core;
using namespace support;

namespace {

struct OnHost {
    Store store;
    std::shared_ptr<cuda::DeviceStore> device;
    std::unique_ptr<cuda::Executor> executor;

    OnHost(const LoopedSampler& sampler, const cuda::CardPtr& card, const cuda::ExecutorOptions& options) {
        Layout layout;
        Recorder r(layout, Recorder::Access::train);
        sampler.record(r);
        const auto graph = std::make_shared<const Graph>(r.take());
        store.initialise(layout, 0, 1);
        store.live.assign(1, 0);
        device = std::make_shared<cuda::DeviceStore>(card, store);
        executor = std::make_unique<cuda::Executor>(compile(graph, layout, {}), store, device, options);
    }
    std::map<std::string, std::vector<float>> channels() {
        device->download(store);
        std::map<std::string, std::vector<float>> out;
        out["state"].assign(store.weights.state.begin(), store.weights.state.end());
        for (const auto& [name, id] : executor->plan().graph->probes) out[name] = executor->read(name).values;
        return out;
    }
};

}  // namespace

class TestLoop : public QObject {
    Q_OBJECT

  private slots:
    void initTestCase() {
        qputenv("GENSCOPE_CUDA_PLUGIN", HOST_CARD);
        m_card = cuda::Card::open();
    }

    void aLoopLeavesWhatItsRepeatsLeave_data() {
        QTest::addColumn<int>("index");
        const auto all = loopedSamplers(false);
        for (size_t i = 0; i < all.size(); ++i) QTest::addRow("%s", all[i].name.c_str()) << int(i);
    }
    void aLoopLeavesWhatItsRepeatsLeave() {
        QFETCH(int, index);
        const LoopedSampler sampler = loopedSamplers(false)[size_t(index)];
        OnHost looped(sampler, m_card, {}), plain(sampler, m_card, {.exact = true});
        OnHost uncaptured(sampler, m_card, {.captured = false});
        for (uint64_t step : {uint64_t(0), uint64_t(5)}) {
            looped.executor->run(3, step);
            plain.executor->run(3, step);
            uncaptured.executor->run(3, step);
            QVERIFY(looped.channels() == plain.channels());
            QVERIFY(looped.channels() == uncaptured.channels());
            while (!looped.executor->runSegment(3, step)) {
            }
            QVERIFY(looped.channels() == plain.channels());
        }
        // Whatever it is made of, a loop is two launches.
        const int saved = plain.executor->launches() - looped.executor->launches();
        QCOMPARE(saved > 2 * sampler.repeats, sampler.isLoop);
    }

    // However often it is asked and from where, in one loop or run by run.
    void aSeriesGivesWhatItsRunsGive_data() {
        QTest::addColumn<QString>("kind");
        for (const char* kind : {"euler", "ddpm", "heun", "dpm++", "inversion"}) QTest::newRow(kind) << kind;
    }
    void aSeriesGivesWhatItsRunsGive() {
        QFETCH(QString, kind);
        const LessonSampler sampler(kind.toStdString(), 70, 6);
        Store store;
        store.initialise(sampler.layout, 0, 1);
        store.live.assign(64, 0);
        const auto device = std::make_shared<cuda::DeviceStore>(m_card, store);
        const auto run = [&](const cuda::ExecutorOptions& options, bool oneByOne) {
            cuda::Executor executor(sampler.plan(), store, device, options);
            const Series& series = sampler.series;
            std::vector<float> out;
            for (int again = 0; again < 2; ++again) {
                executor.setHandle(sampling::x, sampler.start());
                if (sampler.needsLast)
                    executor.setHandle(sampling::y, std::vector<float>(sampler.start().size(), 0));
                const int runs = oneByOne ? 1 : series.runs;
                const auto width = series.numbers.size() / size_t(series.runs);
                out.clear();
                for (int at = 0; at < series.runs; at += runs) {
                    Series part = series;
                    part.runs = runs;
                    part.numbers.assign(series.numbers.begin() + at * int64_t(width),
                                        series.numbers.begin() + (at + runs) * int64_t(width));
                    const SeriesRows rows = executor.runSeries(5, uint64_t(at), part);
                    out.insert(out.end(), rows.get(), rows.get() + sampler.numbers() / series.runs * runs);
                }
            }
            return std::pair(out, executor.runsTogether());
        };
        const auto [looped, together] = run({}, false);
        QVERIFY(together > 100);
        QCOMPARE(int64_t(looped.size()), sampler.numbers());
        QVERIFY(run({}, true).first == looped);
        for (const bool oneByOne : {false, true}) QVERIFY(run({.exact = true}, oneByOne).first == looped);
        QVERIFY(run({.exact = true, .captured = false}, false).first == looped);
        // As on the CPU, but for the order of sums.
        cpu::Pool pool(1);
        cpu::Executor here(sampler.plan(), store, pool);
        here.setHandle(sampling::x, sampler.start());
        const SeriesRows rows = here.runSeries(5, 0, sampler.series);
        for (size_t i = 0; i < looped.size(); ++i)
            QVERIFY(std::abs(rows.get()[i] - looped[i]) < 1e-3f * std::max(1.0f, std::abs(looped[i])));
    }

    // Handles go to the card when they have changed, and channels come back together.
    void whatIsReadIsOfTheLastRun() {
        Layout layout;
        Recorder r(layout, Recorder::Access::train);
        const Var x = r.handle("x", {2, 3}, {1, 2, 3, 4, 5, 6}), y = r.handle("y", {1, 1}, {2});
        r.probe("product", x * y);
        r.probe("drawn", r.normal("drawn", {4, 4}));
        const auto graph = std::make_shared<const Graph>(r.take());
        Store store;
        store.initialise(layout, 0, 1);
        store.live.assign(1, 0);
        const auto device = std::make_shared<cuda::DeviceStore>(m_card, store);
        cuda::Executor executor(compile(graph, layout, {}), store, device, {});
        using Numbers = std::vector<float>;
        const auto product = [&] { return executor.read("product").values; };
        executor.run(1, 0);
        QCOMPARE(product(), (Numbers{2, 4, 6, 8, 10, 12}));
        const Numbers first = executor.read("drawn").values;
        executor.setHandle("y", {3});
        QCOMPARE(product(), (Numbers{2, 4, 6, 8, 10, 12}));  // it has not run yet
        executor.run(1, 1);
        QCOMPARE(product(), (Numbers{3, 6, 9, 12, 15, 18}));
        QVERIFY(executor.read("drawn").values != first);
        executor.setHandle("x", {6, 5, 4, 3, 2, 1});
        executor.run(1, 0);
        QCOMPARE(product(), (Numbers{18, 15, 12, 9, 6, 3}));
        QCOMPARE(executor.read("drawn").values, first);
        executor.write("product", {{2, 3}, {0, 0, 0, 0, 0, 1}});
        QCOMPARE(product(), (Numbers{0, 0, 0, 0, 0, 1}));
        while (!executor.runSegment(1, 0)) {
        }
        QCOMPARE(product(), (Numbers{18, 15, 12, 9, 6, 3}));
    }

  private:
    cuda::CardPtr m_card;
};

QTEST_GUILESS_MAIN(TestLoop)
#include "tst_loop.moc"
