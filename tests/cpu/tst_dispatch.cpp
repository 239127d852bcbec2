// The choice of an instruction set by name, from outside.
#include <QtTest>

#include <string>

#include "core/base/error.h"
#include "core/cpu/call.h"

using namespace core::cpu;

class TestDispatch : public QObject {
    Q_OBJECT

  private slots:
    // In this order: the choice is made once in a process, when it succeeds.
    void anUnknownSetIsRefused() {
        qputenv("GENSCOPE_ISA", "neon");
        try {
            bestKernels();
            QFAIL("expected an error");
        } catch (const core::Error& error) {
            QVERIFY2(std::string(error.what()).find("neon") != std::string::npos, error.what());
        }
    }

    void theEnvironmentNamesTheSet() {
        qputenv("GENSCOPE_ISA", "sse");
        QCOMPARE(bestKernels().name, "SSE");
        QCOMPARE(&bestKernels(), kernelsNamed("sse"));
    }

    void everySetIsReachedByItsName() {
        QVERIFY(kernelsNamed("sse"));
        QVERIFY(!kernelsNamed(""));
        QVERIFY(!kernelsNamed("AVX2"));
        if (const KernelSet* set = kernelsNamed("avx2")) QCOMPARE(set->name, "AVX2");
        if (const KernelSet* set = kernelsNamed("avx512")) QCOMPARE(set->name, "AVX-512");
    }
};

QTEST_APPLESS_MAIN(TestDispatch)
#include "tst_dispatch.moc"
