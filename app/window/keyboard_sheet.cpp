#include "app/window/keyboard_sheet.h"

#include <QGridLayout>
#include <QHBoxLayout>
#include <QLabel>
#include <QScrollArea>
#include <algorithm>

#include "app/window/interface_words.h"
#include "app/window/style.h"

namespace app {
namespace {

QString keysOf(const QAction& action) {
    QStringList keys;
    for (const QKeySequence& key : action.shortcuts()) keys << key.toString(QKeySequence::NativeText);
    return keys.join(", ");
}

QLabel* labelOf(const QString& words, const QColor& ink, bool strong, QWidget* parent) {
    auto* label = new QLabel(words, parent);
    label->setTextFormat(Qt::PlainText);
    QPalette palette = label->palette();
    palette.setColor(QPalette::WindowText, ink);
    label->setPalette(palette);
    QFont font = label->font();
    font.setWeight(strong ? QFont::DemiBold : QFont::Normal);
    label->setFont(font);
    return label;
}

}  // namespace

KeyboardSheet::KeyboardSheet(const Actions& actions, QWidget* parent) : QDialog(parent) {
    setWindowTitle(say("Keyboard"));
    auto* whole = new QVBoxLayout(this);
    whole->setContentsMargins(0, 0, 0, 0);
    auto* scroll = new QScrollArea(this);
    scroll->setWidgetResizable(true);
    scroll->setAccessibleName(say("Keyboard"));
    whole->addWidget(scroll);
    auto* sheet = new QWidget(scroll);
    auto* columns = new QHBoxLayout(sheet);
    columns->setContentsMargins(scaled(24), scaled(24), scaled(24), scaled(24));
    columns->setSpacing(scaled(40));
    const QColor text = colour(currentTheme(), views::Ink::text),
                 faint = colour(currentTheme(), views::Ink::faint);
    for (const Actions::Group& group : actions.groups()) {
        auto* rows = new QGridLayout;
        rows->setHorizontalSpacing(scaled(16));
        rows->setVerticalSpacing(scaled(8));
        rows->addWidget(labelOf(say(group.title), text, true, sheet), 0, 0, 1, 2);
        int row = 1;
        for (const QAction* action : group.actions) {
            if (action->shortcuts().isEmpty()) continue;
            QLabel* words = labelOf(action->text(), text, false, sheet);
            words->setToolTip(action->statusTip());
            rows->addWidget(labelOf(keysOf(*action), faint, false, sheet), row, 0);
            rows->addWidget(words, row++, 1);
        }
        rows->setRowStretch(row, 1);
        rows->setColumnStretch(1, 1);
        columns->addLayout(rows);
    }
    scroll->setWidget(sheet);
    const QSize wanted = sheet->sizeHint() + QSize(scaled(16), scaled(16));
    resize(parent ? wanted.boundedTo(parent->size() * 9 / 10) : wanted);
}

}  // namespace app
