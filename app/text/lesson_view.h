// The lesson's text as a page: formulas, numbers of this moment, questions that reveal their answer.
#pragma once

#include <QElapsedTimer>
#include <QTextBrowser>
#include <QTimer>
#include <set>

#include "app/text/algorithm_view.h"
#include "app/text/lesson_text.h"
#include "app/text/rich_text.h"
#include "core/contract/frame.h"

namespace app {

class LessonView : public QTextBrowser {
    Q_OBJECT

  public:
    static constexpr int updateIntervalMs = 250;

    explicit LessonView(QWidget* parent = nullptr);

    // Shows the text from its beginning; of the same lesson in another language, from the same chapter.
    void setLesson(const LessonText& lesson);
    // Takes the scalars that the text names; the page follows at most four times a second.
    void setFrame(const core::Frame& frame);

    int questionCount() const { return m_questions; }
    bool isRevealed(int question) const { return m_revealed.contains(question); }
    void setRevealed(int question, bool revealed);
    void scrollToChapter(int chapter);

    // The page's words as they stand: formulas as spoken, numbers as shown, hidden answers left out.
    QString plainText() const;

  protected:
    void changeEvent(QEvent* event) override;
    void keyPressEvent(QKeyEvent* event) override;
    void paintEvent(QPaintEvent* event) override;
    void resizeEvent(QResizeEvent* event) override;
    QMimeData* createMimeDataFromSelection() const override;
    QVariant loadResource(int type, const QUrl& name) override;

  private:
    void build();
    void buildHead(QTextCursor& cursor);
    void buildBlock(QTextCursor& cursor, const TextBlock& block);
    void buildQuestion(QTextCursor& cursor, const TextBlock& block);
    void fitColumn();
    void showValues();
    int currentChapter() const;

    LessonText m_lesson;
    QStringList m_channels;  // that the text names
    TextStyle m_style;
    InlineObjects* m_objects;
    std::set<int> m_revealed;
    int m_questions = 0;
    std::vector<int> m_chapterPositions;
    std::vector<QTextFrame*> m_cards;
    QHash<QString, double> m_values, m_shown;
    QElapsedTimer m_sinceUpdate;
    QTimer m_pending;
    bool m_building = false;
    bool m_byKeyboard = false;
};

}  // namespace app
