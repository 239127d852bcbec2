// Walks through the runs of a sampler: where in which run the user stands, playing both ways, branches, and
// keeping up with the network while it trains.
#pragma once

#include <QElapsedTimer>
#include <QObject>
#include <QTimer>
#include <functional>
#include <memory>
#include <optional>

#include "core/contract/frame.h"
#include "views/sampling.h"

namespace app {

class SamplingPlayer : public QObject {
    Q_OBJECT

  public:
    // What runs are asked of: core::Trainer, or a test.
    struct Source {
        std::function<int64_t(const core::SamplingRequest&)> sample;
        std::function<int64_t(int64_t run, int step, const core::SamplingRequest&)> fork;
        std::function<void(int64_t run)> discard;
    };

    explicit SamplingPlayer(Source source, QObject* parent = nullptr);

    // The lesson's knobs that a sampling run reads, and the number of stages of one of its steps; a lesson
    // without such knobs does not sample. Forgets all runs.
    void setLesson(const std::vector<core::Parameter>& parameters, int stages);
    bool samples() const { return !m_knobs.empty(); }
    // The newest frame: its runs, and whether the network or a knob is another than the run knows.
    void follow(const core::Frame& frame);
    // Asks for another run if one is due: now and then, whether or not there is another frame.
    void keepUp(const core::Frame& frame);
    // The trainer began anew: what was sampled is of a network that is gone.
    void startOver();

    // ---- where
    const views::SamplingPlace& place() const { return m_place; }
    core::TrajectoryPtr run() const { return m_samplings ? m_samplings->find(m_place.run) : nullptr; }
    core::TrajectoryPtr branch() const { return m_samplings ? m_samplings->find(m_place.branch) : nullptr; }
    const std::vector<core::Parameter>& knobs() const { return m_knobs; }
    double time() const;
    // Runs that had to go for their memory: one sentence, or empty.
    std::string notice() const { return m_samplings ? m_samplings->notice : std::string(); }

    // ---- runs
    void sample();     // the same noise, with network and knobs as they are, played from its beginning
    void otherDice();  // another noise
    // From this place on, with other settings over the run's own; other noise, too, if the seed is another.
    void fork(const core::SamplingRequest& request);
    void forkWithOtherDice();
    void dropBranch();
    uint64_t freshSeed() const { return m_freshSeed; }
    // Samples again, on its own, when the network or a knob has changed.
    void setKeepsUp(bool keepsUp);
    bool keepsUp() const { return m_keepsUp; }

    // ---- moving; playing ends
    void moveSteps(int steps);
    void moveStages(int stages);
    void goToStep(int step);
    void goToTime(double t);
    void goToLast();

    // ---- playing
    // +1 towards the data, -1 back to the noise; the same again stops.
    void play(int direction);
    void stop();
    int direction() const { return m_direction; }
    void setSpeed(double stepsPerSecond);  // 0: the whole run in six seconds
    void setLoops(bool loops) { m_loops = loops; }
    bool loops() const { return m_loops; }
    // What playing does when that much time has passed.
    void advance(double seconds);

  signals:
    void moved();        // another place
    void runsChanged();  // another run, or more of it
    void playing(int direction);

  private:
    int lastStep() const;  // that can be shown
    void ask(const core::SamplingRequest& request, bool played);
    void receive();
    void put(int step, int stage = -1);
    core::Settings relevant(const core::Frame& frame) const;

    Source m_source;
    std::vector<core::Parameter> m_knobs;
    std::vector<std::string> m_relevant;  // knobs that make another sample
    int m_stages = 0;
    std::shared_ptr<const core::Samplings> m_samplings;
    views::SamplingPlace m_place;
    uint64_t m_seed = 1, m_freshSeed = 2;
    core::Settings m_settings;  // of the newest frame

    int64_t m_asked = 0;  // that run is not shown yet
    int64_t m_timed = 0;  // that one is, and when it is complete it is known how long they take
    bool m_askedToPlay = false;
    core::Settings m_askedWith;
    QElapsedTimer m_sinceAsked, m_sinceShown;
    qint64 m_lastMs = 0;  // that the last one took
    bool m_keepsUp = true;

    // Playing.
    QTimer m_timer;
    QElapsedTimer m_sinceTick;
    int m_direction = 0;
    double m_stepsPerSecond = 0, m_rest = 0;
    bool m_loops = false;
};

}  // namespace app
