#include "app/window/exporter.h"

#include <QPixmap>
#include <QSaveFile>
#include <algorithm>
#include <charconv>
#include <cmath>
#include <map>
#include <set>

#include "app/window/pane_widget.h"
#include "app/window/run_column.h"
#include "core/base/error.h"

namespace app {
namespace {

// The shortest text that reads back as the same number, whatever the locale.
std::string cell(float value) {
    if (std::isnan(value)) return "";
    char digits[48];
    return std::string(digits, std::to_chars(digits, digits + sizeof digits, value).ptr);
}

}  // namespace

QImage pictureOf(QWidget& window) {
    return window.grab().toImage();
}

QImage pictureOf(RunColumn& column, const std::string& panel) {
    if (!column.pane()) return {};
    const QImage whole = column.pane()->picture();
    const double ratio = column.pane()->devicePixelRatioF();
    for (const auto& place : column.pane()->pane().panelRects()) {
        if (place.id != panel) continue;
        return whole.copy(QRectF(place.rect.x0 * ratio, place.rect.y0 * ratio, place.rect.width() * ratio,
                                 place.rect.height() * ratio)
                              .toRect());
    }
    return {};
}

QString svgOf(RunColumn& column, const std::string& panel) {
    CHECK(column.pane(), "drawing: expected a pane with OpenGL, found none");
    views::Pane& pane = column.pane()->pane();
    pane.writeDown(panel);
    (void)column.pane()->picture();
    CHECK(!pane.written().empty(), "drawing: expected a panel that is on screen, got '{}'", panel);
    return QString::fromStdString(pane.written());
}

void savePicture(const QImage& picture, const core::Frame& frame, const QString& path) {
    CHECK(!picture.isNull(), "picture: expected something on screen, found nothing to save");
    QImage labelled = picture;
    labelled.setText("Software", "Genscope");
    labelled.setText("parameters", QStringLiteral("lesson %1, seed %2, step %3")
                                       .arg(QString::fromStdString(frame.lesson))
                                       .arg(frame.seed)
                                       .arg(frame.step));
    QSaveFile file(path);
    CHECK(file.open(QIODevice::WriteOnly) && labelled.save(&file, "PNG") && file.commit(),
          "picture: expected to write {}, got {}", path.toStdString(), file.errorString().toStdString());
}

QString curvesCsv(const core::Frame& frame) {
    std::set<int64_t> steps;
    for (const auto& [name, history] : frame.histories)
        for (const auto& bucket : history.buckets()) steps.insert(bucket.step);
    std::string csv = "step";
    for (const auto& [name, history] : frame.histories) csv += "," + name;
    csv += "\n";
    std::map<std::string, size_t> at;
    for (const int64_t step : steps) {
        csv += std::to_string(step);
        for (const auto& [name, history] : frame.histories) {
            const auto& buckets = history.buckets();
            size_t& next = at[name];
            csv += ",";
            if (next < buckets.size() && buckets[next].step == step) csv += cell(buckets[next++].mean);
        }
        csv += "\n";
    }
    return QString::fromStdString(csv);
}

QString channelCsv(const core::Frame& frame, const std::string& channel) {
    const core::Tensor* tensor = frame.find(channel);
    CHECK(tensor, "channel: expected one that is on screen, got '{}'", channel);
    const int64_t rows = std::max<int64_t>(1, tensor->shape.rank() > 0 ? tensor->shape[0] : 1);
    const int64_t columns = std::max<int64_t>(1, int64_t(tensor->values.size()) / rows);
    std::string csv;
    for (int64_t column = 0; column < columns; ++column) {
        if (column > 0) csv += ',';
        csv += columns > 1 ? fmt::format("{}_{}", channel, column) : channel;
    }
    csv += '\n';
    for (size_t i = 0; i < tensor->values.size(); ++i) {
        csv += cell(tensor->values[i]);
        csv += (int64_t(i) + 1) % columns == 0 ? '\n' : ',';
    }
    return QString::fromStdString(csv);
}

void saveText(const QString& text, const QString& path) {
    const QByteArray bytes = text.toUtf8();
    QSaveFile file(path);
    CHECK(file.open(QIODevice::WriteOnly) && file.write(bytes) == bytes.size() && file.commit(),
          "export: expected to write {}, got {}", path.toStdString(), file.errorString().toStdString());
}

}  // namespace app
