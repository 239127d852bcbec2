#include "app/text/formulas.h"

#include <QFile>
#include <QSvgRenderer>

#include <nlohmann/json.hpp>

#include "app/assets.h"
#include "core/base/error.h"

namespace app {
namespace {

QByteArray contents(const QString& path) {
    QFile file(path);
    CHECK(file.open(QIODevice::ReadOnly), "formulas: expected a readable file, found {}: {}",
          path.toStdString(), file.errorString().toStdString());
    return file.readAll();
}

}  // namespace

Formulas& Formulas::instance() {
    static Formulas formulas;
    return formulas;
}

Formulas::~Formulas() = default;

Formulas::Formulas() {
    try {
        const auto root = nlohmann::json::parse(contents(assetPath("formulas/index.json")).toStdString());
        const double em = root.at("em").get<double>();
        for (const auto& [name, entry] : root.at("formulas").items())
            m_formulas.insert(QString::fromStdString(name),
                              {entry.at("width").get<double>() / em, entry.at("height").get<double>() / em,
                               entry.at("depth").get<double>() / em,
                               QString::fromStdString(entry.at("tex").get<std::string>()),
                               QString::fromStdString(entry.at("alt").get<std::string>())});
    } catch (const nlohmann::json::exception& fault) {
        throw core::Error(fmt::format(
            "formulas/index.json: expected width, height, depth, tex and alt, got {}", fault.what()));
    }
}

const Formula& Formulas::at(const QString& name) const {
    const auto it = m_formulas.find(name);
    CHECK(it != m_formulas.end(), "formulas: expected a rendered formula '{}', found none in index.json",
          name.toStdString());
    return *it;
}

void Formulas::paint(QPainter& painter, const QString& name, const QRectF& box, const QColor& colour) {
    const QString key = name + colour.name(QColor::HexRgb);
    auto it = m_renderers.find(key);
    if (it == m_renderers.end()) {
        QByteArray svg = contents(assetPath("formulas/" + name + ".svg"));
        svg.replace("currentColor", colour.name(QColor::HexRgb).toLatin1());
        it = m_renderers.insert(key, std::make_shared<QSvgRenderer>(svg));
        CHECK((*it)->isValid(), "formulas: expected an SVG that QtSvg can read, found {}.svg",
              name.toStdString());
    }
    painter.save();
    painter.setRenderHint(QPainter::Antialiasing);
    (*it)->render(&painter, box);
    painter.restore();
}

}  // namespace app
