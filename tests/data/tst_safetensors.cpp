// Safetensors files: what is written is read back bit for bit, and no other bytes are taken for a file.
#include <QtTest>
#include <cstring>
#include <limits>
#include <random>

#include "core/base/error.h"
#include "core/data/safetensors.h"

using namespace core;
using Bytes = std::vector<uint8_t>;

namespace {

Safetensors sample() {
    Safetensors s;
    s.metadata = {{"format", "pt"}, {"note", "a \"quoted\" word"}};
    s.tensors["enc.0.weight"] = {{2, 3}, {1, -2, 3.5f, 0, -0.0f, std::numeric_limits<float>::denorm_min()}};
    s.tensors["logit_scale"] = {{}, {2.6592f}};
    s.tensors["none"] = {{0, 4}, {}};
    s.tensors["z"] = {{4}, {1e30f, -1e-30f, std::numeric_limits<float>::infinity(), 7}};
    return s;
}

// A file of this header and so many bytes of data.
Bytes fileOf(const std::string& header, size_t dataBytes) {
    Bytes file(8 + header.size() + dataBytes);
    const uint64_t length = header.size();
    std::memcpy(file.data(), &length, 8);
    std::memcpy(file.data() + 8, header.data(), header.size());
    return file;
}

QString refusalOf(const Bytes& file, const SafetensorsLimits& limits = {}) {
    try {
        readSafetensors(file, limits);
    } catch (const Error& refusal) {
        return QString::fromStdString(refusal.what());
    }
    return {};
}

}  // namespace

class TestSafetensors : public QObject {
    Q_OBJECT

  private slots:
    void whatIsWrittenIsReadBackBitForBit() {
        const Safetensors before = sample(), after = readSafetensors(writeSafetensors(before));
        QCOMPARE(after.metadata, before.metadata);
        QCOMPARE(after.tensors.size(), before.tensors.size());
        for (const auto& [name, tensor] : before.tensors) {
            const NamedTensor& same = after.tensors.at(name);
            QCOMPARE(same.extents, tensor.extents);
            QCOMPARE(same.values.size(), tensor.values.size());
            QVERIFY(tensor.values.empty() ||
                    std::memcmp(same.values.data(), tensor.values.data(), 4 * tensor.values.size()) == 0);
        }
    }

    void theDataStartOnALine() {
        uint64_t length = 0;
        std::memcpy(&length, writeSafetensors(sample()).data(), 8);
        QCOMPARE((8 + length) % 64, uint64_t(0));
    }

    // As other programs write it: no metadata, no padding, tensors in any order.
    void aFileInAnotherOrderIsRead() {
        Bytes file = fileOf(R"({"b":{"dtype":"F32","shape":[2],"data_offsets":[4,12]},)"
                            R"("a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})",
                            12);
        const float values[] = {5, 6, 7};
        std::memcpy(file.data() + file.size() - 12, values, 12);
        const Safetensors s = readSafetensors(file);
        QCOMPARE(s.tensors.at("a").values, std::vector<float>{5});
        QCOMPARE(s.tensors.at("b").values, (std::vector<float>{6, 7}));
    }

    void everyTruncatedFileIsRefused() {
        const Bytes file = writeSafetensors(sample());
        for (size_t size = 0; size < file.size(); ++size)
            QVERIFY2(!refusalOf({file.begin(), file.begin() + long(size)}).isEmpty(),
                     qPrintable(QString::number(size)));
        Bytes longer = file;
        longer.push_back(0);
        QVERIFY(!refusalOf(longer).isEmpty());
    }

    void whatTheFormatForbidsIsRefused_data() {
        QTest::addColumn<QByteArray>("header");
        QTest::addColumn<int>("bytes");
        QTest::addColumn<QString>("word");
        const auto row = [](const char* name, const char* header, int bytes, const char* word) {
            QTest::newRow(name) << QByteArray(header) << bytes << QString(word);
        };
        row("not JSON", "{nonsense", 0, "JSON");
        row("an array", "[]", 0, "begins with");
        row("leading space", " {}", 0, "begins with");
        row("a name twice",
            R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})",
            4, "'a' again");
        row("another type", R"({"a":{"dtype":"F64","shape":[1],"data_offsets":[0,8]}})", 8, "F32");
        row("no shape", R"({"a":{"dtype":"F32","data_offsets":[0,4]}})", 4, "shape");
        row("a negative extent", R"({"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}})", 4, "whole");
        row("a broken extent", R"({"a":{"dtype":"F32","shape":[1.5],"data_offsets":[0,4]}})", 4, "whole");
        row("too few bytes", R"({"a":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}})", 8, "12 bytes");
        row("beyond the end", R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})", 4, "within 4");
        row("backwards", R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[8,4]}})", 8, "within");
        row("an overflow", R"({"a":{"dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,0]}})", 0,
            "fits");
        row("an offset of 2^64 - 1",
            R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[18446744073709551615,4]}})", 4, "whole");
        row("a gap",
            R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"b":{"dtype":"F32","shape":[1],"data_offsets":[8,12]}})",
            12, "at byte 4");
        row("an overlap",
            R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}})",
            12, "at byte 8");
        row("data that no tensor owns", R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})", 8, "8");
        row("metadata of numbers", R"({"__metadata__":{"step":3}})", 0, "string");
        row("a number as metadata", R"({"__metadata__":3})", 0, "object");
        row("a tensor that is a number", R"({"a":3})", 0, "dtype");
        row("deep nesting", R"({"a":[[[[[[[[1]]]]]]]]})", 0, "nesting");
        row("nine axes", R"({"a":{"dtype":"F32","shape":[1,1,1,1,1,1,1,1,1],"data_offsets":[0,4]}})", 4,
            "axes");
    }
    void whatTheFormatForbidsIsRefused() {
        QFETCH(QByteArray, header);
        QFETCH(int, bytes);
        QFETCH(QString, word);
        const QString refusal = refusalOf(fileOf(header.toStdString(), size_t(bytes)));
        QVERIFY2(refusal.startsWith("safetensors: ") && refusal.contains(word), qPrintable(refusal));
    }

    void limitsHold() {
        const Bytes file = writeSafetensors(sample());
        QVERIFY(refusalOf(file, {.tensors = 2}).contains("at most 2"));
        QVERIFY(refusalOf(file, {.headerBytes = 16}).contains("header"));
        QVERIFY(refusalOf(file, {.rank = 1}).contains("axes"));
        Bytes huge = file;
        std::memset(huge.data(), 0xff, 8);  // a header of 2^64 - 1 bytes
        QVERIFY(refusalOf(huge).contains("header"));
    }

    // Any change of a byte is refused or gives other numbers; nothing else may happen.
    void noBytesHurt() {
        const Bytes file = writeSafetensors(sample());
        std::mt19937 engine(3);
        for (int trial = 0; trial < 20000; ++trial) {
            Bytes broken = file;
            for (int change = int(engine() % 4); change >= 0; --change)
                broken[engine() % broken.size()] = uint8_t(engine());
            refusalOf(broken);
        }
    }

    void aTensorOfAnotherSizeIsNotWritten() {
        Safetensors s;
        s.tensors["a"] = {{3}, {1, 2}};
        QVERIFY_EXCEPTION_THROWN(writeSafetensors(s), Error);
    }
};

QTEST_APPLESS_MAIN(TestSafetensors)
#include "tst_safetensors.moc"
