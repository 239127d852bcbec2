#include "app/window/export_dialog.h"

#include <QComboBox>
#include <QDir>
#include <QFileDialog>
#include <QFileInfo>
#include <QFormLayout>
#include <QHBoxLayout>
#include <QLabel>
#include <QLineEdit>
#include <QPushButton>
#include <exception>

#include "app/window/exporter.h"
#include "app/window/interface_words.h"
#include "app/window/main_window.h"
#include "app/window/pane_widget.h"
#include "app/window/run_column.h"
#include "app/window/style.h"

namespace app {
namespace {

enum Kind { windowPicture, panelPicture, curves, channel };
enum Role { kindRole = Qt::UserRole, nameRole };

}  // namespace

ExportDialog::ExportDialog(MainWindow& window, RunColumn& column)
    : QDialog(&window), m_window(window), m_column(column) {
    setWindowTitle(say("Export…"));
    m_what = new QComboBox(this);
    const auto add = [this](const QString& words, Kind kind, const QString& name) {
        m_what->addItem(words);
        m_what->setItemData(m_what->count() - 1, kind, kindRole);
        m_what->setItemData(m_what->count() - 1, name, nameRole);
    };
    add(say("Picture of the window"), windowPicture, "window");
    if (column.pane()) {
        for (const auto& place : column.pane()->pane().panelRects()) {
            const QString id = QString::fromStdString(place.id);
            const PanelWords* words = window.text().panel(id);
            add(say("Picture: %1").arg(words ? words->title : id), panelPicture, id);
        }
    }
    add(say("All curves, as CSV"), curves, "curves");
    for (const auto& [name, tensor] : column.frame().channels) {
        if (tensor.values.size() < 2) continue;
        const QString id = QString::fromStdString(name);
        add(say("Numbers of %1, as CSV").arg(id), channel, id);
    }
    m_what->setAccessibleName(say("What to export"));
    m_what->setToolTip(say("What to export"));
    m_path = new QLineEdit(this);
    m_path->setMinimumWidth(scaled(360));
    m_path->setAccessibleName(say("File"));
    m_path->setToolTip(say("Where it is written; a file of that name is replaced."));
    auto* browse = new QPushButton(say("Browse…"), this);
    browse->setToolTip(say("Choose a folder and a name."));
    m_fault = new QLabel(this);
    m_fault->setWordWrap(true);
    auto* cancel = new QPushButton(say("Cancel"), this);
    cancel->setToolTip(say("Writes nothing."));
    auto* save = new QPushButton(say("Save"), this);
    save->setToolTip(say("Writes the file."));
    save->setDefault(true);

    auto* form = new QFormLayout(this);
    form->setContentsMargins(scaled(24), scaled(24), scaled(24), scaled(16));
    form->setVerticalSpacing(scaled(16));
    form->addRow(say("What"), m_what);
    auto* place = new QHBoxLayout;
    place->addWidget(m_path, 1);
    place->addWidget(browse);
    form->addRow(say("File"), place);
    form->addRow(m_fault);
    auto* buttons = new QHBoxLayout;
    buttons->addStretch(1);
    buttons->addWidget(cancel);
    buttons->addWidget(save);
    form->addRow(buttons);
    connect(m_what, &QComboBox::currentIndexChanged, this, &ExportDialog::proposeName);
    connect(browse, &QPushButton::clicked, this, &ExportDialog::browse);
    connect(cancel, &QPushButton::clicked, this, &QDialog::reject);
    connect(save, &QPushButton::clicked, this, &ExportDialog::save);
    proposeName();
}

void ExportDialog::proposeName() {
    const bool text = m_what->currentData(kindRole).toInt() >= curves;
    const core::Frame& frame = m_column.frame();
    const QFileInfo before(m_path->text());
    const QDir folder = m_path->text().isEmpty() ? QDir::home() : before.dir();
    m_path->setText(folder.filePath(
        QStringLiteral("%1-%2-%3.%4")
            .arg(QString::fromStdString(frame.lesson), m_what->currentData(nameRole).toString())
            .arg(frame.step)
            .arg(text ? "csv" : "png")));
}

void ExportDialog::browse() {
    const QString path = QFileDialog::getSaveFileName(this, say("Export…"), m_path->text());
    if (!path.isEmpty()) m_path->setText(path);
}

void ExportDialog::save() {
    const QString name = m_what->currentData(nameRole).toString();
    const core::Frame& frame = m_column.frame();
    try {
        switch (Kind(m_what->currentData(kindRole).toInt())) {
            case windowPicture:
                savePicture(pictureOf(m_window), frame, m_path->text());
                break;
            case panelPicture:
                savePicture(pictureOf(m_column, name.toStdString()), frame, m_path->text());
                break;
            case curves:
                saveText(curvesCsv(frame), m_path->text());
                break;
            case channel:
                saveText(channelCsv(frame, name.toStdString()), m_path->text());
                break;
        }
        accept();
    } catch (const std::exception& fault) {
        m_fault->setText(QString::fromUtf8(fault.what()));
    }
}

}  // namespace app
