// The user's own files: what they are told from, what is made of them, and the sentences for those that are
// not what they should be.
#include <QTemporaryDir>
#include <QtTest>
#include <cmath>
#include <fstream>

#include "core/base/error.h"
#include "core/data/read_own.h"

using namespace core;

namespace {

using Bytes = std::vector<uint8_t>;

Bytes bytesOf(const std::string& text) {
    return {text.begin(), text.end()};
}

// count pictures of width x height, picture i filled with grey level i.
Bytes idxPictures(int count, int height, int width) {
    Bytes bytes = {0, 0, 8, 3};
    for (const int extent : {count, height, width})
        bytes.insert(bytes.end(), {0, 0, uint8_t(extent >> 8), uint8_t(extent)});
    for (int i = 0; i < count; ++i) bytes.insert(bytes.end(), size_t(width * height), uint8_t(i));
    return bytes;
}

Bytes idxLabels(int count) {
    Bytes bytes = {0, 0, 8, 1, 0, 0, uint8_t(count >> 8), uint8_t(count)};
    for (int i = 0; i < count; ++i) bytes.push_back(uint8_t(i % 7));
    return bytes;
}

std::string circle(int count, double radius, double x, double y) {
    std::string text;
    for (int i = 0; i < count; ++i)
        text += fmt::format("{},{}\n", x + radius * std::cos(0.1 * i), y + radius * std::sin(0.1 * i));
    return text;
}

template <class Read>
QString sentenceOf(Read read) {
    try {
        read();
    } catch (const Error& error) {
        return QString::fromUtf8(error.what());
    }
    return {};
}

}  // namespace

class TestReadOwn : public QObject {
    Q_OBJECT

    QTemporaryDir m_folder;

    std::string write(const std::string& name, const Bytes& bytes) {
        const std::string path = m_folder.filePath(QString::fromStdString(name)).toStdString();
        std::ofstream(path, std::ios::binary)
            .write(reinterpret_cast<const char*>(bytes.data()), std::streamsize(bytes.size()));
        return path;
    }

  private slots:
    void filesAreKnownByTheirBytes() {
        QCOMPARE(kindOf(bytesOf("1,2\n3,4\n")), FileKind::points);
        QCOMPARE(kindOf(bytesOf("BMI,weight\n3,4\n")), FileKind::points);
        QCOMPARE(kindOf(idxPictures(2, 2, 2)), FileKind::images);
        QCOMPARE(kindOf({{0x1f, 0x8b, 8}}), FileKind::images);
        QCOMPARE(kindOf({{0x89, 'P', 'N', 'G'}}), FileKind::picture);
        QCOMPARE(kindOf({{'B', 'M', 1, 0, 0, 0}}), FileKind::picture);
        QCOMPARE(kindOf({{0x7f, 'E', 'L', 'F', 0}}), FileKind::foreign);
    }

    void pointsThatFitStayWhereTheyAre() {
        const auto own = ownPoints("fits.csv", bytesOf(circle(120, 2, 0, 0)));
        QCOMPARE(own->name, std::string("fits.csv"));
        QVERIFY(!own->pictures && !own->scaled());
        QCOMPARE(own->train->rows + own->test->rows, int64_t(120));
        QCOMPARE(own->test->rows, int64_t(20));
        for (const TablePtr& part : {own->train, own->test})
            for (int64_t i = 0; i < part->rows; ++i)
                QVERIFY(std::abs(std::hypot(part->values[size_t(2 * i)], part->values[size_t(2 * i + 1)]) -
                                 2) < 1e-5);
    }

    void pointsThatDoNotFitAreCentredAndScaledAlike() {
        for (const double radius : {400.0, 0.001}) {
            const auto own = ownPoints("far.csv", bytesOf(circle(120, radius, 5000, -70)));
            QVERIFY(own->scaled());
            QVERIFY(std::abs(own->centre[0] - 5000) < 0.01 * radius &&
                    std::abs(own->centre[1] + 70) < 0.01 * radius &&
                    std::abs(own->unit / radius * 2.7 - 1) < 0.01);
            float low[2] = {9, 9}, high[2] = {-9, -9};
            for (int64_t i = 0; i < own->train->rows; ++i)
                for (int64_t k = 0; k < 2; ++k) {
                    low[k] = std::min(low[k], own->train->values[size_t(2 * i + k)]);
                    high[k] = std::max(high[k], own->train->values[size_t(2 * i + k)]);
                }
            for (int k = 0; k < 2; ++k) {
                QVERIFY2(std::abs(high[k] - 2.7f) < 0.1f && std::abs(low[k] + 2.7f) < 0.1f,
                         qPrintable(QString("%1 to %2").arg(low[k]).arg(high[k])));
            }
        }
    }

    void sortedFilesGiveTrainAndTestOfTheSameKind() {
        std::string text;
        for (int i = 0; i < 600; ++i) text += fmt::format("{}\n", i < 300 ? -2 : 2);
        const auto own = ownPoints("sorted.csv", bytesOf(text));
        QCOMPARE(own->columns(), 1);
        const auto above =
            std::count_if(own->test->values.begin(), own->test->values.end(), [](float x) { return x > 0; });
        QVERIFY2(above > 30 && above < 70, qPrintable(QString::number(above)));
    }

    void picturesAreBroughtTo28x28WithTheirAspect() {
        const std::string same = write("same", idxPictures(60, 28, 28));
        QCOMPARE(ownImages(same, idxPictures(60, 28, 28))->columns(), 28 * 28);
        const std::string wide = write("wide", idxPictures(60, 14, 56));
        const auto own = ownImages(wide, idxPictures(60, 14, 56));
        QVERIFY(own->pictures);
        QCOMPARE(own->columns(), 28 * 28);
        const uint8_t* picture = own->train->bytes.data();
        const uint8_t grey = picture[14 * 28 + 14];  // the middle: each picture is flat
        QVERIFY(grey > 0);
        for (int y = 0; y < 28; ++y)
            for (int x = 0; x < 28; ++x)  // 56 x 14 becomes 28 x 7, in the middle of the square
                QVERIFY2(y < 10 || y > 17 ? picture[y * 28 + x] == 0
                                          : y == 10 || y == 17 || picture[y * 28 + x] == grey,
                         qPrintable(QString("%1 %2: %3").arg(x).arg(y).arg(picture[y * 28 + x])));
    }

    void labelsComeFromTheFileBeside() {
        const std::string images = write("my-images-idx3-ubyte", idxPictures(70, 8, 8));
        QVERIFY(!ownImages(images, idxPictures(70, 8, 8))->labels);
        write("my-labels-idx1-ubyte", idxLabels(70));
        const auto own = ownImages(images, idxPictures(70, 8, 8));
        QVERIFY(own->labels);
        QCOMPARE(own->labels->rows, own->test->rows);
        for (int64_t i = 0; i < own->test->rows; ++i)  // picture i is grey i and has the label i % 7
            QCOMPARE(int(own->labels->values[size_t(i)]), own->test->bytes[size_t(i * 784)] % 7);
    }

    void darkInkOnALightBorderIsWhatIsDense() {
        Bytes grey(16, 250);  // 4 x 4 of paper with one dark pixel, in the upper left quarter
        grey[5] = 10;
        const auto own = ownDensity("ink.png", bytesOf("the file"), grey, 4, 4);
        QVERIFY(own->drawn == core::OwnData::Drawn::dark);
        int64_t within = 0;
        for (int64_t i = 0; i < own->train->rows; ++i) {
            const float x = own->train->values[size_t(2 * i)], y = own->train->values[size_t(2 * i + 1)];
            within += x < 0 && y > 0 && x > -1.5f && y < 1.5f;
        }
        // 245 parts of the ink beside five of every paper pixel.
        QVERIFY2(std::abs(double(within) / double(own->train->rows) - 245.0 / 320) < 0.01,
                 qPrintable(QString::number(within)));
    }

    void oneGreyLevelEverywhereIsNoDensity() {
        for (const uint8_t level : {uint8_t(0), uint8_t(128), uint8_t(255)}) {
            const Bytes grey(16, level);
            const QString refusal =
                sentenceOf([&] { ownDensity("flat.png", bytesOf("the file"), grey, 4, 4); });
            QVERIFY2(refusal.startsWith("flat.png: ") && refusal.contains("one grey level"),
                     qPrintable(refusal));
        }
    }

    void aPictureBecomesADensity() {
        const Bytes grey = {0, 255, 0, 0};  // 2 x 2, only the upper right is light
        const auto own = ownDensity("a.png", bytesOf("the file"), grey, 2, 2);
        QCOMPARE(own->train->columns, 2);
        for (const float x : own->train->values) QVERIFY(x >= 0 && x <= 3);
    }

    void fingerprintsTellFilesApart() {
        const auto a = ownPoints("a.csv", bytesOf(circle(50, 2, 0, 0))),
                   b = ownPoints("a.csv", bytesOf(circle(50, 2, 0, 0.001)));
        QVERIFY(a->fingerprint != b->fingerprint);
        QCOMPARE(a->fingerprint, ownPoints("b.csv", bytesOf(circle(50, 2, 0, 0)))->fingerprint);
    }

    void whatIsWrongIsOneSentenceThatNamesTheFile_data() {
        QTest::addColumn<QByteArray>("text");
        QTest::addColumn<QString>("says");
        QTest::newRow("empty") << QByteArray() << "at least one line";
        QTest::newRow("words") << QByteArray("a,b\nhello,you\n") << "line 2";
        QTest::newRow("three") << QByteArray("1,2,3\n") << "line 1";
        QTest::newRow("few") << QByteArray("1,2\n3,4\n") << "at least 32";
        QTest::newRow("one place") << QByteArray("1,2\n").repeated(100) << "different places";
        QTest::newRow("huge number") << QByteArray("1,1e99\n").repeated(40) << "finite";
    }
    void whatIsWrongIsOneSentenceThatNamesTheFile() {
        QFETCH(QByteArray, text);
        QFETCH(QString, says);
        const QString sentence =
            sentenceOf([&] { (void)ownPoints("mine.csv", bytesOf(text.toStdString())); });
        QVERIFY2(sentence.contains(says) && sentence.startsWith("mine.csv"), qPrintable(sentence));
        QVERIFY(!sentence.contains('\n'));
    }

    void truncatedAndForeignImagesAreRefused() {
        Bytes cut = idxPictures(60, 8, 8);
        cut.erase(cut.end() - 5, cut.end());
        QVERIFY(sentenceOf([&] { (void)ownImages(write("cut", cut), cut); }).contains("too short"));
        const Bytes labels = idxLabels(60);
        QVERIFY(sentenceOf([&] { (void)ownImages(write("labels", labels), labels); }).contains("1 axes"));
        const Bytes noGzip = {0x1f, 0x8b, 1, 2, 3};
        QVERIFY(!sentenceOf([&] { (void)ownImages(write("broken.gz", noGzip), noGzip); }).isEmpty());
    }
};

QTEST_GUILESS_MAIN(TestReadOwn)
#include "tst_read_own.moc"
