#include "app/window/timeline_bar.h"

#include <QHelpEvent>
#include <QKeyEvent>
#include <QMouseEvent>
#include <QPainter>
#include <QPainterPath>
#include <QToolTip>
#include <algorithm>
#include <cmath>

#include "app/window/interface_words.h"
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

TimelineBar::TimelineBar(QWidget* parent) : QAbstractSlider(parent) {
    setOrientation(Qt::Horizontal);
    setFocusPolicy(Qt::StrongFocus);
    setMouseTracking(true);
    setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Fixed);
    retranslate();
}

void TimelineBar::retranslate() {
    setAccessibleName(say("Training timeline"));
    setAccessibleDescription(say("Drag to go to any step of the run, backwards and forwards."));
    setToolTip(say("Drag to go to any step of the run, backwards and forwards."));
}

QSize TimelineBar::sizeHint() const {
    return {scaled(400), scaled(52)};
}

void TimelineBar::setRun(qint64 step, qint64 furthest, qint64 planned) {
    if (step == m_step && furthest == m_furthest && planned == m_planned) return;
    m_step = step;
    m_furthest = std::max(furthest, step);
    m_planned = std::max<qint64>(planned, 1);
    const QSignalBlocker quiet(this);
    setRange(0, int(std::min<qint64>(std::max(m_furthest, m_planned), INT_MAX)));
    setPageStep(std::max(1, maximum() / 20));
    setSliderPosition(int(std::min<qint64>(m_step, maximum())));
    update();
}

void TimelineBar::addMarker(qint64 step, const QString& words) {
    // A slider's way within one step is one marker.
    const QString knob = words.section(' ', 0, -2);
    if (!m_markers.empty() && m_markers.back().step == step && m_markers.back().words.startsWith(knob))
        m_markers.back().words = words;
    else
        m_markers.push_back({step, words});
    update();
}

void TimelineBar::forgetAfter(qint64 step) {
    std::erase_if(m_markers, [&](const Marker& marker) { return marker.step > step; });
    m_furthest = std::min(m_furthest, std::max<qint64>(step, 0));
    update();
}

void TimelineBar::setCurve(const core::History& history, const QString& name) {
    m_curve = history.buckets();
    m_curveName = name;
    update();
}

double TimelineBar::end() const {
    return double(std::max(m_furthest, m_planned));
}

double TimelineBar::xOf(qint64 step) const {
    const double margin = scaled(8);
    return margin + (width() - 2 * margin) * double(step) / end();
}

qint64 TimelineBar::stepAt(double x) const {
    const double margin = scaled(8);
    const double share = (x - margin) / std::max(1.0, width() - 2 * margin);
    return std::clamp<qint64>(std::llround(share * end()), 0, m_furthest);
}

void TimelineBar::paintCurve(QPainter& painter, const QRectF& track) const {
    if (m_curve.size() < 2) return;
    std::vector<float> sorted;
    for (const auto& bucket : m_curve)
        if (std::isfinite(bucket.mean)) sorted.push_back(bucket.mean);
    if (sorted.size() < 2) return;
    // A few wild steps at the start must not flatten the rest.
    std::sort(sorted.begin(), sorted.end());
    const double low = sorted[sorted.size() / 50], high = sorted[sorted.size() - 1 - sorted.size() / 50];
    const double span = std::max(high - low, 1e-6);
    QPainterPath path;
    bool open = false;
    for (const auto& bucket : m_curve) {
        if (!std::isfinite(bucket.mean)) {
            open = false;
            continue;
        }
        const double share = std::clamp((double(bucket.mean) - low) / span, 0.0, 1.0);
        const QPointF at(xOf(bucket.step), track.bottom() - share * track.height());
        if (open)
            path.lineTo(at);
        else
            path.moveTo(at);
        open = true;
    }
    QColor ink = colour(currentTheme(), views::Ink::faint);
    ink.setAlphaF(0.7f);
    painter.setBrush(Qt::NoBrush);
    painter.setPen(QPen(ink, scaled(1)));
    painter.drawPath(path);
}

void TimelineBar::paintEvent(QPaintEvent*) {
    const views::Theme& theme = currentTheme();
    QPainter painter(this);
    painter.setRenderHint(QPainter::Antialiasing);
    const QColor accent = colour(theme, views::Ink::data), faint = colour(theme, views::Ink::faint);
    const QColor grid = colour(theme, views::Ink::grid), now = colour(theme, views::Ink::selection);
    const double y = height() - scaled(currentTheme().scale > 1 ? 24 : 20), thick = scaled(4);

    paintCurve(painter, QRectF(0, scaled(4), width(), y - scaled(10)));

    painter.setPen(Qt::NoPen);
    painter.setBrush(palette().color(QPalette::Mid));
    painter.drawRoundedRect(QRectF(xOf(0), y - thick / 2, xOf(qint64(end())) - xOf(0), thick), thick / 2,
                            thick / 2);
    QColor trained = accent;
    trained.setAlphaF(0.45f);
    painter.setBrush(trained);
    painter.drawRoundedRect(QRectF(xOf(0), y - thick / 2, xOf(m_furthest) - xOf(0), thick), thick / 2,
                            thick / 2);
    painter.setBrush(accent);
    painter.drawRoundedRect(QRectF(xOf(0), y - thick / 2, xOf(m_step) - xOf(0), thick), thick / 2, thick / 2);

    QFont small = font();
    small.setPixelSize(theme.scale > 1 ? 24 : scaled(11));  // presenting, nothing is smaller than 24
    painter.setFont(small);
    const QFontMetrics metrics(small);
    const qint64 spacing = roundSpacing(end() * scaled(88) / std::max(1, width()));
    for (qint64 step = 0; step <= qint64(end()); step += spacing) {
        const double x = xOf(step);
        painter.setPen(QPen(faint, 1));
        painter.drawLine(QPointF(x, y + thick / 2 + scaled(1)), QPointF(x, y + thick / 2 + scaled(3)));
        const QString words = thousands(step);
        const double w = metrics.horizontalAdvance(words);
        const double left = std::clamp(x - w / 2, 0.0, width() - w);
        painter.drawText(QPointF(left, height() - scaled(3)), words);
    }

    for (const Marker& marker : m_markers) {
        const double x = xOf(marker.step), r = scaled(3.5);
        painter.setPen(QPen(colour(theme, views::Ink::background), 1));
        painter.setBrush(colour(theme, views::Ink::learned));
        painter.drawPolygon(
            QPolygonF({{x - r, y - scaled(12)}, {x + r, y - scaled(12)}, {x, y - scaled(5)}}));
    }
    if (m_hovered >= 0 && !m_dragging) {
        painter.setPen(QPen(faint, 1));
        painter.drawLine(QPointF(xOf(m_hovered), scaled(4)), QPointF(xOf(m_hovered), y));
    }
    painter.setPen(QPen(now, scaled(1.5)));
    painter.drawLine(QPointF(xOf(m_step), scaled(2)), QPointF(xOf(m_step), y));
    painter.setPen(QPen(colour(theme, views::Ink::background), scaled(1.5)));
    painter.setBrush(now);
    painter.drawEllipse(QPointF(xOf(m_step), y), scaled(6), scaled(6));
    if (hasFocus()) {
        painter.setBrush(Qt::NoBrush);
        painter.setPen(QPen(grid.lightnessF() > 0.5f ? accent : accent.lighter(), 1));
        painter.drawRoundedRect(QRectF(rect()).adjusted(0.5, 0.5, -0.5, -0.5), scaled(4), scaled(4));
    }
}

void TimelineBar::scrubTo(double x) {
    const qint64 step = stepAt(x);
    if (step == m_step) return;
    m_step = step;
    update();
    emit scrubbed(step);
}

void TimelineBar::mousePressEvent(QMouseEvent* event) {
    if (event->button() != Qt::LeftButton) return;
    m_dragging = true;
    setSliderDown(true);
    scrubTo(event->position().x());
}

void TimelineBar::mouseMoveEvent(QMouseEvent* event) {
    m_hovered = stepAt(event->position().x());
    if (m_dragging) scrubTo(event->position().x());
    update();
}

void TimelineBar::mouseReleaseEvent(QMouseEvent*) {
    m_dragging = false;
    setSliderDown(false);
}

void TimelineBar::leaveEvent(QEvent*) {
    m_hovered = -1;
    update();
}

void TimelineBar::keyPressEvent(QKeyEvent* event) {
    const qint64 page = pageStep();
    if (event->key() == Qt::Key_PageUp)
        emit scrubbed(std::max<qint64>(0, m_step - page));
    else if (event->key() == Qt::Key_PageDown)
        emit scrubbed(std::min(m_furthest, m_step + page));
    else
        event->ignore();
}

bool TimelineBar::event(QEvent* event) {
    if (event->type() == QEvent::ToolTip) {
        const auto* help = static_cast<QHelpEvent*>(event);
        QString words = say("Step %1").arg(thousands(stepAt(help->x())));
        for (const Marker& marker : m_markers)
            if (std::abs(xOf(marker.step) - help->x()) < scaled(6))
                words += "\n" + say("after step %1: %2").arg(thousands(marker.step), marker.words);
        if (!m_curveName.isEmpty()) words += "\n" + say("Curve: %1").arg(m_curveName);
        QToolTip::showText(help->globalPos(), words + "\n" + toolTip(), this);
        return true;
    }
    return QAbstractSlider::event(event);
}

}  // namespace app
