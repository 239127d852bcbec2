#include "app/assets.h"

#include <QCoreApplication>
#include <QDir>
#include <QFileInfo>

#include "core/base/error.h"

namespace app {

QString assetPath(const QString& relative) {
    QStringList places;
    if (QCoreApplication::instance())
        places << QDir::cleanPath(QCoreApplication::applicationDirPath() + "/../share/genscope");
    places << QStringLiteral(GENSCOPE_ASSETS);
    for (const QString& place : places) {
        QString path = QDir(place).filePath(relative);
        if (QFileInfo::exists(path)) return path;
    }
    throw core::Error(fmt::format("assets: expected '{}' in {}, found it nowhere", relative.toStdString(),
                                  places.join(" or ").toStdString()));
}

}  // namespace app
