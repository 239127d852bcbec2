#include "app/window/figure_box.h"

#include <QKeyEvent>
#include <QTimer>
#include <QToolTip>
#include <algorithm>
#include <charconv>
#include <cmath>
#include <string>

#include "app/window/interface_words.h"

namespace app {
namespace {

// Independent of the locale: Qt has set the user's.
bool readNumber(const QString& text, double& value) {
    const std::string digits = text.trimmed().toStdString();
    const auto [end, code] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    return code == std::errc() && end == digits.data() + digits.size() && std::isfinite(value);
}

}  // namespace

FigureBox::FigureBox(const core::Parameter& parameter, QWidget* parent)
    : QDoubleSpinBox(parent), m_parameter(parameter) {
    setButtonSymbols(NoButtons);
    setAlignment(Qt::AlignRight);
    setKeyboardTracking(false);
    setDecimals(parameter.integer ? 0 : 12);
    setRange(parameter.minimum, parameter.maximum);
    setFocusPolicy(Qt::StrongFocus);
}

QString FigureBox::textFromValue(double value) const {
    if (m_parameter.integer) return QString::number(qint64(value));
    return QString::number(value, 'g', 4);
}

double FigureBox::valueFromText(const QString& text) const {
    double v = value();
    readNumber(text, v);
    return v;
}

QValidator::State FigureBox::validate(QString& text, int&) const {
    double v = 0;
    if (readNumber(text, v)) {
        const bool whole = !m_parameter.integer || v == std::floor(v);
        return v >= minimum() && v <= maximum() && whole ? QValidator::Acceptable : QValidator::Intermediate;
    }
    const bool plausible = std::all_of(text.begin(), text.end(),
                                       [](QChar c) { return QStringLiteral("0123456789.-+eE").contains(c); });
    return plausible ? QValidator::Intermediate : QValidator::Invalid;
}

void FigureBox::stepBy(int steps) {
    if (m_parameter.integer) {
        QDoubleSpinBox::stepBy(steps);
        return;
    }
    const double from = value();
    double to = from + steps * (maximum() - minimum()) / 100;
    if (m_parameter.logarithmic)
        to = from > 0 ? from * std::pow(10.0, 0.1 * steps) : std::max(minimum(), maximum() * 1e-4);
    // Two significant digits, so that repeated steps stay readable.
    double rounded = to;
    if (readNumber(QString::number(to, 'g', m_parameter.logarithmic ? 2 : 3), rounded)) to = rounded;
    setValue(std::clamp(to, minimum(), maximum()));
}

void FigureBox::fixup(QString& text) const {
    text = textFromValue(value());
    // Once the focus is where it goes, which would hide it.
    QTimer::singleShot(0, this, [this] {
        QToolTip::showText(mapToGlobal(QPoint(0, height())),
                           say("%1 to %2").arg(textFromValue(minimum()), textFromValue(maximum())));
    });
}

bool FigureBox::event(QEvent* event) {
    if (event->type() == QEvent::ShortcutOverride) {
        const auto* press = static_cast<QKeyEvent*>(event);
        const int key = press->key();
        const bool letter = key >= Qt::Key_A && key <= Qt::Key_Z && key != Qt::Key_E &&
                            !(press->modifiers() & Qt::ControlModifier);
        if (key == Qt::Key_Space || letter) {
            event->ignore();
            return false;
        }
    }
    return QDoubleSpinBox::event(event);
}

// A wheel that scrolls past must not turn the knob.
void FigureBox::wheelEvent(QWheelEvent* event) {
    if (hasFocus())
        QDoubleSpinBox::wheelEvent(event);
    else
        event->ignore();
}

}  // namespace app
