#include "app/window/figure_label.h"

#include <QPainter>
#include <algorithm>

#include "app/window/style.h"

namespace app {
namespace {

int digitWidth(const QFontMetrics& metrics) {
    int widest = 0;
    for (char digit = '0'; digit <= '9'; ++digit)
        widest = std::max(widest, metrics.horizontalAdvance(QChar(digit)));
    return widest;
}

}  // namespace

FigureLabel::FigureLabel(const QString& widest, QWidget* parent) : QWidget(parent), m_widest(widest) {
    setSizePolicy(QSizePolicy::Fixed, QSizePolicy::Preferred);
}

void FigureLabel::setText(const QString& text) {
    if (text == m_text) return;
    const bool grew = widthOf(text) > width();
    m_text = text;
    setAccessibleDescription(text);
    if (grew) {
        m_widest = text;
        updateGeometry();
    }
    update();
}

void FigureLabel::setProportion(double proportion, bool bold) {
    m_proportion = proportion;
    m_bold = bold;
    updateGeometry();
}

QFont FigureLabel::figureFont() const {
    QFont f = font();
    f.setPixelSize(scaled(13 * m_proportion));
    if (m_bold) f.setWeight(QFont::DemiBold);
    return f;
}

int FigureLabel::widthOf(const QString& text) const {
    const QFontMetrics metrics(figureFont());
    const int digit = digitWidth(metrics);
    int width = 0;
    for (const QChar c : text) width += c.isDigit() ? digit : metrics.horizontalAdvance(c);
    return width;
}

QSize FigureLabel::sizeHint() const {
    return {widthOf(m_widest) + 2, QFontMetrics(figureFont()).height() + 2};
}

void FigureLabel::paintEvent(QPaintEvent*) {
    QPainter painter(this);
    painter.setFont(figureFont());
    painter.setPen(palette().color(foregroundRole()));
    const QFontMetrics metrics(figureFont());
    const int digit = digitWidth(metrics);
    const int y = (height() + metrics.ascent() - metrics.descent()) / 2;
    int x = width() - widthOf(m_text);
    for (const QChar c : m_text) {
        const int w = metrics.horizontalAdvance(c);
        painter.drawText(x + (c.isDigit() ? (digit - w) / 2 : 0), y, c);
        x += c.isDigit() ? digit : w;
    }
}

}  // namespace app
