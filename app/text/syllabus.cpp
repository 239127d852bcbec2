#include "app/text/syllabus.h"

#include <QFile>

#include <nlohmann/json.hpp>

#include "app/assets.h"
#include "core/base/error.h"

namespace app {

std::vector<SyllabusEntry> loadSyllabus(const QString& language) {
    const QString path = assetPath("lessons/syllabus.json");
    QFile file(path);
    CHECK(file.open(QIODevice::ReadOnly), "syllabus: expected a readable file, found {}: {}",
          path.toStdString(), file.errorString().toStdString());
    std::vector<SyllabusEntry> entries;
    try {
        const auto root = nlohmann::json::parse(file.readAll().toStdString());
        const std::string code = language.toStdString();
        const auto text = [](const nlohmann::json& value) {
            return QString::fromStdString(value.get<std::string>());
        };
        for (const auto& lesson : root.at("lessons"))
            entries.push_back({text(lesson.at("id")), text(lesson.at("title").at(code)),
                               text(lesson.at("subtitle").at(code)), text(lesson.at("authors")),
                               lesson.at("year").get<int>()});
    } catch (const nlohmann::json::exception& fault) {
        throw core::Error(fmt::format(
            "syllabus: expected id, year, authors, title and subtitle of each lesson, got {}", fault.what()));
    }
    return entries;
}

}  // namespace app
