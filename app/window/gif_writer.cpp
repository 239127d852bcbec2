#include "app/window/gif_writer.h"

#include <gif_lib.h>

#include <QSaveFile>
#include <algorithm>
#include <array>
#include <cmath>
#include <memory>

#include "core/base/error.h"

namespace app {
namespace {

constexpr int colours = 255, transparent = 255;  // the last index means: as in the picture before
constexpr int cellBits = 5, cells = 1 << (3 * cellBits);

int cellOf(QRgb c) {
    constexpr int drop = 8 - cellBits;
    return (qRed(c) >> drop) << (2 * cellBits) | (qGreen(c) >> drop) << cellBits | qBlue(c) >> drop;
}

// The colours that occur, as cells of 8 x 8 x 8 levels with their mean.
struct Cell {
    uint64_t count = 0;
    std::array<uint64_t, 3> sum{};
    double mean(int channel) const { return double(sum[size_t(channel)]) / double(count); }
};

struct Palette {
    std::vector<std::array<uint8_t, 3>> entries;
    std::vector<uint8_t> indexOf = std::vector<uint8_t>(cells, 0);  // by cell
};

// Median cut (Heckbert 1982): the box whose colours differ most is parted where half of its pixels lie.
Palette paletteOf(const std::vector<Cell>& all) {
    std::vector<int> occupied;
    for (int i = 0; i < cells; ++i)
        if (all[size_t(i)].count) occupied.push_back(i);
    struct Box {
        std::vector<int> cells;
        int axis = 0;
        double error = 0;  // how far its pixels are from their mean
    };
    const auto boxOf = [&](std::vector<int> in) {
        Box box{std::move(in)};
        double widest = -1;
        for (int channel = 0; channel < 3; ++channel) {
            double n = 0, total = 0, squares = 0;
            for (const int i : box.cells) {
                const Cell& cell = all[size_t(i)];
                // By the root of the count: a thin curve matters beside a wide background.
                const double weight = std::sqrt(double(cell.count)), x = cell.mean(channel);
                n += weight;
                total += weight * x;
                squares += weight * x * x;
            }
            const double spread = squares - total * total / n;
            box.error += spread;
            if (spread > widest) widest = spread, box.axis = channel;
        }
        return box;
    };
    std::vector<Box> boxes = {boxOf(occupied)};
    while (int(boxes.size()) < colours) {
        const auto worst = std::max_element(boxes.begin(), boxes.end(), [](const Box& a, const Box& b) {
            return (a.cells.size() > 1 ? a.error : -1) < (b.cells.size() > 1 ? b.error : -1);
        });
        if (worst->cells.size() < 2) break;
        std::vector<int> sorted = worst->cells;
        const int axis = worst->axis;
        std::sort(sorted.begin(), sorted.end(),
                  [&](int a, int b) { return all[size_t(a)].mean(axis) < all[size_t(b)].mean(axis); });
        double whole = 0, half = 0;
        for (const int i : sorted) whole += std::sqrt(double(all[size_t(i)].count));
        size_t cut = 0;
        while (cut + 1 < sorted.size() && half < whole / 2)
            half += std::sqrt(double(all[size_t(sorted[cut++])].count));
        cut = std::clamp<size_t>(cut, 1, sorted.size() - 1);
        const auto middle = sorted.begin() + std::ptrdiff_t(cut);
        *worst = boxOf({sorted.begin(), middle});
        boxes.push_back(boxOf({middle, sorted.end()}));
    }
    Palette palette;
    for (const Box& box : boxes) {
        Cell sum;
        for (const int i : box.cells) {
            sum.count += all[size_t(i)].count;
            for (size_t k = 0; k < 3; ++k) sum.sum[k] += all[size_t(i)].sum[k];
            palette.indexOf[size_t(i)] = uint8_t(palette.entries.size());
        }
        std::array<uint8_t, 3> entry{};
        for (int k = 0; k < 3; ++k) entry[size_t(k)] = uint8_t(std::lround(sum.mean(k)));
        palette.entries.push_back(entry);
    }
    return palette;
}

int append(GifFileType* gif, const GifByteType* bytes, int count) {
    static_cast<QByteArray*>(gif->UserData)->append(reinterpret_cast<const char*>(bytes), count);
    return count;
}

void must(int result, const char* what, int error = 0) {
    const char* why = GifErrorString(error);
    CHECK(result == GIF_OK, "gif: expected to write {}, got {}", what, why ? why : "an error");
}

// What changed since the picture before; the first picture whole.
void writeFrame(GifFileType* gif, std::vector<uint8_t>& indices, const std::vector<uint8_t>& before,
                QSize size, int hundredths) {
    const int w = size.width(), h = size.height();
    int top = 0, bottom = h, left = 0, right = w;
    if (!before.empty()) {
        left = w, right = 0, top = h, bottom = 0;
        for (int y = 0; y < h; ++y)
            for (int x = 0; x < w; ++x) {
                const auto i = size_t(y) * size_t(w) + size_t(x);
                if (indices[i] == before[i]) continue;
                top = std::min(top, y), bottom = std::max(bottom, y + 1);
                left = std::min(left, x), right = std::max(right, x + 1);
            }
        if (top >= bottom) left = top = 0, right = bottom = 1;  // nothing did: a pixel holds the time
    }
    GraphicsControlBlock control{};
    control.DisposalMode = DISPOSE_DO_NOT;
    control.DelayTime = hundredths;
    control.TransparentColor = before.empty() ? NO_TRANSPARENT_COLOR : transparent;
    GifByteType packed[4];
    EGifGCBToExtension(&control, packed);
    must(EGifPutExtension(gif, GRAPHICS_EXT_FUNC_CODE, 4, packed), "the time of a picture");
    must(EGifPutImageDesc(gif, left, top, right - left, bottom - top, false, nullptr), "a picture");
    std::vector<GifPixelType> row(size_t(right - left), 0);
    for (int y = top; y < bottom; ++y) {
        for (int x = left; x < right; ++x) {
            const auto i = size_t(y) * size_t(w) + size_t(x);
            row[size_t(x - left)] = !before.empty() && indices[i] == before[i] ? transparent : indices[i];
        }
        must(EGifPutLine(gif, row.data(), right - left), "a line");
    }
}

}  // namespace

void GifWriter::add(const QImage& picture) {
    CHECK(!picture.isNull(), "gif: expected something on screen, found nothing to save");
    QImage image = picture.convertToFormat(QImage::Format_RGB32);
    image.setDevicePixelRatio(1);
    if (m_size.isEmpty())
        m_size = image.width() <= m_widest
                     ? image.size()
                     : image.size().scaled(m_widest, image.height(), Qt::KeepAspectRatio);
    if (image.size() != m_size) image = image.scaled(m_size, Qt::IgnoreAspectRatio, Qt::SmoothTransformation);
    m_frames.push_back(qCompress(image.constBits(), int(image.sizeInBytes()), 1));
}

QImage GifWriter::frame(size_t i) const {
    const QByteArray bytes = qUncompress(m_frames[i]);
    return QImage(reinterpret_cast<const uchar*>(bytes.constData()), m_size.width(), m_size.height(),
                  4 * m_size.width(), QImage::Format_RGB32)
        .copy();
}

void GifWriter::save(const QString& path, double framesPerSecond) const {
    CHECK(!m_frames.empty(), "gif: expected at least one picture, got none");
    std::vector<Cell> found(cells);
    for (size_t i = 0; i < m_frames.size(); ++i) {
        const QImage image = frame(i);
        const auto* pixel = reinterpret_cast<const QRgb*>(image.constBits());
        for (qsizetype k = 0; k < qsizetype(m_size.width()) * m_size.height(); ++k) {
            Cell& cell = found[size_t(cellOf(pixel[k]))];
            ++cell.count;
            cell.sum[0] += uint64_t(qRed(pixel[k]));
            cell.sum[1] += uint64_t(qGreen(pixel[k]));
            cell.sum[2] += uint64_t(qBlue(pixel[k]));
        }
    }
    const Palette palette = paletteOf(found);
    std::array<GifColorType, 256> table{};
    for (size_t i = 0; i < palette.entries.size(); ++i)
        table[i] = {palette.entries[i][0], palette.entries[i][1], palette.entries[i][2]};

    QByteArray bytes;
    int error = 0;
    const auto close = [](GifFileType* gif) { EGifCloseFile(gif, nullptr); };
    std::unique_ptr<GifFileType, decltype(close)> gif(EGifOpen(&bytes, append, &error), close);
    CHECK(gif, "gif: expected to begin a file, got {}", GifErrorString(error));
    const std::unique_ptr<ColorMapObject, decltype(&GifFreeMapObject)> map(
        GifMakeMapObject(256, table.data()), &GifFreeMapObject);
    EGifSetGifVersion(gif.get(), true);
    must(EGifPutScreenDesc(gif.get(), m_size.width(), m_size.height(), 8, 0, map.get()), "the size");
    must(EGifPutExtensionLeader(gif.get(), APPLICATION_EXT_FUNC_CODE), "the loop");
    must(EGifPutExtensionBlock(gif.get(), 11, "NETSCAPE2.0"), "the loop");
    const GifByteType endless[3] = {1, 0, 0};
    must(EGifPutExtensionBlock(gif.get(), 3, endless), "the loop");
    must(EGifPutExtensionTrailer(gif.get()), "the loop");

    const int hundredths = std::max(2, int(std::lround(100 / framesPerSecond)));
    std::vector<uint8_t> before;
    for (size_t i = 0; i < m_frames.size(); ++i) {
        const QImage image = frame(i);
        const auto* pixel = reinterpret_cast<const QRgb*>(image.constBits());
        std::vector<uint8_t> indices(size_t(m_size.width()) * size_t(m_size.height()), 0);
        for (size_t k = 0; k < indices.size(); ++k) indices[k] = palette.indexOf[size_t(cellOf(pixel[k]))];
        writeFrame(gif.get(), indices, before, m_size, i + 1 < m_frames.size() ? hundredths : 200);
        before = std::move(indices);
    }
    must(EGifCloseFile(gif.release(), &error), "the end", error);

    QSaveFile file(path);
    CHECK(file.open(QIODevice::WriteOnly) && file.write(bytes) == bytes.size() && file.commit(),
          "gif: expected to write {}, got {}", path.toStdString(), file.errorString().toStdString());
}

}  // namespace app
