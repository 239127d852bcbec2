#include "app/window/command_palette.h"

#include <QKeyEvent>
#include <QLineEdit>
#include <QListWidget>
#include <QTimer>
#include <QVBoxLayout>
#include <algorithm>

#include "app/window/interface_words.h"
#include "app/window/style.h"

namespace app {

bool letterMatch(const QString& letters, const QString& words) {
    qsizetype at = 0;
    for (const QChar letter : letters) {
        if (letter.isSpace()) continue;
        at = words.indexOf(letter, at, Qt::CaseInsensitive);
        if (at < 0) return false;
        ++at;
    }
    return true;
}

CommandPalette::CommandPalette(std::vector<Command> commands, QWidget* parent)
    : QDialog(parent, Qt::Dialog | Qt::FramelessWindowHint), m_commands(std::move(commands)) {
    setAccessibleName(say("Find a command…"));
    setAttribute(Qt::WA_StyledBackground);
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(scaled(8), scaled(8), scaled(8), scaled(8));
    m_line = new QLineEdit(this);
    m_line->setPlaceholderText(say("Type a few letters of what you want to do."));
    m_line->setAccessibleName(say("Find a command…"));
    m_line->setToolTip(m_line->placeholderText());
    m_list = new QListWidget(this);
    m_list->setAccessibleName(say("Commands"));
    m_list->setToolTip(say("Enter runs the chosen one."));
    m_list->setFocusPolicy(Qt::NoFocus);
    column->addWidget(m_line);
    column->addWidget(m_list);
    m_line->installEventFilter(this);
    connect(m_line, &QLineEdit::textChanged, this, &CommandPalette::filter);
    connect(m_line, &QLineEdit::returnPressed, this, &CommandPalette::runCurrent);
    connect(m_list, &QListWidget::itemClicked, this, &CommandPalette::runCurrent);
    filter();
    resize(scaled(480), scaled(400));
    if (parent) move(parent->mapToGlobal(QPoint((parent->width() - width()) / 2, scaled(96))));
}

void CommandPalette::filter() {
    m_list->clear();
    for (size_t i = 0; i < m_commands.size(); ++i) {
        if (!letterMatch(m_line->text(), m_commands[i].words)) continue;
        const Command& command = m_commands[i];
        auto* item = new QListWidgetItem(
            command.key.isEmpty() ? command.words : command.words + "   " + command.key, m_list);
        item->setData(Qt::UserRole, int(i));
        item->setSizeHint({scaled(100), scaled(32)});
    }
    m_list->setCurrentRow(0);
}

void CommandPalette::runCurrent() {
    const QListWidgetItem* item = m_list->currentItem();
    if (!item) return;
    // After the dialog has gone: the command may open another.
    const auto act = m_commands[size_t(item->data(Qt::UserRole).toInt())].act;
    accept();
    QTimer::singleShot(0, parent(), act);
}

bool CommandPalette::eventFilter(QObject* watched, QEvent* event) {
    if (event->type() == QEvent::KeyPress) {
        const int key = static_cast<QKeyEvent*>(event)->key();
        if (key == Qt::Key_Up || key == Qt::Key_Down) {
            const int row = m_list->currentRow() + (key == Qt::Key_Down ? 1 : -1);
            m_list->setCurrentRow(std::clamp(row, 0, std::max(0, m_list->count() - 1)));
            return true;
        }
    }
    return QDialog::eventFilter(watched, event);
}

}  // namespace app
