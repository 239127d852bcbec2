// The strip at the bottom: run, step and go back, how fast, where in the run we are.
#pragma once

#include "app/window/control_row.h"

class QComboBox;

namespace app {

class FigureLabel;
class TimelineBar;

class Transport : public ControlRow {
    Q_OBJECT

  public:
    Transport(const Actions& actions, QWidget* parent = nullptr);

    // Words and sizes anew: another language, theme or scale.
    void dress();
    void setStep(qint64 step, const QString& stage);
    TimelineBar* timeline() const { return m_timeline; }
    QComboBox* speed() const { return m_speed; }
    double stepsPerSecond() const;

  signals:
    // Steps a second, 0 for as fast as it goes; slow mode does one stage a second instead.
    void speedChosen(double stepsPerSecond, bool slow);

  private:
    TimelineBar* m_timeline;
    QComboBox* m_speed;
    FigureLabel* m_step;
};

}  // namespace app
