// A strip of steps with a knob that is dragged both ways; what lies along it is for those that derive from
// it.
#pragma once

#include <QAbstractSlider>
#include <utility>
#include <vector>

class QPainter;

namespace app {

class ScrubBar : public QAbstractSlider {
    Q_OBJECT

  public:
    // Where that step stands, in pixels from the left.
    virtual double xOfStep(qint64 step) const = 0;

  signals:
    void scrubbed(qint64 step);

  protected:
    explicit ScrubBar(QWidget* parent);

    // The last step that there is to go to; -1: nothing is there yet.
    virtual qint64 last() const = 0;
    virtual qint64 stepAt(double x) const = 0;
    // What is said of a step under the mouse, line by line.
    virtual QString wordsAt(double x) const = 0;

    qint64 step() const { return m_step; }
    // Without a signal; `range` is what a screen reader hears of it.
    void stand(qint64 step, qint64 range);
    // The pixels from the left of this share of the strip.
    double along(double share) const;

    double trackY() const;
    // In the small type that the strip has; sets it.
    void paintTicks(QPainter& painter, const std::vector<std::pair<double, QString>>& ticks) const;
    // The line under the mouse, the knob, the frame of what has the keyboard.
    void paintKnob(QPainter& painter) const;

    void mousePressEvent(QMouseEvent* event) override;
    void mouseMoveEvent(QMouseEvent* event) override;
    void mouseReleaseEvent(QMouseEvent* event) override;
    void keyPressEvent(QKeyEvent* event) override;
    void leaveEvent(QEvent* event) override;
    bool event(QEvent* event) override;

  private:
    void scrubTo(double x);

    qint64 m_step = 0, m_hovered = -1;
    bool m_dragging = false;
};

// 1, 2 or 5 times a power of ten, at least `least` and 1: between ticks at whole numbers.
qint64 roundSpacing(double least);
// "12 345"
QString thousands(qint64 value);

}  // namespace app
