#include "app/window/own_file.h"

#include <zlib.h>
#include <QBuffer>
#include <QFile>
#include <QImage>
#include <QImageReader>
#include <QPainter>

#include <cstring>
#include <span>

#include "core/base/error.h"
#include "core/data/idx.h"
#include "core/data/read_own.h"

namespace app {
namespace {

constexpr int64_t largestFile = 512 << 20;
constexpr int largestSide = 1024;  // of a picture: more says nothing about a density in the plane
constexpr qint64 largestPicture = 100'000'000;  // pixels

// Is what is opaque of a premultiplied picture dark on average?
bool isDarkInk(const QImage& picture) {
    double light = 0, cover = 0;
    for (int y = 0; y < picture.height(); ++y) {
        const auto* row = reinterpret_cast<const QRgb*>(picture.constScanLine(y));
        for (int x = 0; x < picture.width(); ++x) {
            light += qGray(row[x]);
            cover += qAlpha(row[x]);
        }
    }
    return 2 * light < cover;
}

uint32_t wordAt(std::span<const uint8_t> bytes, size_t at) {
    return uint32_t(bytes[at]) << 24 | uint32_t(bytes[at + 1]) << 16 | uint32_t(bytes[at + 2]) << 8 |
           uint32_t(bytes[at + 3]);
}

// Is every chunk of a PNG there, with its check sum? The decoder of one that is not writes to stderr.
bool isWholePng(std::span<const uint8_t> bytes) {
    constexpr size_t signature = 8, around = 12;  // length, name and check sum of a chunk
    for (size_t at = signature; at + around <= bytes.size();) {
        const size_t length = wordAt(bytes, at);
        if (length > bytes.size() - at - around) return false;
        const auto sum = crc32(0, &bytes[at + 4], uInt(length + 4));
        if (sum != wordAt(bytes, at + 8 + length)) return false;
        if (std::memcmp(&bytes[at + 4], "IEND", 4) == 0) return true;
        at += length + around;
    }
    return false;
}

QImage greyPicture(const std::string& path, std::span<const uint8_t> bytes) {
    CHECK(bytes[0] != 0x89 || isWholePng(bytes),
          "{}: expected a sound picture, got a PNG that is cut or damaged", path);
    QByteArray raw =
        QByteArray::fromRawData(reinterpret_cast<const char*>(bytes.data()), qsizetype(bytes.size()));
    QBuffer buffer(&raw);
    buffer.open(QIODevice::ReadOnly);
    QImageReader reader(&buffer);
    const QSize size = reader.size();
    CHECK(qint64(size.width()) * size.height() <= largestPicture,
          "{}: expected a picture of at most {} million pixels, got {} x {}", path,
          largestPicture / 1'000'000, size.width(), size.height());
    reader.setAutoTransform(true);
    QImage picture = reader.read();
    CHECK(!picture.isNull(), "{}: expected a sound picture, got: {}", path,
          reader.errorString().toStdString());
    if (std::max(picture.width(), picture.height()) > largestSide)
        picture = picture.scaled(largestSide, largestSide, Qt::KeepAspectRatio, Qt::SmoothTransformation);
    picture = picture.convertToFormat(QImage::Format_ARGB32_Premultiplied);
    // Nothing is drawn where it is transparent: that is paper below dark ink, and dark below light.
    QImage flat(picture.size(), QImage::Format_RGB32);
    flat.fill(isDarkInk(picture) ? Qt::white : Qt::black);
    QPainter(&flat).drawImage(0, 0, picture);
    return flat.convertToFormat(QImage::Format_Grayscale8);
}

}  // namespace

core::OwnDataPtr readOwnFile(const QString& path) {
    const std::string name = QFile::encodeName(path).toStdString();
    const std::vector<uint8_t> bytes = core::readFile(name, largestFile);
    switch (core::kindOf(bytes)) {
        case core::FileKind::points:
            return core::ownPoints(name, bytes);
        case core::FileKind::images:
            return core::ownImages(name, bytes);
        case core::FileKind::picture: {
            const QImage grey = greyPicture(name, bytes);
            std::vector<uint8_t> levels;
            for (int y = 0; y < grey.height(); ++y)
                levels.insert(levels.end(), grey.constScanLine(y), grey.constScanLine(y) + grey.width());
            return core::ownDensity(name, bytes, levels, grey.width(), grey.height());
        }
        case core::FileKind::foreign:
            break;
    }
    throw core::Error(fmt::format(
        "{}: expected points as text, pictures as IDX, or a PNG, JPEG, GIF or BMP, found none of them",
        name));
}

std::vector<core::OwnDataPtr> readOwnFiles(const core::Journal& journal) {
    std::vector<core::OwnDataPtr> files;
    for (const core::Journal::File& file : journal.files) {
        files.push_back(readOwnFile(QString::fromStdString(file.path)));
        CHECK(files.back()->fingerprint == file.fingerprint,
              "{}: expected the file that the run was shared with, it has changed since", file.path);
    }
    return files;
}

}  // namespace app
