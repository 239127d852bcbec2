// The line above the picture: which preset runs, what to look for in it and, when asked, why.
#pragma once

#include <QWidget>
#include <string>
#include <vector>

#include "app/text/lesson_text.h"
#include "core/contract/parameter.h"

class QComboBox;
class QLabel;
class QToolButton;

namespace app {

class PresetHeader : public QWidget {
    Q_OBJECT

  public:
    explicit PresetHeader(QWidget* parent = nullptr);

    void setLesson(const std::vector<core::Preset>& presets, const LessonText& text);
    void setPreset(const QString& name);
    QString preset() const;
    // Words, colours and sizes anew.
    void dress();
    // Presenting, the lesson's name comes in front.
    void setPresenting(bool presenting);

  signals:
    void chosen(const QString& preset);

  private:
    void showWords();

    LessonText m_text;
    QLabel *m_title, *m_words;
    QComboBox* m_presets;
    QToolButton* m_why;
};

}  // namespace app
