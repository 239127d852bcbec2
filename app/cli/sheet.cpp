#include "app/cli/sheet.h"

#include <QPainter>
#include <algorithm>
#include <cmath>

namespace app {
namespace {

constexpr int scale = 3, gap = 4;  // of pictures, in pixels
constexpr int planeSide = 720;     // of a picture of points
constexpr double planeExtent = 3.5;

QImage sheetOfPictures(const core::Trajectory& run, const std::vector<float>& values) {
    const int height = run.sample[0], width = run.sample[1];
    const int columns = int(std::ceil(std::sqrt(double(run.count)))),
              rows = (run.count + columns - 1) / columns;
    QImage sheet(columns * (width * scale + gap) + gap, rows * (height * scale + gap) + gap,
                 QImage::Format_Grayscale8);
    sheet.fill(96);
    for (int i = 0; i < run.count; ++i) {
        const int left = gap + i % columns * (width * scale + gap),
                  top = gap + i / columns * (height * scale + gap);
        for (int y = 0; y < height * scale; ++y)
            for (int x = 0; x < width * scale; ++x) {
                const size_t pixel = size_t(i) * size_t(run.width()) + size_t(y / scale * width + x / scale);
                const float grey = 127.5f * (values[pixel] + 1);
                sheet.scanLine(top + y)[left + x] = uchar(std::lround(std::clamp(grey, 0.0f, 255.0f)));
            }
    }
    return sheet;
}

QImage sheetOfPoints(const core::Trajectory& run, const std::vector<float>& values) {
    QImage sheet(planeSide, planeSide, QImage::Format_RGB32);
    sheet.fill(Qt::white);
    QPainter painter(&sheet);
    painter.setRenderHint(QPainter::Antialiasing);
    painter.setPen(Qt::NoPen);
    painter.setBrush(QColor(0, 114, 178, 150));
    const auto at = [](float v) { return (double(v) / planeExtent + 1) / 2 * planeSide; };
    for (int i = 0; i < run.count; ++i)
        painter.drawEllipse(QPointF(at(values[size_t(2 * i)]), planeSide - at(values[size_t(2 * i + 1)])),
                            2.2, 2.2);
    return sheet;
}

}  // namespace

QImage sheetOf(const core::Trajectory& run, const std::vector<float>& values) {
    return run.sample.rank() == 3 ? sheetOfPictures(run, values) : sheetOfPoints(run, values);
}

}  // namespace app
