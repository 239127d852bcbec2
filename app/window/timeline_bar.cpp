#include "app/window/timeline_bar.h"

#include <QPainter>
#include <QPainterPath>
#include <algorithm>
#include <cmath>

#include "app/window/interface_words.h"
#include "app/window/style.h"

namespace app {

TimelineBar::TimelineBar(QWidget* parent) : ScrubBar(parent) {
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
    if (step == this->step() && furthest == m_furthest && planned == m_planned) return;
    m_furthest = std::max(furthest, step);
    m_planned = std::max<qint64>(planned, 1);
    stand(step, std::max(m_furthest, m_planned));
}

void TimelineBar::setMarkers(const std::vector<Marker>& markers) {
    m_markers = markers;
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

double TimelineBar::xOfStep(qint64 step) const {
    return along(double(step) / end());
}

qint64 TimelineBar::stepAt(double x) const {
    const double share = (x - along(0)) / std::max(1.0, along(1) - along(0));
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
        const QPointF at(xOfStep(bucket.step), track.bottom() - share * track.height());
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
    const double y = trackY(), thick = scaled(4);
    paintCurve(painter, QRectF(0, scaled(4), width(), y - scaled(10)));

    const auto track = [&](qint64 to, const QColor& ink) {
        painter.setPen(Qt::NoPen);
        painter.setBrush(ink);
        painter.drawRoundedRect(QRectF(along(0), y - thick / 2, xOfStep(to) - along(0), thick), thick / 2,
                                thick / 2);
    };
    const QColor accent = colour(theme, views::Ink::data);
    QColor trained = accent;
    trained.setAlphaF(0.45f);
    track(qint64(end()), palette().color(QPalette::Mid));
    track(m_furthest, trained);
    track(step(), accent);

    std::vector<std::pair<double, QString>> ticks;
    const qint64 spacing = roundSpacing(end() * scaled(88) / std::max(1, width()));
    for (qint64 step = 0; step <= qint64(end()); step += spacing)
        ticks.emplace_back(xOfStep(step), thousands(step));
    paintTicks(painter, ticks);

    for (const Marker& marker : m_markers) {
        const double x = xOfStep(marker.step), r = scaled(3.5);
        painter.setPen(QPen(colour(theme, views::Ink::background), 1));
        painter.setBrush(colour(theme, views::Ink::learned));
        painter.drawPolygon(
            QPolygonF({{x - r, y - scaled(12)}, {x + r, y - scaled(12)}, {x, y - scaled(5)}}));
    }
    paintKnob(painter);
}

QString TimelineBar::wordsAt(double x) const {
    QString words = say("Step %1").arg(thousands(stepAt(x)));
    for (const Marker& marker : m_markers)
        if (std::abs(xOfStep(marker.step) - x) < scaled(6))
            words += "\n" + say("after step %1: %2").arg(thousands(marker.step), marker.words);
    if (!m_curveName.isEmpty()) words += "\n" + say("Curve: %1").arg(m_curveName);
    return words;
}

}  // namespace app
