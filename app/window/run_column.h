// One run and the pane that shows it: the window has one, or two side by side.
#pragma once

#include <QElapsedTimer>
#include <QWidget>
#include <map>
#include <set>
#include <string>

#include "app/window/sampling_player.h"
#include "app/window/timeline_bar.h"
#include "core/session/trainer.h"
#include "views/pane.h"

class QLabel;

namespace app {

class PaneWidget;

class RunColumn : public QWidget {
    Q_OBJECT

  public:
    explicit RunColumn(QWidget* parent = nullptr);
    ~RunColumn() override;

    core::Trainer& trainer() { return m_trainer; }
    SamplingPlayer& sampling() { return m_sampling; }
    // Null where there is no OpenGL; then a sentence stands in the pane's place.
    PaneWidget* pane() const { return m_pane; }
    const core::Frame& frame() const { return *m_frame; }
    // Steps that can be reached without training anew.
    qint64 furthest() const { return m_furthest; }
    void forgetFuture();
    // A knob was turned after this step: what the timeline marks.
    void mark(qint64 step, const QString& words);
    void setMarkers(const std::vector<TimelineBar::Marker>& markers) { m_markers = markers; }
    const std::vector<TimelineBar::Marker>& markers() const { return m_markers; }
    // The trainer was told to begin at step 0 again; frames from before are on their way still.
    void startOver();

    void open(const core::RunRequest& request);
    void replay(const core::Journal& journal, const std::vector<core::OwnDataPtr>& files);
    // As the other one stands.
    void openAt(const std::shared_ptr<const core::Moment>& moment, const core::RunRequest& request);
    // The run that was left for another lesson, which had been trained so far.
    void comeBack(const core::RunRequest& request, qint64 furthest);
    // Opened by "A and B": the words above the pane; empty hides them.
    void setHeading(const QString& words);
    void setTheme(const views::Theme& theme);
    void setPanelTitles(const std::map<std::string, views::PanelTitle>& titles);
    void setPhrases(const std::map<std::string, std::string>& phrases);
    // Channels that words outside the pane show.
    void setAlsoWatched(const std::set<std::string>& channels) { m_alsoWatched = channels; }

    // Takes the trainer's newest frame if one is due; true if it is another than before.
    bool poll();
    // The same in two parts, for a pair of columns that shows two frames of the same step or none.
    bool due() const;
    core::FramePtr newest();
    bool take(const core::FramePtr& frame);
    void refresh();
    // The next poll takes a frame at once: the user did something.
    void hurry() { m_hurry = true; }

  private:
    void watch();
    void showPlace();
    void follow(qint64 step);

    core::Trainer m_trainer;
    SamplingPlayer m_sampling;
    core::FramePtr m_frame;
    PaneWidget* m_pane = nullptr;
    QLabel* m_heading;
    QLabel* m_without = nullptr;
    std::set<std::string> m_watched, m_alsoWatched;
    QElapsedTimer m_sincePoll;
    std::vector<TimelineBar::Marker> m_markers;
    qint64 m_furthest = 0, m_stepBefore = 0;
    QElapsedTimer m_sinceRestart;  // valid until the first frame of the run anew
    bool m_hurry = true;
};

}  // namespace app
