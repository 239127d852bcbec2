// A run of the sampler over its time, from noise on the left to data on the right, with a branch above it;
// scrubbed both ways.
#pragma once

#include <utility>
#include <vector>

#include "app/window/scrub_bar.h"
#include "core/contract/sampling.h"

namespace app {

class SamplingTimeline : public ScrubBar {
    Q_OBJECT

  public:
    explicit SamplingTimeline(QWidget* parent = nullptr);

    void retranslate();
    // Either may be null.
    void setRuns(const core::TrajectoryPtr& run, const core::TrajectoryPtr& branch);
    void setStep(int step);

    double xOfStep(qint64 step) const override;

    QSize sizeHint() const override;

  protected:
    qint64 last() const override { return m_run ? qint64(m_run->steps.size()) : -1; }
    qint64 stepAt(double x) const override;
    QString wordsAt(double x) const override;
    void paintEvent(QPaintEvent* event) override;
    void wheelEvent(QWheelEvent* event) override;

  private:
    void standAt(qint64 step);
    double latest() const;  // the time on the left
    double xOf(double t) const;
    // By its time; where the run inverts, and each time comes twice, by its number.
    double xOfState(const core::Trajectory& run, int step) const;
    std::vector<std::pair<double, QString>> ticks() const;
    void paintTrack(QPainter& painter, const core::Trajectory& run, int from, double y,
                    const QColor& ink) const;

    core::TrajectoryPtr m_run, m_branch;
};

}  // namespace app
