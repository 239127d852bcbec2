// The run over its training steps: how far it got, where it is, what was changed when; scrubbed both ways.
#pragma once

#include <QAbstractSlider>
#include <QString>
#include <vector>

#include "core/contract/history.h"

namespace app {

class TimelineBar : public QAbstractSlider {
    Q_OBJECT

  public:
    explicit TimelineBar(QWidget* parent = nullptr);

    void retranslate();
    // The present step and the furthest that was trained; `planned` is the preset's budget.
    void setRun(qint64 step, qint64 furthest, qint64 planned);
    // A knob was turned after this step.
    void addMarker(qint64 step, const QString& words);
    // Markers after the step are of a future that was left.
    void forgetAfter(qint64 step);
    void clearMarkers() { forgetAfter(-1); }
    struct Marker {
        qint64 step;
        QString words;
    };
    const std::vector<Marker>& markers() const { return m_markers; }
    // A curve behind the track, to find one's way by; its name is spoken in the tooltip.
    void setCurve(const core::History& history, const QString& name);

    qint64 furthest() const { return m_furthest; }
    // Where that step stands, in pixels from the left.
    double xOf(qint64 step) const;

    QSize sizeHint() const override;

  signals:
    void scrubbed(qint64 step);

  protected:
    void paintEvent(QPaintEvent* event) override;
    void mousePressEvent(QMouseEvent* event) override;
    void mouseMoveEvent(QMouseEvent* event) override;
    void mouseReleaseEvent(QMouseEvent* event) override;
    void keyPressEvent(QKeyEvent* event) override;
    void leaveEvent(QEvent* event) override;
    bool event(QEvent* event) override;

  private:
    qint64 stepAt(double x) const;
    double end() const;
    void scrubTo(double x);
    void paintCurve(QPainter& painter, const QRectF& track) const;

    qint64 m_step = 0, m_furthest = 0, m_planned = 1;
    qint64 m_hovered = -1;
    bool m_dragging = false;
    std::vector<Marker> m_markers;
    std::vector<core::History::Bucket> m_curve;
    QString m_curveName;
};

// 1, 2 or 5 times a power of ten, at least `least` and 1: between ticks at whole numbers.
qint64 roundSpacing(double least);
// "12 345"
QString thousands(qint64 value);

}  // namespace app
