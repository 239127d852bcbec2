// The Frechet distance where it is known, and the features that pictures are compared by.
#include <QtTest>
#include <algorithm>
#include <cmath>
#include <fstream>
#include <iterator>

#include "core/base/error.h"
#include "core/base/philox.h"
#include "core/data/fashion_mnist.h"
#include "core/data/frechet.h"
#include "core/data/picture_features.h"
#include "core/data/safetensors.h"

using namespace core;

namespace {

std::vector<float> normals(size_t rows, int d, uint64_t seed, float scale = 1, float shift = 0) {
    std::vector<float> x(rows * size_t(d));
    for (size_t i = 0; i < x.size(); ++i) x[i] = shift + scale * philox::normalAt({.seed = seed}, i);
    return x;
}

std::vector<float> picturesOf(const Table& table, int64_t from, int64_t count) {
    std::vector<float> out;
    for (int64_t i = from * 784; i < (from + count) * 784; ++i)
        out.push_back(float(table.bytes[size_t(i)]) / 255);
    return out;
}

}  // namespace

class TestFrechet : public QObject {
    Q_OBJECT

  private slots:
    void ofDiagonalGaussiansItIsTheSum() {
        // |m - m'|^2 + sum (s - s')^2
        const FeatureMoments a{{1, 2, 3}, {4, 0, 0, 0, 1, 0, 0, 0, 9}},
            b{{1, 0, 3.5}, {1, 0, 0, 0, 1, 0, 0, 0, 0.25}};
        QVERIFY(std::abs(frechetDistance(a, b) - (4 + 0.25 + 1 + 0 + 6.25)) < 1e-9);
        QVERIFY(std::abs(frechetDistance(a, a)) < 1e-9);
    }

    // A rotation of both changes nothing; and in the plane the root has a closed form.
    void ofCorrelatedGaussiansItIsKnown() {
        const FeatureMoments a{{0, 0}, {2, 1.2, 1.2, 3}}, b{{0, 0}, {1, -0.4, -0.4, 0.7}};
        // tr sqrt(M) = sqrt(tr M + 2 sqrt(det M)) for M = C C' of two rows.
        const double trace = 2 * 1 + 1.2 * -0.4 + 1.2 * -0.4 + 3 * 0.7;
        const double determinant = (2 * 3 - 1.44) * (0.7 - 0.16);
        const double expected = 5 + 1.7 - 2 * std::sqrt(trace + 2 * std::sqrt(determinant));
        QVERIFY(std::abs(frechetDistance(a, b) - expected) < 1e-9);
        QVERIFY(std::abs(frechetDistance(b, a) - expected) < 1e-9);
    }

    void momentsOfSamplesAreTheirs() {
        const FeatureMoments m = featureMoments(std::vector<float>{1, 2, 3, 4, 5, 12}, 2);
        QCOMPARE(m.mean, (std::vector<double>{3, 6}));
        QCOMPARE(m.covariance, (std::vector<double>{4, 10, 10, 28}));
        QVERIFY_THROWS_EXCEPTION(Error, featureMoments(std::vector<float>{1, 2}, 2));
    }

    void samplesOfOneLawAreNear() {
        const double same =
            frechetDistance(featureMoments(normals(4000, 6, 1), 6), featureMoments(normals(4000, 6, 2), 6));
        const double other = frechetDistance(featureMoments(normals(4000, 6, 1), 6),
                                             featureMoments(normals(4000, 6, 2, 1.5f, 1), 6));
        QVERIFY(same < 0.02);
        QVERIFY(std::abs(other - 6 * (1 + 0.25)) < 0.4);
    }

    // The features are those that the classifier was trained to have, and tell garments apart.
    void theShippedClassifierSeesGarments() {
        if (!fashionMnistInstalled()) QSKIP("Fashion-MNIST is not installed");
        const PictureFeatures& network = PictureFeatures::shipped();
        const ImageSet test = fashionMnist(Split::test);
        const std::vector<float> features = network.features(picturesOf(*test.images, 0, 500));
        std::ifstream file(SOURCE_DIR "/assets/weights/fashion-classifier.safetensors", std::ios::binary);
        const std::vector<char> bytes{std::istreambuf_iterator<char>(file), {}};
        const Safetensors stored =
            readSafetensors(std::span(reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size()));
        const std::vector<float>& check = stored.tensors.at("check.features").values;  // as PyTorch has them
        for (size_t i = 0; i < check.size(); ++i) QVERIFY(std::abs(features[i] - check[i]) < 1e-3f);
        const std::vector<float> logits = network.logits(features);
        int right = 0;
        for (size_t i = 0; i < 500; ++i) {
            const auto row = logits.begin() + long(i) * 10;
            right += std::max_element(row, row + 10) - row == test.labels[i];
        }
        QVERIFY2(right > 400, qPrintable(QString::number(right)));
    }

    void noiseIsFarFromGarments() {
        if (!fashionMnistInstalled()) QSKIP("Fashion-MNIST is not installed");
        const PictureFeatures& network = PictureFeatures::shipped();
        const ImageSet train = fashionMnist(Split::train);
        const auto distance = [&](const std::vector<float>& pictures) {
            return frechetDistance(featureMoments(network.features(pictures), PictureFeatures::width),
                                   network.ofTestSet());
        };
        const std::vector<float> real = picturesOf(*train.images, 0, 1000);
        std::vector<float> noisy = real;
        const std::vector<float> noise = normals(1000, 784, 3, 0.2f);
        for (size_t i = 0; i < noisy.size(); ++i) noisy[i] = std::clamp(noisy[i] + noise[i], 0.0f, 1.0f);
        const double near = distance(real), far = distance(noisy);
        qInfo("Frechet distance of 1000 training pictures %.3f, with noise %.3f", near, far);
        QVERIFY(near > 0 && far > 10 * near);
    }

    void foreignFilesAreRefused() {
        QVERIFY_THROWS_EXCEPTION(Error, PictureFeatures(std::vector<uint8_t>(100, 7)));
        QVERIFY_THROWS_EXCEPTION(
            Error, PictureFeatures(writeSafetensors({.tensors = {{"conv1.weight", {{2}, {1, 2}}}}})));
        QVERIFY_THROWS_EXCEPTION(Error, PictureFeatures::shipped().features(std::vector<float>(783)));
    }
};

QTEST_APPLESS_MAIN(TestFrechet)
#include "tst_frechet.moc"
