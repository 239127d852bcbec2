// What the rows of op.h say, written out element by element in double, against the kernels: the double
// reference is the kernels' own text and would be wrong with them.
#include <QtTest>

#include <algorithm>
#include <cmath>
#include <set>

#include "problems.h"

using namespace problems;
using Span = core::Extents;

namespace {

// One element of an output: its sample, row, column and channel.
struct At {
    int64_t b, y, x, c;
};

int64_t flat(const Span& e, const At& i) {
    return ((i.b * e.height + i.y) * e.width + i.x) * e.channels + i.c;
}

class Meaning {
  public:
    explicit Meaning(const Problem& problem) : p(problem), call(problem.call) {}

    double of(const At& i) const {
        const Span& from = call.inExtents[0];
        const int64_t k = call.window, o = call.offset, n = from.channels;
        switch (call.op) {
            case Op::silu:
                return same(i) / (1 + std::exp(-same(i)));
            case Op::siluSlope:
                return slope(i, [](double x) { return x / (1 + std::exp(-x)); });
            case Op::gelu:
                return gelu(same(i));
            case Op::geluSlope:
                return slope(i, gelu);
            case Op::erfGelu:
                return erfGelu(same(i));
            case Op::erfGeluSlope:
                return slope(i, erfGelu);
            case Op::sine:
                return std::sin(same(i));
            case Op::cosine:
                return std::cos(same(i));
            case Op::floor:
                return std::floor(same(i));
            case Op::subtract:
                return spread(0, i) - spread(1, i);
            case Op::multiply:
                return spread(0, i) * spread(1, i);
            case Op::broadcast:
                return spread(0, i);
            case Op::sum:
                return sum(i);
            case Op::sliceColumns:
                return in(0, {i.b, i.y, i.x, i.c + o});
            case Op::padColumns: {
                for (int side = 0; side < call.inputs; ++side) {
                    const int64_t c = i.c - call.offsets[side];
                    if (c >= 0 && c < call.inExtents[side].channels) return in(side, {i.b, i.y, i.x, c});
                }
                return 0;
            }
            case Op::upsample:
                return in(0, {i.b, i.y / k, i.x / k, i.c});
            case Op::sumPool: {
                double total = 0;
                for (int64_t u = 0; u < k; ++u)
                    for (int64_t v = 0; v < k; ++v) total += in(0, {i.b, k * i.y + u, k * i.x + v, i.c});
                return total;
            }
            case Op::depthToSpace:
                return in(0, {i.b, i.y / k, i.x / k, (i.y % k * k + i.x % k) * call.extents.channels + i.c});
            case Op::spaceToDepth: {
                const int64_t block = i.c / n;
                return in(0, {i.b, k * i.y + block / k, k * i.x + block % k, i.c % n});
            }
            case Op::padImage: {
                const int64_t y = i.y - o, x = i.x - o;
                return y < 0 || x < 0 || y >= from.height || x >= from.width ? 0 : in(0, {i.b, y, x, i.c});
            }
            case Op::cropImage:
                return in(0, {i.b, i.y + o, i.x + o, i.c});
            default:
                return ofLine(i);
        }
    }

  private:
    double ofLine(const At& i) const {
        const int64_t n = call.inExtents[0].channels;
        const auto x = [&](int64_t c) { return in(0, {i.b, i.y, i.x, c}); };
        switch (call.op) {
            case Op::softmax:
                return call.causal && i.c > i.x ? 0 : std::exp(x(i.c) - logSumExp(i, call.causal ? i.x : n));
            case Op::softmaxGradient: {
                double mean = 0;
                for (int64_t c = 0; c < n; ++c) mean += x(c) * in(1, {i.b, i.y, i.x, c});
                return in(1, i) * (x(i.c) - mean);
            }
            case Op::logSumExp:
                return logSumExp(i, n);
            case Op::argmax: {
                int64_t best = 0;
                for (int64_t c = 1; c < n; ++c)
                    if (x(c) > x(best)) best = c;
                return double(best);
            }
            case Op::topK: {
                std::vector<int64_t> order;
                for (int64_t c = 0; c < n; ++c) order.push_back(c);
                std::stable_sort(order.begin(), order.end(),
                                 [&](int64_t a, int64_t b) { return x(a) > x(b); });
                const int64_t rank = std::find(order.begin(), order.end(), i.c) - order.begin();
                return rank < call.window ? x(i.c) : -1e30;
            }
            case Op::pick:
                return x(named(in(1, {i.b, i.y, i.x, 0}), n));
            case Op::place:
                return i.c == named(in(1, {i.b, i.y, i.x, 0}), call.extents.channels) ? x(0) : 0;
            case Op::gatherRows:
                return p.in[0][size_t(
                    named(p.in[1][size_t(i.b * call.extents.width + i.x)], call.inRows[0]) * n + i.c)];
            case Op::scatterRows: {
                double total = 0;
                for (size_t line = 0; line < p.in[1].size(); ++line)
                    if (named(p.in[1][line], call.rows) == i.b)
                        total += double(p.in[0][line * size_t(n) + size_t(i.c)]);
                return total;
            }
            case Op::nearestRow: {
                double least = 1e300;
                int64_t best = 0;
                for (int64_t row = 0; row < call.inRows[1]; ++row) {
                    double distance = 0;
                    for (int64_t c = 0; c < n; ++c)
                        distance += std::pow(x(c) - double(p.in[1][size_t(row * n + c)]), 2);
                    if (distance < least) best = row;
                    least = std::min(least, distance);
                }
                return double(best);
            }
            default:
                return ofNorm(i);
        }
    }

    double ofNorm(const At& i) const {
        switch (call.op) {
            case Op::moments: {
                // [..., 2] of the channels, or [B, 1, parts, 2] of a group.
                const Span& e = call.inExtents[0];
                const int64_t group = call.parts ? e.channels / call.parts : e.channels;
                std::vector<double> values;
                for (int64_t y = 0; y < e.height; ++y)
                    for (int64_t x = 0; x < e.width; ++x)
                        for (int64_t c = 0; c < group; ++c)
                            if (call.parts)
                                values.push_back(in(0, {i.b, y, x, i.x * group + c}));
                            else if (y == i.y && x == i.x)
                                values.push_back(in(0, {i.b, y, x, c}));
                double mean = 0, variance = 0;
                for (double v : values) mean += v / double(values.size());
                for (double v : values) variance += (v - mean) * (v - mean) / double(values.size());
                return i.c == 0 ? mean : 1 / std::sqrt(variance + double(call.a));
            }
            case Op::normalise: {
                const double z = (in(0, i) - moment(1, i, 0)) * moment(1, i, 1);
                return call.inputs > 2 ? z * spread(2, i) + spread(3, i) : z;
            }
            case Op::normaliseScaleGradient: {
                const Span& e = call.inExtents[0];
                double total = 0;
                for (int64_t y = 0; y < e.height; ++y)
                    for (int64_t x = 0; x < e.width; ++x) {
                        const At at{i.b, y, x, i.c};
                        total += in(0, at) * (in(1, at) - moment(2, at, 0)) * moment(2, at, 1);
                    }
                return total;
            }
            default:
                return std::nan("");
        }
    }

    double in(int k, const At& i) const { return double(p.in[k][size_t(flat(call.inExtents[k], i))]); }
    double same(const At& i) const { return in(0, i); }
    // Operand k where an extent of 1 stands for all.
    double spread(int k, const At& i) const {
        const Span& e = call.inExtents[k];
        return in(k, {e.samples == 1 ? 0 : i.b, e.height == 1 ? 0 : i.y, e.width == 1 ? 0 : i.x,
                      e.channels == 1 ? 0 : i.c});
    }
    double moment(int k, const At& i, int64_t which) const {
        const int64_t group = call.parts ? call.inExtents[0].channels / call.parts : 1;
        return call.parts ? in(k, {i.b, 0, i.c / group, which}) : in(k, {i.b, i.y, i.x, which});
    }
    double sum(const At& i) const {
        const Span &e = call.inExtents[0], &to = call.extents;
        double total = 0;
        for (int64_t b = 0; b < e.samples; ++b)
            for (int64_t y = 0; y < e.height; ++y)
                for (int64_t x = 0; x < e.width; ++x)
                    for (int64_t c = 0; c < e.channels; ++c)
                        if ((to.samples == 1 || b == i.b) && (to.height == 1 || y == i.y) &&
                            (to.width == 1 || x == i.x) && (to.channels == 1 || c == i.c))
                            total += in(0, {b, y, x, c});
        return total;
    }
    // Over the channels up to and with `last`.
    double logSumExp(const At& i, int64_t last) const {
        double top = -1e300, total = 0;
        for (int64_t c = 0; c < call.inExtents[0].channels && c <= last; ++c)
            top = std::max(top, in(0, {i.b, i.y, i.x, c}));
        for (int64_t c = 0; c < call.inExtents[0].channels && c <= last; ++c)
            total += std::exp(in(0, {i.b, i.y, i.x, c}) - top);
        return top + std::log(total);
    }
    static int64_t named(double index, int64_t rows) {
        return std::clamp<int64_t>(int64_t(index), 0, rows - 1);
    }
    static double gelu(double x) {
        return 0.5 * x * (1 + std::tanh(std::sqrt(2 / M_PI) * (x + 0.044715 * x * x * x)));
    }
    static double erfGelu(double x) { return 0.5 * x * std::erfc(-x / std::sqrt(2.0)); }
    template <class F>
    double slope(const At& i, F f) const {
        const double x = same(i), h = 1e-4;
        return (8 * (f(x + h) - f(x - h)) - f(x + 2 * h) + f(x - 2 * h)) / (12 * h);
    }

    const Problem& p;
    const Call<float>& call;
};

}  // namespace

class TestKernelsMeaning : public QObject {
    Q_OBJECT

  private slots:
    void everyElementIsWhatItsOperationMeans() {
        std::set<Op> seen;
        for (const Problem& p : all()) {
            const Span& e = p.call.extents;
            if (std::isnan(Meaning(p).of({0, 0, 0, 0}))) continue;
            seen.insert(p.call.op);
            const std::vector<float> out = solve(p, bestKernels(), p.call.rows);
            for (int64_t i = 0; i<p.size(); i += p.size()> 4000 ? 7 : 1) {
                const At at{i / e.channels / e.positions(), i / e.channels / e.width % e.height,
                            i / e.channels % e.width, i % e.channels};
                const double meant = Meaning(p).of(at), got = double(out[size_t(i)]);
                QVERIFY2(
                    std::abs(got - meant) <= std::max(p.tolerance, 3e-6) * std::max(1.0, std::abs(meant)),
                    qPrintable(QString("%1, element %2: expected %3, got %4")
                                   .arg(p.name.c_str())
                                   .arg(i)
                                   .arg(meant, 0, 'g', 9)
                                   .arg(got, 0, 'g', 9)));
            }
        }
        QCOMPARE(int(seen.size()), 34);
    }

    // x / (1 - p) or nothing, the one where the element's own uniform number is at least p.
    void dropoutKeepsWhereItsNumberIsLargeEnough() {
        for (const Problem& p : all()) {
            if (p.call.op != Op::dropout) continue;
            const std::vector<float> out = solve(p, bestKernels(), p.call.rows);
            const float dropped = p.in[1][0];
            for (size_t i = 0; i < out.size(); ++i) {
                const bool kept = philox::uniformAt(p.call.at, i) >= dropped;
                const float expected = kept ? p.in[0][i] * (1 / (1 - dropped)) : 0;
                QVERIFY2(out[i] == expected, p.name.c_str());
            }
        }
    }
};

QTEST_APPLESS_MAIN(TestKernelsMeaning)
#include "tst_kernels_meaning.moc"
