#include "app/window/sampling_timeline.h"

#include <QPainter>
#include <QWheelEvent>
#include <algorithm>
#include <cmath>

#include "app/window/interface_words.h"
#include "app/window/style.h"

namespace app {

SamplingTimeline::SamplingTimeline(QWidget* parent) : ScrubBar(parent) {
    setObjectName("samplingTimeline");
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
    standAt(step());
}

void SamplingTimeline::setStep(int step) {
    if (step != this->step()) standAt(step);
}

void SamplingTimeline::standAt(qint64 step) {
    const qint64 there = std::max<qint64>(last(), 0);
    stand(std::clamp<qint64>(step, 0, there), there);
}

double SamplingTimeline::latest() const {
    return m_run ? std::max(m_run->timeOf(0), 1e-9) : 1;
}

double SamplingTimeline::xOf(double t) const {
    return along(1 - t / latest());
}

double SamplingTimeline::xOfState(const core::Trajectory& run, int step) const {
    if (!m_run->inverts()) return xOf(run.timeOf(step));
    return along(double(step) / std::max({1, m_run->total, m_branch ? m_branch->total : 0}));
}

double SamplingTimeline::xOfStep(qint64 step) const {
    return m_run ? xOfState(*m_run, int(std::clamp<qint64>(step, 0, last()))) : 0;
}

qint64 SamplingTimeline::stepAt(double x) const {
    qint64 nearest = 0;
    for (qint64 i = 1; i <= last(); ++i)
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
std::vector<std::pair<double, QString>> SamplingTimeline::ticks() const {
    std::vector<std::pair<double, QString>> all;
    const auto add = [&](double x, qint64 t) {
        all.emplace_back(x, t == 0 ? QStringLiteral("t = 0") : thousands(t));
    };
    if (m_run->inverts()) {
        for (const int step : {0, (m_run->total - 1) / 2, m_run->total})
            if (step <= last()) add(xOfStep(step), qint64(std::lround(m_run->timeOf(step))));
        return all;
    }
    const qint64 spacing = roundSpacing(latest() * scaled(64) / std::max(1, width()));
    for (qint64 t = 0; double(t) <= latest(); t += spacing) add(xOf(double(t)), t);
    return all;
}

void SamplingTimeline::paintEvent(QPaintEvent*) {
    const views::Theme& theme = currentTheme();
    QPainter painter(this);
    painter.setRenderHint(QPainter::Antialiasing);
    if (!m_run) {
        painter.setPen(colour(theme, views::Ink::faint));
        painter.drawText(rect(), Qt::AlignCenter, say("S draws samples"));
        return;
    }
    const double y = trackY(), above = y - scaled(10);
    if (m_branch) {
        const int from = m_branch->forkStep;
        const double fork = xOfState(*m_branch, std::min(from, int(m_branch->steps.size())));
        painter.setPen(QPen(colour(theme.branch()), scaled(1.5)));
        painter.drawLine(QPointF(fork, y), QPointF(fork, above));
        paintTrack(painter, *m_branch, from, above, colour(theme.branch()));
    }
    paintTrack(painter, *m_run, 0, y, colour(theme, views::Ink::generated));
    paintTicks(painter, ticks());
    paintKnob(painter);
}

void SamplingTimeline::wheelEvent(QWheelEvent* event) {
    if (m_run && event->angleDelta().y() != 0)
        emit scrubbed(std::clamp<qint64>(step() + (event->angleDelta().y() > 0 ? -1 : 1), 0, last()));
    event->accept();
}

QString SamplingTimeline::wordsAt(double x) const {
    const int step = int(stepAt(x));
    return say("Step %1 of %2").arg(step).arg(m_run->total) +
           QStringLiteral(", t = %1").arg(m_run->timeOf(step), 0, 'g', 4);
}

}  // namespace app
