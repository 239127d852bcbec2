#include "app/text/algorithm_view.h"

#include <QAbstractTextDocumentLayout>
#include <QMimeData>
#include <QPainter>
#include <QScrollBar>
#include <QTextBlock>
#include <QTextFrame>

#include <algorithm>
#include <cmath>

namespace app {
namespace {

constexpr double gutterEm = 2.6;  // where the line's number or the marker stands
constexpr double indentEm = 1.3;  // one level

}  // namespace

AlgorithmView::AlgorithmView(QWidget* parent) : QTextEdit(parent), m_objects(new InlineObjects(document())) {
    setReadOnly(true);
    setUndoRedoEnabled(false);
    setFrameShape(QFrame::NoFrame);
    setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    setTextInteractionFlags(Qt::TextSelectableByMouse);
}

void AlgorithmView::setLesson(const LessonText& lesson) {
    m_lesson = lesson;
    build();
    updateGeometry();
}

void AlgorithmView::setStage(const QString& stage) {
    light(false, stage);
}

void AlgorithmView::setSamplingStage(const QString& stage) {
    light(true, stage);
}

void AlgorithmView::light(bool sampling, const QString& stage) {
    if (stage == m_stages[sampling]) return;
    m_stages[sampling] = stage;
    const int line = litLine(sampling);
    const QTextBlock block = line < 0 ? QTextBlock() : document()->findBlockByNumber(line);
    setAccessibleDescription(
        line < 0 ? QString() : m_objects->plainText(block.position(), block.position() + block.length() - 1));
    if (line >= 0 && verticalScrollBar()->maximum() > 0) {
        const QRectF rect = litRect(sampling);
        if (rect.top() < 0 || rect.bottom() > viewport()->height())
            verticalScrollBar()->setValue(
                int(verticalScrollBar()->value() + rect.center().y() - viewport()->height() / 2.0));
    }
    viewport()->update();
}

int AlgorithmView::litLine(bool sampling) const {
    const QString& stage = m_stages[sampling];
    if (stage.isEmpty()) return -1;
    const auto it = std::find_if(
        m_lesson.algorithm.begin(), m_lesson.algorithm.end(),
        [&](const AlgorithmLine& line) { return line.sampling == sampling && line.stage == stage; });
    return it == m_lesson.algorithm.end() ? -1 : int(it - m_lesson.algorithm.begin());
}

QRectF AlgorithmView::litRect(bool sampling) const {
    const int line = litLine(sampling);
    if (line < 0) return {};
    const QRectF block = document()->documentLayout()->blockBoundingRect(document()->findBlockByNumber(line));
    const double inset = 0.3 * m_style.em();
    return QRectF(inset, block.top() - verticalScrollBar()->value() - 0.1 * m_style.em(),
                  viewport()->width() - 2 * inset, block.height() + 0.2 * m_style.em());
}

void AlgorithmView::build() {
    m_building = true;
    m_style = TextStyle::of(font(), palette(), m_lesson.language);
    m_objects->setStyle(m_style);
    document()->clear();
    document()->setDefaultFont(m_style.font);
    QTextCursor cursor(document());
    cursor.beginEditBlock();
    for (size_t i = 0; i < m_lesson.algorithm.size(); ++i) {
        const AlgorithmLine& line = m_lesson.algorithm[i];
        QTextBlockFormat format;
        format.setLeftMargin((gutterEm + indentEm * line.indent) * m_style.em());
        format.setRightMargin(0.6 * m_style.em());
        format.setTopMargin(0.26 * m_style.em());
        format.setBottomMargin(0.26 * m_style.em());
        format.setLineHeight(0.2 * m_style.em(), QTextBlockFormat::LineDistanceHeight);
        if (i == 0)
            cursor.setBlockFormat(format);
        else
            cursor.insertBlock(format);
        QTextCharFormat letters;
        // A loop's head is structure, a stage is what happens.
        letters.setFont(line.stage.isEmpty() ? m_style.scaled(1.0, QFont::DemiBold) : m_style.font);
        letters.setForeground(m_style.text);
        m_objects->insert(cursor, line.spans, letters);
    }
    cursor.endEditBlock();
    moveCursor(QTextCursor::Start);  // it begins at its beginning
    QTextFrameFormat page = document()->rootFrame()->frameFormat();
    page.setMargin(0);
    page.setTopMargin(0.5 * m_style.em());
    page.setBottomMargin(0.5 * m_style.em());
    document()->setDocumentMargin(0);
    document()->rootFrame()->setFrameFormat(page);
    m_building = false;
    setAccessibleName(m_objects->plainText(0, document()->characterCount()));
}

QSize AlgorithmView::sizeHint() const {
    const int width = std::max(this->width(), 26 * m_style.em());
    return {width, int(std::ceil(document()->size().height())) + 2};
}

QSize AlgorithmView::minimumSizeHint() const {
    return {16 * std::max(m_style.em(), 1), 6 * std::max(m_style.em(), 1)};
}

void AlgorithmView::resizeEvent(QResizeEvent* event) {
    QTextEdit::resizeEvent(event);
    if (event->oldSize().width() != event->size().width()) {
        m_objects->setColumn(
            std::max(50.0, viewport()->width() - (gutterEm + 2 * indentEm + 0.6) * m_style.em()));
        document()->markContentsDirty(0, document()->characterCount());
        updateGeometry();
    }
}

void AlgorithmView::changeEvent(QEvent* event) {
    QTextEdit::changeEvent(event);
    const bool looks = event->type() == QEvent::FontChange || event->type() == QEvent::PaletteChange ||
                       event->type() == QEvent::StyleChange;
    if (looks && !m_building) build();
}

void AlgorithmView::paintEvent(QPaintEvent* event) {
    {
        QPainter painter(viewport());
        painter.setRenderHint(QPainter::Antialiasing);
        const double em = m_style.em();
        QColor wash = m_style.now;
        wash.setAlphaF(m_style.dark ? 0.20f : 0.24f);
        for (const bool sampling : {false, true}) {
            if (litLine(sampling) < 0) continue;
            painter.setPen(Qt::NoPen);
            painter.setBrush(wash);
            painter.drawRoundedRect(litRect(sampling), 0.35 * em, 0.35 * em);
        }
        painter.setFont(m_style.scaled(0.82));
        int number = 0;
        for (int i = 0; i < int(m_lesson.algorithm.size()); ++i) {
            const AlgorithmLine& line = m_lesson.algorithm[size_t(i)];
            if (line.stage.isEmpty()) {
                if (line.indent == 0) number = 0;  // another algorithm
                continue;
            }
            ++number;
            const QTextBlock block = document()->findBlockByNumber(i);
            const QTextLine first = block.layout()->lineAt(0);
            if (!first.isValid()) continue;
            const double top =
                document()->documentLayout()->blockBoundingRect(block).top() - verticalScrollBar()->value();
            const double baseline = top + first.y() + first.ascent();
            if (i == litLine(line.sampling)) {
                // A pointer, so that the lit line does not rest on colour alone.
                const double middle = baseline - 0.36 * em, x = 1.15 * em;
                painter.setPen(Qt::NoPen);
                painter.setBrush(m_style.dark ? m_style.now : m_style.text);
                painter.drawPolygon(
                    QPolygonF({{x, middle - 0.38 * em}, {x + 0.62 * em, middle}, {x, middle + 0.38 * em}}));
            } else {
                painter.setPen(m_style.quiet);
                const QString text = QString::number(number);
                const double width = painter.fontMetrics().horizontalAdvance(text);
                painter.drawText(QPointF(1.9 * em - width, baseline), text);
            }
        }
    }
    QTextEdit::paintEvent(event);
}

QMimeData* AlgorithmView::createMimeDataFromSelection() const {
    auto* data = new QMimeData;
    data->setText(m_objects->plainText(textCursor().selectionStart(), textCursor().selectionEnd()));
    return data;
}

}  // namespace app
