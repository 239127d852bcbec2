#include "app/window/icons.h"

#include <QFile>
#include <QPainter>
#include <QPixmap>
#include <QSvgRenderer>

#include "app/assets.h"
#include "core/base/error.h"

namespace app {

QIcon icon(const QString& name, const QColor& colour) {
    QFile file(assetPath(QStringLiteral("icons/%1.svg").arg(name)));
    CHECK(file.open(QIODevice::ReadOnly), "icon: expected a readable {}, got {}",
          file.fileName().toStdString(), file.errorString().toStdString());
    QByteArray drawing = file.readAll();
    drawing.replace("#000", colour.name().toUtf8());
    QSvgRenderer renderer(drawing);
    CHECK(renderer.isValid(), "icon: expected an SVG drawing in {}", file.fileName().toStdString());

    QIcon result;
    for (const int size : {16, 20, 24, 32, 40, 48, 64}) {
        QPixmap pixmap(size, size);
        pixmap.fill(Qt::transparent);
        QPainter painter(&pixmap);
        renderer.render(&painter, QRectF(0, 0, size, size));
        painter.end();
        result.addPixmap(pixmap);

        QPixmap faded(size, size);
        faded.fill(Qt::transparent);
        QPainter fading(&faded);
        fading.setOpacity(0.35);
        fading.drawPixmap(0, 0, pixmap);
        fading.end();
        result.addPixmap(faded, QIcon::Disabled);
    }
    return result;
}

}  // namespace app
