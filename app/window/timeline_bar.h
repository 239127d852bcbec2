// The run over its training steps: how far it got, where it is, what was changed when; scrubbed both ways.
#pragma once

#include <QString>
#include <vector>

#include "app/window/scrub_bar.h"
#include "core/contract/history.h"

namespace app {

class TimelineBar : public ScrubBar {
    Q_OBJECT

  public:
    explicit TimelineBar(QWidget* parent = nullptr);

    void retranslate();
    // The present step and the furthest that was trained; `planned` is the preset's budget.
    void setRun(qint64 step, qint64 furthest, qint64 planned);
    // A knob was turned after this step.
    struct Marker {
        qint64 step;
        QString words;
    };
    void setMarkers(const std::vector<Marker>& markers);
    const std::vector<Marker>& markers() const { return m_markers; }
    // A curve behind the track, to find one's way by; its name is spoken in the tooltip.
    void setCurve(const core::History& history, const QString& name);

    qint64 furthest() const { return m_furthest; }
    double xOfStep(qint64 step) const override;

    QSize sizeHint() const override;

  protected:
    qint64 last() const override { return m_furthest; }
    qint64 stepAt(double x) const override;
    QString wordsAt(double x) const override;
    void paintEvent(QPaintEvent* event) override;

  private:
    double end() const;
    void paintCurve(QPainter& painter, const QRectF& track) const;

    qint64 m_furthest = 0, m_planned = 1;
    std::vector<Marker> m_markers;
    std::vector<core::History::Bucket> m_curve;
    QString m_curveName;
};

}  // namespace app
