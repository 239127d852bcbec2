// The nine lessons of the course; those that are not built yet are greyed and cannot be chosen.
#pragma once

#include <QListWidget>
#include <QString>

namespace app {

class LessonList : public QListWidget {
    Q_OBJECT

  public:
    explicit LessonList(QWidget* parent = nullptr);

    void retranslate();
    void setCurrentLesson(const QString& id);

  signals:
    void chosen(const QString& lesson);

  protected:
    void changeEvent(QEvent* event) override;
};

}  // namespace app
