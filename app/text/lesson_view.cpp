#include "app/text/lesson_view.h"

#include <QAbstractTextDocumentLayout>
#include <QKeyEvent>
#include <QMimeData>
#include <QPainter>
#include <QScrollBar>
#include <QTextBlock>
#include <QTextFrame>

#include <algorithm>
#include <cmath>

namespace app {
namespace {

constexpr double measureEm = 44;  // the widest comfortable line

// The page's own words, beside those of the lesson.
struct PageWords {
    const char *predict, *reveal, *hide, *answer;
};
const PageWords& pageWords(bool chinese) {
    static const PageWords english{"Predict first", "Reveal the answer", "Hide the answer", "Answer"};
    static const PageWords mandarin{"先猜一猜", "揭晓答案", "收起答案", "答案"};
    return chinese ? mandarin : english;
}

QTextBlockFormat spaced(const TextStyle& style, double above, double below) {
    QTextBlockFormat format;
    format.setTopMargin(above * style.em());
    format.setBottomMargin(below * style.em());
    // Leading as a distance: a line that holds a tall formula does not grow in proportion.
    format.setLineHeight((style.chinese ? 0.5 : 0.34) * style.em(), QTextBlockFormat::LineDistanceHeight);
    return format;
}

// The cursor in a block of this format: in the empty one that a card leaves behind, or in a fresh one.
void openBlock(QTextCursor& cursor, const QTextBlockFormat& format) {
    if (cursor.block().length() <= 1)
        cursor.setBlockFormat(format);
    else
        cursor.insertBlock(format);
}

QTextCharFormat lettered(const QFont& font, const QColor& colour) {
    QTextCharFormat format;
    format.setFont(font);
    format.setForeground(colour);
    return format;
}

}  // namespace

LessonView::LessonView(QWidget* parent) : QTextBrowser(parent), m_objects(new InlineObjects(document())) {
    setOpenLinks(false);
    setUndoRedoEnabled(false);
    setFrameShape(QFrame::NoFrame);
    setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    // Always there, so that the column does not change its width when an answer is revealed.
    setVerticalScrollBarPolicy(Qt::ScrollBarAlwaysOn);
    m_pending.setSingleShot(true);
    connect(&m_pending, &QTimer::timeout, this, &LessonView::showValues);
    connect(this, &QTextBrowser::anchorClicked, this, [this](const QUrl& link) {
        const int question = link.toString().section(':', 1).toInt();
        if (link.scheme() == "question") setRevealed(question, !isRevealed(question));
    });
}

void LessonView::setLesson(const LessonText& lesson) {
    const bool same = lesson.id == m_lesson.id;
    const int chapter = same ? currentChapter() : -1;
    if (!same) {
        m_revealed.clear();
        m_values.clear();
        m_shown.clear();
    }
    m_lesson = lesson;
    m_channels = lesson.liveChannels();
    build();
    if (chapter >= 0)
        scrollToChapter(chapter);
    else
        verticalScrollBar()->setValue(0);
}

void LessonView::setFrame(const core::Frame& frame) {
    for (const QString& channel : m_channels) {
        const core::Tensor* tensor = frame.find(channel.toStdString());
        if (tensor && !tensor->values.empty())
            m_values[channel] = double(tensor->values[0]);
        else
            m_values.remove(channel);
    }
    if (m_values == m_shown || m_pending.isActive()) return;
    const qint64 wait = m_sinceUpdate.isValid() ? updateIntervalMs - m_sinceUpdate.elapsed() : 0;
    if (wait > 0)
        m_pending.start(int(wait));
    else
        showValues();
}

void LessonView::showValues() {
    m_sinceUpdate.start();
    m_shown = m_values;
    // The line at the top of the window stays where it is even if a number above it needed more room.
    const QTextCursor top = cursorForPosition({viewport()->width() / 2, 1});
    const int before = cursorRect(top).top();
    if (m_objects->setValues(m_shown))
        verticalScrollBar()->setValue(verticalScrollBar()->value() + cursorRect(top).top() - before);
    viewport()->update();
}

void LessonView::setRevealed(int question, bool revealed) {
    if (question < 0 || question >= m_questions || revealed == isRevealed(question)) return;
    if (revealed)
        m_revealed.insert(question);
    else
        m_revealed.erase(question);
    const int scroll = verticalScrollBar()->value();
    build();
    verticalScrollBar()->setValue(scroll);
    if (!m_byKeyboard) return;
    // The keyboard stays on the link that it used.
    for (QTextBlock block = document()->begin(); block.isValid(); block = block.next())
        for (auto it = block.begin(); !it.atEnd(); ++it)
            if (it.fragment().charFormat().anchorHref() == QStringLiteral("question:%1").arg(question)) {
                QTextCursor cursor(document());
                cursor.setPosition(it.fragment().position());
                cursor.setPosition(it.fragment().position() + it.fragment().length(),
                                   QTextCursor::KeepAnchor);
                setTextCursor(cursor);
                verticalScrollBar()->setValue(scroll);
            }
}

void LessonView::scrollToChapter(int chapter) {
    if (chapter < 0 || chapter >= int(m_chapterPositions.size())) return;
    const QTextBlock block = document()->findBlock(m_chapterPositions[chapter]);
    const double top = document()->documentLayout()->blockBoundingRect(block).top();
    verticalScrollBar()->setValue(int(top - 0.5 * m_style.em()));
}

int LessonView::currentChapter() const {
    int chapter = -1;
    for (size_t i = 0; i < m_chapterPositions.size(); ++i) {
        const QTextBlock block = document()->findBlock(m_chapterPositions[i]);
        const double top = document()->documentLayout()->blockBoundingRect(block).top();
        if (top - m_style.em() <= verticalScrollBar()->value()) chapter = int(i);
    }
    return chapter;
}

QString LessonView::plainText() const {
    return m_objects->plainText(0, document()->characterCount());
}

void LessonView::build() {
    m_building = true;
    m_style = TextStyle::of(font(), palette(), m_lesson.language);
    m_objects->setStyle(m_style);
    m_cards.clear();
    m_chapterPositions.clear();
    m_questions = 0;
    document()->clear();
    document()->setDefaultFont(m_style.font);
    QTextCursor cursor(document());
    cursor.beginEditBlock();
    if (!m_lesson.id.isEmpty()) {
        buildHead(cursor);
        for (size_t i = 0; i < m_lesson.chapters.size(); ++i) {
            const Chapter& chapter = m_lesson.chapters[i];
            QTextBlockFormat format = spaced(m_style, 2.0, 0.55);
            format.setHeadingLevel(2);
            openBlock(cursor, format);
            m_chapterPositions.push_back(cursor.position());
            const QFont font = m_style.scaled(1.25, QFont::DemiBold);
            cursor.insertText(QStringLiteral("%1\u2002").arg(i + 1),
                              lettered(m_style.scaled(1.25, QFont::Normal), m_style.quiet));
            InlineObjects::insertWords(cursor, chapter.title, lettered(font, m_style.text));
            for (const TextBlock& block : chapter.blocks) buildBlock(cursor, block);
        }
    }
    cursor.endEditBlock();
    m_objects->setValues(m_shown);
    m_building = false;
    fitColumn();
    setAccessibleName(m_lesson.title);
    setAccessibleDescription(plainText());
}

void LessonView::buildHead(QTextCursor& cursor) {
    QTextBlockFormat format = spaced(m_style, 0.4, 0.5);
    format.setHeadingLevel(1);
    openBlock(cursor, format);
    InlineObjects::insertWords(cursor, m_lesson.title,
                               lettered(m_style.scaled(1.75, QFont::DemiBold), m_style.text));
    openBlock(cursor, spaced(m_style, 0, 0.7));
    m_objects->insert(cursor, parseSpans(m_lesson.summary, m_lesson.id, 0),
                      lettered(m_style.scaled(1.12), m_style.text));
    openBlock(cursor, spaced(m_style, 0, 0));
    m_objects->insert(cursor, parseSpans(m_lesson.reference, m_lesson.id, 0),
                      lettered(m_style.scaled(0.88), m_style.quiet));
}

void LessonView::buildBlock(QTextCursor& cursor, const TextBlock& block) {
    const QTextCharFormat body = lettered(m_style.font, m_style.text);
    switch (block.kind) {
        case TextBlock::Kind::paragraph:
            openBlock(cursor, spaced(m_style, 0, 0.85));
            m_objects->insert(cursor, block.spans, body);
            break;
        case TextBlock::Kind::bullet: {
            QTextBlockFormat format = spaced(m_style, 0, 0.45);
            format.setLeftMargin(1.3 * m_style.em());
            format.setTextIndent(-1.0 * m_style.em());
            format.setTabPositions({{1.0, QTextOption::LeftTab}});
            openBlock(cursor, format);
            cursor.insertText(QStringLiteral("•\u2002"), lettered(m_style.font, m_style.quiet));
            m_objects->insert(cursor, block.spans, body);
            break;
        }
        case TextBlock::Kind::formula: {
            QTextBlockFormat format = spaced(m_style, 0.35, 1.1);
            format.setLineHeight(0, QTextBlockFormat::SingleHeight);
            format.setLeftMargin(1.3 * m_style.em());
            openBlock(cursor, format);
            m_objects->insertDisplayFormula(cursor, block.spans[0].text, body);
            break;
        }
        case TextBlock::Kind::question:
            buildQuestion(cursor, block);
            break;
    }
}

// A card: what to think about, a link, and below it the answer once it is asked for.
void LessonView::buildQuestion(QTextCursor& cursor, const TextBlock& block) {
    const int number = m_questions++;
    const PageWords& words = pageWords(m_style.chinese);
    QTextFrameFormat card;
    card.setPadding(0.9 * m_style.em());
    card.setLeftMargin(0);
    card.setTopMargin(0.9 * m_style.em());
    card.setBottomMargin(1.1 * m_style.em());
    const QTextFrame* outside = cursor.currentFrame();
    m_cards.push_back(cursor.insertFrame(card));

    openBlock(cursor, spaced(m_style, 0, 0.3));
    InlineObjects::insertWords(cursor, QString::fromUtf8(words.predict),
                               lettered(m_style.scaled(0.85, QFont::DemiBold), m_style.quiet));
    openBlock(cursor, spaced(m_style, 0, 0.6));
    m_objects->insert(cursor, block.spans, lettered(m_style.scaled(1.0, QFont::Medium), m_style.text));
    const bool revealed = isRevealed(number);
    if (revealed)
        for (const Spans& paragraph : block.answer) {
            openBlock(cursor, spaced(m_style, 0, 0.6));
            m_objects->insert(cursor, paragraph, lettered(m_style.font, m_style.text));
        }
    openBlock(cursor, spaced(m_style, 0, 0));
    QTextCharFormat link = lettered(m_style.scaled(0.95, QFont::DemiBold), palette().color(QPalette::Link));
    link.setAnchor(true);
    link.setAnchorHref(QStringLiteral("question:%1").arg(number));
    const QString arrow = revealed ? QStringLiteral("▴ ") : QStringLiteral("▸ ");
    InlineObjects::insertWords(cursor, arrow + QString::fromUtf8(revealed ? words.hide : words.reveal), link);
    cursor.setPosition(outside->lastPosition());
}

// The column is never wider than is pleasant to read; formulas shrink to it where they must.
void LessonView::fitColumn() {
    if (m_building) return;
    const double margin = 1.4 * m_style.em();
    const double width = viewport()->width();
    const double side = std::max(margin, (width - measureEm * m_style.em()) / 2);
    m_objects->setColumn(std::max(50.0, width - 2 * side - 1.3 * m_style.em() - 2));
    QTextFrameFormat page = document()->rootFrame()->frameFormat();
    page.setMargin(0);
    page.setLeftMargin(side);
    page.setRightMargin(side);
    page.setTopMargin(margin);
    page.setBottomMargin(2 * margin);
    document()->setDocumentMargin(0);
    document()->rootFrame()->setFrameFormat(page);
    document()->markContentsDirty(0, document()->characterCount());
}

void LessonView::resizeEvent(QResizeEvent* event) {
    const double place = verticalScrollBar()->maximum() > 0
                             ? double(verticalScrollBar()->value()) / verticalScrollBar()->maximum()
                             : 0;
    const bool wider = event->oldSize().width() != event->size().width();
    QTextBrowser::resizeEvent(event);
    if (!wider) return;
    fitColumn();
    verticalScrollBar()->setValue(int(std::lround(place * verticalScrollBar()->maximum())));
}

void LessonView::changeEvent(QEvent* event) {
    QTextBrowser::changeEvent(event);
    const bool looks = event->type() == QEvent::FontChange || event->type() == QEvent::PaletteChange ||
                       event->type() == QEvent::StyleChange;
    if (!looks || m_building) return;
    const int chapter = currentChapter();
    build();
    scrollToChapter(chapter);
}

void LessonView::paintEvent(QPaintEvent* event) {
    {
        QPainter painter(viewport());
        painter.setRenderHint(QPainter::Antialiasing);
        painter.translate(-horizontalScrollBar()->value(), -verticalScrollBar()->value());
        const double radius = 0.45 * m_style.em();
        for (QTextFrame* frame : m_cards) {
            const QTextFrameFormat format = frame->frameFormat();
            const QRectF outer = document()->documentLayout()->frameBoundingRect(frame);
            const QRectF card = outer.adjusted(0, format.topMargin(), 0, -format.bottomMargin());
            painter.setPen(Qt::NoPen);
            painter.setBrush(m_style.card);
            painter.drawRoundedRect(card, radius, radius);
        }
    }
    QTextBrowser::paintEvent(event);
}

void LessonView::keyPressEvent(QKeyEvent* event) {
    m_byKeyboard = true;
    QTextBrowser::keyPressEvent(event);
    m_byKeyboard = false;
}

QMimeData* LessonView::createMimeDataFromSelection() const {
    auto* data = new QMimeData;
    data->setText(m_objects->plainText(textCursor().selectionStart(), textCursor().selectionEnd()));
    return data;
}

// Nothing is ever loaded: what the page shows is in its text.
QVariant LessonView::loadResource(int, const QUrl&) {
    return {};
}

}  // namespace app
