#include "app/window/export_dialog.h"

#include <QComboBox>
#include <QDir>
#include <QFileDialog>
#include <QFileInfo>
#include <QFormLayout>
#include <QHBoxLayout>
#include <QLabel>
#include <QLineEdit>
#include <QProgressDialog>
#include <QPushButton>
#include <exception>

#include "app/window/exporter.h"
#include "app/window/interface_words.h"
#include "app/window/main_window.h"
#include "app/window/pane_widget.h"
#include "app/window/run_column.h"
#include "app/window/run_recorder.h"
#include "app/window/style.h"

namespace app {
namespace {

enum Kind { wholeWindow, panel, curves, channel };
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
    add(say("The window"), wholeWindow, "window");
    if (column.pane()) {
        for (const auto& place : column.pane()->pane().panelRects()) {
            const QString id = QString::fromStdString(place.id);
            const PanelWords* words = window.text().panel(id);
            add(say("Panel: %1").arg(words ? words->title : id), panel, id);
        }
    }
    add(say("All curves"), curves, "curves");
    for (const auto& [name, tensor] : column.frame().channels) {
        if (tensor.values.size() < 2) continue;
        const QString id = QString::fromStdString(name);
        add(say("Numbers of %1").arg(id), channel, id);
    }
    m_what->setAccessibleName(say("What to export"));
    m_what->setToolTip(say("What to export"));
    m_format = new QComboBox(this);
    m_format->setAccessibleName(say("Format"));
    m_format->setToolTip(
        say("PNG is a picture of this moment, SVG the same as a drawing that can be enlarged, GIF the "
            "run from its start to this step."));
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
    form->addRow(say("Format"), m_format);
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
    connect(m_what, &QComboBox::currentIndexChanged, this, &ExportDialog::offerFormats);
    connect(m_format, &QComboBox::currentIndexChanged, this, &ExportDialog::proposeName);
    connect(browse, &QPushButton::clicked, this, &ExportDialog::browse);
    connect(cancel, &QPushButton::clicked, this, &QDialog::reject);
    connect(save, &QPushButton::clicked, this, &ExportDialog::save);
    offerFormats();
}

void ExportDialog::offerFormats() {
    const auto kind = Kind(m_what->currentData(kindRole).toInt());
    const QString before = m_format->currentData().toString();
    const QSignalBlocker quiet(m_format);
    m_format->clear();
    if (kind >= curves) {
        m_format->addItem(say("CSV, numbers"), "csv");
    } else {
        m_format->addItem(say("PNG, a picture"), "png");
        if (kind == panel) m_format->addItem(say("SVG, a drawing"), "svg");
        if (m_column.frame().step > 0) m_format->addItem(say("GIF, the run so far"), "gif");
    }
    m_format->setCurrentIndex(std::max(0, m_format->findData(before)));
    proposeName();
}

void ExportDialog::proposeName() {
    const core::Frame& frame = m_column.frame();
    const QFileInfo before(m_path->text());
    const QDir folder = m_path->text().isEmpty() ? QDir::home() : before.dir();
    m_path->setText(folder.filePath(
        QStringLiteral("%1-%2-%3.%4")
            .arg(QString::fromStdString(frame.lesson), m_what->currentData(nameRole).toString())
            .arg(frame.step)
            .arg(m_format->currentData().toString())));
}

void ExportDialog::browse() {
    const QString path = QFileDialog::getSaveFileName(this, say("Export…"), m_path->text());
    if (!path.isEmpty()) m_path->setText(path);
}

void ExportDialog::save() {
    const std::string name = m_what->currentData(nameRole).toString().toStdString();
    const auto kind = Kind(m_what->currentData(kindRole).toInt());
    const QString format = m_format->currentData().toString(), path = m_path->text();
    const core::Frame& frame = m_column.frame();
    try {
        if (kind == curves) {
            saveText(curvesCsv(frame), path);
        } else if (kind == channel) {
            saveText(channelCsv(frame, name), path);
        } else if (format == "svg") {
            saveText(svgOf(m_column, name), path);
        } else if (format == "gif") {
            return saveRun(kind == panel ? name : std::string());
        } else {
            savePicture(kind == panel ? pictureOf(m_column, name) : pictureOf(m_window), frame, path);
        }
        accept();
    } catch (const std::exception& fault) {
        m_fault->setText(QString::fromUtf8(fault.what()));
    }
}

// The window goes through the run once more, below this dialog.
void ExportDialog::saveRun(const std::string& panel) {
    const QString path = m_path->text();
    Recording recording{.to = m_column.frame().step, .panel = panel};
    QProgressDialog progress(say("Recording the run…"), say("Cancel"), 0, recording.pictures, &m_window);
    progress.setWindowModality(Qt::WindowModal);
    progress.setMinimumDuration(0);
    setEnabled(false);
    try {
        const bool whole = recordRun(m_window, m_column, recording, path, [&](int done) {
            progress.setValue(std::min(done, recording.pictures - 1));
            return !progress.wasCanceled();
        });
        if (whole) return accept();
    } catch (const std::exception& fault) {
        m_fault->setText(QString::fromUtf8(fault.what()));
    }
    setEnabled(true);
    m_column.trainer().goTo(recording.to);
}

}  // namespace app
