// One knob of a lesson: its label, and the controls that suit its kind.
#pragma once

#include <QElapsedTimer>
#include <QWidget>

#include "app/text/lesson_text.h"
#include "core/contract/parameter.h"

class QCheckBox;
class QComboBox;
class QLabel;
class QSlider;

namespace app {

class FigureBox;

class KnobEditor : public QWidget {
    Q_OBJECT

  public:
    KnobEditor(const core::Parameter& parameter, const LessonText& text, QWidget* parent = nullptr);

    // Shows the run's value, unless the user's own has been sent a moment ago.
    void follow(double value);
    // Dimmed while it changes nothing, as the other knobs stand; it can be turned nevertheless.
    void setIdle(bool idle);
    bool isIdle() const { return m_idle; }
    const core::Parameter& parameter() const { return m_parameter; }
    double value() const { return m_value; }
    // "Learning rate of D"
    const QString& label() const { return m_labelText; }
    // The value in words: "0.001", "Ring of 8", "on".
    QString words(double value) const;

  signals:
    void changed(const QString& knob, double value);

  private:
    void buildNumber();
    void buildChoice(const LessonText& text);
    void buildSwitch();
    void explain();           // on the label, in tooltips and to screen readers
    void take(double value);  // from the user
    void display(double value);
    double positionOf(double value) const;
    double valueAt(double position) const;

    core::Parameter m_parameter;
    QString m_labelText, m_symbol, m_tooltip;
    double m_value = 0;
    bool m_displaying = false, m_idle = false;
    QElapsedTimer m_sinceChange;

    QLabel* m_label;
    FigureBox* m_box = nullptr;
    QSlider* m_slider = nullptr;
    QComboBox* m_combo = nullptr;
    QCheckBox* m_switch = nullptr;
};

// "η_D" as rich text with its index lowered.
QString symbolHtml(const QString& symbol);

}  // namespace app
