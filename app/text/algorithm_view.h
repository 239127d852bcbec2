// The lesson's pseudo-code; the line of the stage that comes next is lit, in training and in sampling.
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
    // The same of the sampling run that the user steps through.
    void setSamplingStage(const QString& stage);

    QString stage() const { return m_stages[0]; }
    // The index of the lit line, or -1.
    int litLine(bool sampling = false) const;
    // Where the lit line is drawn, in viewport coordinates; empty if none is lit.
    QRectF litRect(bool sampling = false) const;

    QSize sizeHint() const override;
    QSize minimumSizeHint() const override;

  protected:
    void changeEvent(QEvent* event) override;
    void paintEvent(QPaintEvent* event) override;
    void resizeEvent(QResizeEvent* event) override;
    QMimeData* createMimeDataFromSelection() const override;

  private:
    void build();
    void light(bool sampling, const QString& stage);

    LessonText m_lesson;
    TextStyle m_style;
    InlineObjects* m_objects;
    QString m_stages[2];  // of training, of sampling
    bool m_building = false;
};

}  // namespace app
