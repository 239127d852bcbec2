// Sets of pictures: Fashion-MNIST as installed, shapes drawn by code, and IDX files of the user's own.
#include <QtTest>
#include <cmath>
#include <set>
#include <thread>

#include "core/data/fashion_mnist.h"
#include "core/data/idx.h"
#include "core/data/metrics.h"
#include "tests/support/refusal.h"

using core::ImageSet;
using core::Split;
using support::refusalOf;

namespace {

// An IDX file of zeros with a last byte of choice.
void write(const QString& path, const QList<uint32_t>& extents, char last = 0) {
    QByteArray bytes("\0\0\x08", 3);
    bytes.append(char(extents.size()));
    qsizetype elements = 1;
    for (uint32_t extent : extents) {
        for (int shift : {24, 16, 8, 0}) bytes.append(char(extent >> shift));
        elements *= extent;
    }
    bytes.append(elements - 1, 0).append(last);
    QFile file(path);
    QVERIFY(file.open(QIODevice::WriteOnly));
    file.write(bytes);
}

}  // namespace

class ImagesTest : public QObject {
    Q_OBJECT

  private slots:
    void cleanup() { qunsetenv("GENSCOPE_FASHION_MNIST"); }

    void fashionMnistIsTheRealOne() {
        if (!core::fashionMnistInstalled()) QSKIP("dataset-fashion-mnist is not installed");
        const ImageSet train = core::fashionMnist(Split::train), test = core::fashionMnist(Split::test);
        for (const auto& [set, rows] : {std::pair{&train, 60000}, std::pair{&test, 10000}}) {
            QCOMPARE(set->images->rows, rows);
            QCOMPARE(set->images->columns, 784);
            QCOMPARE(set->images->bytes.size(), size_t(rows) * 784);
            QCOMPARE(set->labels.size(), size_t(rows));
            QCOMPARE(set->classes.size(), size_t(10));
            std::vector<int> counts(10);
            for (uint8_t label : set->labels) ++counts[label];
            for (int count : counts) QCOMPARE(count, rows / 10);
        }
        // As published: mean 0.2860 and deviation 0.3530 of the training pixels; an ankle boot comes first.
        double sum = 0, squares = 0;
        for (uint8_t b : train.images->bytes) {
            sum += b / 255.0;
            squares += b / 255.0 * (b / 255.0);
        }
        const double n = double(train.images->bytes.size()), mean = sum / n;
        QVERIFY(std::abs(mean - 0.2860) < 5e-5);
        QVERIFY(std::abs(std::sqrt(squares / n - mean * mean) - 0.3530) < 5e-5);
        QCOMPARE(QString::fromStdString(train.classes[train.labels[0]].english), QString("Ankle boot"));
        QCOMPARE(QString::fromStdString(train.classes[train.labels[0]].chinese), QString("短靴"));
    }

    void runsShareOneCopyThatGoesWithTheLastOfThem() {
        if (!core::fashionMnistInstalled()) QSKIP("dataset-fashion-mnist is not installed");
        std::weak_ptr<const core::Table> watch;
        {
            ImageSet first;
            std::thread other([&] { first = core::fashionMnist(Split::test); });
            const ImageSet second = core::fashionMnist(Split::test);
            other.join();
            QCOMPARE(first.images.get(), second.images.get());
            QCOMPARE(first.labels, second.labels);
            QCOMPARE(first.images.use_count(), 2L);
            watch = first.images;
            // The pictures alone keep the copy alive.
            const core::TablePtr images = second.images;
            first = {};
            QCOMPARE(core::fashionMnist(Split::test).images.get(), images.get());
        }
        QVERIFY(watch.expired());
        QCOMPARE(core::fashionMnist(Split::test).labels.size(), size_t(10000));
    }

    void missingFashionMnistSaysHowToGetIt() {
        const QTemporaryDir folder;
        qputenv("GENSCOPE_FASHION_MNIST", folder.path().toUtf8());
        QVERIFY(!core::fashionMnistInstalled());
        QCOMPARE(refusalOf([] { core::fashionMnist(Split::train); }),
                 "Fashion-MNIST: expected the file " + folder.path() +
                     "/train-images-idx3-ubyte.gz, but it is not there; "
                     "`sudo apt install dataset-fashion-mnist` brings it");
    }

    void ownCopiesAreCheckedAgainstTheirLabels_data() {
        QTest::addColumn<QList<uint32_t>>("images");
        QTest::addColumn<QList<uint32_t>>("labels");
        QTest::addColumn<char>("lastLabel");
        QTest::addColumn<QString>("message");
        using Extents = QList<uint32_t>;
        QTest::newRow("sound") << Extents{3, 28, 28} << Extents{3} << char(9) << "accepted";
        QTest::newRow("a label short")
            << Extents{3, 28, 28} << Extents{2} << char(0)
            << "t10k-labels-idx1-ubyte.gz: expected 3 labels, one a picture, got 2";
        QTest::newRow("other size") << Extents{3, 32, 28} << Extents{3} << char(0)
                                    << "t10k-images-idx3-ubyte.gz: expected pictures of 28 x 28, got 28 x 32";
        QTest::newRow("swapped")
            << Extents{3} << Extents{3, 28, 28} << char(0)
            << "t10k-images-idx3-ubyte.gz: expected grey pictures [count, height, width], got 1 axes";
        QTest::newRow("labels are pictures")
            << Extents{3, 28, 28} << Extents{3, 28, 28} << char(0)
            << "t10k-labels-idx1-ubyte.gz: expected labels [count], got 3 axes";
        QTest::newRow("label 10") << Extents{3, 28, 28} << Extents{3} << char(10)
                                  << "t10k-labels-idx1-ubyte.gz: expected labels 0 to 9, got 10";
    }
    void ownCopiesAreCheckedAgainstTheirLabels() {
        QFETCH(QList<uint32_t>, images);
        QFETCH(QList<uint32_t>, labels);
        QFETCH(char, lastLabel);
        QFETCH(QString, message);
        const QTemporaryDir folder;
        write(folder.filePath("t10k-images-idx3-ubyte.gz"), images);
        write(folder.filePath("t10k-labels-idx1-ubyte.gz"), labels, lastLabel);
        qputenv("GENSCOPE_FASHION_MNIST", folder.path().toUtf8());
        const QString got = refusalOf([] {
            const ImageSet set = core::fashionMnist(Split::test);
            QCOMPARE(set.images->rows, 3);
            QCOMPARE(set.labels, (std::vector<uint8_t>{0, 0, 9}));
            QCOMPARE(set.classes[9].english, std::string("Ankle boot"));
        });
        QCOMPARE(got, message == "accepted" ? message : folder.path() + "/" + message);
    }

    void ownPicturesNeedNoLabels() {
        const QTemporaryDir folder;
        const auto path = [&](const char* name) { return folder.filePath(name).toStdString(); };
        write(folder.filePath("p.idx"), {5, 16, 12}, char(200));
        write(folder.filePath("l.idx"), {5}, 2);
        write(folder.filePath("large.idx"), {1, 300, 12});
        const ImageSet bare = core::loadIdxImages(path("p.idx"));
        QCOMPARE(bare.name, std::string("p.idx"));
        QCOMPARE(bare.width, 12);
        QCOMPARE(bare.height, 16);
        QCOMPARE(bare.images->rows, 5);
        QCOMPARE(bare.images->columns, 192);
        QCOMPARE(bare.images->bytes.back(), uint8_t(200));
        QVERIFY(bare.labels.empty() && bare.classes.empty());
        const ImageSet labelled = core::loadIdxImages(path("p.idx"), path("l.idx"));
        QCOMPARE(labelled.labels, (std::vector<uint8_t>{0, 0, 0, 0, 2}));
        QCOMPARE(labelled.classes.size(), size_t(3));
        QCOMPARE(labelled.classes[2].english, std::string("2"));
        QVERIFY(refusalOf([&] {
                    core::loadIdxImages(path("large.idx"));
                }).contains("at most 256 x 256, got 12 x 300"));
        QVERIFY(refusalOf([&] {
                    core::loadIdxImages(path("no.idx"));
                }).endsWith("/no.idx: expected a file, but there is none"));
    }

    void shapesDependOnTheSeedAndNotOnTheCount() {
        const ImageSet many = core::shapesTable(300, 5), few = core::shapesTable(30, 5);
        QVERIFY(std::equal(few.images->bytes.begin(), few.images->bytes.end(), many.images->bytes.begin()));
        QVERIFY(std::equal(few.labels.begin(), few.labels.end(), many.labels.begin()));
        QCOMPARE(core::shapesTable(300, 5).images->bytes, many.images->bytes);
        QVERIFY(core::shapesTable(300, 6).images->bytes != many.images->bytes);
        QVERIFY_THROWS_EXCEPTION(core::Error, core::shapesTable(0, 5));
    }

    void shapesStandWholeOnBlackInTenClasses() {
        const int n = 5000;
        const ImageSet set = core::shapesTable(n, 1);
        QCOMPARE(set.classes.size(), size_t(10));
        QCOMPARE(set.images->columns, set.width * set.height);
        std::vector<int> counts(10);
        for (int i = 0; i < n; ++i) {
            ++counts[set.labels[i]];
            const uint8_t* picture = &set.images->bytes[size_t(i) * 784];
            int brightest = 0;
            for (int y = 0; y < 28; ++y)
                for (int x = 0; x < 28; ++x) {
                    brightest = std::max<int>(brightest, picture[y * 28 + x]);
                    if (x == 0 || y == 0 || x == 27 || y == 27) QCOMPARE(picture[y * 28 + x], uint8_t(0));
                }
            QVERIFY(brightest >= 100);
        }
        for (int count : counts) QVERIFY(std::abs(count - n / 10) < 5 * std::sqrt(n / 10));
    }

    // Area over grey level and squared height tells the figures apart as geometry says.
    void shapesHaveTheAreasOfTheirFigures() {
        const ImageSet set = core::shapesTable(4000, 2);
        double ratio[10] = {}, count[10] = {};
        for (int64_t i = 0; i < set.images->rows; ++i) {
            const uint8_t* p = &set.images->bytes[size_t(i) * 784];
            const double grey = *std::max_element(p, p + 784);
            double area = 0, width = 0;
            for (int x = 0; x < 28; ++x) {
                double column = 0;
                for (int y = 0; y < 28; ++y) {
                    area += p[y * 28 + x] / grey;
                    column = std::max(column, p[y * 28 + x] / grey);
                }
                width += column;
            }
            if (width < 13) continue;  // small ones are mostly outline
            ratio[set.labels[i]] += area / (width * width);
            ++count[set.labels[i]];
        }
        // disc pi/4; ring pi (1 - 0.56^2) / 4; square 1; frame 3/4; triangle sqrt(3)/4; diamond 1/2; bar
        // 0.28/0.95.
        const double expected[] = {0.785, 0.539, 1, 0.75, 0.433, 0.5, 0.295};
        for (int k = 0; k < 7; ++k) {
            const double got = ratio[k] / count[k];
            QVERIFY2(std::abs(got / expected[k] - 1) < 0.1, qPrintable(QString("%1: %2").arg(k).arg(got)));
        }
    }

    void classNamesAreTenDifferentOnes() {
        for (const auto& classes : {core::fashionMnistClasses(), core::shapesTable(1, 1).classes}) {
            std::set<std::string> english, chinese;
            for (const core::ClassName& name : classes) {
                english.insert(name.english);
                chinese.insert(name.chinese);
            }
            QCOMPARE(english.size(), size_t(10));
            QCOMPARE(chinese.size(), size_t(10));
        }
    }
};

QTEST_GUILESS_MAIN(ImagesTest)
#include "tst_images.moc"
