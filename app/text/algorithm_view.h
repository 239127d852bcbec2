// The lesson's pseudo-code; the line of the stage that comes next is lit.
#pragma once

#include <QTextEdit>

#include "app/text/lesson_text.h"
#include "app/text/rich_text.h"

namespace app {

class AlgorithmView : public QTextEdit {
    Q_OBJECT

  public:
    explicit AlgorithmView(QWidget* parent = nullptr);

    void setLesson(const LessonText& lesson);
    // Lights the line of this stage; an unknown or empty stage lights none.
    void setStage(const QString& stage);

    QString stage() const { return m_stage; }
    // The index of the lit line, or -1.
    int litLine() const;
    // Where the lit line is drawn, in viewport coordinates; empty if none is lit.
    QRectF litRect() const;

    QSize sizeHint() const override;
    QSize minimumSizeHint() const override;

  protected:
    void changeEvent(QEvent* event) override;
    void paintEvent(QPaintEvent* event) override;
    void resizeEvent(QResizeEvent* event) override;
    QMimeData* createMimeDataFromSelection() const override;

  private:
    void build();

    LessonText m_lesson;
    TextStyle m_style;
    InlineObjects* m_objects;
    QString m_stage;
    bool m_building = false;
};

}  // namespace app
