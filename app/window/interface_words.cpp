#include "app/window/interface_words.h"

#include <QFile>
#include <QHash>
#include <nlohmann/json.hpp>

#include "app/assets.h"
#include "core/base/error.h"

namespace app {
namespace {

QString currentLanguage = QStringLiteral("en");

QHash<QString, QString> loadChinese() {
    QFile file(assetPath("interface.zh.json"));
    CHECK(file.open(QIODevice::ReadOnly), "interface: expected a readable {}", file.fileName().toStdString());
    const auto table = nlohmann::json::parse(file.readAll().toStdString(), nullptr, false);
    CHECK(table.is_object(), "interface: expected one JSON object in {}", file.fileName().toStdString());
    QHash<QString, QString> words;
    for (const auto& [english, chinese] : table.items())
        if (chinese.is_string())
            words.insert(QString::fromStdString(english), QString::fromStdString(chinese.get<std::string>()));
    return words;
}

}  // namespace

void setInterfaceLanguage(const QString& language) {
    currentLanguage = language;
}

const QString& interfaceLanguage() {
    return currentLanguage;
}

QString say(const char* english) {
    QString words = QString::fromUtf8(english);
    if (currentLanguage == "en") return words;
    static const QHash<QString, QString> chinese = loadChinese();
    return chinese.value(words, words);
}

}  // namespace app
