// A run of the sampler over its time, from noise on the left to data on the right, with a branch above it;
// scrubbed both ways.
#pragma once

#include <QAbstractSlider>
#include <utility>
#include <vector>

#include "core/contract/sampling.h"

namespace app {

class SamplingTimeline : public QAbstractSlider {
    Q_OBJECT

  public:
    explicit SamplingTimeline(QWidget* parent = nullptr);

    void retranslate();
    // Either may be null.
    void setRuns(const core::TrajectoryPtr& run, const core::TrajectoryPtr& branch);
    void setStep(int step);

    // Where that state of the run stands, in pixels from the left.
    double xOfStep(int step) const;

    QSize sizeHint() const override;

  signals:
    void scrubbed(int step);

  protected:
    void paintEvent(QPaintEvent* event) override;
    void mousePressEvent(QMouseEvent* event) override;
    void mouseMoveEvent(QMouseEvent* event) override;
    void mouseReleaseEvent(QMouseEvent* event) override;
    void wheelEvent(QWheelEvent* event) override;
    void keyPressEvent(QKeyEvent* event) override;
    void leaveEvent(QEvent* event) override;
    bool event(QEvent* event) override;

  private:
    double latest() const;  // the time on the left
    double xOf(double t) const;
    // By its time; where the run inverts, and each time comes twice, by its number.
    double xOfState(const core::Trajectory& run, int step) const;
    std::vector<std::pair<double, qint64>> ticks() const;
    int stepAt(double x) const;
    int lastStep() const { return m_run ? int(m_run->steps.size()) : 0; }
    void scrubTo(double x);
    void paintTrack(QPainter& painter, const core::Trajectory& run, int from, double y,
                    const QColor& ink) const;

    core::TrajectoryPtr m_run, m_branch;
    int m_step = 0, m_hovered = -1;
    bool m_dragging = false;
};

}  // namespace app
