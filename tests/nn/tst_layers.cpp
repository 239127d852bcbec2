// Layers where the answer is known, and the order of weights in PyTorch's files.
#include <QtTest>
#include <cmath>

#include "core/nn/layers.h"
#include "core/nn/torch_order.h"
#include "tests/support/evaluation.h"

using namespace core;
using support::Evaluation;

namespace {

double largestOf(const std::vector<float>& x) {
    double out = 0;
    for (float v : x) out = std::max(out, std::abs(double(v)));
    return out;
}

}  // namespace

class TestLayers : public QObject {
    Q_OBJECT

  private slots:
    void timesBecomeCosinesThenSines() {
        Evaluation e([](Recorder& r) {
            r.probe("e", sinusoidalEmbedding(r.constant({3, 1}, {0, 1.5f, 999}), 6));
        });
        const std::vector<float> y = e.values("e");
        const double times[] = {0, 1.5, 999};
        for (size_t row = 0; row < 3; ++row)
            for (size_t i = 0; i < 3; ++i) {
                const double angle = times[row] * std::pow(10000.0, -double(i) / 3);
                QVERIFY(std::abs(double(y[row * 6 + i]) - std::cos(angle)) < 1e-4);
                QVERIFY(std::abs(double(y[row * 6 + 3 + i]) - std::sin(angle)) < 1e-4);
            }
    }

    void aGridsEmbeddingKnowsColumnAndRow() {
        const std::vector<float> y = gridEmbedding(8, 3);
        QCOMPARE(y.size(), size_t(9 * 8));
        const float* at = y.data() + (2 * 3 + 1) * 8;  // row 2, column 1
        const double expected[] = {std::sin(1.0), std::sin(0.01), std::cos(1.0), std::cos(0.01),
                                   std::sin(2.0), std::sin(0.02), std::cos(2.0), std::cos(0.02)};
        for (int i = 0; i < 8; ++i) QVERIFY(std::abs(double(at[i]) - expected[i]) < 1e-6);
    }

    // The parts are the columns of the whole, for a plain layer and for one with a low-rank update.
    void splitGivesTheColumnsOfTheWhole() {
        Evaluation e([](Recorder& r) {
            const Var x = r.normal("x", {2, 5, 6});
            const Linear plain(r.scope("plain"), 6, 12);
            const LoraLinear lora(r.scope("lora"), 6, 12, 2, r.fill({1}, 0.5f));
            // B starts at zero: moved by what its own gradient says, so that the update is seen.
            r.minimize(sum(square(lora(x) - 1)), "lora", Adam{{0.1f}, {0.9f}});
            const auto compare = [&](const char* name, Var whole, const std::vector<Var>& parts) {
                Var joined = parts[0];
                for (size_t i = 1; i < parts.size(); ++i) joined = concatColumns(joined, parts[i]);
                r.probe(name, joined - whole);
            };
            compare("plain", plain(x), plain.split(x, 3));
            compare("lora", lora(x), lora.split(x, 3));
            r.probe("update", lora(x) - lora.base(x));
        });
        for (int step = 0; step < 2; ++step) e.run();
        QVERIFY(largestOf(e.values("plain")) < 2e-6 && largestOf(e.values("lora")) < 2e-6);
        QVERIFY(largestOf(e.values("update")) > 1e-2);
    }

    // Averages start at 0 and 1 and go a tenth of the way in each step, as torch.nn.BatchNorm1d's do.
    void batchNormRemembersWhatItSaw() {
        Evaluation e([](Recorder& r) {
            const Var x = r.constant({4, 2}, {1, 10, 2, 20, 3, 30, 6, 20});
            r.probe("train", BatchNorm(r.scope("norm"), 2, true)(x));
            r.probe("seen", BatchNorm(r.scope("norm"), 2, false)(x));
        });
        for (int step = 0; step < 2; ++step) e.run();
        const std::vector<float> train = e.values("train"), seen = e.values("seen");
        // mean 3 and 20, variance 14/4 and 200/4; unbiased 14/3 and 200/3
        const double mean[] = {0.19 * 3, 0.19 * 20},
                     variance[] = {0.81 + 0.19 * 14 / 3, 0.81 + 0.19 * 200 / 3};
        const double x[] = {1, 10, 2, 20, 3, 30, 6, 20};
        for (size_t i = 0; i < 8; ++i) {
            const size_t c = i % 2;
            const double own = (x[i] - (c ? 20 : 3)) / std::sqrt((c ? 50 : 3.5) + 1e-5);
            QVERIFY(std::abs(double(train[i]) - own) < 1e-5);
            QVERIFY(std::abs(double(seen[i]) - (x[i] - mean[c]) / std::sqrt(variance[c] + 1e-5)) < 1e-5);
        }
    }

    // A 1 x 1 convolution is a linear layer over channels; with all weights 1 a 3 x 3 one adds up neighbours.
    void convolutionsAreWhatTheySay() {
        Evaluation e([](Recorder& r) {
            const Var x = r.constant({1, 3, 3, 1}, {1, 2, 3, 4, 5, 6, 7, 8, 9});
            const Conv2d sums(r.scope("sums"), 1, 1, 3, 1, 1);
            const Conv2d point(r.scope("point"), 1, 1, 1), strided(r.scope("strided"), 1, 1, 3, 2, 1);
            const ConvTranspose2d back(r.scope("back"), 1, 1, 4, 2, 1);
            r.probe("sums", sums(x));
            r.probe("point", point(x));
            r.probe("strided", strided(x));
            r.probe("back", back(r.constant({1, 1, 1, 1}, {1})));
        });
        Store& store = e.store();
        std::fill(store.weights.parameters.begin(), store.weights.parameters.end(), 1.0f);
        e.run();
        QCOMPARE(e.values("sums"), (std::vector<float>{13, 22, 17, 28, 46, 34, 25, 40, 29}));
        QCOMPARE(e.values("point"), (std::vector<float>{2, 3, 4, 5, 6, 7, 8, 9, 10}));
        QCOMPARE(e.values("strided"), (std::vector<float>{13, 17, 25, 29}));
        QCOMPARE(e.values("back"), std::vector<float>(4, 2));
    }

    // The weight's columns run over channels first, the image's numbers over channels last.
    void flattenTakesPyTorchsColumns() {
        Evaluation e([](Recorder& r) {
            std::vector<float> image(12);
            for (size_t i = 0; i < 12; ++i) image[i] = float(i + 1);  // [1, 2, 2, 3]
            r.probe("y", FlattenLinear(r.scope("fc"), {1, 2, 2, 3}, 12)(r.constant({1, 2, 2, 3}, image)));
        });
        // The identity shows the columns themselves.
        Store& store = e.store();
        std::fill(store.weights.parameters.begin(), store.weights.parameters.end(), 0.0f);
        const auto& weight = e.layout().entries()[size_t(e.layout().find("fc.weight"))];
        for (int64_t i = 0; i < 12; ++i) store.weights.parameters[size_t(weight.offset + i * 13)] = 1;
        e.run();
        QCOMPARE(e.values("y"), (std::vector<float>{1, 4, 7, 10, 2, 5, 8, 11, 3, 6, 9, 12}));
    }

    // PyTorch's defaults: every weight and bias within 1 / sqrt(fan in), and spread over that range.
    void weightsStartAsPyTorchs() {
        Evaluation e([](Recorder& r) {
            Linear(r.scope("linear"), 25, 40);
            Linear(r.scope("zero"), 25, 40, {.zero = true});
            Conv2d(r.scope("conv"), 4, 30, 3);
            ConvTranspose2d(r.scope("back"), 30, 4, 3, 2, 1);
            Embedding(r.scope("table"), 500, 4);
            LayerNorm(r.scope("norm"), 8);
            LoraLinear(r.scope("lora"), 400, 4, 5, r.fill({1}, 1));
            r.probe("one", r.fill({1}, 1));
        });
        const auto check = [&](const char* name, double low, double high, double deviation) {
            const auto& entry = e.layout().entries()[size_t(e.layout().find(name))];
            const float* x = e.store().weights.parameters.data() + entry.offset;
            double squares = 0;
            for (int64_t i = 0; i < entry.shape.size(); ++i) {
                QVERIFY2(double(x[i]) >= low && double(x[i]) <= high, name);
                squares += double(x[i]) * double(x[i]) / double(entry.shape.size());
            }
            QVERIFY2(std::abs(std::sqrt(squares) - deviation) <= 0.1 * deviation, name);
        };
        const double uniform = 1 / std::sqrt(3.0);
        check("linear.weight", -0.2, 0.2, 0.2 * uniform);
        check("zero.weight", 0, 0, 0);
        check("conv.weight", -1 / 6.0, 1 / 6.0, uniform / 6);
        check("back.weight", -1 / 6.0, 1 / 6.0, uniform / 6);
        check("table.weight", -6, 6, 1);
        check("norm.weight", 1, 1, 1);
        check("norm.bias", 0, 0, 0);
        check("lora.lora_A", -1.2, 1.2, 0.2);
        check("lora.lora_B", 0, 0, 0);
    }

    void averagesAreReadInPlaceOfParameters() {
        Evaluation e([](Recorder& r) {
            const Linear now(r.scope("net"), 3, 2);
            const Var x = r.constant({1, 3}, {1, 2, 3});
            r.update(r.gradients(sum(now(x)), ""), Sgd{{0.5f}}, {.average = r.fill({1}, 0.75f)});
            const Linear mean(r.scope("net").averages(), 3, 2);
            r.probe("now", now(x));
            r.probe("mean", mean(x));
        });
        // Read after the update: 14 + 1 less for each step of 0.5, and a quarter of that in the average.
        const float start = e.values("now")[0] + 7.5f;
        QVERIFY(std::abs(e.values("mean")[0] - (start - 7.5f / 4)) < 1e-4f);
    }

    // Element (o, i, y, x) of a Conv2d's weight in a file is element (y, x, i, o) here.
    void convolutionsTurnAtTheBorder() {
        const Shape shape{2, 2, 3, 5};
        QVERIFY(torchShape(shape) == Shape({5, 3, 2, 2}));
        std::vector<float> file(60);
        for (size_t i = 0; i < 60; ++i) file[i] = float(i);
        const std::vector<float> here = fromTorch(file, shape);
        for (size_t y = 0; y < 2; ++y)
            for (size_t x = 0; x < 2; ++x)
                for (size_t i = 0; i < 3; ++i)
                    for (size_t o = 0; o < 5; ++o)
                        QCOMPARE(here[((y * 2 + x) * 3 + i) * 5 + o], file[((o * 3 + i) * 2 + y) * 2 + x]);
        QCOMPARE(toTorch(here, shape), file);
        QCOMPARE(fromTorch(file, {60}), file);
        QVERIFY(torchShape({3, 4}) == Shape({3, 4}));
        QVERIFY_EXCEPTION_THROWN(fromTorch(file, {61}), Error);
    }
};

QTEST_APPLESS_MAIN(TestLayers)
#include "tst_layers.moc"
