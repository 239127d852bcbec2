// The line above the picture: which preset runs, what to look for in it and, when asked, why.
#pragma once

#include <QWidget>
#include <string>
#include <vector>

#include "app/text/lesson_text.h"
#include "core/base/own_data.h"
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
    // The user's data that are shown instead of the preset's; null: none. The line then names them, as what
    // the preset says of its own data is not true of these.
    void setOwnData(const core::OwnDataPtr& own);
    QString words() const;
    // Words, colours and sizes anew.
    void dress();
    // Presenting, the lesson's name comes in front.
    void setPresenting(bool presenting);

  signals:
    void chosen(const QString& preset);

  protected:
    void resizeEvent(QResizeEvent* event) override;

  private:
    void showWords();
    void showTitle();

    LessonText m_text;
    core::OwnDataPtr m_own;
    bool m_presenting = false;
    QLabel *m_title, *m_words;
    QComboBox* m_presets;
    QToolButton* m_why;
};

}  // namespace app
