// What the window runs: a lesson, a preset, a network that comes with the program.
#include <QPushButton>
#include <QScrollBar>
#include <QTimer>
#include <algorithm>

#include "app/text/lesson_view.h"
#include "app/window/interface_words.h"
#include "app/window/knob_panel.h"
#include "app/window/lesson_list.h"
#include "app/window/main_window.h"
#include "app/window/preset_header.h"
#include "app/window/run_column.h"
#include "app/window/timeline_bar.h"
#include "app/window/transport.h"
#include "core/lessons/lesson.h"

namespace app {

void MainWindow::openLesson(const core::RunRequest& request) {
    if (m_columns.size() > 1) setComparing(false);
    m_left.erase(QString::fromStdString(request.lesson));
    loadLesson(QString::fromStdString(request.lesson));
    m_columnPresets[0] = request.preset.empty() ? QString::fromStdString(m_presets.front().name)
                                                : QString::fromStdString(request.preset);
    m_header->setPreset(m_columnPresets[0]);
    selected().open(request);
    startOver();
    setNotice({}, false);
    m_shipped = request.settings.empty() && request.ownData.empty() && openShipped(m_columnPresets[0]);
    if (m_running) selected().trainer().run();
    // Once the page has its width.
    QTimer::singleShot(0, m_lessonView, [this] { m_lessonView->verticalScrollBar()->setValue(0); });
}

// Each lesson's run is there again when one comes back to it.
void MainWindow::changeLesson(const QString& id) {
    if (m_columns.size() > 1) setComparing(false);
    m_left[m_text.id] = {m_columnPresets[0], m_shipped, selected().furthest(), selected().markers()};
    core::RunRequest request;
    request.lesson = id.toStdString();
    request.seed = std::max<uint64_t>(1, selected().frame().seed);
    request.device = m_onDevice.device;
    request.exact = m_onDevice.exact;
    const auto known = m_left.find(id);
    if (known == m_left.end()) return openLesson(request);
    const Left left = known->second;
    m_left.erase(known);
    loadLesson(id);
    m_columnPresets[0] = left.preset;
    m_header->setPreset(left.preset);
    request.preset = left.preset.toStdString();
    selected().comeBack(request, left.furthest);
    startOver();
    selected().setMarkers(left.markers);
    m_transport->timeline()->setMarkers(left.markers);
    m_shipped = left.shipped;
    if (m_shipped) m_shippedFigures = shippedFigures(request.lesson, request.preset);
    setNotice({}, false);
    if (m_running) selected().trainer().run();
}

void MainWindow::loadLesson(const QString& id) {
    const auto lesson = core::makeLesson(id.toStdString());
    m_parameters.clear();
    m_ownData.clear();
    for (const core::Knob* knob : lesson->knobs()) m_parameters.push_back(knob->parameter());
    m_presets = lesson->presets();
    m_text = loadLessonText(id, interfaceLanguage());
    m_lessons->setCurrentLesson(id);
    forEachColumn([this](RunColumn& column) { prepareSampling(column); });
    dress();
    showSampling();
}

void MainWindow::choosePreset(const QString& preset) {
    m_notice.clear();
    m_columnPresets[m_selected] = preset;
    const bool shipped = m_columns.size() == 1 && openShipped(preset);
    if (!shipped) selected().trainer().applyPreset(preset.toStdString());
    // The other of A and B begins again with it.
    forEachColumn([this](RunColumn& column) {
        if (&column != &selected()) column.trainer().reset();
        column.startOver();
    });
    startOver();
    m_shipped = shipped;
}

// Where a trained network comes with the preset, it is there at once, and its run stands still.
bool MainWindow::openShipped(const QString& preset) {
    const std::string lesson = m_text.id.toStdString();
    try {
        const std::shared_ptr<const core::SavedRun> saved = shippedRun(lesson, preset.toStdString());
        if (!saved) return false;
        setRunning(false);
        selected().trainer().openSaved(saved, {});
    } catch (const core::Error& error) {
        setNotice(QString::fromUtf8(error.what()), true);
        return false;
    }
    m_shippedFigures = shippedFigures(lesson, preset.toStdString());
    m_estimate.begin({.lesson = lesson, .preset = preset.toStdString()});
    return true;
}

void MainWindow::trainFromScratch() {
    forEachColumn([&](RunColumn& column) {
        column.trainer().applyPreset(m_columnPresets[m_selected].toStdString());
        column.startOver();
    });
    startOver();
    setRunning(true);
}

void MainWindow::turnKnob(const QString& knob, double value) {
    m_notice.clear();
    RunColumn& column = selected();
    column.trainer().set(knob.toStdString(), value);
    const bool ofSampling = std::any_of(m_parameters.begin(), m_parameters.end(), [&](const auto& p) {
        return p.name == knob.toStdString() && p.change == core::Change::sampling;
    });
    if (ofSampling) return column.hurry();  // training knows nothing of it
    column.forgetFuture();
    column.mark(column.frame().step, m_knobs->describe(knob.toStdString(), value));
    column.hurry();
    m_transport->timeline()->setMarkers(column.markers());
}

// The timeline begins anew; the trainers have been told.
void MainWindow::startOver() {
    m_shipped = false;
    forEachColumn([](RunColumn& column) {
        column.setMarkers({});
        column.hurry();
    });
    m_transport->timeline()->setMarkers({});
}

qint64 MainWindow::planned() const {
    for (const core::Preset& preset : m_presets)
        if (preset.name == m_columnPresets[m_selected].toStdString()) return preset.budget;
    return 1;
}

}  // namespace app
