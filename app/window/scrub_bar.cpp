#include "app/window/scrub_bar.h"

#include <QHelpEvent>
#include <QKeyEvent>
#include <QMouseEvent>
#include <QPainter>
#include <QSignalBlocker>
#include <QToolTip>
#include <algorithm>
#include <cmath>

#include "app/window/style.h"

namespace app {

qint64 roundSpacing(double least) {
    const double power = std::pow(10.0, std::floor(std::log10(std::max(least, 1.0))));
    for (const double factor : {1.0, 2.0, 5.0})
        if (factor * power >= least) return qint64(factor * power);
    return qint64(10 * power);
}

QString thousands(qint64 value) {
    QString digits = QString::number(value);
    for (qsizetype at = digits.size() - 3; at > 0; at -= 3) digits.insert(at, QChar(0x2009));
    return digits;
}

ScrubBar::ScrubBar(QWidget* parent) : QAbstractSlider(parent) {
    setOrientation(Qt::Horizontal);
    setFocusPolicy(Qt::StrongFocus);
    setMouseTracking(true);
    setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Fixed);
}

void ScrubBar::stand(qint64 step, qint64 range) {
    m_step = step;
    const QSignalBlocker quiet(this);
    setRange(0, int(std::min<qint64>(range, INT_MAX)));
    setPageStep(std::max(1, maximum() / 20));
    setSliderPosition(int(std::min<qint64>(m_step, maximum())));
    update();
}

double ScrubBar::along(double share) const {
    const double margin = scaled(8);
    return margin + (width() - 2 * margin) * share;
}

double ScrubBar::trackY() const {
    return height() - scaled(currentTheme().scale > 1 ? 24 : 20);
}

void ScrubBar::paintTicks(QPainter& painter, const std::vector<std::pair<double, QString>>& ticks) const {
    const views::Theme& theme = currentTheme();
    QFont small = font();
    small.setPixelSize(theme.scale > 1 ? 24 : scaled(11));  // presenting, nothing is smaller than 24
    painter.setFont(small);
    painter.setPen(QPen(colour(theme, views::Ink::faint), 1));
    const QFontMetrics metrics(small);
    for (const auto& [x, words] : ticks) {
        painter.drawLine(QPointF(x, trackY() + scaled(3)), QPointF(x, trackY() + scaled(5)));
        const double w = metrics.horizontalAdvance(words);
        painter.drawText(QPointF(std::clamp(x - w / 2, 0.0, width() - w), height() - scaled(3)), words);
    }
}

void ScrubBar::paintKnob(QPainter& painter) const {
    const views::Theme& theme = currentTheme();
    const QColor now = colour(theme, views::Ink::selection);
    const double x = xOfStep(m_step), y = trackY();
    if (m_hovered >= 0 && !m_dragging) {
        painter.setPen(QPen(colour(theme, views::Ink::faint), 1));
        painter.drawLine(QPointF(xOfStep(m_hovered), scaled(4)), QPointF(xOfStep(m_hovered), y));
    }
    painter.setPen(QPen(now, scaled(1.5)));
    painter.drawLine(QPointF(x, scaled(2)), QPointF(x, y));
    painter.setPen(QPen(colour(theme, views::Ink::background), scaled(1.5)));
    painter.setBrush(now);
    painter.drawEllipse(QPointF(x, y), scaled(6), scaled(6));
    if (!hasFocus()) return;
    painter.setBrush(Qt::NoBrush);
    painter.setPen(QPen(colour(theme, views::Ink::data), 1));
    painter.drawRoundedRect(QRectF(rect()).adjusted(0.5, 0.5, -0.5, -0.5), scaled(4), scaled(4));
}

void ScrubBar::scrubTo(double x) {
    if (last() < 0) return;
    const qint64 step = stepAt(x);
    if (step == m_step) return;
    m_step = step;
    update();
    emit scrubbed(step);
}

void ScrubBar::mousePressEvent(QMouseEvent* event) {
    if (event->button() != Qt::LeftButton) return;
    m_dragging = true;
    setSliderDown(true);
    scrubTo(event->position().x());
}

void ScrubBar::mouseMoveEvent(QMouseEvent* event) {
    m_hovered = last() >= 0 ? stepAt(event->position().x()) : -1;
    if (m_dragging) scrubTo(event->position().x());
    update();
}

void ScrubBar::mouseReleaseEvent(QMouseEvent*) {
    m_dragging = false;
    setSliderDown(false);
}

void ScrubBar::keyPressEvent(QKeyEvent* event) {
    if (event->key() == Qt::Key_PageUp)
        emit scrubbed(std::max<qint64>(0, m_step - pageStep()));
    else if (event->key() == Qt::Key_PageDown)
        emit scrubbed(std::min(std::max<qint64>(last(), 0), m_step + pageStep()));
    else
        event->ignore();
}

void ScrubBar::leaveEvent(QEvent*) {
    m_hovered = -1;
    update();
}

bool ScrubBar::event(QEvent* event) {
    if (event->type() != QEvent::ToolTip) return QAbstractSlider::event(event);
    const auto* help = static_cast<QHelpEvent*>(event);
    const QString words = last() >= 0 ? wordsAt(help->x()) + "\n" : QString();
    QToolTip::showText(help->globalPos(), words + toolTip(), this);
    return true;
}

}  // namespace app
