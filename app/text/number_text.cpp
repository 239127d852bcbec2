#include "app/text/number_text.h"

#include <cmath>

namespace app {

QString numberText(double value, int digits) {
    if (!std::isfinite(value)) return QStringLiteral("–");
    const double size = std::abs(value);
    // The exponent after rounding: 9.999 with three digits is 10.0, one digit more before the point.
    const QString scientific = QString::number(size, 'e', digits - 1);
    const int exponent = size == 0 ? 0 : scientific.section('e', 1).toInt();
    QString text;
    if (exponent >= 7 || exponent < -3) {
        static const QString raised = QStringLiteral("⁰¹²³⁴⁵⁶⁷⁸⁹");
        text = scientific.section('e', 0, 0) + QStringLiteral("×10") +
               (exponent < 0 ? QStringLiteral("⁻") : QString());
        for (const QChar c : QString::number(std::abs(exponent))) text += raised[c.digitValue()];
    } else {
        text = QString::number(size, 'f', std::max(0, digits - 1 - exponent));
    }
    return value < 0 ? QStringLiteral("−") + text : text;
}

}  // namespace app
