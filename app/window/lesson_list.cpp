#include "app/window/lesson_list.h"

#include <QEvent>
#include <QPainter>
#include <QScrollBar>
#include <QStyledItemDelegate>
#include <algorithm>

#include "app/text/syllabus.h"
#include "app/window/interface_words.h"
#include "app/window/style.h"
#include "core/lessons/lesson.h"

namespace app {
namespace {

enum Role { idRole = Qt::UserRole, subtitleRole, sourceRole };

// A lesson on three lines: its name, what it is about, who wrote the paper and when.
class LessonDelegate : public QStyledItemDelegate {
  public:
    using QStyledItemDelegate::QStyledItemDelegate;

    QSize sizeHint(const QStyleOptionViewItem& option, const QModelIndex& index) const override {
        return {scaled(100), heightOf(linesOf(option, index.data(subtitleRole).toString()), option)};
    }

    void paint(QPainter* painter, const QStyleOptionViewItem& option,
               const QModelIndex& index) const override {
        const views::Theme& theme = currentTheme();
        const bool enabled = option.state & QStyle::State_Enabled;
        const bool selected = option.state & QStyle::State_Selected;
        QColor ink = colour(theme, views::Ink::text), faint = colour(theme, views::Ink::faint);
        painter->save();
        painter->setRenderHint(QPainter::Antialiasing);
        const QRect box = option.rect.adjusted(0, scaled(1), 0, -scaled(1));
        if (selected || (enabled && option.state & QStyle::State_MouseOver)) {
            QColor wash = ink;
            wash.setAlphaF(selected ? 0.10f : 0.05f);
            painter->setPen(Qt::NoPen);
            painter->setBrush(wash);
            painter->drawRoundedRect(box, scaled(6), scaled(6));
        }
        if (selected) {
            painter->setBrush(colour(theme, views::Ink::data));
            painter->drawRoundedRect(
                QRect(box.left(), box.top() + scaled(8), scaled(3), box.height() - scaled(16)), scaled(1.5),
                scaled(1.5));
        }
        if (!enabled) {
            ink.setAlphaF(0.45f);
            faint.setAlphaF(0.6f);
        }
        QRect area = textArea(option);
        QFont title = option.font;
        title.setWeight(QFont::DemiBold);
        painter->setFont(title);
        painter->setPen(ink);
        QRect line(area.left(), area.top(), area.width(), scaled(20));
        painter->drawText(line, Qt::AlignLeft | Qt::AlignVCenter,
                          QFontMetrics(title).elidedText(index.data(Qt::DisplayRole).toString(),
                                                         Qt::ElideRight, line.width()));
        painter->setFont(smallFont(option));
        painter->setPen(faint);
        const QString subtitle = index.data(subtitleRole).toString();
        const QRect words(area.left(), line.bottom() + 1, area.width(),
                          linesOf(option, subtitle) * smallLine(option));
        painter->drawText(words, Qt::AlignLeft | Qt::AlignTop | Qt::TextWordWrap, subtitle);
        const QRect source(area.left(), words.bottom() + 1, area.width(), smallLine(option));
        painter->drawText(source, Qt::AlignLeft | Qt::AlignVCenter,
                          QFontMetrics(painter->font())
                              .elidedText(index.data(sourceRole).toString(), Qt::ElideRight, source.width()));
        if (option.state & QStyle::State_HasFocus && selected) {
            painter->setBrush(Qt::NoBrush);
            painter->setPen(colour(theme, views::Ink::data));
            painter->drawRoundedRect(QRectF(box).adjusted(0.5, 0.5, -0.5, -0.5), scaled(6), scaled(6));
        }
        painter->restore();
    }

  private:
    static QFont smallFont(const QStyleOptionViewItem& option) {
        QFont font = option.font;
        font.setPixelSize(scaled(12));
        return font;
    }
    static int smallLine(const QStyleOptionViewItem& option) {
        return QFontMetrics(smallFont(option)).lineSpacing();
    }
    static QRect textArea(const QStyleOptionViewItem& option) {
        return option.rect.adjusted(scaled(16), scaled(8), -scaled(8), -scaled(8));
    }
    static int heightOf(int subtitleLines, const QStyleOptionViewItem& option) {
        return scaled(8 + 20 + 8) + (subtitleLines + 1) * smallLine(option);
    }
    // Of a row, without the scroll bar if all of them fit so: heights are asked for before it is there.
    static int rowWidth(const QStyleOptionViewItem& option) {
        if (!option.widget) return 200;
        const auto& list = *static_cast<const QListWidget*>(option.widget);
        const int whole = list.width() - 2 * list.frameWidth();
        int height = 2 * list.frameWidth();
        for (int row = 0; row < list.count(); ++row)
            height += heightOf(linesIn(whole, option, list.item(row)->data(subtitleRole).toString()), option);
        return height <= list.height() ? whole : whole - list.verticalScrollBar()->sizeHint().width();
    }
    static int linesIn(int rowWidth, const QStyleOptionViewItem& option, const QString& words) {
        const QFontMetrics metrics(smallFont(option));
        const QRect bounds =
            metrics.boundingRect(QRect(0, 0, rowWidth - scaled(24), 1000), Qt::TextWordWrap, words);
        return std::max(1, (bounds.height() + metrics.lineSpacing() / 2) / metrics.lineSpacing());
    }
    static int linesOf(const QStyleOptionViewItem& option, const QString& words) {
        return linesIn(rowWidth(option), option, words);
    }
};

}  // namespace

LessonList::LessonList(QWidget* parent) : QListWidget(parent) {
    setItemDelegate(new LessonDelegate(this));
    setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    setVerticalScrollMode(ScrollPerPixel);
    setMouseTracking(true);
    setResizeMode(Adjust);
    retranslate();
    connect(this, &QListWidget::currentItemChanged, this, [this](QListWidgetItem* item) {
        if (item) emit chosen(item->data(idRole).toString());
    });
}

void LessonList::retranslate() {
    const QSignalBlocker quiet(this);
    const QString current = currentItem() ? currentItem()->data(idRole).toString() : QString();
    clear();
    setAccessibleName(say("Lessons"));
    setToolTip(say("The lessons of the course. Choose one to open it."));
    const auto ids = core::lessonIds();
    for (const SyllabusEntry& entry : loadSyllabus(interfaceLanguage())) {
        auto* item = new QListWidgetItem(entry.title, this);
        const bool built = std::find(ids.begin(), ids.end(), entry.id.toStdString()) != ids.end();
        const QString source = QStringLiteral("%1 %2").arg(entry.authors).arg(entry.year);
        item->setData(idRole, entry.id);
        item->setData(subtitleRole, entry.subtitle);
        item->setData(sourceRole, built ? source : say("in preparation"));
        const QString spoken =
            entry.title + ", " + entry.subtitle + ", " + (built ? source : say("in preparation"));
        item->setData(Qt::AccessibleTextRole, spoken);
        item->setToolTip(built ? entry.subtitle + "\n" + source
                               : entry.subtitle + "\n" + say("This lesson is in preparation."));
        item->setFlags(built ? Qt::ItemIsEnabled | Qt::ItemIsSelectable : Qt::NoItemFlags);
    }
    setCurrentLesson(current);
}

void LessonList::setCurrentLesson(const QString& id) {
    const QSignalBlocker quiet(this);
    for (int row = 0; row < count(); ++row)
        if (item(row)->data(idRole).toString() == id) setCurrentRow(row);
}

void LessonList::changeEvent(QEvent* event) {
    QListWidget::changeEvent(event);
    if (event->type() == QEvent::FontChange || event->type() == QEvent::StyleChange) doItemsLayout();
}

}  // namespace app
