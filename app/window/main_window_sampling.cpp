// The window's second timeline: runs of the sampler, of a lesson that has one.
#include <QDoubleSpinBox>
#include <algorithm>

#include "app/text/algorithm_view.h"
#include "app/window/fork_dialog.h"
#include "app/window/interface_words.h"
#include "app/window/main_window.h"
#include "app/window/pane_widget.h"
#include "app/window/run_column.h"
#include "app/window/sampling_bar.h"
#include "app/window/sampling_timeline.h"

namespace app {
namespace {

QStringList stagesOf(const LessonText& text) {
    QStringList stages;
    for (const AlgorithmLine& line : text.algorithm)
        if (line.sampling) stages << line.stage;
    return stages;
}

}  // namespace

void MainWindow::prepareSampling(RunColumn& column) {
    SamplingPlayer& player = column.sampling();
    player.setLesson(m_parameters, int(stagesOf(m_text).size()));
    player.setKeepsUp(m_actions->keepUp->isChecked());
    player.setLoops(m_actions->loop->isChecked());
    disconnect(&player, nullptr, this, nullptr);
    const auto shown = [this, &column] {
        if (&column == &selected()) showSampling();
    };
    connect(&player, &SamplingPlayer::moved, this, shown);
    connect(&player, &SamplingPlayer::runsChanged, this, shown);
    connect(&player, &SamplingPlayer::playing, this, shown);
}

void MainWindow::connectSampling() {
    const Actions& a = *m_actions;
    const auto on = [this](QAction* action, const std::function<void(SamplingPlayer&)>& act) {
        connect(action, &QAction::triggered, this, [=, this] {
            forEachColumn([&](RunColumn& column) {
                act(column.sampling());
                column.hurry();
            });
        });
    };
    on(a.sample, [](SamplingPlayer& p) { p.sample(); });
    on(a.otherDice, [](SamplingPlayer& p) { p.otherDice(); });
    on(a.play, [](SamplingPlayer& p) { p.play(+1); });
    on(a.playBack, [](SamplingPlayer& p) { p.play(-1); });
    on(a.sampleStep, [](SamplingPlayer& p) { p.moveSteps(+1); });
    on(a.sampleBack, [](SamplingPlayer& p) { p.moveSteps(-1); });
    on(a.sampleStage, [this](SamplingPlayer& p) {
        showAlgorithm();
        p.moveStages(+1);
    });
    on(a.sampleStageBack, [this](SamplingPlayer& p) {
        showAlgorithm();
        p.moveStages(-1);
    });
    on(a.sampleFirst, [](SamplingPlayer& p) { p.goToStep(0); });
    on(a.sampleLast, [](SamplingPlayer& p) { p.goToLast(); });
    on(a.fork, [](SamplingPlayer& p) { p.forkWithOtherDice(); });
    on(a.dropFork, [](SamplingPlayer& p) { p.dropBranch(); });
    on(a.loop, [this](SamplingPlayer& p) { p.setLoops(m_actions->loop->isChecked()); });
    on(a.keepUp, [this](SamplingPlayer& p) { p.setKeepsUp(m_actions->keepUp->isChecked()); });
    connect(a.forkWith, &QAction::triggered, this, &MainWindow::forkWith);
    connect(a.goToTime, &QAction::triggered, this, [this] {
        m_samplingBar->timeBox()->setFocus();
        m_samplingBar->timeBox()->selectAll();
    });
    connect(m_samplingBar->timeline(), &SamplingTimeline::scrubbed, this, [this](qint64 step) {
        selected().sampling().goToStep(int(step));
        const double t = selected().sampling().time();
        forEachColumn([&](RunColumn& column) {
            if (&column != &selected()) column.sampling().goToTime(t);
        });
    });
    connect(m_samplingBar, &SamplingBar::timeChosen, this, [this](double t) {
        forEachColumn([t](RunColumn& column) { column.sampling().goToTime(t); });
        if (selected().pane()) selected().pane()->setFocus();
    });
    connect(m_samplingBar, &SamplingBar::speedChosen, this, [this](double stepsPerSecond) {
        forEachColumn([=](RunColumn& column) { column.sampling().setSpeed(stepsPerSecond); });
    });
}

void MainWindow::showSampling() {
    const SamplingPlayer& player = selected().sampling();
    m_samplingBar->setVisible(player.samples());
    m_actions->setSampling(player.samples());
    if (!player.samples()) return m_algorithm->setSamplingStage({});
    m_actions->setPlaying(player.direction());
    m_samplingBar->show(player);
    const int stage = player.place().stage;
    m_algorithm->setSamplingStage(stage < 0 ? QString() : stagesOf(m_text).value(stage));
}

void MainWindow::forkWith() {
    SamplingPlayer& player = selected().sampling();
    const core::TrajectoryPtr run = player.run();
    if (!run || player.place().step >= run->total) return;
    player.stop();
    ForkDialog dialog(*run, player.place().step, player.knobs(), m_text, player.freshSeed(), this);
    if (dialog.exec() != QDialog::Accepted) return;
    player.fork(dialog.request());
    selected().hurry();
}

}  // namespace app
