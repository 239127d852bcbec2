// The parameter dock: every knob of the lesson, those that act at once apart from those that rebuild.
#pragma once

#include <QScrollArea>
#include <map>
#include <string>
#include <vector>

#include "app/text/lesson_text.h"
#include "core/contract/frame.h"
#include "core/contract/parameter.h"

namespace app {

class KnobEditor;

class KnobPanel : public QScrollArea {
    Q_OBJECT

  public:
    explicit KnobPanel(QWidget* parent = nullptr);

    // Rebuilds the editors; also on a change of language, theme or scale.
    void setLesson(const std::vector<core::Parameter>& parameters, const LessonText& text);
    // Shows the values of the run, and which knobs change nothing in it.
    void follow(const core::Frame& frame);
    // "Learning rate of D 0.001"; empty if there is no such knob.
    QString describe(const std::string& knob, double value) const;
    KnobEditor* editor(const std::string& knob) const;

  signals:
    void changed(const QString& knob, double value);

  private:
    QWidget* heading(const QString& icon, const QString& title, const QString& explanation);

    std::map<std::string, KnobEditor*> m_editors;
};

}  // namespace app
