// The kernels against the double reference, against each other, and cut into slabs.
#include <QtTest>

#include <cmath>
#include <cstring>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "core/cpu/call.h"

using namespace core;
using namespace core::cpu;

namespace {

// A call with memory of its own, in float and in double.
struct Problem {
    std::string name;
    Call<float> call;
    std::vector<float> in[2], table;
    std::vector<uint8_t> bytes;
    double tolerance = 2e-6;  // absolute below one, relative above

    int64_t size() const { return call.rows * call.columns; }

    Call<double> wide(const std::vector<double> (&values)[2], std::vector<double>& out) const {
        Call<double> d;
        d.op = call.op;
        d.transposed = call.transposed;
        d.a = call.a;
        d.b = call.b;
        d.offset = call.offset;
        d.rows = call.rows;
        d.columns = call.columns;
        d.out = out.data();
        for (int k = 0; k < 2; ++k) {
            d.in[k] = values[k].data();
            d.inRows[k] = call.inRows[k];
            d.inColumns[k] = call.inColumns[k];
        }
        d.at = call.at;
        d.tableValues = call.tableValues;
        d.tableBytes = call.tableBytes;
        d.tableRows = call.tableRows;
        return d;
    }
};

class Maker {
  public:
    // Values between low and high, with their signs mixed where the range allows it.
    std::vector<float> values(int64_t n, float low = -3, float high = 3) {
        std::uniform_real_distribution<float> spread(low, high);
        std::vector<float> drawn(static_cast<size_t>(n));
        for (float& x : drawn) x = spread(m_engine);
        return drawn;
    }

    Problem make(Op op, int64_t rows, int64_t columns) {
        Problem p;
        p.call.op = op;
        p.call.rows = rows;
        p.call.columns = columns;
        p.call.at = {42, 7, 3, 1};
        return p;
    }

    void operand(Problem& p, int k, int64_t rows, int64_t columns, float low = -3, float high = 3) {
        p.in[k] = values(rows * columns, low, high);
        p.call.inRows[k] = rows;
        p.call.inColumns[k] = columns;
        p.call.in[k] = p.in[k].data();
    }

  private:
    std::mt19937 m_engine{20};
};

struct Extents {
    int64_t rows, columns;
};
const std::vector<Extents> awkward = {{1, 1},  {7, 3},    {33, 65}, {100, 2}, {129, 31},
                                      {5, 17}, {64, 128}, {1, 300}, {300, 1}, {16, 16}};

struct UnaryRow {
    Op op;
    const char* name;
    float low, high, a, b;
};
const UnaryRow unaries[] = {
    {Op::affine, "affine", -3, 3, 1.7f, -0.3f},
    {Op::exp, "exp", -20, 5, 0, 0},
    {Op::log, "log", 1e-3f, 50, 0, 0},
    {Op::sqrt, "sqrt", 0, 50, 0, 0},
    {Op::square, "square", -3, 3, 0, 0},
    {Op::abs, "abs", -3, 3, 0, 0},
    {Op::reciprocal, "reciprocal", 0.1f, 9, 0, 0},
    {Op::tanh, "tanh", -6, 6, 0, 0},
    {Op::sigmoid, "sigmoid", -30, 30, 0, 0},
    {Op::softplus, "softplus", -30, 30, 0, 0},
    {Op::leakyRelu, "leakyRelu", -3, 3, 0.2f, 0},
    {Op::leakyStep, "leakyStep", -3, 3, 0.2f, 0},
    {Op::sign, "sign", -3, 3, 0, 0},
    {Op::reshape, "reshape", -3, 3, 0, 0},
    {Op::assign, "assign", -3, 3, 0, 0},
};

std::string extentsOf(int64_t rows, int64_t columns) {
    return std::to_string(rows) + "x" + std::to_string(columns);
}

void addPointwise(std::vector<Problem>& all, Maker& maker) {
    for (const UnaryRow& row : unaries)
        for (const Extents& e : awkward) {
            Problem p = maker.make(row.op, e.rows, e.columns);
            p.name = std::string(row.name) + " " + extentsOf(e.rows, e.columns);
            p.call.a = row.a;
            p.call.b = row.b;
            maker.operand(p, 0, e.rows, e.columns, row.low, row.high);
            all.push_back(std::move(p));
        }
    const std::pair<Op, const char*> binaries[] = {
        {Op::add, "add"}, {Op::subtract, "subtract"}, {Op::multiply, "multiply"}, {Op::divide, "divide"}};
    for (const auto& [op, name] : binaries)
        for (const Extents& e : awkward)
            for (int left = 0; left < 4; ++left)
                for (int right = 0; right < 4; ++right) {
                    if (left != 0 && right != 0 && left + right != 3) continue;  // one whole, or row x column
                    Problem p = maker.make(op, e.rows, e.columns);
                    const Extents kinds[] = {e, {1, e.columns}, {e.rows, 1}, {1, 1}};
                    maker.operand(p, 0, kinds[left].rows, kinds[left].columns);
                    maker.operand(p, 1, kinds[right].rows, kinds[right].columns, 0.5f, 3);
                    p.name = std::string(name) + " " + extentsOf(e.rows, e.columns) + " = " +
                             extentsOf(kinds[left].rows, kinds[left].columns) + " with " +
                             extentsOf(kinds[right].rows, kinds[right].columns);
                    all.push_back(std::move(p));
                }
}

void addProducts(std::vector<Problem>& all, Maker& maker) {
    struct Product {
        int64_t rows, columns, summed;
    };
    std::vector<Product> products = {{1, 1, 1},      {7, 3, 5},      {33, 65, 17},   {100, 2, 3},
                                     {129, 31, 33},  {50, 64, 300},  {37, 300, 261}, {128, 10, 50},
                                     {13, 100, 520}, {70, 129, 257}, {256, 128, 2},  {65, 2, 128},
                                     {1, 128, 64},   {2, 130, 31},   {3, 33, 40},    {200, 1, 1},
                                     {40, 784, 20},  {48, 48, 1024}, {90, 1, 300},   {17, 9, 600}};
    for (int64_t columns = 1; columns <= 36; ++columns) products.push_back({67, columns, 37});
    for (int64_t rows = 1; rows <= 26; ++rows) products.push_back({rows, 43, 19});
    for (const Product& e : products)
        for (bool transposed : {false, true}) {
            Problem p = maker.make(Op::matmul, e.rows, e.columns);
            p.name = std::string(transposed ? "matmul transposed " : "matmul ") +
                     extentsOf(e.rows, e.columns) + " over " + std::to_string(e.summed);
            p.call.transposed = transposed;
            maker.operand(p, 0, transposed ? e.summed : e.rows, transposed ? e.rows : e.summed, -1, 1);
            maker.operand(p, 1, e.summed, e.columns, -1, 1);
            p.tolerance = 1e-7 * double(e.summed) + 1e-6;
            all.push_back(std::move(p));
        }
}

void addMovement(std::vector<Problem>& all, Maker& maker) {
    for (const Extents& e : awkward) {
        const std::string extents = " " + extentsOf(e.rows, e.columns);
        const auto add = [&](const char* name, Op op, int64_t rows, int64_t columns, int64_t inRows,
                             int64_t inColumns, int64_t offset) {
            Problem p = maker.make(op, rows, columns);
            p.name = name + extents;
            p.call.offset = offset;
            p.tolerance = 1e-5;
            maker.operand(p, 0, inRows, inColumns);
            all.push_back(std::move(p));
        };
        const int64_t R = e.rows, C = e.columns;
        add("transpose", Op::transpose, R, C, C, R, 0);
        add("sum to column", Op::sum, R, 1, R, C, 0);
        add("sum to row", Op::sum, 1, C, R, C, 0);
        add("sum to one", Op::sum, 1, 1, R, C, 0);
        add("broadcast column", Op::broadcast, R, C, R, 1, 0);
        add("broadcast row", Op::broadcast, R, C, 1, C, 0);
        add("broadcast one", Op::broadcast, R, C, 1, 1, 0);
        add("sliceRows", Op::sliceRows, R, C, R + 9, C, 4);
        add("sliceColumns", Op::sliceColumns, R, C, R, C + 9, 4);
        add("padRows", Op::padRows, R + 9, C, R, C, 4);
        add("padColumns", Op::padColumns, R, C + 9, R, C, 4);
    }
}

void addRandom(std::vector<Problem>& all, Maker& maker) {
    for (const Extents& e : awkward) {
        const std::string extents = " " + extentsOf(e.rows, e.columns);
        for (const auto& [op, name] : {std::pair{Op::fill, "fill"}, std::pair{Op::uniform, "uniform"},
                                       std::pair{Op::normal, "normal"}}) {
            Problem p = maker.make(op, e.rows, e.columns);
            p.name = name + extents;
            p.call.a = -0.7f;
            p.call.b = 1.9f;
            all.push_back(std::move(p));
        }
        for (bool bytes : {false, true}) {
            Problem p = maker.make(Op::drawRows, e.rows, e.columns);
            p.name = std::string(bytes ? "drawRows of bytes" : "drawRows") + extents;
            p.call.tableRows = 11;
            p.table = maker.values(11 * e.columns);
            for (float x : p.table) p.bytes.push_back(uint8_t(40 * (x + 3)));
            (bytes ? p.table.clear() : p.bytes.clear());
            p.call.tableValues = bytes ? nullptr : p.table.data();
            p.call.tableBytes = bytes ? p.bytes.data() : nullptr;
            all.push_back(std::move(p));
        }
    }
}

const std::vector<Problem>& problems() {
    static const std::vector<Problem> all = [] {
        std::vector<Problem> made;
        Maker maker;
        addPointwise(made, maker);
        addProducts(made, maker);
        addMovement(made, maker);
        addRandom(made, maker);
        return made;
    }();
    return all;
}

std::vector<const KernelSet*> sets() {
    std::vector<const KernelSet*> present;
    for (const char* name : {"sse", "avx2", "avx512"})
        if (const KernelSet* set = kernelsNamed(name)) present.push_back(set);
    return present;
}

// The problem's output, computed by `set` in pieces of `slab` rows.
std::vector<float> solve(const Problem& p, const KernelSet& set, int64_t slab) {
    constexpr float poison = 12345.0f;
    constexpr size_t guard = 64;
    std::vector<float> out(size_t(p.size()) + guard, poison);
    Call<float> call = p.call;
    call.out = out.data();
    const Kernel<float> kernel = set.kernelFor(call.op);
    for (int64_t row = 0; row < call.rows; row += slab) kernel(call, row, std::min(row + slab, call.rows));
    for (size_t i = size_t(p.size()); i < out.size(); ++i)
        if (out[i] != poison) return {};  // wrote past its end
    out.resize(size_t(p.size()));
    return out;
}

bool sameBits(const std::vector<float>& a, const std::vector<float>& b) {
    return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0;
}

// The draw-th row that `rows`-row minibatches take from a table of `size` rows.
std::vector<int> drawnRows(const KernelSet& set, int size, int rows, int draws, uint64_t seed) {
    std::vector<float> table(size_t(size), 0), out(size_t(rows), 0);
    for (int i = 0; i < size; ++i) table[size_t(i)] = float(i);
    Call<float> call;
    call.op = Op::drawRows;
    call.rows = rows;
    call.columns = 1;
    call.out = out.data();
    call.tableValues = table.data();
    call.tableRows = size;
    std::vector<int> drawn;
    for (uint64_t step = 0; int(drawn.size()) < draws; ++step) {
        call.at = {seed, 5, step, 0};
        set.kernelFor(Op::drawRows)(call, 0, rows);
        for (float x : out) drawn.push_back(int(x));
    }
    drawn.resize(size_t(draws));
    return drawn;
}

}  // namespace

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
        for (const Problem& p : problems()) {
            std::vector<double> in[2], exact(size_t(p.size()), 0);
            for (int k = 0; k < 2; ++k) in[k].assign(p.in[k].begin(), p.in[k].end());
            const Call<double> call = p.wide(in, exact);
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
        for (const Problem& p : problems()) {
            const std::vector<float> first = solve(p, *sets().front(), p.call.rows);
            for (const KernelSet* set : sets())
                QVERIFY2(sameBits(first, solve(p, *set, p.call.rows)),
                         qPrintable(QString("%1: %2").arg(set->name).arg(QString::fromStdString(p.name))));
        }
    }

    void slabsDoNotShow() {
        for (const Problem& p : problems())
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

    void productsAreOneChainPerOutput() {
        for (const Problem& p : problems()) {
            if (p.call.op != Op::matmul) continue;
            const std::vector<float> out = solve(p, bestKernels(), p.call.rows);
            const int64_t K = p.call.inRows[1];
            for (int64_t r = 0; r < p.call.rows; r += 3)
                for (int64_t c = 0; c < p.call.columns; ++c) {
                    float sum = 0;
                    for (int64_t k = 0; k < K; ++k)
                        sum = std::fma(p.call.transposed ? p.in[0][size_t(k * p.call.rows + r)]
                                                         : p.in[0][size_t(r * K + k)],
                                       p.in[1][size_t(k * p.call.columns + c)], sum);
                    QVERIFY2(sum == out[size_t(r * p.call.columns + c)], p.name.c_str());
                }
        }
    }

    void pointwiseOpsMayOverwriteTheirOperand() {
        for (const Problem& p : problems()) {
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

    void drawRowsTakesEveryRowOncePerEpoch() {
        for (int size : {1, 2, 3, 17, 1000, 60000}) {
            const std::vector<int> drawn = drawnRows(bestKernels(), size, 7, 3 * size, 9);
            for (int epoch = 0; epoch < 3; ++epoch) {
                std::vector<int> seen(size_t(size), 0);
                for (int i = 0; i < size; ++i) ++seen[size_t(drawn[size_t(epoch * size + i)])];
                for (int times : seen) QCOMPARE(times, 1);
            }
        }
    }

    void drawRowsShufflesAnewEveryEpoch() {
        const int size = 1000;
        const std::vector<int> drawn = drawnRows(bestKernels(), size, 50, 2 * size, 9);
        int fixed = 0, repeated = 0;
        double rising = 0;
        for (int i = 0; i < size; ++i) {
            fixed += drawn[size_t(i)] == i;
            repeated += drawn[size_t(i)] == drawn[size_t(size + i)];
            if (i > 0) rising += drawn[size_t(i)] > drawn[size_t(i - 1)];
        }
        QVERIFY2(fixed < 8 && repeated < 8, "about one of each is expected");
        // Ascents of a random permutation: mean (n - 1) / 2, variance (n + 1) / 12.
        QVERIFY2(std::abs(rising - 499.5) < 5 * std::sqrt(1001.0 / 12), qPrintable(QString::number(rising)));
        QVERIFY(drawn != drawnRows(bestKernels(), size, 50, 2 * size, 10));
    }

    // Where the first row of a small table goes must be uniform over keys, or epochs are not fair.
    void drawRowsOrdersSmallTablesFairly() {
        const int size = 3, epochs = 6000;
        const std::vector<int> drawn = drawnRows(bestKernels(), size, 3, size * epochs, 1);
        int count[27] = {};
        for (int e = 0; e < epochs; ++e) {
            const int* d = drawn.data() + size * e;
            ++count[d[0] * 9 + d[1] * 3 + d[2]];
        }
        double chi = 0;
        for (int order : {0 * 9 + 1 * 3 + 2, 0 * 9 + 2 * 3 + 1, 1 * 9 + 0 * 3 + 2, 1 * 9 + 2 * 3 + 0,
                          2 * 9 + 0 * 3 + 1, 2 * 9 + 1 * 3 + 0})
            chi += std::pow(count[order] - epochs / 6.0, 2) / (epochs / 6.0);
        QVERIFY2(chi < 25.7, qPrintable(QString::number(chi)));  // chi-squared with 5 degrees, p = 1e-4
    }

    void normalsFollowTheirLaw() {
        const int n = 200000;
        std::vector<float> x(size_t(n), 0);
        Call<float> call;
        call.op = Op::normal;
        call.a = 0;
        call.b = 1;
        call.rows = n / 100;
        call.columns = 100;
        call.out = x.data();
        call.at = {1, 2, 3, 0};
        bestKernels().kernelFor(Op::normal)(call, 0, call.rows);
        double m1 = 0, m2 = 0, m3 = 0, m4 = 0, lag = 0;
        for (size_t i = 0; i < x.size(); ++i) {
            const double z = x[i];
            m1 += z;
            m2 += z * z;
            m3 += z * z * z;
            m4 += z * z * z * z;
            if (i > 0) lag += z * x[i - 1];
        }
        const double error = 4.5 / std::sqrt(double(n));
        QVERIFY(std::abs(m1 / n) < error);
        QVERIFY(std::abs(m2 / n - 1) < error * std::sqrt(2.0));
        QVERIFY(std::abs(m3 / n) < error * std::sqrt(15.0));
        QVERIFY(std::abs(m4 / n - 3) < error * std::sqrt(96.0));
        QVERIFY(std::abs(lag / n) < error);
        std::sort(x.begin(), x.end());
        double distance = 0;  // Kolmogorov and Smirnov
        for (int i = 0; i < n; ++i) {
            const double p = 0.5 * std::erfc(-double(x[size_t(i)]) / std::sqrt(2.0));
            distance = std::max({distance, p - double(i) / n, double(i + 1) / n - p});
        }
        QVERIFY2(distance < 1.95 / std::sqrt(double(n)), qPrintable(QString::number(distance)));  // p = 1e-3
    }

    void randomNumbersAreThoseDrawnOneByOne() {
        std::vector<float> x(1001, 0);
        Call<float> call;
        call.rows = 7;
        call.columns = 143;
        call.out = x.data();
        call.at = {99, 4, 123456789012ull, 3};
        call.a = 0;
        call.b = 1;
        for (const KernelSet* set : sets()) {
            set->kernelFor(Op::uniform)(call, 0, 7);
            for (size_t i = 0; i < x.size(); ++i) QCOMPARE(x[i], philox::uniformAt(call.at, i));
            set->kernelFor(Op::normal)(call, 0, 7);
            for (size_t i = 0; i < x.size(); ++i) QCOMPARE(x[i], philox::normalAt(call.at, i));
        }
    }

    void adamFollowsTheFormula() {
        const int n = 1003, steps = 20;
        for (const KernelSet* set : sets()) {
            Maker maker;
            std::vector<float> p = maker.values(n), m(size_t(n), 0), v(size_t(n), 0);
            std::vector<double> P(p.begin(), p.end()), M(size_t(n), 0), V(size_t(n), 0);
            for (int t = 1; t <= steps; ++t) {
                const std::vector<float> g = maker.values(n);
                UpdateCall call;
                call.parameter = p.data();
                call.gradient = g.data();
                call.first = m.data();
                call.second = v.data();
                call.rate = 1e-2f;
                call.beta1 = 0.9f;
                call.beta2 = 0.999f;
                call.epsilon = 1e-8f;
                const double beta1 = double(call.beta1), beta2 = double(call.beta2);
                call.correction1 = float(1 - std::pow(beta1, t));
                call.correction2 = float(1 - std::pow(beta2, t));
                QVERIFY(set->adam(call, 0, 500));
                QVERIFY(set->adam(call, 500, n));
                for (size_t i = 0; i < size_t(n); ++i) {
                    M[i] = beta1 * M[i] + (1 - beta1) * double(g[i]);
                    V[i] = beta2 * V[i] + (1 - beta2) * double(g[i]) * double(g[i]);
                    P[i] -= double(call.rate) * (M[i] / (1 - std::pow(beta1, t))) /
                            (std::sqrt(V[i] / (1 - std::pow(beta2, t))) + double(call.epsilon));
                }
            }
            for (size_t i = 0; i < size_t(n); ++i)
                QVERIFY2(std::abs(double(p[i]) - P[i]) < 3e-6,
                         qPrintable(QString::number(double(p[i]) - P[i])));
        }
    }

    void adamGivesTheSameBitsInEverySet() {
        std::vector<float> first;
        for (const KernelSet* set : sets()) {
            Maker maker;
            const std::vector<float> g = maker.values(777);
            std::vector<float> p = maker.values(777), m = maker.values(777), v = maker.values(777, 0, 2);
            const UpdateCall call{p.data(), g.data(), m.data(), v.data(), 1e-3f,
                                  0.5f,     0.9f,     1e-8f,    0.5f,     0.1f};
            QVERIFY(set->adam(call, 0, 100));
            QVERIFY(set->adam(call, 100, 777));
            p.insert(p.end(), m.begin(), m.end());
            p.insert(p.end(), v.begin(), v.end());
            if (first.empty()) first = p;
            QVERIFY2(sameBits(first, p), set->name);
        }
    }

    void aGradientThatIsNotFiniteIsReported() {
        const float broken[] = {std::numeric_limits<float>::infinity(),
                                -std::numeric_limits<float>::infinity(), std::nanf("")};
        for (const KernelSet* set : sets())
            for (float bad : broken)
                for (size_t at : {0, 50, 99, 100}) {
                    std::vector<float> p(101, 1), g(101, 1), m(101, 0), v(101, 0);
                    const UpdateCall call{p.data(), g.data(), m.data(), v.data(), 1e-3f,
                                          0.9f,     0.999f,   1e-8f,    0.1f,     0.1f};
                    g[7] = 3e38f;  // large is not broken
                    QVERIFY(set->finite(g.data(), 0, 101));
                    g[at] = bad;
                    QVERIFY(!set->finite(g.data(), 0, 101));
                    QVERIFY(!set->adam(call, 0, 101));
                    QVERIFY(set->finite(g.data(), 0, int64_t(at)));
                    QVERIFY(set->adam(call, int64_t(at) + 1, 101));
                }
    }
};

QTEST_APPLESS_MAIN(TestKernels)
#include "tst_kernels.moc"
