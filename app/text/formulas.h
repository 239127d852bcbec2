// The rendered formulas of assets/formulas, painted in any size and colour.
#pragma once

#include <QByteArray>
#include <QColor>
#include <QHash>
#include <QPainter>
#include <QString>
#include <memory>

class QSvgRenderer;

namespace app {

// One formula's picture; extents are in units of its font size (em).
struct Formula {
    double width = 0, height = 0;
    double depth = 0;  // the part of the height below the baseline
    QString tex, alt;  // as written, and as spoken
};

class Formulas {
  public:
    // Reads assets/formulas/index.json once; throws core::Error if it is not as expected.
    static Formulas& instance();
    ~Formulas();

    // The formula, or throws core::Error naming it.
    const Formula& at(const QString& name) const;
    bool contains(const QString& name) const { return m_formulas.contains(name); }
    QStringList names() const { return m_formulas.keys(); }

    // Draws the formula into the rectangle, which should have the formula's aspect.
    void paint(QPainter& painter, const QString& name, const QRectF& box, const QColor& colour);

  private:
    Formulas();

    QHash<QString, Formula> m_formulas;
    QHash<QString, std::shared_ptr<QSvgRenderer>> m_renderers;  // by name and colour
};

}  // namespace app
