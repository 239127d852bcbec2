// The second row of the transport: a run of the sampler, played and scrubbed both ways, and forked.
#pragma once

#include "app/window/control_row.h"

class QComboBox;
class QDoubleSpinBox;

namespace app {

class SamplingPlayer;
class SamplingTimeline;

class SamplingBar : public ControlRow {
    Q_OBJECT

  public:
    SamplingBar(const Actions& actions, QWidget* parent = nullptr);

    // Words and sizes anew: another language, theme or scale.
    void dress();
    // Of which the bar shows the run, the place and what can be done.
    void show(const SamplingPlayer& player);
    SamplingTimeline* timeline() const { return m_timeline; }
    QComboBox* speed() const { return m_speed; }
    // Where the user types a time to go to.
    QDoubleSpinBox* timeBox() const { return m_time; }

  signals:
    // Steps a second; 0: the whole run in six seconds.
    void speedChosen(double stepsPerSecond);
    void timeChosen(double t);

  protected:
    bool eventFilter(QObject* watched, QEvent* event) override;

  private:
    SamplingTimeline* m_timeline;
    QComboBox* m_speed;
    QDoubleSpinBox* m_time;
};

}  // namespace app
