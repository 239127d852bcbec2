// The kernels against the double reference, against each other, and cut into slabs.
#include <QtTest>

#include <cmath>
#include <limits>

#include "problems.h"

using namespace problems;

class TestKernels : public QObject {
    Q_OBJECT

  private slots:
    void everyComputingOpHasAKernel() {
        for (const KernelSet* set : sets())
            for (int op = int(Op::fill); op <= int(Op::padColumns); ++op)
                QVERIFY2(set->kernelFor(Op(op)), qPrintable(QString("%1 op %2").arg(set->name).arg(op)));
        QVERIFY(!bestKernels().kernelFor(Op::parameter));
        QVERIFY(!bestKernels().kernelFor(Op::update));
        QVERIFY(!kernelsNamed("sse9"));
    }

    void everyOpAgreesWithDoubles() {
        for (const Problem& p : all()) {
            std::vector<double> in[Problem::operands], exact(size_t(p.size()), 0);
            for (int k = 0; k < Problem::operands; ++k) in[k].assign(p.in[k].begin(), p.in[k].end());
            Call<double> call = p.wide(in, exact);
            std::vector<double> scratch(size_t(scratchSize(call)), 0);
            call.scratch = scratch.data();
            referenceKernel(p.call.op)(call, 0, call.rows);
            for (const KernelSet* set : sets()) {
                const std::vector<float> out = solve(p, *set, p.call.rows);
                QVERIFY2(out.size() == exact.size(), qPrintable(QString("%1: %2 writes past its end")
                                                                    .arg(set->name)
                                                                    .arg(QString::fromStdString(p.name))));
                for (size_t i = 0; i < exact.size(); ++i)
                    if (!(std::abs(out[i] - exact[i]) <= p.tolerance * std::max(1.0, std::abs(exact[i]))))
                        QFAIL(qPrintable(QString("%1, %2, element %3: expected %4, got %5")
                                             .arg(set->name)
                                             .arg(QString::fromStdString(p.name))
                                             .arg(i)
                                             .arg(exact[i], 0, 'g', 9)
                                             .arg(double(out[i]), 0, 'g', 9)));
            }
        }
    }

    void everySetGivesTheSameBits() {
        for (const Problem& p : all()) {
            const std::vector<float> first = solve(p, *sets().front(), p.call.rows);
            for (const KernelSet* set : sets())
                QVERIFY2(sameBits(first, solve(p, *set, p.call.rows)),
                         qPrintable(QString("%1: %2").arg(set->name).arg(QString::fromStdString(p.name))));
        }
    }

    // Rounded after the product and after the addition, as if these were two operations.
    void aProductAddsItsBiasInTheEnd() {
        int products = 0;
        for (const Problem& p : all()) {
            if (p.call.op != Op::matmul || p.call.transposed) continue;
            ++products;
            Problem biased = p;
            const auto C = size_t(p.call.extents.channels);
            std::vector<float> bias(C);
            for (size_t c = 0; c < C; ++c) bias[c] = 0.37f - float(c % 11) / 7;
            biased.call.bias = bias.data();
            for (const KernelSet* set : sets()) {
                std::vector<float> expected = solve(p, *set, p.call.rows);
                for (size_t i = 0; i < expected.size(); ++i) expected[i] += bias[i % C];
                QVERIFY2(sameBits(expected, solve(biased, *set, p.call.rows)),
                         qPrintable(QString("%1: %2").arg(set->name).arg(QString::fromStdString(p.name))));
            }
        }
        QVERIFY(products > 5);
    }

    void preparedWeightsGiveTheSameBits() {
        for (const KernelSet* set : sets()) {
            int products = 0, convolutions = 0;
            for (const Problem& p : all()) {
                const int64_t size = set->preparedSize(p.call);
                if (size == 0) continue;
                ++(p.call.op == Op::matmul ? products : convolutions);
                std::vector<float> weights(size_t(size), std::nanf(""));
                set->prepare(p.call, weights.data());
                Problem prepared = p;
                prepared.call.prepared = weights.data();
                const std::vector<float> expected = solve(p, *set, p.call.rows);
                for (int64_t slab : {p.call.rows, int64_t(5)})
                    QVERIFY2(
                        sameBits(expected, solve(prepared, *set, slab)),
                        qPrintable(QString("%1: %2").arg(set->name).arg(QString::fromStdString(p.name))));
            }
            QVERIFY(products > 0);
            QVERIFY(convolutions > 20);
        }
    }

    void slabsDoNotShow() {
        for (const Problem& p : all())
            for (const KernelSet* set : sets()) {
                const std::vector<float> whole = solve(p, *set, p.call.rows);
                for (int64_t slab : {1, 5, 16, 37})
                    QVERIFY2(sameBits(whole, solve(p, *set, slab)),
                             qPrintable(QString("%1: %2 in slabs of %3")
                                            .arg(set->name)
                                            .arg(QString::fromStdString(p.name))
                                            .arg(slab)));
            }
    }

    // What another thread computes at the same time is left alone.
    void aSlabWritesOnlyItsRows() {
        for (const Problem& p : all()) {
            const int64_t rows = p.call.rows, begin = rows / 3, end = rows - rows / 4;
            // A convolution's weight gradient is shared out otherwise: see the test below.
            if (rows < 5 || p.call.op == Op::convolutionWeight) continue;
            for (const KernelSet* set : sets()) {
                const std::vector<float> whole = solve(p, *set, rows);
                std::vector<float> out(whole.size(), 12345.0f);
                Call<float> call = p.call;
                call.out = out.data();
                std::vector<float> scratch(size_t(scratchSize(call)), std::nanf(""));
                call.scratch = scratch.data();
                set->kernelFor(call.op)(call, begin, end);
                for (int64_t i = 0; i < p.size(); ++i) {
                    const bool inside = i >= begin * call.columns && i < end * call.columns;
                    QVERIFY2(out[size_t(i)] == (inside ? whole[size_t(i)] : 12345.0f), p.name.c_str());
                }
            }
        }
    }

    // Of a weight's gradient a worker may compute all taps of some channels, where it was given some taps of
    // all.
    void workersOfAWeightGradientWriteApart() {
        for (const Problem& p : all()) {
            if (p.call.op != Op::convolutionWeight) continue;
            const int64_t rows = p.call.rows;
            for (const KernelSet* set : sets()) {
                const std::vector<float> whole = solve(p, *set, rows);
                std::vector<int> writers(whole.size(), 0);
                for (const auto& [begin, end] : {std::pair{int64_t(0), rows / 3}, {rows / 3, rows}}) {
                    std::vector<float> out(whole.size(), 12345.0f);
                    Call<float> call = p.call;
                    call.out = out.data();
                    std::vector<float> scratch(size_t(scratchSize(call)), std::nanf(""));
                    call.scratch = scratch.data();
                    set->kernelFor(call.op)(call, begin, end);
                    for (size_t i = 0; i < whole.size(); ++i)
                        if (out[i] != 12345.0f) {
                            ++writers[i];
                            QVERIFY2(out[i] == whole[i], p.name.c_str());
                        }
                }
                for (int written : writers) QVERIFY2(written == 1, p.name.c_str());
            }
        }
    }

    void productsAreOneChainPerOutput() {
        for (const Problem& p : all()) {
            if (p.call.op != Op::matmul) continue;
            const std::vector<float> out = solve(p, bestKernels(), p.call.rows);
            const core::Extents& a = p.call.inExtents[0];
            const int64_t vectors = a.samples * a.positions(), C = p.call.extents.channels;
            const int64_t K = p.call.transposed ? vectors : a.channels;
            for (int64_t r = 0; r < p.size() / C; r += 3)
                for (int64_t c = 0; c < C; ++c) {
                    float sum = 0;
                    for (int64_t k = 0; k < K; ++k)
                        sum = std::fma(p.in[0][size_t(p.call.transposed ? k * a.channels + r : r * K + k)],
                                       p.in[1][size_t(k * C + c)], sum);
                    QVERIFY2(sum == out[size_t(r * C + c)], p.name.c_str());
                }
        }
    }

    void pointwiseOpsMayOverwriteTheirOperand() {
        for (const Problem& p : all()) {
            if (p.call.op < Op::affine || p.call.op > Op::divide) continue;
            if (p.call.inRows[0] != p.call.rows || p.call.inColumns[0] != p.call.columns) continue;
            for (const KernelSet* set : sets()) {
                std::vector<float> inPlace = p.in[0];
                Call<float> call = p.call;
                call.in[0] = call.out = inPlace.data();
                set->kernelFor(call.op)(call, 0, call.rows);
                QVERIFY2(sameBits(inPlace, solve(p, *set, p.call.rows)), p.name.c_str());
            }
        }
    }

    void specialValuesAreKept() {
        const float infinity = std::numeric_limits<float>::infinity(), nan = std::nanf("");
        const float x[] = {0.0f, -0.0f, infinity, -infinity, nan, 1e-42f, 3e38f, -3e38f};
        struct Row {
            Op op;
            float expected[8];
        };
        const Row rows[] = {
            {Op::exp, {1, 1, infinity, 0, nan, 1, infinity, 0}},
            {Op::log, {-infinity, -infinity, infinity, nan, nan, std::log(1e-42f), std::log(3e38f), nan}},
            {Op::abs, {0, 0, infinity, infinity, nan, 1e-42f, 3e38f, 3e38f}},
            {Op::sign, {0, 0, 1, -1, nan, 1, 1, -1}},
            {Op::tanh, {0, 0, 1, -1, nan, 1e-42f, 1, -1}},
            {Op::sigmoid, {0.5f, 0.5f, 1, 0, nan, 0.5f, 1, 0}},
        };
        for (const KernelSet* set : sets())
            for (const Row& row : rows) {
                float y[8];
                Call<float> call;
                call.op = row.op;
                call.rows = 1;
                call.columns = 8;
                call.in[0] = x;
                call.inRows[0] = 1;
                call.inColumns[0] = 8;
                call.out = y;
                set->kernelFor(row.op)(call, 0, 1);
                for (int i = 0; i < 8; ++i) {
                    const float e = row.expected[i];
                    const bool right = std::isnan(e)   ? std::isnan(y[i])
                                       : std::isinf(e) ? y[i] == e
                                                       : std::abs(y[i] - e) <= 1e-6f * std::abs(e);
                    QVERIFY2(right, qPrintable(QString("%1 op %2 of %3: expected %4, got %5")
                                                   .arg(set->name)
                                                   .arg(int(row.op))
                                                   .arg(double(x[i]))
                                                   .arg(double(e))
                                                   .arg(double(y[i]))));
                }
            }
    }
};

QTEST_APPLESS_MAIN(TestKernels)
#include "tst_kernels.moc"
