#include "app/window/phrases.h"

#include <QFile>
#include <nlohmann/json.hpp>

#include "app/assets.h"
#include "core/base/error.h"

namespace app {

std::map<std::string, std::string> panelPhrases(const QString& language) {
    std::map<std::string, std::string> phrases;
    if (language == "en") return phrases;
    QFile file(assetPath(QStringLiteral("panels.%1.json").arg(language)));
    CHECK(file.open(QIODevice::ReadOnly), "phrases: expected a readable {}", file.fileName().toStdString());
    const auto table = nlohmann::json::parse(file.readAll().toStdString(), nullptr, false);
    CHECK(table.is_object(), "phrases: expected one JSON object in {}", file.fileName().toStdString());
    for (const auto& [english, translation] : table.items())
        if (translation.is_string()) phrases[english] = translation.get<std::string>();
    return phrases;
}

}  // namespace app
