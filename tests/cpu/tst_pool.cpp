// The pool: every index once, under any number of threads, many times over.
#include <QtTest>

#include <atomic>
#include <chrono>
#include <thread>
#include <vector>

#include "core/cpu/pool.h"

using core::cpu::Pool;

class TestPool : public QObject {
    Q_OBJECT

  private slots:
    void everyIndexRunsOnce() {
        for (int threads = 1; threads <= 8; ++threads) {
            Pool pool(threads);
            QCOMPARE(pool.threads(), threads);
            for (int64_t count : {0, 1, 2, 7, 100, 1000}) {
                std::vector<int> times(size_t(count) + 1, 0);
                for (int round = 0; round < 20; ++round)
                    pool.run([](void* context, int64_t i, int) { ++static_cast<int*>(context)[i]; },
                             times.data(), count);
                for (int64_t i = 0; i < count; ++i) QCOMPARE(times[size_t(i)], 20);
                QCOMPARE(times[size_t(count)], 0);
            }
        }
    }

    // What a job wrote is seen by the caller, and what the caller writes is seen by the next job.
    void roundsFollowEachOther() {
        for (int threads : {1, 2, 3, 8}) {
            Pool pool(threads);
            struct Job {
                std::vector<int64_t> values;
                int64_t add = 0;
            } job{std::vector<int64_t>(37, 0)};
            int64_t expected = 0;
            for (int round = 1; round <= 500; ++round) {
                job.add = round;
                expected += round;
                pool.run(
                    [](void* context, int64_t i, int) {
                        Job& j = *static_cast<Job*>(context);
                        j.values[size_t(i)] += j.add;
                    },
                    &job, int64_t(job.values.size()));
                for (int64_t value : job.values) QCOMPARE(value, expected);
            }
        }
    }

    void theThreadsWorkTogether() {
        Pool pool(2);
        std::atomic<int> inside{0};
        // Each index waits for the other: with one thread alone this would never end.
        pool.run(
            [](void* context, int64_t, int) {
                auto& count = *static_cast<std::atomic<int>*>(context);
                ++count;
                while (count.load() < 2) std::this_thread::yield();
            },
            &inside, 2);
        QCOMPARE(inside.load(), 2);
    }

    // The caller has run out of indices long before the last body ends.
    void slowBodiesAreWaitedFor() {
        Pool pool(3);
        for (int round = 0; round < 10; ++round) {
            struct Job {
                std::atomic<int> begun{0}, ended{0};
            } job;
            const auto body = [](void* context, int64_t, int) {
                Job& j = *static_cast<Job*>(context);
                const int order = j.begun++;
                while (j.begun.load() < 3) std::this_thread::yield();  // one index for each thread
                std::this_thread::sleep_for(std::chrono::milliseconds(order));
                ++j.ended;
            };
            pool.run(body, &job, 3);
            QCOMPARE(job.ended.load(), 3);
        }
    }

    void sleepersAreWoken() {
        Pool pool(3);
        for (int round = 0; round < 20; ++round) {
            std::this_thread::sleep_for(std::chrono::milliseconds(1));  // beyond the spin
            std::atomic<int> sum{0};
            pool.run(
                [](void* context, int64_t i, int) { *static_cast<std::atomic<int>*>(context) += int(i); },
                &sum, 10);
            QCOMPARE(sum.load(), 45);
        }
    }

    void emptyRoundsAreCheap() {
        Pool pool(2);
        const auto start = std::chrono::steady_clock::now();
        for (int round = 0; round < 20000; ++round) pool.run([](void*, int64_t, int) {}, nullptr, 2);
        const double s = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
        QVERIFY2(s < 10, qPrintable(QString("20000 rounds took %1 s").arg(s)));
    }

    void theDefaultLeavesACoreToTheWindow() {
        const int cores = int(std::thread::hardware_concurrency());
        QCOMPARE(Pool(0).threads(), std::max(1, cores - 1));
    }
};

QTEST_APPLESS_MAIN(TestPool)
#include "tst_pool.moc"
