#include "app/window/sampling_timeline.h"

#include <QHelpEvent>
#include <QKeyEvent>
#include <QMouseEvent>
#include <QPainter>
#include <QToolTip>
#include <algorithm>
#include <cmath>

#include "app/window/interface_words.h"
#include "app/window/style.h"
#include "app/window/timeline_bar.h"

namespace app {

SamplingTimeline::SamplingTimeline(QWidget* parent) : QAbstractSlider(parent) {
    setObjectName("samplingTimeline");
    setOrientation(Qt::Horizontal);
    setFocusPolicy(Qt::StrongFocus);
    setMouseTracking(true);
    setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Fixed);
    retranslate();
}

void SamplingTimeline::retranslate() {
    setAccessibleName(say("Sampling timeline"));
    setToolTip(
        say("A run of the sampler, from noise on the left to data on the right. Drag to stand at any step."));
    setAccessibleDescription(toolTip());
}

QSize SamplingTimeline::sizeHint() const {
    return {scaled(300), scaled(44)};
}

void SamplingTimeline::setRuns(const core::TrajectoryPtr& run, const core::TrajectoryPtr& branch) {
    if (run == m_run && branch == m_branch) return;
    m_run = run && !run->steps.empty() ? run : nullptr;
    m_branch = branch && !branch->steps.empty() ? branch : nullptr;
    const QSignalBlocker quiet(this);
    setRange(0, lastStep());
    setPageStep(std::max(1, lastStep() / 20));
    m_step = std::clamp(m_step, 0, lastStep());
    setSliderPosition(m_step);
    update();
}

void SamplingTimeline::setStep(int step) {
    if (step == m_step) return;
    m_step = std::clamp(step, 0, lastStep());
    const QSignalBlocker quiet(this);
    setSliderPosition(m_step);
    update();
}

double SamplingTimeline::latest() const {
    return m_run ? std::max(m_run->timeOf(0), 1e-9) : 1;
}

double SamplingTimeline::xOf(double t) const {
    const double margin = scaled(8);
    return margin + (width() - 2 * margin) * (1 - t / latest());
}

double SamplingTimeline::xOfState(const core::Trajectory& run, int step) const {
    if (!m_run->inverts()) return xOf(run.timeOf(step));
    const int most = std::max({1, m_run->total, m_branch ? m_branch->total : 0});
    return scaled(8) + (width() - 2 * scaled(8)) * double(step) / most;
}

double SamplingTimeline::xOfStep(int step) const {
    return m_run ? xOfState(*m_run, std::clamp(step, 0, lastStep())) : 0;
}

int SamplingTimeline::stepAt(double x) const {
    int nearest = 0;
    for (int i = 1; i <= lastStep(); ++i)
        if (std::abs(xOfStep(i) - x) < std::abs(xOfStep(nearest) - x)) nearest = i;
    return nearest;
}

void SamplingTimeline::paintTrack(QPainter& painter, const core::Trajectory& run, int from, double y,
                                  const QColor& ink) const {
    const int done = int(run.steps.size());
    const double thick = scaled(4), last = xOfState(run, done),
                 end = m_run->inverts() ? xOfState(run, run.total) : xOf(0);
    const double first = xOfState(run, std::min(from, done));
    painter.setPen(Qt::NoPen);
    painter.setBrush(palette().color(QPalette::Mid));
    painter.drawRoundedRect(QRectF(first, y - thick / 2, end - first, thick), thick / 2, thick / 2);
    painter.setBrush(ink);
    painter.drawRoundedRect(QRectF(first, y - thick / 2, last - first, thick), thick / 2, thick / 2);
    // Steps that stand apart are seen as such.
    const double apart = (end - first) / std::max(1, run.total - from);
    if (apart < scaled(5)) return;
    painter.setPen(QPen(colour(currentTheme(), views::Ink::background), 1));
    for (int i = from; i <= done; ++i) {
        const double x = xOfState(run, i);
        painter.drawLine(QPointF(x, y - thick / 2), QPointF(x, y + thick / 2));
    }
}

// Round times; of an inversion, where it begins, turns and ends.
std::vector<std::pair<double, qint64>> SamplingTimeline::ticks() const {
    std::vector<std::pair<double, qint64>> all;
    if (m_run->inverts()) {
        for (const int step : {0, (m_run->total - 1) / 2, m_run->total})
            if (step <= lastStep()) all.emplace_back(xOfStep(step), qint64(std::lround(m_run->timeOf(step))));
        return all;
    }
    const qint64 spacing = roundSpacing(latest() * scaled(64) / std::max(1, width()));
    for (qint64 t = 0; double(t) <= latest(); t += spacing) all.emplace_back(xOf(double(t)), t);
    return all;
}

void SamplingTimeline::paintEvent(QPaintEvent*) {
    const views::Theme& theme = currentTheme();
    QPainter painter(this);
    painter.setRenderHint(QPainter::Antialiasing);
    const QColor faint = colour(theme, views::Ink::faint), now = colour(theme, views::Ink::selection);
    const double y = height() - scaled(theme.scale > 1 ? 24 : 20), above = y - scaled(10);
    QFont small = font();
    small.setPixelSize(theme.scale > 1 ? 24 : scaled(11));
    painter.setFont(small);
    const QFontMetrics metrics(small);
    if (!m_run) {
        painter.setPen(faint);
        painter.drawText(rect(), Qt::AlignCenter, say("S draws samples"));
        return;
    }
    if (m_branch) {
        const int from = m_branch->forkStep;
        const double fork = xOfState(*m_branch, std::min(from, int(m_branch->steps.size())));
        painter.setPen(QPen(colour(theme, views::Ink::learned), scaled(1.5)));
        painter.drawLine(QPointF(fork, y), QPointF(fork, above));
        paintTrack(painter, *m_branch, from, above, colour(theme, views::Ink::learned));
    }
    paintTrack(painter, *m_run, 0, y, colour(theme, views::Ink::generated));

    for (const auto& [x, t] : ticks()) {
        painter.setPen(QPen(faint, 1));
        painter.drawLine(QPointF(x, y + scaled(3)), QPointF(x, y + scaled(5)));
        const QString words = t == 0 ? QStringLiteral("t = 0") : thousands(t);
        const double w = metrics.horizontalAdvance(words);
        painter.drawText(QPointF(std::clamp(x - w / 2, 0.0, width() - w), height() - scaled(3)), words);
    }
    if (m_hovered >= 0 && !m_dragging) {
        painter.setPen(QPen(faint, 1));
        painter.drawLine(QPointF(xOfStep(m_hovered), scaled(4)), QPointF(xOfStep(m_hovered), y));
    }
    const double x = xOfStep(m_step);
    painter.setPen(QPen(now, scaled(1.5)));
    painter.drawLine(QPointF(x, scaled(2)), QPointF(x, y));
    painter.setPen(QPen(colour(theme, views::Ink::background), scaled(1.5)));
    painter.setBrush(now);
    painter.drawEllipse(QPointF(x, y), scaled(6), scaled(6));
    if (hasFocus()) {
        painter.setBrush(Qt::NoBrush);
        painter.setPen(QPen(colour(theme, views::Ink::data), 1));
        painter.drawRoundedRect(QRectF(rect()).adjusted(0.5, 0.5, -0.5, -0.5), scaled(4), scaled(4));
    }
}

void SamplingTimeline::scrubTo(double x) {
    if (!m_run) return;
    const int step = stepAt(x);
    if (step == m_step) return;
    m_step = step;
    update();
    emit scrubbed(step);
}

void SamplingTimeline::mousePressEvent(QMouseEvent* event) {
    if (event->button() != Qt::LeftButton) return;
    m_dragging = true;
    setSliderDown(true);
    scrubTo(event->position().x());
}

void SamplingTimeline::mouseMoveEvent(QMouseEvent* event) {
    m_hovered = m_run ? stepAt(event->position().x()) : -1;
    if (m_dragging) scrubTo(event->position().x());
    update();
}

void SamplingTimeline::mouseReleaseEvent(QMouseEvent*) {
    m_dragging = false;
    setSliderDown(false);
}

void SamplingTimeline::wheelEvent(QWheelEvent* event) {
    if (m_run && event->angleDelta().y() != 0)
        emit scrubbed(std::clamp(m_step + (event->angleDelta().y() > 0 ? -1 : 1), 0, lastStep()));
    event->accept();
}

void SamplingTimeline::keyPressEvent(QKeyEvent* event) {
    if (event->key() == Qt::Key_PageUp)
        emit scrubbed(std::max(0, m_step - pageStep()));
    else if (event->key() == Qt::Key_PageDown)
        emit scrubbed(std::min(lastStep(), m_step + pageStep()));
    else
        event->ignore();
}

void SamplingTimeline::leaveEvent(QEvent*) {
    m_hovered = -1;
    update();
}

bool SamplingTimeline::event(QEvent* event) {
    if (event->type() == QEvent::ToolTip) {
        const auto* help = static_cast<QHelpEvent*>(event);
        QString words;
        if (m_run) {
            const int step = stepAt(help->x());
            words = say("Step %1 of %2").arg(step).arg(m_run->total) +
                    QStringLiteral(", t = %1\n").arg(m_run->timeOf(step), 0, 'g', 4);
        }
        QToolTip::showText(help->globalPos(), words + toolTip(), this);
        return true;
    }
    return QAbstractSlider::event(event);
}

}  // namespace app
