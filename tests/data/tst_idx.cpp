// IDX files: every file that is not exactly one is refused in one sentence, and none can hurt.
#include <sys/resource.h>
#include <sys/stat.h>
#include <zlib.h>

#include <QtTest>
#include <random>

#include "core/data/idx.h"
#include "tests/support/refusal.h"

using support::refusalOf;
using Bytes = std::vector<uint8_t>;
Q_DECLARE_METATYPE(Bytes)

namespace {

Bytes idxFile(std::vector<uint32_t> extents, size_t elements, uint8_t type = 8) {
    Bytes file{0, 0, type, uint8_t(extents.size())};
    for (uint32_t extent : extents)
        for (int shift : {24, 16, 8, 0}) file.push_back(uint8_t(extent >> shift));
    for (size_t i = 0; i < elements; ++i) file.push_back(uint8_t(i * 7));
    return file;
}

// The bytes, then so many zeros, in gzip; the zeros are never held in memory.
Bytes gzipped(const Bytes& bytes, int64_t zeros = 0, int level = 9) {
    z_stream z{};
    deflateInit2(&z, level, Z_DEFLATED, 15 + 16, 9, Z_DEFAULT_STRATEGY);
    Bytes packed, room(1 << 16), nothing(1 << 16);
    const auto feed = [&](const uint8_t* data, size_t size, int flush) {
        z.next_in = const_cast<Bytef*>(data);
        z.avail_in = uInt(size);
        do {
            z.next_out = room.data();
            z.avail_out = uInt(room.size());
            deflate(&z, flush);
            packed.insert(packed.end(), room.data(), room.data() + room.size() - z.avail_out);
        } while (z.avail_out == 0);
    };
    feed(bytes.data(), bytes.size(), Z_NO_FLUSH);
    for (; zeros > 0; zeros -= int64_t(nothing.size())) feed(nothing.data(), nothing.size(), Z_NO_FLUSH);
    feed(nullptr, 0, Z_FINISH);
    deflateEnd(&z);
    return packed;
}

Bytes cut(const Bytes& bytes, size_t fromEnd) {
    return {bytes.begin(), bytes.end() - long(fromEnd)};
}
Bytes joined(Bytes a, const Bytes& b) {
    a.insert(a.end(), b.begin(), b.end());
    return a;
}
Bytes textOf(const char* text) {
    return {text, text + strlen(text)};
}

long peakKilobytes() {
    rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_maxrss;
}

}  // namespace

class IdxTest : public QObject {
    Q_OBJECT

  private slots:
    void soundFilesAreRead_data() {
        QTest::addColumn<Bytes>("file");
        QTest::addColumn<QList<int>>("extents");
        QTest::newRow("labels") << idxFile({5}, 5) << QList<int>{5};
        QTest::newRow("pictures") << idxFile({2, 3, 4}, 24) << QList<int>{2, 3, 4};
        QTest::newRow("colour pictures") << idxFile({2, 3, 4, 3}, 72) << QList<int>{2, 3, 4, 3};
        QTest::newRow("one element") << idxFile({1}, 1) << QList<int>{1};
        QTest::newRow("gzip") << gzipped(idxFile({2, 3, 4}, 24)) << QList<int>{2, 3, 4};
        QTest::newRow("gzip, stored") << gzipped(idxFile({9, 5}, 45), 0, 0) << QList<int>{9, 5};
        QTest::newRow("gzip, long") << gzipped(idxFile({100, 28, 28}, 78400)) << QList<int>{100, 28, 28};
    }
    void soundFilesAreRead() {
        QFETCH(Bytes, file);
        QFETCH(QList<int>, extents);
        const core::Idx idx = core::readIdx(file);
        QCOMPARE(QList<int>(idx.extents.begin(), idx.extents.end()), extents);
        size_t elements = 1;
        for (int extent : extents) elements *= extent;
        QCOMPARE(idx.bytes.size(), elements);
        for (size_t i = 0; i < elements; ++i) QCOMPARE(idx.bytes[i], uint8_t(i * 7));
    }

    void otherFilesAreRefused_data() {
        QTest::addColumn<Bytes>("file");
        QTest::addColumn<QString>("message");
        const auto row = [](const char* name, Bytes file, const char* message) {
            QTest::newRow(name) << std::move(file) << QString(message);
        };
        const Bytes good = idxFile({2, 3, 4}, 24), packed = gzipped(good);
        row("empty", {}, "idx: expected an IDX file, got an empty one");
        row("one byte", {0}, "idx: expected at least 4 bytes of header, got 1");
        row("gzip magic only", {0x1f, 0x8b}, "idx: expected more gzip data, but the file ends too early");
        row("empty in gzip", gzipped({}), "idx: expected at least 4 bytes of header, got 0");
        row("PNG", {0x89, 'P', 'N', 'G', 13, 10, 26, 10},
            "idx: expected two zero bytes first, as IDX files begin, got 89 50");
        row("text", textOf("x,y\n1,2\n"),
            "idx: expected two zero bytes first, as IDX files begin, got 78 2c");
        row("text in gzip", gzipped(textOf("hello")),
            "idx: expected two zero bytes first, as IDX files begin, got 68 65");
        row("NumPy", textOf("\x93NUMPY"),
            "idx: expected two zero bytes first, as IDX files begin, got 93 4e");
        row("first byte", {1, 0, 8, 1, 0, 0, 0, 1, 5},
            "idx: expected two zero bytes first, as IDX files begin, got 01 00");
        row("floats", idxFile({2}, 8, 0x0d),
            "idx: expected unsigned bytes (type 0x08), got 32-bit floats (0x0d)");
        row("signed", idxFile({2}, 2, 0x09),
            "idx: expected unsigned bytes (type 0x08), got signed bytes (0x09)");
        row("no type", idxFile({2}, 2, 0x42),
            "idx: expected unsigned bytes (type 0x08), got no type that IDX knows (0x42)");
        row("no axes", {0, 0, 8, 0}, "idx: expected 1 to 4 axes, got 0");
        row("five axes", idxFile({1, 1, 1, 1, 1}, 1), "idx: expected 1 to 4 axes, got 5");
        row("255 axes", {0, 0, 8, 255, 0, 0}, "idx: expected 1 to 4 axes, got 255");
        row("header cut", cut(good, 26),
            "idx: expected 3 extents in the header, but the file ends too early");
        row("zero extent", idxFile({2, 0, 4}, 0), "idx: expected extents above zero, got 0 for axis 1");
        row("zero hides overflow", idxFile({~0u, ~0u, 0}, 0),
            "idx: expected at most 1000000 elements, got more");
        row("over the limit", idxFile({1001, 1000}, 9), "idx: expected at most 1000000 elements, got more");
        row("overflow of 32 bits", idxFile({65536, 65536}, 9),
            "idx: expected at most 1000000 elements, got more");
        row("overflow of 64 bits", idxFile({~0u, ~0u, ~0u, ~0u}, 9),
            "idx: expected at most 1000000 elements, got more");
        row("wraps to a small product", idxFile({0x80000000u, 0x80000000u, 4}, 9),
            "idx: expected at most 1000000 elements, got more");
        row("one byte short", cut(good, 1), "idx: expected 24 elements, but the file is too short for them");
        row("one byte long", joined(good, {0}),
            "idx: expected the file to end after 24 elements, but more bytes follow");
        row("gzip: short inside", gzipped(cut(good, 1)),
            "idx: expected 24 elements, but the file ends after 23");
        row("gzip: long inside", gzipped(joined(good, {0})),
            "idx: expected the file to end after 24 elements, but more bytes follow");
        row("gzip: bytes behind", joined(packed, {0}),
            "idx: expected the file to end after 24 elements, but more bytes follow");
        row("gzip: a second member", joined(packed, packed),
            "idx: expected the file to end after 24 elements, but more bytes follow");
        row("gzip: cut in the data", cut(packed, 14),
            "idx: expected more gzip data, but the file ends too early");
        row("gzip: cut in the check", cut(packed, 3),
            "idx: expected more gzip data, but the file ends too early");
        Bytes wrongSum = packed;
        wrongSum.at(wrongSum.size() - 6) ^= 1;
        row("gzip: wrong checksum", wrongSum, "idx: expected sound gzip data, got incorrect data check");
        Bytes wrongLength = packed;
        wrongLength.at(wrongLength.size() - 1) ^= 1;
        row("gzip: wrong length", wrongLength, "idx: expected sound gzip data, got incorrect length check");
        row("gzip: unknown method", {0x1f, 0x8b, 7, 0, 0, 0, 0, 0, 0, 0},
            "idx: expected sound gzip data, got unknown compression method");
    }
    void otherFilesAreRefused() {
        QFETCH(Bytes, file);
        QFETCH(QString, message);
        QCOMPARE(refusalOf([&] { core::readIdx(file, {.rank = 4, .elements = 1'000'000}); }), message);
    }

    void noProductOverflowsUnderTheLargestLimits() {
        const core::IdxLimits limits{.rank = 4, .elements = INT64_MAX};
        const QString more = QString("idx: expected at most %1 elements, got more").arg(INT64_MAX);
        QCOMPARE(refusalOf([&] { core::readIdx(idxFile({~0u, ~0u, ~0u, ~0u}, 9), limits); }), more);
        QCOMPARE(refusalOf([&] { core::readIdx(idxFile({1u << 31, 1u << 31, 4, 9}, 9), limits); }), more);
        QCOMPARE(refusalOf([&] {
                     core::readIdx(idxFile({1u << 31, 1u << 31, 1, 1}, 9), limits);
                 }),
                 QString("idx: expected 4611686018427387904 elements, but the file is too short for them"));
    }

    // Small files that unpack to much, or ask for much, cost neither time nor memory.
    void bombsAreRefusedQuickly_data() {
        QTest::addColumn<Bytes>("file");
        QTest::addColumn<QString>("message");
        const int64_t plenty = int64_t(1) << 27;
        QTest::newRow("128 MB behind ten elements")
            << gzipped(idxFile({10}, 10), plenty)
            << "idx: expected the file to end after 10 elements, but more bytes follow";
        QTest::newRow("128 MB of nothing")
            << gzipped({}, plenty)
            << "idx: expected unsigned bytes (type 0x08), got no type that IDX knows (0x00)";
        QTest::newRow("declares 500 MB, holds 20 bytes in gzip")
            << gzipped(idxFile({500'000'000}, 20))
            << "idx: expected 500000000 elements, but the file is too short for them";
        QTest::newRow("declares 500 MB, holds 20 bytes")
            << idxFile({500'000'000}, 20)
            << "idx: expected 500000000 elements, but the file is too short for them";
        QTest::newRow("declares more than the limit") << gzipped(idxFile({2'000'000'000}, 0), plenty)
                                                      << "idx: expected at most 536870912 elements, got more";
    }
    void bombsAreRefusedQuickly() {
        QFETCH(Bytes, file);
        QFETCH(QString, message);
        const long before = peakKilobytes();
        QElapsedTimer timer;
        timer.start();
        QCOMPARE(refusalOf([&] { core::readIdx(file); }), message);
        QVERIFY2(timer.elapsed() < 100, qPrintable(QString::number(timer.elapsed())));
        QVERIFY2(peakKilobytes() - before < 32 * 1024, qPrintable(QString::number(peakKilobytes() - before)));
    }

    void randomDamageNeverCrashesNorExceedsTheLimits() {
        const core::IdxLimits limits{.rank = 3, .elements = 4096};
        const std::vector<Bytes> sound{idxFile({40}, 40), idxFile({5, 6, 7}, 210),
                                       gzipped(idxFile({5, 6, 7}, 210)), gzipped(idxFile({40}, 40), 0, 0),
                                       gzipped(idxFile({8, 8}, 64), 1 << 20)};
        std::mt19937 random(20261123);
        int accepted = 0, refused = 0;
        QElapsedTimer timer;
        timer.start();
        for (int i = 0; i < 20000; ++i) {
            Bytes file = sound[random() % sound.size()];
            for (unsigned edits = random() % 5; edits && !file.empty(); --edits) {
                // Most edits hit the header, where the decisions are made.
                const size_t at = random() % (random() % 2 ? file.size() : std::min<size_t>(file.size(), 20));
                switch (random() % 4) {
                    case 0:
                        file[at] ^= uint8_t(1u << random() % 8);
                        break;
                    case 1:
                        file[at] = uint8_t(random());
                        break;
                    case 2:
                        file.erase(file.begin() + long(at), file.end());
                        break;
                    default:
                        file.insert(file.begin() + long(at), uint8_t(random()));
                }
            }
            try {
                const core::Idx idx = core::readIdx(file, limits);
                ++accepted;
                QVERIFY(idx.extents.size() >= 1 && idx.extents.size() <= 3);
                int64_t elements = 1;
                for (int64_t extent : idx.extents) elements *= extent;
                QVERIFY(elements <= limits.elements);
                QCOMPARE(int64_t(idx.bytes.size()), elements);
            } catch (const core::Error& error) {
                ++refused;
                QVERIFY(QString(error.what()).startsWith("idx: expected "));
            }
        }
        QVERIFY2(accepted > 1000 && refused > 1000, qPrintable(QString("%1 %2").arg(accepted).arg(refused)));
        QVERIFY(timer.elapsed() < 5000);
    }

    void onlyRegularFilesAreRead() {
        const QTemporaryDir folder;
        const auto path = [&](const char* name) { return folder.filePath(name).toStdString(); };
        QFile file(folder.filePath("a.idx"));
        QVERIFY(file.open(QIODevice::WriteOnly));
        file.write("\0\0\x08\x01\0\0\0\x02\x05\x06", 10);
        file.close();
        QCOMPARE(core::readFile(path("a.idx"), 10).size(), size_t(10));
        QCOMPARE(core::readIdxFile(path("a.idx")).bytes, (Bytes{5, 6}));

        const auto refusal = [&](const std::string& p) { return refusalOf([&] { core::readFile(p, 9); }); };
        const QString where = folder.path();
        QCOMPARE(refusal(path("a.idx")), where + "/a.idx: expected at most 9 bytes, got 10");
        QCOMPARE(refusal(path("none")), where + "/none: expected a file, but there is none");
        QCOMPARE(refusal(where.toStdString()), where + ": expected a regular file, got a folder");
        QCOMPARE(mkfifo(path("pipe").c_str(), 0600), 0);
        QCOMPARE(refusal(path("pipe")), where + "/pipe: expected a regular file, got something else");
        QCOMPARE(refusal("/dev/zero"), QString("/dev/zero: expected a regular file, got something else"));

        QVERIFY(file.open(QIODevice::WriteOnly));
        file.write("GIF89a");
        file.close();
        QCOMPARE(refusalOf([&] { core::readIdxFile(path("a.idx")); }),
                 where + "/a.idx: idx: expected two zero bytes first, as IDX files begin, got 47 49");
    }
};

QTEST_GUILESS_MAIN(IdxTest)
#include "tst_idx.moc"
