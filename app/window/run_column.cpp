#include "app/window/run_column.h"

#include <QLabel>
#include <QVBoxLayout>
#include <algorithm>

#include "app/window/gl_probe.h"
#include "app/window/interface_words.h"
#include "app/window/pane_widget.h"
#include "app/window/style.h"

namespace app {
namespace {

// While it trains, drawing takes at most this share of the time: software GL needs the trainer's cores.
constexpr double drawingShare = 0.4;

}  // namespace

RunColumn::RunColumn(QWidget* parent)
    : QWidget(parent),
      m_sampling({.sample = [this](const core::SamplingRequest& r) { return m_trainer.sample(r); },
                  .fork = [this](int64_t run, int step,
                                 const core::SamplingRequest& r) { return m_trainer.fork(run, step, r); },
                  .discard = [this](int64_t run) { m_trainer.discard(run); }}),
      m_frame(std::make_shared<const core::Frame>()) {
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(0);
    m_heading = new QLabel(this);
    m_heading->setTextFormat(Qt::RichText);
    m_heading->setWordWrap(true);
    m_heading->hide();
    column->addWidget(m_heading);
    if (glProbe().usable) {
        m_pane = new PaneWidget(this);
        m_pane->pane().setHandle([this](const std::string& handle, const std::vector<float>& values) {
            m_trainer.setHandle(handle, values);
            m_hurry = true;
        });
        m_pane->pane().setSamplingActions(
            {.goTo = [this](double t) { m_sampling.goToTime(t); },
             .move = [this](int steps) { m_sampling.moveSteps(steps); },
             .sample = [this](const core::SamplingRequest& r) { return m_trainer.sample(r); },
             .discard = [this](int64_t run) { m_trainer.discard(run); }});
        connect(&m_sampling, &SamplingPlayer::moved, this, &RunColumn::showPlace);
        column->addWidget(m_pane, 1);
    } else {
        m_without = new QLabel(glProbe().reason, this);
        m_without->setAlignment(Qt::AlignCenter);
        m_without->setWordWrap(true);
        column->addWidget(m_without, 1);
    }
}

RunColumn::~RunColumn() = default;

void RunColumn::open(const core::RunRequest& request) {
    m_trainer.open(request);
    startOver();
    if (m_pane) m_pane->pane().setLesson(request.lesson);
    hurry();
}

void RunColumn::replay(const core::Journal& journal, const std::vector<core::OwnDataPtr>& files) {
    m_trainer.replay(journal, files);
    startOver();
    if (m_pane) m_pane->pane().setLesson(journal.lesson);
    hurry();
}

void RunColumn::openAt(const std::shared_ptr<const core::Moment>& moment, const core::RunRequest& request) {
    m_trainer.openAt(moment, request);
    startOver();
    m_furthest = moment->step;
    if (m_pane) m_pane->pane().setLesson(moment->journal.lesson);
}

void RunColumn::comeBack(const core::RunRequest& request, qint64 furthest) {
    m_trainer.comeBack(request);
    startOver();
    m_furthest = furthest;
    if (m_pane) m_pane->pane().setLesson(request.lesson);
}

void RunColumn::showPlace() {
    m_pane->pane().setSamplingPlace(m_sampling.place());
}

void RunColumn::setHeading(const QString& words) {
    m_heading->setText(words);
    m_heading->setVisible(!words.isEmpty());
    m_heading->setContentsMargins(scaled(16), scaled(4), scaled(16), scaled(4));
}

void RunColumn::setTheme(const views::Theme& theme) {
    if (!m_pane) return;
    m_pane->pane().setTheme(theme);
    m_pane->setAccessibleName(say("Picture of the run"));
    m_pane->setToolTip(QString());
    m_pane->refresh();
}

void RunColumn::setPanelTitles(const std::map<std::string, views::PanelTitle>& titles) {
    if (m_pane) m_pane->pane().setPanelTitles(titles);
}

void RunColumn::setPhrases(const std::map<std::string, std::string>& phrases) {
    if (m_pane) m_pane->pane().setPhrases(phrases);
}

void RunColumn::watch() {
    std::set<std::string> wanted = m_alsoWatched;
    if (m_pane) wanted.merge(m_pane->pane().needs());
    if (wanted == m_watched) return;
    m_watched = wanted;
    m_trainer.watch(m_watched);
}

void RunColumn::forgetFuture() {
    m_furthest = m_frame->step;
    std::erase_if(m_markers, [&](const auto& marker) { return marker.step > m_furthest; });
}

void RunColumn::mark(qint64 step, const QString& words) {
    // A slider's way within one step is one marker.
    const QString knob = words.section(' ', 0, -2);
    if (!m_markers.empty() && m_markers.back().step == step && m_markers.back().words.startsWith(knob))
        m_markers.back().words = words;
    else
        m_markers.push_back({step, words});
}

void RunColumn::startOver() {
    m_furthest = 0;
    m_stepBefore = m_frame->step;
    m_sinceRestart.start();
    m_sampling.startOver();
    hurry();
}

void RunColumn::follow(qint64 step) {
    constexpr int longestMs = 500;  // a restart takes effect within 100 ms, or a lesson's loading time
    const bool stale = m_stepBefore > 0 && step >= m_stepBefore;
    if (m_sinceRestart.isValid() && stale && m_sinceRestart.elapsed() < longestMs) return;
    m_sinceRestart.invalidate();
    m_furthest = std::max(m_furthest, step);
}

bool RunColumn::due() const {
    const double interval = m_pane && m_frame->running ? m_pane->frameMs() / drawingShare : 0;
    return m_hurry || !m_sincePoll.isValid() || double(m_sincePoll.elapsed()) >= interval;
}

core::FramePtr RunColumn::newest() {
    watch();
    return m_trainer.latest();
}

bool RunColumn::take(const core::FramePtr& frame) {
    if (frame == m_frame) return false;
    m_frame = frame;
    follow(m_frame->step);
    m_sincePoll.start();
    m_hurry = false;
    if (m_pane) m_pane->pane().setFrame(frame);
    m_sampling.follow(*frame);
    return true;
}

void RunColumn::refresh() {
    m_sampling.keepUp(*m_frame);
    if (m_pane) m_pane->refresh();
}

bool RunColumn::poll() {
    const bool another = due() && take(newest());
    refresh();
    return another;
}

}  // namespace app
